"""From a reference to the secret it names: in memory only; unknown with its reason where there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockpass.errors import UsageError
from dockpass.scenario.model import Reference, ReferenceKind
from dockpass.secret_source import value_of
from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.unknown import Unknown

EXTRA = "dockpass[keyring]"
NOT_ASKED = "it is read only where a login needs its value"

FromGitlab = Callable[[str, str, str], Secret | Unknown]
"""Returns a variable of a project by the project's path, key and scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a reference may ask.

    `asks` tells whether commands are run, and the keyring and the person asked. `prompt` is None where nobody
    can be asked, `gitlab` where GitLab is not to be asked.
    """

    environ: Mapping[str, str] = field(repr=False)
    home: Path
    directory: Path
    asks: bool = False
    prompt: Callable[[str], str] | None = None
    gitlab: FromGitlab | None = None


class Resolver:
    """Reads each reference once, however many variables name it."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._known: dict[tuple[ReferenceKind, tuple[str, ...], str], Secret | Unknown] = {}

    def __call__(self, key: str, reference: Reference) -> Secret | Unknown:
        """Return the secret of a variable; what cannot be read is set, and unknown with the reason."""
        of = key if reference.kind is ReferenceKind.PROMPT else ""
        known = (reference.kind, reference.words, of)
        if known not in self._known:
            try:
                self._known[known] = _read(key, reference, self._reach)
            except UsageError as error:
                self._known[known] = _unknown(f"{error.message[:1].lower()}{error.message[1:].rstrip('.')}")
        return self._known[known]


def origin_of(reference: Reference) -> str:
    """Return where a secret is, in clean words without anything secret."""
    words = [clean(each, 100) for each in reference.words]
    match reference.kind:
        case ReferenceKind.ENV:
            return f"the variable {words[0]}"
        case ReferenceKind.FILE:
            return f"the file {words[0]}"
        case ReferenceKind.COMMAND:
            return f"the command {clean(Path(reference.words[0]).name, 100)}"
        case ReferenceKind.KEYRING:
            return f"the keyring's entry {words[0]}"
        case ReferenceKind.PROMPT:
            return "a question"
        case ReferenceKind.GITLAB:
            return f"{words[1]} of {words[0]} in GitLab"


def _unknown(why: str) -> Unknown:
    return Unknown(why, is_set=True)


def _read(key: str, reference: Reference, reach: Reach) -> Secret | Unknown:
    match reference.kind:
        case ReferenceKind.ENV | ReferenceKind.FILE:
            text = f"{reference.kind}:{reference.words[0]}"
            return value_of(text, reach.environ, reach.home, reach.directory)
        case ReferenceKind.GITLAB if reach.gitlab is not None:
            return reach.gitlab(*reference.words)
        case _ if not reach.asks:
            return _unknown(f"{NOT_ASKED}: {origin_of(reference)}")
        case ReferenceKind.COMMAND:
            return _of_command(reference.words, reach.environ)
        case ReferenceKind.KEYRING:
            return _of_keyring(*reference.words)
        case ReferenceKind.PROMPT:
            if reach.prompt is None:
                return _unknown("nobody can be asked: this is no terminal")
            typed = reach.prompt(key)
            return Secret(typed) if typed else _unknown("nothing was typed")
        case ReferenceKind.GITLAB:
            return _unknown("GitLab is asked only with --from-gitlab")


def _of_command(words: tuple[str, ...], environ: Mapping[str, str]) -> Secret | Unknown:
    from dockpass.dockerconfig.helpers import find_program, helper_environ, run_bounded  # few run one

    name = clean(Path(words[0]).name, 80)
    program = Path(words[0]) if words[0].startswith("/") else find_program(words[0], environ)
    if program is None:
        return _unknown(f"the command {name} is in no absolute directory of PATH")
    answer = run_bounded([str(program), *words[1:]], b"", helper_environ(program.name, environ))
    if answer.problem:
        return _unknown(f"the command {answer.problem}")
    if answer.status:
        return _unknown(f"the command {name} ended with status {answer.status}")
    return _text_of(answer.out, f"the command {name}")


def _of_keyring(service: str, user: str) -> Secret | Unknown:
    try:
        import keyring
    except ImportError:
        return _unknown(f"the keyring cannot be asked: install {EXTRA}")
    try:
        found = keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001 - every backend has errors of its own
        return _unknown(f"the keyring gave no answer ({type(error).__name__})")
    return Secret(found) if found else _unknown(f"the keyring has no entry {clean(service, 80)}")


def _text_of(raw: bytes, origin: str) -> Secret | Unknown:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return _unknown(f"{origin} did not print text")
    text = text.removesuffix("\n").removesuffix("\r")
    return Secret(text) if text else _unknown(f"{origin} printed nothing")
