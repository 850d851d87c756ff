import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.registry.challenge import MOST_CHALLENGES, Challenge, choose, parse_challenges

GITLAB = (
    'Bearer realm="https://gitlab.myhost.com/jwt/auth",service="container_registry",'
    'scope="repository:web/backend:pull,push",error="insufficient_scope"'
)


def only(header: str) -> Challenge:
    (found,) = parse_challenges([header])
    return found


def test_a_quoted_value_keeps_its_commas() -> None:
    found = only(GITLAB)
    assert found.scheme == "bearer"
    assert found.parameters == {
        "realm": "https://gitlab.myhost.com/jwt/auth",
        "service": "container_registry",
        "scope": "repository:web/backend:pull,push",
        "error": "insufficient_scope",
    }


@pytest.mark.parametrize(
    "headers",
    [
        [f'Basic realm="x", {GITLAB}'],
        ['Basic realm="x"', GITLAB],
        [f'{GITLAB} , Basic realm="x"'],
        [f'Negotiate, NTLM, {GITLAB}, Basic realm="x"'],
        [f'Negotiate YWJj==, Basic realm="x",{GITLAB}'],
        [f', ,Basic realm="x",, {GITLAB},'],
    ],
)
def test_bearer_is_chosen_among_several_in_one_header_or_in_several(headers: list[str]) -> None:
    found = parse_challenges(headers)
    chosen = choose(found)
    assert chosen is not None
    assert chosen.scheme == "bearer"
    assert chosen.parameters["realm"] == "https://gitlab.myhost.com/jwt/auth"
    assert "basic" in {challenge.scheme for challenge in found}


def test_scheme_and_names_are_case_insensitive_and_values_may_be_bare_words() -> None:
    found = only("BEARER ReAlM=https://a.example/token , SERVICE=Registry")
    assert found == Challenge("bearer", {"realm": "https://a.example/token", "service": "Registry"})


def test_escapes_in_a_quoted_value_are_undone() -> None:
    assert only(r'Basic realm="say \"hi\", \\ please"').parameters == {"realm": r'say "hi", \ please'}


def test_the_first_of_two_equal_names_counts() -> None:
    assert only('Bearer realm="https://a.example",realm="https://evil.example"').parameters == {
        "realm": "https://a.example"
    }


def test_a_bearer_challenge_without_realm_does_not_hide_basic() -> None:
    chosen = choose(parse_challenges(['Bearer service="x", Basic realm="y"']))
    assert chosen is not None
    assert chosen.scheme == "basic"


@pytest.mark.parametrize("headers", [[], [""], ["Negotiate"], ["="], ['"'], ['Digest realm="x"'], ["é€"]])
def test_nothing_is_chosen_where_nothing_is_usable(headers: list[str]) -> None:
    assert choose(parse_challenges(headers)) is None


def test_what_breaks_one_header_leaves_the_next_alone() -> None:
    chosen = choose(parse_challenges(['Basic realm="never closed', GITLAB]))
    assert chosen is not None
    assert chosen.scheme == "bearer"


def test_size_and_number_are_bounded() -> None:
    assert len(parse_challenges(["Basic " * 10_000])) <= MOST_CHALLENGES
    assert len(parse_challenges(['Basic realm="x"'] * 10_000)) == MOST_CHALLENGES
    (huge,) = parse_challenges(['Basic realm="' + "x" * (1 << 20) + '"'])
    assert sum(len(value) for value in huge.parameters.values()) < 8 << 10


@given(st.lists(st.text(max_size=200), max_size=4))
def test_no_header_makes_it_fail(headers: list[str]) -> None:
    found = parse_challenges(headers)
    usable = [each for each in found if each.scheme == "basic" or each.parameters.get("realm")]
    assert choose(found) in ([each for each in usable if each.scheme in {"basic", "bearer"}] or [None])


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_every_value_survives_quoting(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    assert only(f'Bearer realm="{quoted}",service="s"').parameters == {"realm": value, "service": "s"}
