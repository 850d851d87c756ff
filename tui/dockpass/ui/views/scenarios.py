"""The scenarios: one row for each, and what one holds, expects and finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dockpass.marks import GLYPH_DONE, GLYPH_FAILED, GLYPH_LOOK, GLYPH_NOT_REACHED
from dockpass.scenario.checking import Result
from dockpass.scenario.inwords import flags_in_words, value_in_words
from dockpass.scenario.model import LEVEL_WORDS, Platform, Scenario
from dockpass.scenario.report import Report, in_words, muted_in_words
from dockpass.session.scenario_files import ScenarioFile
from dockpass.session.scenarios import Tried
from dockpass.text import clean
from dockpass.ui.views.words import Line, Span, cell, cells, end_of, hanging, shorten
from dockpass.variables.gitlab.model import Ref
from dockpass.variables.inwords import protection_words, ref_words, source_of_pipeline
from dockpass.variables.pipeline import MERGE_REQUEST, PUSH

_LABEL = 13
_GAP = 2
_WITH_JOB = 52
"""Cells from which the job and the pipeline have a column."""
_MOST_VARIABLES = 100
_ALONE = {Platform.GITHUB: "variables of GitHub", Platform.GENERIC: "variables alone"}


@dataclass(frozen=True, slots=True)
class Checked:
    """A file, and what came of it; None while it is not read yet. `tried` is None where it cannot be."""

    file: ScenarioFile
    report: Report | None = None
    tried: Tried | None = None

    @property
    def scenario(self) -> Scenario | None:
        """What the file says, as far as it could be read."""
        return self.tried.opened.scenario if self.tried is not None else None


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the list: a scenario, whether it is the open one, and whether it is marked."""

    checked: Checked
    is_open: bool = False
    is_marked: bool = False

    @property
    def told(self) -> str:
        """What is said of it beside its outcome."""
        return "  ".join(
            word for word, holds in (("marked", self.is_marked), ("open", self.is_open)) if holds
        )


def scenario_rows(listed: Sequence[Listed], width: int) -> Iterator[tuple[str | None, Line]]:
    """Yield a row for each file, with a heading above those from elsewhere."""
    columns = _columns(listed, width)
    is_headed = False
    for number, each in enumerate(listed):
        if not each.checked.file.of_project and not is_headed:
            if number:
                yield None, ()
            yield None, (("Opened recently, from elsewhere", "heading"),)
            is_headed = True
        yield str(each.checked.file.path), _row(each, columns)


def _columns(listed: Sequence[Listed], width: int) -> tuple[int, int, int, int]:
    """Return the cells of the file, of its job and pipeline, of what is told, and of the outcome."""
    of_told = max((cells(each.told) for each in listed), default=0)
    of_outcome = max((cells(_outcome(each.checked)[0]) for each in listed), default=0)
    room = width - 2 - of_outcome - _GAP - (of_told + _GAP if of_told else 0)
    longest = max((cells(each.checked.file.shown) for each in listed), default=0)
    if room < _WITH_JOB:
        return max(room, 8), 0, of_told, of_outcome
    of_file = min(longest, max(room // 2, 24))
    return of_file, room - of_file - _GAP, of_told, of_outcome


def _row(each: Listed, columns: tuple[int, int, int, int]) -> Line:
    of_file, of_what, of_told, of_outcome = columns
    mark, role = _mark(each.checked)
    words, words_role = _outcome(each.checked)
    gap = " " * _GAP
    return (
        (f"{mark} ", role),
        (cell(end_of(each.checked.file.shown, of_file), of_file), "text"),
        (f"{gap}{cell(shorten(summary(each.checked), of_what), of_what)}" if of_what else "", "label"),
        (f"{gap}{each.told.rjust(of_told)}" if of_told else "", "accent"),
        (f"{gap}{words.rjust(of_outcome)}", words_role),
    )


def _mark(checked: Checked) -> tuple[str, str]:
    report = checked.report
    if report is None or (checked.tried is not None and not report.results and not report.problem):
        return GLYPH_NOT_REACHED, "label"
    return (GLYPH_DONE, "good") if report.passed else (GLYPH_FAILED, "bad")


def _outcome(checked: Checked) -> tuple[str, str]:
    report = checked.report
    if report is None:
        return "checking", "label"
    if checked.tried is None:
        return ("cannot be read" if report.is_usage else "cannot be resolved"), "bad"
    if report.problem:
        return "GitLab refuses it", "bad"
    if not report.results:
        return "expects nothing", "label"
    count = len(report.results)
    if report.passed:
        return f"{count} of {count} met", "good"
    return f"{len(report.differing)} of {count} not met", "bad"


def summary(checked: Checked) -> str:
    """Return the job and the pipeline in a few words; for other platforms, which one."""
    if checked.tried is None or checked.scenario is None:
        return ""
    if checked.tried.desk is None:
        return _ALONE[checked.scenario.platform]
    looking = checked.tried.desk.looking
    job = clean(looking.job, 100) or "every job"
    return f"{job} on {clean(looking.ref.name, 100)}, {protection_words(looking.ref)}"


def counts(checked: Sequence[Checked]) -> Line:
    """Return how many scenarios hold, and how many do not."""
    known = [each for each in checked if each.report is not None]
    held = sum(each.report.passed and bool(each.report.results) for each in known if each.report)
    failed = sum(not each.report.passed for each in known if each.report)
    spans: list[Span] = [(f"{held} met", "good")] if held else []
    if failed:
        spans += [*([("  ", "text")] if spans else []), (f"{failed} not met", "bad")]
    if len(known) < len(checked):
        spans += [*([("  ", "text")] if spans else []), ("checking", "look")]
    return tuple(spans)


def detail_lines(checked: Checked, width: int) -> list[Line]:
    """Return what is expected with what was found and why it differs, then what the file holds."""
    report = checked.report
    if report is None:
        return [(("checking it", "label"),)]
    lines: list[Line] = []
    if report.problem:
        lines += hanging(((f"{GLYPH_FAILED} ", "bad"),), report.problem, "text", width)
    why = ""
    for result in sorted(report.results, key=lambda each: each.passed):
        lines += _result_lines(result, why, width)
        why = result.why
    if not report.results and checked.tried is not None:
        lines.append((("It expects nothing. Save it again to expect what is found now.", "label"),))
    for note in report.notes:
        lines += hanging(((f"{GLYPH_LOOK} ", "look"),), note, "text", width)
    if checked.tried is not None:
        lines += [(), *_holds(checked.tried, width)]
    return lines


def _result_lines(result: Result, told: str, width: int) -> Iterator[Line]:
    """Yield an expectation, what was found, and why it differs, unless that was told just before."""
    mark: Span = (f"{GLYPH_DONE} ", "good") if result.passed else (f"{GLYPH_FAILED} ", "bad")
    words = f"{clean(result.expectation.about, 300)}: {result.found}" if result.passed else in_words(result)
    yield from hanging((mark,), words, "text" if result.passed else "strong", width)
    if result.why and not result.passed and result.why != told:
        yield from hanging((("  ", "text"),), result.why, "label", width)
    for muted in muted_in_words(result):
        yield from hanging((("  ", "text"), (f"{GLYPH_NOT_REACHED} ", "absent")), muted, "absent", width)


def _holds(tried: Tried, width: int) -> Iterator[Line]:
    """Yield job and pipeline, sources, variables and what is muted; no value of a secret."""
    scenario = tried.opened.scenario
    if scenario.name:
        yield from _labelled("Name", clean(scenario.name, 200), width)
    yield from _labelled("Job", _pipeline(tried), width)
    for number, source in enumerate(scenario.sources):
        level = f", {LEVEL_WORDS[source.level]}" if source.level is not None else ""
        words = f"{clean(source.path, 200)} ({source.kind}{level})"
        yield from _labelled("Sources" if number == 0 else "", words, width)
    own = list(zip(scenario.variables, tried.opened.own, strict=True))
    for number, (given, found) in enumerate(own[:_MOST_VARIABLES]):
        flags = flags_in_words(given).replace(" ", ", ")
        level = f"({LEVEL_WORDS[given.level]}{f', {flags}' if flags else ''})"
        words = f"{clean(given.key, 255)}: {value_in_words(given, found)} {level}"
        yield from _labelled("Variables" if number == 0 else "", words, width)
    if len(own) > _MOST_VARIABLES:
        yield from _labelled("", f"and {len(own) - _MOST_VARIABLES:,} more", width)
    if scenario.context.unset:
        yield from _labelled(
            "Left out", ", ".join(clean(each, 255) for each in scenario.context.unset), width
        )
    for number, mute in enumerate(scenario.muted):
        about = f" about {clean(', '.join(mute.patterns), 200)}" if mute.about != "*" else ""
        words = f"{clean(mute.check, 80)}{about}: {clean(mute.because, 300)}"
        yield from _labelled("Muted" if number == 0 else "", words, width)


def _pipeline(tried: Tried) -> str:
    scenario = tried.opened.scenario
    if tried.desk is None:
        return f"none: {_ALONE[scenario.platform]}"
    looking = tried.desk.looking
    words = [f"{clean(looking.job, 255) or 'every job'} on {_ref(looking.ref)}"]
    if looking.source not in {PUSH, MERGE_REQUEST}:
        words.append(f"started by {source_of_pipeline(looking.source)}")
    if looking.environment is not None:
        words.append(
            f"environment {clean(looking.environment, 100)}" if looking.environment else "no environment"
        )
    if scenario.context.gitlab_version:
        words.append(f"GitLab {scenario.context.gitlab_version}")
    if scenario.context.docker_cli:
        words.append(f"docker {scenario.context.docker_cli}")
    return ", ".join(words)


def _ref(ref: Ref) -> str:
    return f"{ref_words(ref)}, {protection_words(ref)}"


def _labelled(label: str, text: str, width: int) -> list[Line]:
    return hanging(((cell(label, _LABEL), "heading"),), text, "text", width)


MEANS: Line = (
    ("A scenario keeps a job, its pipeline and its variables in a file, and tests the logins.", "label"),
)


def empty_lines(save: str) -> list[Line]:
    """Return what stands where there is no scenario; `save` is the key that makes one."""
    return [
        (("There is no scenario here yet.", "text"),),
        (),
        ((save, "accent"), (" saves the job and the ref that are looked at as one.", "label")),
        (("dockpass scenario new", "strong"), (" writes two for each job that logs in or pushes.", "label")),
    ]
