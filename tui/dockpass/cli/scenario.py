"""The work of `dockpass scenario check`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dockpass.cli.output import Output
from dockpass.cli.readonly import refuse_if_read_only
from dockpass.cli.usual import usual_version
from dockpass.cli.world import World
from dockpass.errors import ExitCode, UsageError
from dockpass.findings import Severity, finding_json
from dockpass.marks import GLYPH_NOT_REACHED, OF_ANSWER, OF_SEVERITY
from dockpass.readonly import Act
from dockpass.scenario.checking import Result
from dockpass.scenario.report import Report, code_quality, in_words, junit, muted_in_words
from dockpass.session.scenario_check import check_file
from dockpass.system import reason
from dockpass.text import clean, plural


def check_files(
    world: World, files: Sequence[str], junit_to: str | None, quality_to: str | None, *, as_json: bool
) -> int:
    """Check each file, print and write what was found; return the exit status."""
    if junit_to or quality_to:
        refuse_if_read_only(world, Act.WRITE)
    output = Output(world.redactor)
    usual = usual_version(world)
    reports = []
    for file in dict.fromkeys(files):
        report = check_file(file, world, usual)
        reports.append(report)
        if not as_json:
            output.words(_report_lines(report))
    if as_json:
        output.json(_reports_json(reports))
    else:
        output.words(["", _summary(reports)])
    for path, written in ((junit_to, junit), (quality_to, code_quality)):
        if path is not None:
            _write(world.cwd / path, world.redactor(written(reports)))
    if any(each.is_usage for each in reports):
        return ExitCode.USAGE
    return ExitCode.DONE if all(each.passed for each in reports) else ExitCode.FAILED


def _report_lines(report: Report) -> Iterator[str]:
    yield f"{report.file}  {report.name}".rstrip()
    if report.problem:
        yield f"  {OF_ANSWER[False]} {report.problem}"
    for each in report.results:
        about = f"{clean(each.expectation.about, 300)}: {each.found}"
        yield f"  {OF_ANSWER[each.passed]} {about if each.passed else in_words(each)}"
        if each.why and not each.passed:
            yield f"      {each.why}"
        yield from (f"    {GLYPH_NOT_REACHED} {words}" for words in muted_in_words(each))
    yield from (f"  {OF_SEVERITY[Severity.WARNING]} {words}" for words in report.notes)


def _summary(reports: Sequence[Report]) -> str:
    count = sum(len(each.results) for each in reports)
    differing = sum(len(each.differing) for each in reports)
    files = plural(len(reports), "scenario")
    broken = sum(bool(each.problem) for each in reports)
    told = f"{differing} of {plural(count, 'expectation')} in {files} not met" if differing else ""
    problems = f"{plural(broken, 'scenario')} could not be checked" if broken else ""
    if told or problems:
        return f"{'; '.join(filter(None, (told, problems)))}."
    return f"{plural(count, 'expectation')} in {files} met."


def _reports_json(reports: Sequence[Report]) -> dict[str, Any]:
    return {
        "passed": all(each.passed for each in reports),
        "scenarios": [
            {
                "file": report.file,
                "name": report.name or None,
                "passed": report.passed,
                "problem": report.problem or None,
                "notes": list(report.notes),
                "expectations": [_result_json(each) for each in report.results],
            }
            for report in reports
        ],
    }


def _result_json(result: Result) -> dict[str, Any]:
    what = result.expectation
    return {
        "about": clean(what.about, 300),
        "kind": what.kind,
        "command": what.command,
        "line": what.line or None,
        "expected": clean(what.wanted, 300),
        "found": result.found,
        "passed": result.passed,
        "why": result.why or None,
        "muted": [
            {**finding_json(each.finding), "check": each.check, "because": each.muted}
            for each in result.muted
        ],
    }


def _write(path: Path, text: str) -> None:
    """Write a report in place, over the last one: it may be a device, and others may read it."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        if path.is_file():  # what was written of it is no report
            with suppress(OSError):
                path.unlink()
        raise UsageError(
            "scenario-report",
            f"The report cannot be written: {reason(error)}.",
            "Give another place.",
        ) from error
