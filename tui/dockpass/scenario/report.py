"""The results of a check for other programs: JUnit's XML and GitLab's code quality. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dockpass.scenario.checking import Result
from dockpass.text import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The results of one scenario; `problem` says why it could not be looked at. Every text is clean."""

    file: str
    name: str = ""
    results: tuple[Result, ...] = ()
    problem: str = ""
    is_usage: bool = False
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything that is expected holds."""
        return not self.problem and all(each.passed for each in self.results)

    @property
    def differing(self) -> tuple[Result, ...]:
        """The results that are not as expected."""
        return tuple(each for each in self.results if not each.passed)


def in_words(result: Result) -> str:
    """Return what is expected and what was found, in one line without the reason."""
    what = result.expectation
    return f"{clean(what.about, 300)}: expected {clean(what.wanted_in_words, 300)}, found {result.found}"


def muted_in_words(result: Result) -> Iterator[str]:
    """Yield each finding that counts for nothing, with the reason, in one line."""
    for each in result.muted:
        yield f"muted: {each.finding.in_words} ({each.check}), because {each.muted}"


def junit(reports: Sequence[Report]) -> str:
    """Return JUnit's XML: a suite for each file, a case for each expectation."""
    from xml.etree import ElementTree  # only who wants the report pays for it

    root = ElementTree.Element("testsuites")
    for report in reports:
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=_xml(report.file),
            tests=str(max(len(report.results), 1)),
            failures=str(len(report.differing)),
            errors=str(int(bool(report.problem))),
        )
        if report.problem:
            case = ElementTree.SubElement(suite, "testcase", classname=_xml(report.file), name="scenario")
            ElementTree.SubElement(case, "error", message=_xml(report.problem))
        for result in report.results:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=_xml(report.file),
                name=_xml(result.expectation.about),
                file=_xml(report.file),
                line=str(result.expectation.line),
            )
            if not result.passed:
                failure = ElementTree.SubElement(case, "failure", message=_xml(in_words(result)))
                failure.text = _xml(result.why or in_words(result))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _xml(text: str) -> str:
    """Return a text with characters that XML 1.0 allows."""
    return "".join(each if each.isprintable() or each == " " else "\ufffd" for each in text)


def code_quality(reports: Sequence[Report]) -> str:
    """Return GitLab's code quality report: an issue for each expectation that does not hold."""
    issues = []
    for report in reports:
        if report.problem:
            issues.append(_issue(report.file, 1, "", report.problem, "blocker"))
        for each in report.differing:
            what = each.expectation
            words = f"{in_words(each)}. {each.why}".rstrip()
            issues.append(_issue(report.file, what.line, what.about, words, "major"))
    return json.dumps(issues, ensure_ascii=False, indent=2) + "\n"


def _issue(file: str, line: int, about: str, description: str, severity: str) -> dict[str, object]:
    """Return an issue; its fingerprint stays while the same expectation of the same file fails."""
    import hashlib  # it loads OpenSSL

    fingerprint = hashlib.sha256(f"{file}\0{about}".encode("utf-8", "replace")).hexdigest()
    return {
        "description": description,
        "check_name": "scenario",
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": file, "lines": {"begin": max(line, 1)}},
    }
