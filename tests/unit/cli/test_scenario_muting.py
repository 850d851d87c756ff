"""`[expect] findings` and `[[muted]]`: what may be found, by finding or by check, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from jobclone import make_clone

from dockpass.cli.main import cli
from dockpass.findings import Finding, Severity
from dockpass.scenario.checking import Found, Noted, compare
from dockpass.scenario.model import Expectation, Kind

YAML = """\
variables: {CI_REGISTRY: registry.example.com, CI_REGISTRY_IMAGE: registry.example.com/acme/shop}
publish: {script: [docker push x], variables: {SONAR_TOKEN: "a-plain-word"}}
"""
START = """\
schema = 1
job = "publish"
context = { ref = "main" }
"""


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make_clone(tmp_path / "shop", YAML))
    monkeypatch.setenv("DOCKPASS_CONFIG", str(tmp_path / "settings.toml"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments], standalone_mode=False)


def written(text: str) -> str:
    Path("s.toml").write_text(START + text)
    return "s.toml"


def checked(text: str) -> tuple[int, dict[str, Any], list[str]]:
    ended = run("scenario", "check", written(text), "--json")
    report = json.loads(ended.stdout)["scenarios"][0]
    return ended.exit_code, report["expectations"][-1], report["notes"]


def found_checks() -> dict[str, str]:
    """The ids of the findings that are no notes, each with its check."""
    report = json.loads(run("doctor", "--scenario", written(""), "--json").stdout)
    return {each["id"]: each["check"] for each in report["findings"] if each["severity"] != "note"}


def test_a_finding_is_allowed_by_its_id_and_by_its_check_in_either_case() -> None:
    checks = found_checks()
    assert len(set(checks.values())) > 1
    status, found, _ = checked("[expect]\nfindings = []\n")
    assert (status, set(found["found"].split())) == (1, set(checks))
    assert all(f"({check})" in found["why"] for check in checks.values())
    for words in (list(checks), list(checks.values()), [each.lower() for each in checks.values()]):
        status, found, notes = checked(f"[expect]\nfindings = {json.dumps(words)}\n")
        assert (status, found["passed"], notes) == (0, True, [])
    one = next(iter(checks))
    status, found, _ = checked(f"[expect]\nfindings = {json.dumps([checks[one]])}\n")
    assert (status, one in found["found"].split()) == (1, False)


def test_what_is_muted_counts_for_nothing_and_is_told_with_the_reason() -> None:
    checks = found_checks()
    muted = "".join(
        f'[[muted]]\ncheck = "{word}"\nbecause = "known since {number}"\n'
        for number, word in enumerate(checks.values())
    )
    file = written("[expect]\nfindings = []\n" + muted)
    ended = run("scenario", "check", file)
    assert ended.exit_code == 0
    assert ended.stdout.count("    · muted: ") >= len(checks)
    assert f"({next(iter(checks.values()))}), because known since 0" in ended.stdout
    doctor = run("doctor", "--scenario", file)
    assert "· muted: " in doctor.stdout
    assert "because  known since 0" in doctor.stdout
    assert json.loads(run("doctor", "--scenario", file, "--json").stdout)["findings"] == [
        each
        for each in json.loads(run("doctor", "--scenario", file, "--json").stdout)["findings"]
        if each["severity"] == "note"
    ]


def test_show_tells_what_is_muted_and_why() -> None:
    file = written('[[muted]]\ncheck = "DP-SEC-011"\nabout = "SONAR_*"\nbecause = "read\\u001b[31m only"\n')
    shown = run("scenario", "show", file).stdout
    assert "muted\n  DP-SEC-011  SONAR_*  read" in shown
    assert "\x1b" not in shown
    muted = json.loads(run("scenario", "show", file, "--json").stdout)["muted"]
    assert [(each["check"], each["about"]) for each in muted] == [("DP-SEC-011", "SONAR_*")]


@pytest.mark.parametrize(("about", "mutes"), [("SONAR_*", True), ("SONAR_TOKEN", True), ("OTHER*", False)])
def test_a_mute_may_be_for_one_variable(about: str, mutes: bool) -> None:
    others = [each for each in found_checks() if each != "secret-in-yaml"]
    mute = f'[[muted]]\ncheck = "DP-SEC-011"\nabout = "{about}"\nbecause = "x"\n'
    status, found, _ = checked(f"[expect]\nfindings = {json.dumps(others)}\n{mute}")
    assert (status == 0) is mutes
    assert [each["about"] for each in found["muted"]] == (["SONAR_TOKEN"] if mutes else [])


def test_the_settings_of_one_person_do_not_change_a_check(clone: Path) -> None:
    text = "".join(f'[[muted]]\ncheck = "{each}"\nbecause = "mine"\n' for each in found_checks())
    (clone / "settings.toml").write_text(text)
    assert checked("[expect]\nfindings = []\n")[0] == 1
    assert json.loads(run("doctor", "--scenario", written(""), "--json").stdout)["muted"]


def test_a_word_that_names_no_check_is_told_with_the_one_that_may_be_meant() -> None:
    text = '[expect]\nfindings = ["DP-SEC-0111"]\n[[muted]]\ncheck = "secret-in-yml"\nbecause = "x"\n'
    notes = checked(text)[2]
    assert notes == [
        "muted: there is no check secret-in-yml; did you mean secret-in-yaml?",
        "expect.findings: there is no check DP-SEC-0111; did you mean DP-SEC-011?",
    ]
    assert "there is no check secret-in-yml" in run("doctor", "--scenario", written(text)).stderr


IDS = st.sampled_from(["alpha", "beta", "gamma"])
CHECKS = {"alpha": "DP-AAA-001", "beta": "DP-AAA-001", "gamma": "DP-BBB-002"}


@settings(max_examples=60)
@given(st.lists(st.tuples(IDS, st.sampled_from(Severity), st.sampled_from(["", "why"]))), st.sets(IDS))
def test_exactly_what_is_neither_allowed_nor_muted_nor_a_note_differs(
    seen: list[tuple[str, Severity, str]], allowed: set[str]
) -> None:
    noted = tuple(
        Noted(Finding(id_, "A", "is odd", severity=severity), CHECKS[id_], muted)
        for id_, severity, muted in seen
    )
    found = Found(
        facts=None,  # type: ignore[arg-type]
        decided={},
        absent={},
        jobs=(),
        included=lambda _: None,
        findings=lambda: noted,
    )
    for words in (allowed, {CHECKS[each] for each in allowed}):
        (result,) = compare([Expectation(kind=Kind.FINDINGS, wanted=" ".join(sorted(words)))], found)
        left = [
            id_
            for id_, severity, muted in seen
            if severity is not Severity.NOTE and not muted and not words & {id_, CHECKS[id_]}
        ]
        assert result.passed is (not left)
        if left:
            assert result.found.split() == list(dict.fromkeys(left))
