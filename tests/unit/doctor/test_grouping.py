"""Findings that are alike are told as one: with all names, one weight, one fix that mends all, one mute."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patients import patients

from dockpass.doctor.ci_formats import code_quality, sarif
from dockpass.doctor.concerning import concerned
from dockpass.doctor.examine import Found, examine
from dockpass.doctor.grouping import grouped, told_of
from dockpass.doctor.muting import mute_of
from dockpass.doctor.objects import visit_json
from dockpass.doctor.table import TABLE
from dockpass.doctor.trying import mended, tried_fixes
from dockpass.doctor.visit import Visit, counts, visit
from dockpass.settings import Mute, load_settings, save_mute

NAMES = ["A_TOKEN", "B_TOKEN", "C_TOKEN"]
FEATURE = {"name": "feature/x", "protected": False}
GITLABS = {"CI_REGISTRY": "r.example.com", "CI_REGISTRY_USER": "gitlab-ci-token", "CI_COMMIT_TAG": "v1"}


def stored(names: Sequence[str] = NAMES, **more: object) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": f"s3cret-word-4{at}", "masked": True, **more} for at, name in enumerate(names)
    ]


def of(inputs: dict[str, Any], directory: Path, *mutes: Mute) -> Visit:
    return visit(patients(inputs, directory), mutes)


def only(name: str, found: Sequence[Found]) -> Found:
    (one,) = [each for each in found if each.finding.id == name]
    return one


@pytest.mark.parametrize(
    ("inputs", "name", "words"),
    [
        ({"project": stored(environment_scope="prod")}, "absent-scope", "3 variables are missing, because"),
        (
            {"project": stored(protected=True), "ref": FEATURE},
            "absent-protected",
            "3 variables are missing, because they are protected",
        ),
        (
            {"project": stored(NAMES[:2], protected=True), "ref": FEATURE},
            "absent-protected",
            "A_TOKEN and B_TOKEN are missing, because they are protected",
        ),
        (
            {"project": [{**each, "value": f"pa$sword-{at}"} for at, each in enumerate(stored())]},
            "cut-by-expansion",
            "3 variables lose characters at a $",
        ),
        ({"project": [{**each, "masked": False} for each in stored()]}, "not-masked", "3 variables look like"),
        (
            {"yaml": "variables: {CI_REGISTRY: a.example, CI_REGISTRY_USER: b, CI_COMMIT_TAG: c}\nb: {script: [env]}", "predefined": GITLABS},
            "predefined-overridden",
            "3 variables are predefined by GitLab, and are overridden",
        ),
        (
            {"yaml": "variables: {A: 012, B: 0x1F, C: 1_000}\nb: {script: [env]}"},
            "changed-by-yaml",
            "3 values are changed by YAML",
        ),
        (
            {"yaml": "include: [{remote: 'https://a.example/a.yml'}, {template: B.yml}, {project: c/d, file: e.yml}]\nb: {script: [env]}"},
            "not-loaded",
            "3 includes are not loaded here",
        ),
        (
            {"env": {"CI_REGISTRY": "r.example.com\n", "CI_JOB_TOKEN": "s3cret-word-42\n", "CI_REGISTRY_IMAGE": "r.example.com/a\n"}},
            "line-end",
            "3 values end with a line break",
        ),
        (
            {"files": {"a.env": "A=x # a\nB=y # b\nC=z # c\n"}, "env_files": ["a.env"]},
            "env-file-hash",
            "3 lines of env files have a #",
        ),
        (
            {
                "files": {"docker/config.json": '{"credHelpers": {"a.example": "x", "b.example": "y", "c.example": "z"}}'},
                "config": "docker",
                "env": {"PATH": "/bin"},
            },
            "helper-missing",
            "3 credential helpers are not installed",
        ),
        (
            {
                "files": {"docker/config.json": '{"auths": {"a.example": {"auth": "x:y"}, "b.example": {"auth": "x:y"}, "c.example": {"auth": "x:y"}}}'},
                "config": "docker",
            },
            "config-entry",
            "3 entries of docker's config cannot be used",
        ),
    ],
)  # fmt: skip
def test_like_findings_are_one(inputs: dict[str, Any], name: str, words: str, tmp_path: Path) -> None:
    single = [each for each in examine(patients(inputs, tmp_path), TABLE) if each.finding.id == name]
    told = of(inputs, tmp_path)
    one = only(name, told.found)
    assert one.finding.in_words.startswith(words)
    assert [each.finding for each in one.members] == [each.finding for each in single]
    assert one.finding.severity == single[0].finding.severity
    assert set(concerned(one)) == {command for each in single for command in concerned(each)}
    assert all(each.finding.about in told_of(one).in_words for each in single)


def test_what_has_another_reason_or_weight_stands_apart(tmp_path: Path) -> None:
    project = [
        *stored(["A_TOKEN", "B_TOKEN"], environment_scope="prod"),
        *stored(["C_TOKEN", "D_TOKEN"], environment_scope="staging"),
        *stored(["LEVEL", "COLOUR"], environment_scope="prod"),
    ]
    found = [each for each in of({"project": project}, tmp_path).found if each.finding.id == "absent-scope"]
    assert [[single.finding.about for single in each.members] for each in found] == [
        ["A_TOKEN", "B_TOKEN"],
        ["C_TOKEN", "D_TOKEN"],
        ["COLOUR", "LEVEL"],
    ]


@pytest.mark.parametrize(
    ("inputs", "name", "words"),
    [
        (
            {"project": stored(protected=True), "ref": FEATURE},
            "absent-protected",
            [
                "protect the branch feature/x",
                "take off the flag Protected in the project's settings, for each of the 3",
            ],
        ),
        (
            {"project": [*stored(["A_TOKEN"], environment_scope="prod", protected=True), *stored(["B_TOKEN"], environment_scope="prod")], "ref": {"name": "feature/x", "protected": None}},
            "absent-scope",
            [
                "protect the branch feature/x and run the job in the environment prod",
                "protect the branch feature/x and set its environment scope to * in the project's settings, scope prod, for each of the 2",
            ],
        ),
        (
            {"env": {"CI_REGISTRY": "r.example.com\n", "CI_JOB_TOKEN": "s3cret-word-42\n"}},
            "line-end",
            ["store CI_JOB_TOKEN without what does not belong to it and store CI_REGISTRY without what does not belong to it"],
        ),
    ],
)  # fmt: skip
def test_a_fix_is_tried_once_for_all_of_them(
    inputs: dict[str, Any], name: str, words: list[str], tmp_path: Path
) -> None:
    one = only(name, of(inputs, tmp_path).found)
    tried = tried_fixes(one, TABLE)
    assert sorted(each.in_words for each in tried) == sorted(words)
    for each in tried:
        after = {
            (other.finding.id, other.finding.about)
            for other in examine((mended(one.patient, each.fix),), TABLE)
        }
        assert not after & {(single.finding.id, single.finding.about) for single in one.members}
        assert each.others <= len(each.gone) - len(one.members)
        assert {single.finding for single in one.members} <= set(each.gone)


def test_what_goes_and_comes_with_a_fix_is_counted_as_it_is_told(tmp_path: Path) -> None:
    words = [{"key": f"A_{n}", "value": f"word-{n}", "environment_scope": "prod"} for n in range(12)]
    secrets = [
        {"key": f"S_{n}_TOKEN", "value": f"s3cret-word-{n}", "environment_scope": "prod"} for n in range(3)
    ]
    found = of({"project": [*words, *secrets]}, tmp_path).found
    one, other = (each for each in found if each.finding.id == "absent-scope")
    assert (len(one.each), len(other.each)) == (3, 12)
    told = [(len(each.gone), each.others, each.changes) for each in tried_fixes(one, TABLE)]
    new = "new: 3 variables look like secrets and are not masked: S_0_TOKEN, S_1_TOKEN, S_2_TOKEN"
    assert told[0] == (15, 1, ("no login changes", "1 other finding goes too", new))


def test_a_mute_of_one_name_leaves_the_others_and_one_of_all_leaves_none(tmp_path: Path) -> None:
    inputs = {"project": stored(protected=True), "ref": FEATURE}
    one = only("absent-protected", of(inputs, tmp_path).found)
    left = of(inputs, tmp_path, mute_of(one.members[1], "known"))
    assert [each.finding.about for each in only("absent-protected", left.found).members] == [
        "A_TOKEN",
        "C_TOKEN",
    ]
    assert [each.finding.about for each, _ in left.muted] == ["B_TOKEN"]
    everything = mute_of(one, "known")
    silent = of(inputs, tmp_path, everything)
    assert [len(each.members) for each, _ in silent.muted] == [3]
    assert "absent-protected" not in {each.finding.id for each in silent.found}
    more = {**inputs, "project": stored([*NAMES, "D_TOKEN"], protected=True)}
    assert only("absent-protected", of(more, tmp_path, everything).found).finding.about == "D_TOKEN"
    path = tmp_path / "settings.toml"
    save_mute(path, everything)
    assert load_settings(path).settings.muted == (everything,)
    assert load_settings(path).problems == ()


def test_programs_get_one_result_with_every_name_and_place(tmp_path: Path) -> None:
    yaml = (
        "variables:\n  CI_REGISTRY: a.example\n  CI_REGISTRY_USER: b\n  CI_COMMIT_TAG: c\nb: {script: [env]}"
    )
    told = of({"yaml": yaml, "predefined": GITLABS}, tmp_path)
    one = only("predefined-overridden", told.found)
    (found,) = [each for each in visit_json(told, None)["findings"] if each["id"] == "predefined-overridden"]
    assert [(each["about"], each["place"]) for each in found["of"]] == [
        ("CI_COMMIT_TAG", ".gitlab-ci.yml:4"),
        ("CI_REGISTRY", ".gitlab-ci.yml:2"),
        ("CI_REGISTRY_USER", ".gitlab-ci.yml:3"),
    ]
    (result,) = sarif([one], "1")["runs"][0]["results"]
    lines = [each["physicalLocation"]["region"]["startLine"] for each in result["locations"]]
    assert sorted(lines) == [2, 3, 4]
    (entry,) = code_quality([one])
    assert all(name in entry["description"] for name in ("CI_REGISTRY", "CI_REGISTRY_USER", "CI_COMMIT_TAG"))
    fewer = grouped(one.members[1:])
    assert code_quality(fewer)[0]["fingerprint"] != entry["fingerprint"]
    assert code_quality(grouped(reversed(one.members)))[0]["fingerprint"] == entry["fingerprint"]


LIKE = st.lists(
    st.tuples(st.sampled_from("ABCDE"), st.booleans(), st.sampled_from(["prod", "test"])), max_size=8
)


@settings(max_examples=15, deadline=None)
@given(LIKE)
def test_no_finding_is_lost_or_told_twice(rows: list[tuple[str, bool, str]]) -> None:
    project = [
        {"key": f"{name}_TOKEN{at}", "value": "s3cret-word-42", "masked": masked, "environment_scope": scope}
        for at, (name, masked, scope) in enumerate(rows)
    ]
    single = examine(patients({"project": project}, Path()), TABLE)
    told = grouped(single)
    assert sorted(map(repr, (each.finding for one in told for each in one.each))) == sorted(
        repr(each.finding) for each in single
    )
    assert len({(each.finding.id, each.finding.severity, each.finding.alike) for each in told}) == len(told)
    assert counts(told).count(",") <= 2
