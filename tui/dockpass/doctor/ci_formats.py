"""Findings in the formats of code hosts: SARIF 2.1.0, and GitLab's code quality report."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from dockpass.doctor.examine import Found
from dockpass.doctor.grouping import named
from dockpass.doctor.places import places_of
from dockpass.findings import Severity
from dockpass.variables.clone import CI_FILE
from dockpass.variables.gitlab.model import Place

_SARIF = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_MOST_NAMED = 20
_QUALITY = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


def sarif(found: Sequence[Found], version: str) -> dict[str, Any]:
    """Return a SARIF log with one run."""
    checks = {each.check.id: each.check for each in found}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "dockpass",
                        "version": version,
                        "rules": [
                            {
                                "id": check.id,
                                "name": check.name,
                                "shortDescription": {"text": check.title},
                                "fullDescription": {"text": check.matters},
                                "help": {"text": check.fix},
                            }
                            for check in checks.values()
                        ],
                    }
                },
                "results": [_result(each) for each in found],
            }
        ],
    }


def _result(each: Found) -> dict[str, Any]:
    return {
        "ruleId": each.check.id,
        "level": _SARIF[each.finding.severity],
        "message": {"text": _message(each)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": place.file},
                    "region": {"startLine": max(1, place.line)},
                }
            }
            for place in _places(each)
        ],
        "partialFingerprints": {"finding/v1": _fingerprint(each)},
    }


def code_quality(found: Sequence[Found]) -> list[dict[str, Any]]:
    """Return the entries of a code quality report, as GitLab reads it."""
    return [
        {
            "check_name": each.check.id,
            "description": _message(each),
            "severity": _QUALITY[each.finding.severity],
            "fingerprint": _fingerprint(each),
            "location": {"path": _places(each)[0].file, "lines": {"begin": max(1, _places(each)[0].line)}},
        }
        for each in found
    ]


def _places(each: Found) -> tuple[Place, ...]:
    """Return the places: the start of the CI file for what is in no file, as both formats want one."""
    return places_of(each) or (Place(CI_FILE, 1),)


def _message(each: Found) -> str:
    told = f"{each.finding.in_words.rstrip('.')}. {each.finding.hint or each.check.fix}".rstrip()
    return f"{told} {named(each, _MOST_NAMED)}" if each.members else told


def _fingerprint(each: Found) -> str:
    """Return what stays the same while the finding does: not its line, and no value."""
    about = " ".join(sorted({single.finding.about for single in each.each}))
    told = f"{each.check.id} {each.finding.id} {about} {' '.join(each.jobs)}"
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:40]
