"""What the doctor found as one object, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dockpass.doctor.examine import Found
from dockpass.doctor.places import place_of, places_of
from dockpass.doctor.symptoms import explaining
from dockpass.doctor.table import TABLE
from dockpass.doctor.trying import Tried, tried_fixes
from dockpass.doctor.visit import Visit
from dockpass.findings import finding_json
from dockpass.text import clean


def visit_json(visit: Visit, symptom: str | None) -> dict[str, Any]:
    """Return the object of `--json`."""
    found: dict[str, Any] = {
        "findings": [_found_json(each) for each in visit.found],
        "muted": [{**_found_json(each), "because": mute.because} for each, mute in visit.muted],
        "clear": visit.clear,
        "not_run": {str(need): count for need, count in visit.not_run.items()},
    }
    if symptom is not None:
        found["explained_by"] = [check.id for check in explaining(symptom, TABLE)]
    return found


def _found_json(each: Found) -> dict[str, Any]:
    places = [clean(str(place), 300) for place in places_of(each)]
    return {
        "check": each.check.id,
        **finding_json(each.finding),
        "matters": each.check.matters,
        "jobs": [clean(name, 255) for name in each.jobs],
        "place": places[0] if places else None,
        "of": [_single_json(single) for single in each.members],
        "tried": [_tried_json(tried) for tried in tried_fixes(each, TABLE)],
    }


def _single_json(each: Found) -> dict[str, Any]:
    """Return one of several findings that are told as one."""
    place = place_of(each.patient, each.finding)
    return {
        "about": each.finding.about,
        "message": each.finding.message,
        "hint": each.finding.hint,
        "jobs": [clean(name, 255) for name in each.jobs],
        "place": clean(str(place), 300) or None,
    }


def _tried_json(tried: Tried) -> dict[str, Any]:
    return {
        "text": tried.in_words,
        "logins": [{"command": one.command, "method": two.method, "username": two.username}
                   for one, two in tried.logins],
        "gone": _ids([finding.id for finding in tried.gone]),
        "new": _ids([finding.id for finding in tried.new]),
    }  # fmt: skip


def _ids(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))
