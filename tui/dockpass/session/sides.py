"""The sides of a comparison: a job on a ref, this shell, or a file in any of the formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dockpass.auth.facts import Edit
from dockpass.secrets import Redactor, Secret
from dockpass.session.desk import Desk
from dockpass.text import clean
from dockpass.variables.compare import Side, side_of_environ, side_of_reading, side_of_view
from dockpass.variables.gitlab.model import Ref, RefType
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.inwords import protection_words

_HINT = "Give a file with variables, or a job's log."


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What one side is: a ref, a file, or, without either, this shell.

    `job` is the ref's job with its matrix instance; None for the job that is looked at.
    """

    ref: Ref | None = None
    path: str = ""
    job: tuple[str, int] | None = None

    @property
    def argument(self) -> str:
        """The side as `dockpass vars diff` takes it."""
        if self.ref is None:
            return f"file:{self.path}" if self.path else "here"
        kinds = {RefType.BRANCH: "branch", RefType.TAG: "tag", RefType.MERGE_REQUEST: "mr"}
        words = [f"{kinds[self.ref.type]}:{self.ref.name}"]
        if self.ref.protected is not None:
            words.append("protected" if self.ref.protected else "unprotected")
        if self.job is not None and self.job[0]:
            words.append(f"job:{self.job[0]}")
        return ",".join(words)

    @property
    def title(self) -> str:
        """The side in a word or two, clean."""
        if self.ref is not None:
            job = f"{self.job[0] or 'every job'} on " if self.job is not None else ""
            return clean(f"{job}{self.ref.name}", 100)
        return clean(self.path, 100) if self.path else "this shell"


@dataclass(frozen=True, slots=True)
class Sided:
    """A side, and the job's view where it is one."""

    chosen: Chosen
    side: Side
    view: JobView | None = None


def side_of(
    chosen: Chosen,
    desk: Desk,
    edits: Sequence[Edit],
    environ: Mapping[str, str],
    cwd: Path,
    redactor: Redactor,
) -> Sided:
    """Return a side; secrets in it are masked everywhere from now on.

    Raises `UsageError` for a file that cannot be read, `YamlError` for a configuration.
    """
    if chosen.ref is not None:
        looking = desk.looking
        if chosen.ref != looking.ref:
            looking = looking.on(chosen.ref)
        if chosen.job is not None:
            looking = replace(looking, job=chosen.job[0], instance=chosen.job[1])
        view = desk.seen(edits, looking).view
        title = f"{looking.job or 'every job'} on {chosen.ref.name}, {protection_words(chosen.ref)}"
        return Sided(chosen, side_of_view(clean(title, 200), view), view)
    side = _file(cwd / chosen.path, chosen.path, environ) if chosen.path else side_of_environ("", environ)
    for seen in side.variables.values():
        if seen.secret and isinstance(seen.value, str) and seen.value:
            redactor.learn(Secret(seen.value))
    return Sided(chosen, replace(side, title=chosen.title))


def _file(path: Path, name: str, environ: Mapping[str, str]) -> Side:
    # These load YAML.
    from dockpass.variables.formats.catalogue import no_variables, read, read_variables_file
    from dockpass.variables.formats.detect import propose

    text = read_variables_file(path, clean(name, 200), _HINT)
    chosen = propose(text, name).format
    side = side_of_reading("", read(chosen, text, environ))
    if not side.variables:
        raise no_variables(clean(name, 200), chosen, _HINT)
    return side
