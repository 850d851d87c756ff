"""What a run says of itself: frozen events, in order, on one feed.

Times (`at`) are seconds since the run began. Texts are clean when an event is made; the feed redacts
them. Each run ends with exactly one `Ended`, after one `ConfigRemoved` if there was a config.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dockpass.colours import Colours
from dockpass.errors import ExitCode
from dockpass.marks import GLYPH_DONE, GLYPH_FAILED, GLYPH_NOT_REACHED
from dockpass.runs.config_events import ConfigCreated as ConfigCreated
from dockpass.runs.config_events import ConfigRemoved as ConfigRemoved
from dockpass.text import plural


class Phase(StrEnum):
    """The steps of a run's lifecycle, in the order in which they are listed."""

    CREATE_CONFIG = "create-config"
    LOGIN = "login"
    TAG = "tag"
    BUILD = "build"
    PUSH = "push"
    PULL = "pull"
    LIST = "list"
    INSPECT = "inspect"
    CONFIRM = "confirm"
    DELETE = "delete"
    UNTAG = "untag"
    PROGRAM = "program"
    REMOVE_CONFIG = "remove-config"


class Status(StrEnum):
    """How a phase or a run ended."""

    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    NOT_ALLOWED = "not-allowed"

    @property
    def mark(self) -> str:
        """The mark in front of the phase."""
        return {Status.DONE: GLYPH_DONE, Status.SKIPPED: GLYPH_NOT_REACHED}.get(self, GLYPH_FAILED)


class LogKind(StrEnum):
    """Who says a log line."""

    ENGINE = "engine"
    REGISTRY = "registry"
    PROGRAM = "program"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase began."""

    at: float
    phase: Phase
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PhaseEnded:
    """A phase ended; `detail` says what it did, in a few words."""

    at: float
    phase: Phase
    status: Status
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LoginStarted:
    """`by` is who logs in: the engine or dockpass."""

    at: float
    host: str
    username: str
    by: str


@dataclass(frozen=True, slots=True)
class LoginSucceeded:
    """The registry accepted the credentials; `words` are its own."""

    at: float
    host: str
    username: str
    words: str


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """The registry's own words, what they usually mean, and what to do next."""

    at: float
    host: str
    username: str
    words: str
    meaning: str
    hint: str


@dataclass(frozen=True, slots=True)
class LoginSkipped:
    """No login is made, and why."""

    at: float
    because: str


@dataclass(frozen=True, slots=True)
class Log:
    """One line of output, and the looks that a program gave its parts."""

    at: float
    kind: LogKind
    text: str
    colours: Colours = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wait begins, for a server that asks for one: for `seconds`, and `text` says what comes then."""

    at: float
    host: str
    seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class Layer:
    """Progress of one layer in bytes; `total` is 0 where it is not known."""

    at: float
    id: str
    state: str  # waiting, pushing, pushed, pulling, extracting, pulled, exists, mounted, retrying
    current: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far a step of a build is. `seconds` is how long it took, 0 while it is running."""

    at: float
    id: str
    name: str
    state: str  # running, done, cached, failed, cancelled
    seconds: float


@dataclass(frozen=True, slots=True)
class Count:
    """Progress of countable work in the current phase: `done` of `total`."""

    at: float
    done: int
    total: int
    what: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """So many events of output and progress came faster than this reader read, and were dropped."""

    at: float
    count: int

    @property
    def in_words(self) -> str:
        """A line of a log."""
        return f"{plural(self.count, 'event')} skipped: output came faster than it was shown"


@dataclass(frozen=True, slots=True)
class TagPlanned:
    """One row of a cleanup plan. `created` is ISO 8601 or empty where it is not known."""

    at: float
    tag: str
    digest: str
    created: str
    size: int
    action: str  # delete, keep
    reason: str


@dataclass(frozen=True, slots=True)
class TagDeleted:
    """What became of one tag: deleted, gone (already), moved, kept, failed, unknown, lost (was to stay)."""

    at: float
    tag: str
    digest: str
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class ImageDescribed:
    """What a deployment needs of one image. Sizes in bytes, `created` ISO 8601 or empty."""

    at: float
    reference: str
    digest: str
    media_type: str
    image_id: str
    created: str
    platforms: tuple[str, ...]
    size: int
    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """The run waits for the person's word; answered by `Run.answer`."""

    at: float
    question: str
    detail: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event. `id` is a stable word for scripts (empty when done)."""

    at: float
    status: Status
    exit_code: ExitCode
    id: str
    message: str
    hint: str


Event = (
    PhaseStarted
    | PhaseEnded
    | ConfigCreated
    | LoginStarted
    | LoginSucceeded
    | LoginRefused
    | LoginSkipped
    | Log
    | Waiting
    | Layer
    | Step
    | Count
    | Skipped
    | TagPlanned
    | TagDeleted
    | ImageDescribed
    | Asked
    | ConfigRemoved
    | Ended
)
