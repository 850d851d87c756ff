"""Configurations that are small as they are written, and huge once they are read or expanded."""

from __future__ import annotations

import sys

import pytest
from ciproject import MAIN, config_of

from dockpass.variables.gitlab import globs
from dockpass.variables.gitlab.config import Config
from dockpass.variables.gitlab.expand import LARGEST, TOO_LONG
from dockpass.variables.gitlab.model import Definition, Level, Unknown, Value
from dockpass.variables.gitlab.resolve import JobView, Situation, view_job
from dockpass.variables.gitlab.tree import YamlError, as_text, read_tree
from dockpass.variables.job_findings import find_in_view

DIGITS = "9" * 6000


def view_of(config: Config, *definitions: Definition) -> JobView:
    job = config.job("build")
    assert job is not None
    return view_job(config, Situation(definitions=definitions), job)


def values_of(yaml: str, *definitions: Definition) -> dict[str, Value]:
    view = view_of(config_of({MAIN: yaml + "\nbuild: {script: [env]}\n"}), *definitions)
    return {name: found.value for name, found in view.variables.items()}


def tower(name: str, base: str, height: int, times: int = 10) -> str:
    """Variables of which each repeats the one below, as lines of a `variables:`."""
    lines = [f'  {name}0: "{base}"']
    lines += [f'  {name}{level}: "{f"${name}{level - 1}" * times}"' for level in range(1, height)]
    return "\n".join(["variables:", *lines])


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (DIGITS, DIGITS),
        (f"-{DIGITS}", f"-{DIGITS}"),
        (f"+{DIGITS}", DIGITS),
        ("1" + "_000" * 2000, "1" + "000" * 2000),
        ("0_", "0"),
        ("-0", "0"),
        ("0b" + "1" * 40, str(2**40 - 1)),
        ("0b" + "_" * 20_000, "0"),
    ],
)
def test_a_number_has_all_its_digits_however_many(written: str, text: str) -> None:
    assert as_text(read_tree(written, MAIN)[0]) == text
    assert values_of(f"variables: {{A: {written}}}")["A"] == text


@pytest.mark.parametrize(
    "written",
    ["0x" + "f" * 6000, "-0x" + "F" * 6000, "0" + "7" * 6000, "0b" + "1" * 20_000,
     "1" + ":00" * 6000, f"{DIGITS}:00"],
)  # fmt: skip
def test_a_number_that_is_too_long_to_be_converted_is_an_error_with_its_place(written: str) -> None:
    for yaml in (f"\nvariables: {{A: {written}}}", f"\n? {written}\n: x"):
        with pytest.raises(YamlError, match="number of more than") as raised:
            read_tree(yaml, MAIN)
        assert raised.value.place.line == 2


@pytest.mark.parametrize(
    "written", [f"{DIGITS}.5", f".{DIGITS}", f"{DIGITS}.5e+99", "1.5e-99999", "1.5e+99999"]
)
def test_a_long_fraction_is_a_number_too(written: str) -> None:
    assert as_text(read_tree(written, MAIN)[0])


def test_a_long_number_may_be_a_key_or_a_value_of_a_job() -> None:
    config = config_of({MAIN: f"? {DIGITS}\n: {{script: [x], when: {DIGITS}, stage: {DIGITS}}}"})
    job = config.job(DIGITS)
    assert job is not None
    assert (job.when, job.stage) == (DIGITS, DIGITS)
    assert not config.problems


def test_a_long_number_may_name_a_job_that_is_missing() -> None:
    [problem] = config_of({MAIN: f"build: {{extends: {DIGITS}}}"}).problems
    assert "unknown keys in `extends` (9999" in problem.message


def test_a_long_number_may_be_the_value_and_an_option_of_a_variable() -> None:
    config = config_of({MAIN: f"variables: {{A: {{value: {DIGITS}, options: [{DIGITS}]}}}}"})
    assert [(each.key, each.value) for each in config.variables] == [("A", DIGITS)]
    assert not config.problems


def test_what_multiplies_is_not_written_out_by_either_expansion() -> None:
    by_gitlab = values_of(tower("V", "0123456789", 12))
    assert by_gitlab["V4"] == "0123456789" * 10_000
    assert by_gitlab["V11"] == Unknown(TOO_LONG, is_set=True)
    raw = Definition(key="R", value="x" * 10_000, level=Level.PROJECT, raw=True)
    by_runner = values_of(f'variables:\n  FEW: "$R-"\n  MANY: "{"$R" * 1000}"', raw)
    assert by_runner["FEW"] == "x" * 10_000 + "-"
    assert by_runner["MANY"] == Unknown(TOO_LONG, is_set=True)


def test_forty_variables_that_each_double_the_next_are_bounded() -> None:
    found = values_of(tower("V", "x", 41, times=2))
    assert found["V16"] == "x" * 2**16
    assert found["V40"] == Unknown(TOO_LONG, is_set=True)


@pytest.mark.parametrize("raw", [True, False])
def test_what_is_copied_often_is_not_written_out_either(raw: bool) -> None:
    """Each of the values is short enough; it is all of them that are not."""
    base = Definition(key="R", value="x" * 100_000, level=Level.PROJECT, raw=raw)
    found = values_of("variables:\n" + "\n".join(f'  C{number}: "$R."' for number in range(1000)), base)
    known = [value for name, value in found.items() if name[0] == "C" and isinstance(value, str)]
    assert 0 < sum(map(len, known)) - known.count("") <= LARGEST
    assert found["C999"] == Unknown(TOO_LONG, is_set=True)


def test_what_is_not_worked_out_is_told() -> None:
    view = view_of(config_of({MAIN: tower("V", "0123456789", 12) + "\nbuild: {script: [env]}\n"}))
    told = {found.about: found.message for found in find_in_view(view) if found.id == "too-long-to-expand"}
    assert {"V10", "V11"} <= set(told)
    assert "V1" not in told
    assert told["V11"] == (
        f"in the global variables ({MAIN}:13) is not expanded here: the job's variables expand to more than"
        " 2 MiB"
    )
    assert not view.problems, "GitLab itself would not refuse it"


def test_patterns_and_environments_do_not_multiply_either() -> None:
    base = Definition(key="R", value="x" * 10_000, level=Level.PROJECT)
    many = "$R" * 1000
    config = config_of(
        {
            MAIN: f'build: {{script: [x], environment: "{many}", rules: [{{exists: ["{many}"]}}, {{changes: ["{many}"]}}]}}'
        }
    )
    view = view_of(config, base)
    assert isinstance(view.environment, Unknown)
    assert view.included is None


def test_anchors_do_not_multiply() -> None:
    scalar = f"a: &a '{'x' * 100_000}'\nb: [{', '.join(['*a'] * 1000)}]"
    with pytest.raises(YamlError, match="too big"):
        read_tree(scalar, MAIN)


def test_a_matrix_of_more_jobs_than_gitlab_makes_is_a_problem() -> None:
    columns = ", ".join(f"C{column}: [{', '.join(map(str, range(100)))}]" for column in range(10))
    config = config_of({MAIN: f"build: {{script: [x], parallel: {{matrix: [{{{columns}}}]}}}}"})
    assert [each.message for each in config.problems] == [
        "jobs:build:parallel:matrix config generates too many jobs (maximum is 200)"
    ]
    view_of(config)


def test_references_and_extends_do_not_multiply() -> None:
    lines = [".r0: {x: [a, b]}"]
    lines += [f".r{n}: {{x: [{', '.join([f'!reference [.r{n - 1}, x]'] * 10)}]}}" for n in range(1, 12)]
    config = config_of({MAIN: "\n".join([*lines, "build: {script: [x], rules: !reference [.r11, x]}"])})
    assert any("too big" in each.message for each in config.problems)
    lines = [".e0: {variables: {A: a}}"]
    lines += [f".e{n}: {{extends: [{', '.join([f'.e{n - 1}'] * 10)}]}}" for n in range(1, 10)]
    config = config_of({MAIN: "\n".join([*lines, "build: {script: [x], extends: .e9}"])})
    assert not config.problems
    assert view_of(config).variables["A"].value == "a"


def test_the_interpreters_limit_is_what_the_tests_are_about() -> None:
    assert len(DIGITS) > sys.get_int_max_str_digits() > 0


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("*a" * 30 + "b", "a" * 255, False),
        ("*a" * 30 + "*", "a" * 255, True),
        ("**" * 30 + "b", "a" * 255, False),
        ("*?" * 30 + "b*c", "a" * 255, False),
        ("*?*b", "ab", True),
        ("*?*b", "b", False),
        ("**/" * 30 + "x", "d/" * 30 + "x", True),
        ("{a,b}" * 30, "a" * 30, False),
        ("{a}" * 1300, "a" * 1300, True),
        ("*ab*ac", "xabxabyac", True),
        ("*.tar.*", "a.tar.tar.gz", True),
        ("a*/b*c*d", "ax/bbccdd", True),
        ("a*b*c", "ab/bc", False),
        ("{a,b}" * 30 + "{", "a" * 30, False),
        ("{a,b}" * 9 + "{a}" * 700, "a" * 709, False),
    ],
)
def test_a_glob_is_tried_in_time(glob: str, path: str, matches: bool) -> None:
    assert globs.matches(glob, path) is matches


def test_a_long_circle_is_named_in_short() -> None:
    lines = "\n".join(f"  V{number}: $V{(number + 1) % 2000}" for number in range(2000))
    view = view_of(config_of({MAIN: f"variables:\n{lines}\nbuild: {{script: [env]}}\n"}))
    (problem,) = view.problems
    assert problem.message.startswith('circular variable reference detected: ["V')
    assert len(problem.message) < 600
    assert problem.place.line > 1
