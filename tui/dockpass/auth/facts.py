"""Facts that a decision looks at: variables with their source, options, base images, directories."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby

from dockpass.auth.ci import GITLAB
from dockpass.secrets import Secret
from dockpass.unknown import Unknown


class SourceKind(StrEnum):
    """Where a value comes from; a later kind wins over an earlier one."""

    PROCESS = "environment"
    ENV_FILE = "env file"
    SET = "--set"
    EDIT = "edit"
    JOB = "job"


class EnvFileRemark(StrEnum):
    """What a person should know about how a line of an env file was read."""

    QUOTES = "env-file-quotes"
    OPEN_QUOTE = "env-file-open-quote"
    HASH = "env-file-hash"
    BLANKS = "env-file-blanks"
    SEVERAL_LINES = "env-file-several-lines"
    CONTINUED = "env-file-continued"
    SHELL = "env-file-shell"
    COMPUTED = "env-file-computed"
    LONG = "env-file-long-line"
    AGAIN = "env-file-again"
    NAME = "env-file-name"


@dataclass(frozen=True, slots=True)
class Source:
    """The kind of source and, for an env file, `path:line` and what is to say about that line."""

    kind: SourceKind
    detail: str = ""
    remarks: tuple[EnvFileRemark, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable. `value` is a `Secret` if the name says that it holds one; never cleaned.

    A value that is masked or hidden is `Unknown`: the variable is there, and a decision goes on with it.
    """

    name: str
    value: str | Secret | Unknown
    source: Source


@dataclass(frozen=True, slots=True)
class Options:
    """The command line options that bear on the login; an empty one counts as not given."""

    repo: str | None = None
    registry_username: str | None = None
    registry_password: Secret | None = None


@dataclass(frozen=True, slots=True)
class BaseImage:
    """An image that a build pulls, and where it is named (`Dockerfile:3`, `--from`)."""

    reference: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class UnknownImage:
    """An image that a build pulls, and which is not known: its text, where it stands, and the reason.

    `refused` names the kind of fault for which BuildKit refuses the build as it is given; all are clean.
    """

    text: str
    origin: str
    because: str
    refused: str = ""


class EditKind(StrEnum):
    """What an edit does."""

    SET = "set"
    UNSET = "unset"
    GIVE = "give"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Edit:
    """One what-if change.

    `set` and `unset` change the variable `name`. `give` and `drop` change the option `name`:
    `repo`, `registry-username`, `registry-password`, or `from` (the base images, separated by
    blanks). A value that the program made up as an example has `example` true.
    """

    kind: EditKind
    name: str
    value: str | Secret | None = None
    example: bool = False

    def in_words(self) -> str:
        """Return `set CI_REGISTRY to registry.myhost.com`, without any secret value."""
        is_option = self.kind in {EditKind.GIVE, EditKind.DROP}
        subject = f"--{self.name}" if is_option else self.name
        if self.kind in {EditKind.UNSET, EditKind.DROP} or self.value is None:
            return f"{self.kind} {subject}"
        if isinstance(self.value, Secret) or self.example:
            return f"{self.kind} {subject}"
        return f"{self.kind} {subject}{' ' if is_option else ' to '}{self.value}"


def edits_in_words(edits: Sequence[Edit], words: Callable[[Edit], str] = Edit.in_words) -> str:
    """Return edits as one instruction: `unset A, give --b and --c`."""
    parts = []
    for verb, alike in groupby(map(words, edits), key=_verb_of_name):
        first, *more = alike
        parts.append(" and ".join([first, *(text.removeprefix(f"{verb} ") for text in more)]))
    return ", ".join(parts)


def _verb_of_name(text: str) -> str:
    """Return the verb of an edit in words that names no value, which the next can share; else all of it."""
    verb, _, rest = text.partition(" ")
    return text if " " in rest else verb


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a decision may look at.

    `base_images` is None where no build file and no `--from` was found: not known. `unknown_images` are
    those that a build file names and that are not known; `base_images` are then not all. `elsewhere` tells
    that these are the facts of a job: it runs on another machine, of whose files nothing is known here.
    """

    variables: Mapping[str, Variable] = field(default_factory=dict)
    options: Options = field(default_factory=Options)
    base_images: tuple[BaseImage, ...] | None = None
    home: str = "/"
    cwd: str = "/"
    unknown_images: tuple[UnknownImage, ...] = ()
    elsewhere: bool = False

    def is_set(self, name: str) -> bool:
        """Tell whether a variable has a value, known or not; the empty string counts as unset.

        Of an unknown value that may be empty nobody can tell: it counts as unset, and `unknown` has it.
        """
        variable = self.variables.get(name)
        if variable is None:
            return False
        return variable.value.is_set if isinstance(variable.value, Unknown) else bool(variable.value)

    def unknown(self, name: str) -> Unknown | None:
        """Return the value of a variable that is there without a known value; None for every other."""
        variable = self.variables.get(name)
        return variable.value if variable and isinstance(variable.value, Unknown) else None

    def is_known(self, name: str) -> bool:
        """Tell whether a variable has a value that is known and not empty."""
        return self.is_set(name) and not self.unknown(name)

    def text(self, name: str) -> str:
        """Return the raw value as far as it is known: the empty string if it is unset, or unknown.

        Whoever says something about an empty result asks `unknown` first.
        """
        variable = self.variables.get(name)
        if variable is None or isinstance(variable.value, Unknown):
            return ""
        value = variable.value
        return value.reveal() if isinstance(value, Secret) else value

    def secret(self, name: str) -> Secret | Unknown:
        """Return the value as a secret; empty if it is not set."""
        return self.unknown(name) or Secret(self.text(name))

    def known_values(self) -> dict[str, str]:
        """Return every variable whose value is known, as a program in this environment would see it."""
        return {name: self.text(name) for name in self.variables if not self.unknown(name)}

    @property
    def repo(self) -> str:
        """`--repo`, else `CI_REGISTRY_IMAGE`, else the empty string; empty too while its value is unknown."""
        return self.options.repo or self.text(GITLAB.image)

    def edited(self, edit: Edit) -> Facts:
        """Return these facts with one change made."""
        if edit.kind in {EditKind.SET, EditKind.UNSET}:
            return replace(self, variables=self._edited_variables(edit))
        if edit.name == "from":
            return replace(self, base_images=_base_images(edit), unknown_images=())
        return replace(self, options=_edited_options(self.options, edit))

    def _edited_variables(self, edit: Edit) -> dict[str, Variable]:
        variables = dict(self.variables)
        if edit.kind is EditKind.UNSET or edit.value is None:
            variables.pop(edit.name, None)
        else:
            variables[edit.name] = Variable(edit.name, edit.value, Source(SourceKind.EDIT))
        return variables


def _base_images(edit: Edit) -> tuple[BaseImage, ...] | None:
    if edit.kind is EditKind.DROP or not isinstance(edit.value, str):
        return None
    return tuple(BaseImage(name, "--from") for name in edit.value.split())


def _edited_options(options: Options, edit: Edit) -> Options:
    given = edit.value if edit.kind is EditKind.GIVE else None
    text = given.reveal() if isinstance(given, Secret) else given
    match edit.name:
        case "repo":
            return replace(options, repo=text)
        case "registry-username":
            return replace(options, registry_username=text)
        case "registry-password":
            return replace(options, registry_password=None if text is None else Secret(text))
    raise ValueError(f"no such option: {edit.name}")
