"""What a person can choose for a run beside the login: each option of the command line as a line of text.

One table: the screen shows it, edits it, and the command line of the run has what was chosen.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dockpass.auth.command import Command
from dockpass.errors import UsageError
from dockpass.runs.request import BuildOptions, RunRequest
from dockpass.secret_names import is_secret_name
from dockpass.secrets import MASK
from dockpass.text import clean
from dockpass.variables.token_kind import looks_secret

_BUILD = frozenset({Command.BUILD})
_PUSH = frozenset({Command.PUSH})
_DEPLOY = frozenset({Command.DEPLOY})
_OF_REPOSITORY = frozenset({Command.PUSH, Command.PULL, Command.DEPLOY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What was chosen for the runs of one command. `tags` and `image` are as for `RunRequest`."""

    tags: tuple[str, ...] = ()
    image: str | None = None
    build: BuildOptions = field(default_factory=BuildOptions)
    values: bool = False

    def on(self, request: RunRequest) -> RunRequest:
        """Return a request with what was chosen."""
        return replace(request, tags=self.tags, image=self.image, build=self.build, values=self.values)


Take = Callable[[Chosen, str, Mapping[str, str]], Chosen]
"""Returns the choice with the value that a text stands for, in an environment; raises `UsageError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOption:
    """One option. `otherwise` says what holds where it is not given; a `flag` is only on or off.

    `text` returns the value as it is typed and shown: a secret build argument is masked in it.
    """

    name: str
    title: str
    means: str
    commands: frozenset[Command]
    otherwise: str
    text: Callable[[Chosen], str]
    take: Take
    flag: bool = False


def options_of(command: Command) -> tuple[RunOption, ...]:
    """Return the options of a command, those that are used most first."""
    return tuple(option for option in OPTIONS if command in option.commands)


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a line, quoted as for a shell; raises `UsageError` for an open quote."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise _unreadable(
            f"“{clean(text, 80)}” has an unclosed quotation mark.",
            "Separate values with spaces, and quote a value that contains spaces.",
        ) from error


def refuse_masks(texts: Iterable[str]) -> None:
    """Raise `UsageError` for a text with a mask in it: what is shown of a secret is not the secret."""
    if any(MASK in text for text in texts):
        raise _unreadable(
            f"{MASK} hides a secret, and is not its value.",
            "Type the value again, or leave the option as it is.",
        )


def _unreadable(message: str, hint: str) -> UsageError:
    return UsageError("option-unreadable", message, hint)


def build_arguments(pairs: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return `NAME=VALUE` pairs; a NAME alone takes its value from the environment, as with docker."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if equals:
            found[name] = value
        elif name in environ:
            found[name] = environ[name]
    return found


def is_secret_argument(name: str, value: str) -> bool:
    """Tell whether a build argument is a secret, by its name or its value."""
    return bool(value) and (is_secret_name(name) or looks_secret(value))


def _argument_text(chosen: Chosen) -> str:
    return " ".join(
        f"{shlex.quote(name)}={MASK}" if is_secret_argument(name, value) else shlex.quote(f"{name}={value}")
        for name, value in chosen.build.args.items()
    )


def _take_arguments(chosen: Chosen, text: str, environ: Mapping[str, str]) -> Chosen:
    """Take the arguments; a mask stands for the value that the argument has already."""
    found = build_arguments(words_of(text), environ)
    before = chosen.build.args
    known = {name: before.get(name, value) if value == MASK else value for name, value in found.items()}
    refuse_masks((*known, *known.values()))
    return _with_build(chosen, args=known)


def _with_build(chosen: Chosen, **changes: Any) -> Chosen:
    return replace(chosen, build=replace(chosen.build, **changes))


def _one(name: str) -> tuple[Callable[[Chosen], str], Take]:
    """Return how a single text of the build is shown and taken."""

    usual = getattr(BuildOptions(), name)

    def text_of(chosen: Chosen) -> str:
        value = getattr(chosen.build, name)
        return "" if value == usual else str(value)

    def take(chosen: Chosen, text: str, _: Mapping[str, str]) -> Chosen:
        refuse_masks([text])
        return _with_build(chosen, **{name: text.strip() or usual})

    return text_of, take


def _several(name: str) -> tuple[Callable[[Chosen], str], Take]:
    """Return how several texts of the build are shown and taken."""

    def take(chosen: Chosen, text: str, _: Mapping[str, str]) -> Chosen:
        refuse_masks([text])
        return _with_build(chosen, **{name: words_of(text)})

    return lambda chosen: shlex.join(getattr(chosen.build, name)), take


def _switch(name: str) -> tuple[Callable[[Chosen], str], Take]:
    """Return how something that is on or off is shown and taken: any text switches it on."""

    def take(chosen: Chosen, text: str, _: Mapping[str, str]) -> Chosen:
        return _with_build(chosen, **{name: bool(text)})

    return lambda chosen: "yes" if getattr(chosen.build, name) else "", take


def _take_tags(chosen: Chosen, text: str, _: Mapping[str, str]) -> Chosen:
    refuse_masks([text])
    return replace(chosen, tags=words_of(text))


def _take_image(chosen: Chosen, text: str, _: Mapping[str, str]) -> Chosen:
    refuse_masks([text])
    return replace(chosen, image=text.strip() or None)


def _take_values(chosen: Chosen, text: str, _: Mapping[str, str]) -> Chosen:
    return replace(chosen, values=bool(text))


def _option(
    name: str,
    title: str,
    means: str,
    how: tuple[Callable[[Chosen], str], Take],
    *,
    commands: frozenset[Command] = _BUILD,
    otherwise: str = "not given",
    flag: bool = False,
) -> RunOption:
    text, take = how
    return RunOption(
        name=name,
        title=title,
        means=means,
        commands=commands,
        otherwise=otherwise,
        text=text,
        take=take,
        flag=flag,
    )


_TAGS = (lambda chosen: shlex.join(chosen.tags), _take_tags)

OPTIONS: tuple[RunOption, ...] = (
    _option(
        "--tag",
        "tags",
        "Tags in the repository, separated by spaces.",
        _TAGS,
        commands=_OF_REPOSITORY,
        otherwise="the git branch or tag",
    ),
    _option("--tag", "names", "Names for the image, with or without a tag, separated by spaces.", _TAGS),
    _option(
        "--image",
        "image",
        "The local image to push: a name or an ID.",
        (lambda chosen: chosen.image or "", _take_image),
        commands=_PUSH,
        otherwise="the one of that name, else the last build",
    ),
    _option(
        "--values",
        "Helm values",
        "Write Helm values with the image's digest at the end.",
        (lambda chosen: "yes" if chosen.values else "", _take_values),
        commands=_DEPLOY,
        otherwise="no",
        flag=True,
    ),
    _option("--file", "Dockerfile", "The Dockerfile.", _one("file"), otherwise="the one found here"),
    _option("--config", "werf.yaml", "The werf.yaml, in place of a Dockerfile.", _one("config")),
    _option("--image", "werf image", "Which image of the werf.yaml is built.", _one("image")),
    _option("--target", "target", "The stage to build.", _one("target"), otherwise="the last stage"),
    _option(
        "--build-arg",
        "build arguments",
        "NAME=VALUE, separated by spaces; a NAME alone takes its value from the environment.",
        (_argument_text, _take_arguments),
    ),
    _option("--context", "context", "The build context.", _one("context"), otherwise="this directory"),
    _option(
        "--build-context",
        "named contexts",
        "NAME=DIR or NAME=docker-image://IMAGE in place of a stage or an image, separated by spaces.",
        _several("contexts"),
    ),
    _option(
        "--platform",
        "platform",
        "OS/ARCH, such as linux/arm64; several with commas between.",
        _one("platform"),
        otherwise="this machine's",
    ),
    _option(
        "--builder",
        "builder",
        "auto, buildx, buildkit, podman, buildah, classic or embedded.",
        _one("builder"),
        otherwise="the first that can build it",
    ),
    _option("--push", "push", "Push the image under its names.", _switch("push"), otherwise="no", flag=True),
    _option(
        "--pull",
        "ask for bases",
        "Ask registries also for base images in the local store.",
        _switch("pull"),
        otherwise="no",
        flag=True,
    ),
    _option(
        "--secret",
        "secrets",
        "id=NAME, id=NAME,env=VAR or id=NAME,src=FILE for RUN --mount=type=secret, separated by spaces.",
        _several("secrets"),
    ),
    _option("--ssh", "SSH", "default or ID=PATH for RUN --mount=type=ssh.", _several("ssh")),
    _option("--cache-from", "cache from", "References whose cache is reused.", _several("cache_from")),
    _option("--cache-to", "cache to", "Where the cache is stored.", _several("cache_to")),
    _option("--network", "network", "The network of RUN: default, host or none.", _one("network")),
)
