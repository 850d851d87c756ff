"""Two sets of variables beside each other: what differs, and what of it changes a login."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.auth.command import Command
from dockpass.unknown import Unknown
from dockpass.variables.compare import Seen, Side, State, compare, side_of_environ, side_of_reading
from dockpass.variables.formats.catalogue import read

HIDDEN = Unknown("hidden", is_set=True)
REPO = {"CI_REGISTRY": "r.example", "CI_REGISTRY_IMAGE": "r.example/app"}


def side(**values: str | Unknown) -> Side:
    return Side("a side", {name: Seen(value, "TOKEN" in name) for name, value in values.items()})


@pytest.mark.parametrize(
    ("left", "right", "state", "how"),
    [
        ("a", "b", State.DIFFERENT, ""),
        ("a", "A", State.ALMOST, "only upper and lower case differ"),
        ("a", "a ", State.ALMOST, "only blanks or line ends around the value differ"),
        ('"a"', "a", State.ALMOST, "only quotes, blanks or case around the value differ"),
        ("a\r\nb", "a\nb", State.ALMOST, "only the kind of line ends differs"),
        (HIDDEN, "b", State.UNKNOWN, ""),
        ("a", None, State.ONLY_LEFT, ""),
        (None, "a", State.ONLY_RIGHT, ""),
        (Unknown("protected", may_be_missing=True), None, State.UNKNOWN, ""),
    ],
)
def test_how_a_variable_differs(
    left: str | Unknown | None, right: str | Unknown | None, state: State, how: str
) -> None:
    found = compare(
        side(**{} if left is None else {"A": left}), side(**{} if right is None else {"A": right})
    )
    (difference,) = (*found.differences, *found.unknown)
    assert (difference.state, difference.how) == (state, how)


def test_what_changes_a_login_comes_first() -> None:
    left = side(A="1", CI_JOB_TOKEN="glcbt-1", **REPO)
    right = side(A="2", CI_JOB_TOKEN="glcbt-1", WERF_IMAGES_CLEANUP_PASSWORD="gldt-2", **REPO)
    found = compare(left, right)
    assert [each.name for each in found.differences] == ["WERF_IMAGES_CLEANUP_PASSWORD", "A"]
    assert found.differences[0].logins == (Command.CLEANUP,)
    assert found.same == 3


def test_two_that_only_together_change_a_login_are_both_named() -> None:
    """Each alone matters beside the other side's rest."""
    found = compare(side(**REPO), side(CI_JOB_TOKEN="glcbt-1", **REPO | {"CI_REGISTRY": "r.example"}))
    assert [each.name for each in found.of_logins] == ["CI_JOB_TOKEN"]
    both = compare(
        side(CI_REGISTRY_IMAGE="r.example/app"),
        side(CI_JOB_TOKEN="glcbt-1", **REPO),
    )
    assert {each.name for each in both.of_logins} == {"CI_JOB_TOKEN", "CI_REGISTRY"}


def test_the_token_of_another_run_is_the_same_login() -> None:
    found = compare(side(CI_JOB_TOKEN="glcbt-1", **REPO), side(CI_JOB_TOKEN="glcbt-2", **REPO))
    assert not found.of_logins
    assert [each.name for each in found.every_run] == ["CI_JOB_TOKEN"]


def test_another_cleanup_password_is_another_login_and_is_not_shown() -> None:
    one = side(CI_JOB_TOKEN="t", WERF_IMAGES_CLEANUP_PASSWORD="gldt-Canary-1", **REPO)
    two = side(CI_JOB_TOKEN="t", WERF_IMAGES_CLEANUP_PASSWORD="gldt-Canary-123", **REPO)
    secret = {
        name: Seen(each.value, "PASSWORD" in name or each.secret) for name, each in one.variables.items()
    }
    (found,) = compare(Side("one", secret), two).of_logins
    assert found.how == "different secrets, 13 and 15 characters"
    assert "Canary" not in repr(found)


def test_a_log_with_masks_and_a_shell() -> None:
    log = '$ export\ndeclare -x A="1"\ndeclare -x CI_JOB_TOKEN="[MASKED]"\ndeclare -x CI_JOB_ID="7"\n'
    reading = read("job-log", log)
    found = compare(
        side_of_reading("log", reading),
        side_of_environ("shell", {"A": "1", "CI_JOB_TOKEN": "glcbt-1", "CI_JOB_ID": "8", "PWD": "/x"}),
    )
    assert [each.name for each in found.unknown] == ["CI_JOB_TOKEN"]
    assert {each.name for each in found.every_run} == {"CI_JOB_ID", "PWD"}


def test_of_several_scopes_the_one_that_fits_best_counts() -> None:
    reading = read(
        "gitlab-json",
        '[{"key":"A","value":"any"},{"key":"A","value":"prod","environment_scope":"production"},'
        '{"key":"A","value":"pat","environment_scope":"prod*"}]',
    )
    assert side_of_reading("f", reading, "production").variables["A"].value == "prod"
    assert side_of_reading("f", reading, "prod-eu").variables["A"].value == "pat"
    assert side_of_reading("f", reading).variables["A"].value == "any"


OPEN = Unknown("protected, and whether the ref is protected is not known", may_be_missing=True)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ({"WERF_IMAGES_CLEANUP_PASSWORD": OPEN}, {"WERF_IMAGES_CLEANUP_PASSWORD": OPEN}, ["cleanup"]),
        ({"WERF_IMAGES_CLEANUP_PASSWORD": OPEN}, {}, ["cleanup"]),
        ({"WERF_IMAGES_CLEANUP_PASSWORD": "s"}, {"WERF_IMAGES_CLEANUP_PASSWORD": OPEN}, ["cleanup"]),
        (
            {"WERF_DOCKER_CONFIG": "/c", "WERF_IMAGES_CLEANUP_PASSWORD": OPEN},
            {"WERF_DOCKER_CONFIG": "/c", "WERF_IMAGES_CLEANUP_PASSWORD": OPEN},
            [],
        ),
        ({"NPM_TOKEN": OPEN}, {"NPM_TOKEN": OPEN}, []),
        ({"WERF_IMAGES_CLEANUP_PASSWORD": HIDDEN}, {"WERF_IMAGES_CLEANUP_PASSWORD": HIDDEN}, []),
    ],
)
def test_a_variable_that_may_be_missing_may_change_a_login(
    left: dict[str, str | Unknown], right: dict[str, str | Unknown], expected: list[str]
) -> None:
    registry = {"CI_REGISTRY_IMAGE": "r.example/a", "CI_REGISTRY": "r.example", "CI_JOB_TOKEN": "t"}
    found = compare(side(**registry, **left), side(**registry, **right))
    assert [str(each) for one in found.open_logins for each in one.logins] == expected
    assert not found.of_logins


SIDES = st.dictionaries(
    st.sampled_from(["A", "CI_REGISTRY", "CI_JOB_TOKEN", "CI_JOB_ID", "WERF_DOCKER_CONFIG"]),
    st.one_of(st.sampled_from(["", "a", "r.example"]), st.just(HIDDEN)),
)


@given(SIDES, SIDES)
def test_it_is_the_same_from_both_sides(
    left: dict[str, str | Unknown], right: dict[str, str | Unknown]
) -> None:
    one, two = compare(side(**left), side(**right)), compare(side(**right), side(**left))
    assert one.same == two.same
    assert {each.name: each.logins for each in one.differences} == {
        each.name: each.logins for each in two.differences
    }
    assert len(one.differences) + len(one.unknown) + one.same == len({*left, *right})
    assert not compare(side(**left), side(**left)).differences
