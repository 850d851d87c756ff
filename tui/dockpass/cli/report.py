"""`dockpass report`: writes the report to stdout or to a new file."""

from __future__ import annotations

from dockpass.cli.context import Given
from dockpass.cli.doctor_visit import visited
from dockpass.cli.output import Output
from dockpass.cli.readonly import refuse_if_read_only
from dockpass.cli.world import World
from dockpass.errors import ExitCode
from dockpass.marks import GLYPH_DONE
from dockpass.newfile import save_new
from dockpass.readonly import Act
from dockpass.registry.policy import Policy
from dockpass.session.report import report_text
from dockpass.text import clean


def run_report(world: World, given: Given, policy: Policy | None, path: str | None) -> int:
    """Write the report; return the exit status."""
    if path is not None:
        refuse_if_read_only(world, Act.WRITE)
    visit = visited(world, given, all_jobs=False, policy=policy)
    text = report_text(visit, world.redactor, world.home)
    output = Output(world.redactor)
    if path is None:
        output.text(text)
        output.say(visit.notes)
        return ExitCode.DONE
    place = world.cwd / path
    save_new(place, text)
    output.say([*visit.notes, f"{GLYPH_DONE} the report is in {clean(str(place))}"])
    return ExitCode.DONE
