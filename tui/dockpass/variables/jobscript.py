"""A job's scripts: the logins that they make themselves, and the variables that they use. Pure.

Nothing of them is run or followed: a login that a script makes is written into a config of the job's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from dockpass.secrets import MASK, Secret, mask_shapes
from dockpass.text import clean, plural
from dockpass.variables.gitlab.config import Job, ScriptLine
from dockpass.variables.gitlab.model import Place
from dockpass.variables.shellcommand import Simple, Word, piped
from dockpass.variables.shellscript import Script, read_script
from dockpass.variables.token_kind import looks_secret

_LOGINS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("docker", "podman", "nerdctl", "buildah", "skopeo", "oras", "cosign"), ("login",)),
    **dict.fromkeys(("crane", "gcrane"), ("auth", "login")),
    **dict.fromkeys(("helm", "regctl", "doctl"), ("registry", "login")),
    "werf": ("cr", "login"),
    "az": ("acr", "login"),
    "gcloud": ("auth", "configure-docker"),
}
"""Programs that log in to a registry, each with the words of its command."""

_RUNS_ANOTHER = frozenset(
    {
        "sudo",
        "doas",
        "env",
        "exec",
        "command",
        "nohup",
        "nice",
        "timeout",
        "retry",
        "time",
        "xargs",
        "busybox",
    }
)
_SETS = re.compile(r"[A-Za-z_]\w*=")
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh"})
_COMMAND_OPTION = re.compile(r"-[a-z]*c")
_USER = ("-u", "--username", "--user")
_PASSWORD = ("-p", "--password", "--pass", "--identity-token", "--access-token", "-t")
_WITH_VALUE = frozenset(
    {*_USER, *_PASSWORD, "--authfile", "--compat-auth-file", "--cert-dir", "--registry-config", "--ca-file"}
    | {"--cert-file", "--key-file", "--secret", "-n", "--name", "--host", "--tls"}
)
_HANDS_ON = frozenset({"echo", "printf", "cat", "base64", "tr", "head", "tail", "cut", "sed"})
"""Programs that put out what they are given: a variable in their words is where a password comes from."""
_STDIN = frozenset({"--password-stdin", "--pass-stdin", "--identity-token-stdin"})
_SECRET_OPTION = re.compile(r"--[\w-]*(?:pass|token|secret|cred)[\w-]*")
"""An option that may be none of the program's, or of a release that is not known here."""
_PUT_IN = r"\$(?:\w++|\{[^}\s]*+\}|\(…\))"
_HOST = re.compile(
    r"(?:https?://)?(?=localhost|[^/]*[.:$])"
    rf"(?:[A-Za-z0-9._-]|{_PUT_IN})++(?::(?:\d+|{_PUT_IN}))?(?:/[^\s?#@:]*)?"
)
_CONFIG = re.compile(
    r"(?:.*/)?(?:\.docker/config|containers/auth)\.json|.*\$\{?DOCKER_CONFIG\}?/config\.json"
)
_WRITES = frozenset({"cp", "mv", "tee", "ln", "install"})
_NOT_IN_USER = re.compile(r"[:\s]")
_PIECES = re.compile(r"[:/@=,;\s]+")
MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLogin:
    """A login that a script makes itself, or a docker config that it writes (`program` is its path then).

    `host` and `user` are as the script has them, clean and masked; empty where it names none. `secrets` are
    the variables that the password comes from, `password` is one that stands in the script. `in_arguments`
    tells that the password is an argument of the program.
    """

    program: str
    place: Place
    host: str = ""
    user: str = ""
    secrets: tuple[str, ...] = ()
    password: Secret | None = None
    in_arguments: bool = False
    is_file: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The variables that it uses."""
        in_words = re.findall(r"\$\{?([A-Za-z_]\w*)", f"{self.host} {self.user}", re.ASCII)
        return frozenset((*in_words, *self.secrets))

    def in_words(self) -> str:
        """Return it with its place, such as `docker login` at .gitlab-ci.yml:12 (to $HOST as $USER)."""
        secret = " and ".join(f"${name}" for name in self.secrets)
        if self.password is not None:
            secret = "a password that stands in the script"  # noqa: S105
        parts = [
            f"{word} {each}"
            for word, each in (("to", self.host), ("as", self.user), ("with", clean(secret, 200)))
            if each
        ]
        details = f" ({' '.join(parts)})" if parts else ""
        made = "written at" if self.is_file else "at"
        return f"`{self.program}` {made} {clean(str(self.place), 200)}{details}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobScript:
    """What a job's scripts do: their own logins, in order, and the variables that they use, with their lines.

    `assigned` are variables that they set; `is_open` tells that they may set others.
    """

    logins: tuple[OwnLogin, ...] = ()
    uses: dict[str, Place] = field(default_factory=dict)
    assigned: frozenset[str] = frozenset()
    is_open: bool = False

    @property
    def passwords(self) -> tuple[Secret, ...]:
        """The passwords that stand in the scripts."""
        return tuple(each.password for each in self.logins if each.password is not None)


def read_job(job: Job) -> JobScript:
    """Read the scripts of a job; `after_script` runs in a shell of its own."""
    lines = list(job.script())
    after = [each for each in lines if each.part == "after_script"]
    found = [_read(part) for part in ([each for each in lines if each.part != "after_script"], after)]
    uses: dict[str, Place] = {}
    for script, part in found:
        for name, number in script.uses.items():
            uses.setdefault(name, part[number].place)
    return JobScript(
        logins=tuple(login for script, part in found for login in _logins(script, part)),
        uses=uses,
        assigned=frozenset().union(*(script.assigned for script, _ in found)),
        is_open=not job.has_whole_script() or any(script.is_open for script, _ in found),
    )


def commands_of(job: Job) -> Iterator[tuple[Simple, Place]]:
    """Yield each command of a job's scripts, with the line where it stands; those of `sh -c` too."""
    script, lines = _read(list(job.script()))
    for command in script.commands:
        for each in (command, *_in_own_shell(command)):
            if each.words:
                yield each, lines[command.line].place


def _read(lines: Sequence[ScriptLine]) -> tuple[Script, Sequence[ScriptLine]]:
    return read_script("\n".join(each.text for each in lines)), lines


def _logins(script: Script, lines: Sequence[ScriptLine]) -> Iterator[OwnLogin]:
    for command in script.commands:
        place = lines[command.line].place
        for each in (command, *_in_own_shell(command)):
            login = _login(each, place)
            if login is not None:
                yield login
            for path in _configs(each):
                yield OwnLogin(program=_shown(path), place=place, is_file=True)


def _in_own_shell(command: Simple) -> tuple[Simple, ...]:
    """Return the commands that `sh -c` runs; their variables stand in its word as they do in a script."""
    words = command.words[_first(command.words) :]
    at = 0
    if words and _name(words[0]) in _RUNS_ANOTHER:
        at = next((n for n, each in enumerate(words) if _name(each) in _SHELLS), 0)
    if not words or _name(words[at]) not in _SHELLS:
        return ()
    rest = iter(words[at + 1 :])
    if not any(_COMMAND_OPTION.fullmatch(each.text) for each in rest):
        return ()
    return read_script(next(rest, Word("")).text).commands


def _configs(command: Simple) -> Iterator[Word]:
    """Yield the docker configs that a command writes."""
    targets = list(command.outputs)
    if command.words[0].text in _WRITES:
        targets += command.words[-1:]
    for target in targets:
        if _CONFIG.fullmatch(target.text):
            yield target


def _login(command: Simple, place: Place) -> OwnLogin | None:
    found = _program(command.words)
    if found is None:
        return None
    program, rest = found
    given, host = _arguments(rest)
    password = next((given[name] for name in _PASSWORD if name in given), None)
    secrets: Iterable[str] = password.names if password is not None else ()
    written = password.text if password is not None and password.fixed else ""
    if password is None and _STDIN & given.keys():
        handed = takewhile(lambda each: _name(each.words[0]) in _HANDS_ON, piped(command))
        sources = [word for each in handed for word in each.words]
        secrets = [name for word in (*command.inputs, *command.here, *sources) for name in word.names]
        written = _echoed(command)
    user = next((given[name] for name in _USER if name in given), None)
    return OwnLogin(
        program=program,
        place=place,
        host=_shown(host) if host is not None else "",
        user=_shown_user(user) if user is not None else "",
        secrets=tuple(dict.fromkeys(secrets)),
        password=Secret(written) if written else None,
        in_arguments=password is not None and bool(password.text),
    )


def _program(words: Sequence[Word]) -> tuple[str, Sequence[Word]] | None:
    """Return the login's program with its words, and its arguments."""
    at = _first(words)
    if at < len(words) and words[at].text.rpartition("/")[2] in _RUNS_ANOTHER:
        at = next((n for n in range(at + 1, len(words)) if _name(words[n]) in _LOGINS), at)
    if at >= len(words):
        return None
    name, rest = _name(words[at]), words[at + 1 :]
    if not words[at].fixed and rest and rest[0].text == "login":  # such as $CONTAINER_CLI login
        return clean(f"{words[at].text} login", 80), rest[1:]
    wanted = _LOGINS.get(name, ())
    if not wanted:
        return None
    seen, value_follows = 0, False
    for number, word in enumerate(rest):
        if word.text == wanted[seen]:
            seen += 1
            if seen == len(wanted):
                return " ".join((name, *wanted)), rest[number + 1 :]
        elif word.text.startswith("-"):
            value_follows = "=" not in word.text
        elif value_follows:
            value_follows = False
        else:
            return None
    return None


def _first(words: Sequence[Word]) -> int:
    """Return where the program stands, behind the variables that are set for it."""
    return next((n for n, each in enumerate(words) if not _SETS.match(each.text)), len(words))


def _name(word: Word) -> str:
    return word.text.rpartition("/")[2] if word.fixed else ""


def _arguments(words: Sequence[Word]) -> tuple[dict[str, Word], Word | None]:
    """Return the options with their values, and the first other word that has the form of a host.

    What follows an option with the name of a secret may be one, and is passed over.
    """
    given: dict[str, Word] = {}
    host: Word | None = None
    rest = iter(words)
    for word in rest:
        text = word.text
        if text in _WITH_VALUE:
            given[text] = next(rest, Word(""))
        elif _SECRET_OPTION.fullmatch(text) and text not in _STDIN:
            next(rest, None)
        elif text.startswith("--"):
            name, _, value = text.partition("=")
            given[name] = Word(value, word.names, word.fixed)
        elif text[:2] in {"-u", "-p"}:
            given[text[:2]] = Word(text[2:].removeprefix("="), word.names, word.fixed)
        elif host is None and _HOST.fullmatch(text):
            host = word
    return given, host


def _echoed(command: Simple) -> str:
    """Return the password that `<<<`, `echo` or `printf` hands on, where it stands in the script."""
    words, source = list(command.here), command.source
    if source is not None and source.words[0].text in {"echo", "printf"}:
        words += [each for each in source.words[1:] if not each.text.startswith(("-", "%"))]
    return words[-1].text if words and words[-1].fixed else ""


def _shown(word: Word) -> str:
    """Return a word of a script as it may be shown: nothing in it that looks like a secret."""
    if looks_secret(word.text) or any(map(looks_secret, _PIECES.split(word.text))):
        return MASK
    return clean(mask_shapes(word.text), 200)


def _shown_user(word: Word) -> str:
    """Return a user as it may be shown: what follows a colon or a blank is no part of one."""
    name = _NOT_IN_USER.split(word.text, maxsplit=1)[0]
    shown = _shown(Word(name))
    return shown if name == word.text or shown == MASK else f"{shown}{MASK}"


def own_logins_in_words(logins: Sequence[OwnLogin]) -> str:
    """Say that the job's scripts log in themselves, and that nothing here follows it; empty if none."""
    if not logins:
        return ""
    named = [each.in_words() for each in logins[:MOST_NAMED]]
    if more := len(logins) - len(named):
        named.append(plural(more, "other"))
    listed = " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))
    return (
        f"This job logs in itself: {listed}. That writes another docker config, which dockpass does not"
        " follow: it shows what its own rules would choose."
    )
