"""The sides of a comparison: a job on a ref, this shell, or a file in any of the formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dockpass.auth.facts import Edit, Variable
from dockpass.secrets import Secret
from dockpass.session.assemble import Process
from dockpass.session.desk import Desk
from dockpass.session.scenarios import open_file, try_scenario
from dockpass.text import clean
from dockpass.variables.compare import Seen as Compared
from dockpass.variables.compare import Side, side_of_environ, side_of_reading, side_of_view
from dockpass.variables.gitlab.model import Ref, RefType
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.gitlab.versions import Version
from dockpass.variables.inwords import protection_words

_HINT = "Give a file with variables, or a job's log."


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What one side is: a ref, a file, a scenario, or, without any of them, this shell.

    `job` is the ref's job with its matrix instance; None for the job that is looked at.
    """

    ref: Ref | None = None
    path: str = ""
    scenario: str = ""
    job: tuple[str, int] | None = None

    @property
    def argument(self) -> str:
        """The side as `dockpass vars diff` takes it."""
        if self.scenario:
            return f"scenario:{self.scenario}"
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
        return clean(self.scenario or self.path, 100) or "this shell"


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
    process: Process,
) -> Sided:
    """Return a side; secrets in it are masked everywhere from now on.

    A scenario is as its file says, without the edits. Raises `UsageError` for a file that cannot be read,
    `YamlError` for a configuration.
    """
    if chosen.scenario:
        return side_of_scenario(chosen, process, desk.usual_version)
    if chosen.ref is not None:
        looking = desk.looking
        if chosen.ref != looking.ref:
            looking = looking.on(chosen.ref)
        if chosen.job is not None:
            looking = replace(looking, job=chosen.job[0], instance=chosen.job[1])
        view = desk.seen(edits, looking).view
        title = f"{looking.job or 'every job'} on {chosen.ref.name}, {protection_words(chosen.ref)}"
        return Sided(chosen, side_of_view(clean(title, 200), view), view)
    cwd, redactor = process.cwd, process.redactor
    side = _file(cwd / chosen.path, chosen.path, environ) if chosen.path else side_of_environ("", environ)
    redactor.learn_all(
        Secret(seen.value)
        for seen in side.variables.values()
        if seen.secret and isinstance(seen.value, str) and seen.value
    )
    return Sided(chosen, replace(side, title=chosen.title))


def side_of_scenario(chosen: Chosen, process: Process, usual: Version | None = None) -> Sided:
    """Return the job of a scenario, or its variables where it has none; raises `UsageError`."""
    tried = try_scenario(open_file(chosen.scenario, process), process, usual)
    if tried.seen is not None and tried.desk is not None:
        looking = tried.desk.looking
        job = f"{looking.job or 'every job'} on {looking.ref.name}, {protection_words(looking.ref)}"
        title = clean(f"{chosen.scenario}: {job}", 300)
        return Sided(chosen, side_of_view(title, tried.seen.view), tried.seen.view)
    seen = {name: _compared(each) for name, each in tried.facts.variables.items()}
    return Sided(chosen, Side(chosen.title, seen))


def _compared(found: Variable) -> Compared:
    value, is_secret = found.value, isinstance(found.value, Secret)
    return Compared(value.reveal() if isinstance(value, Secret) else value, is_secret, found.source.detail)


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
