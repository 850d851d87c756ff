"""A server that is no GitLab, or a bad one: nothing leaves for another place, and nothing false is told."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from fakegitlab import (
    CANARY,
    GRAPHQL,
    INNER,
    NUMBER,
    OUTER,
    PROJECT,
    PROJECT_BODY,
    TOKEN,
    VARIABLES,
    found,
    gitlab,
    of,
    shown,
    sound,
    taken_from,
    variable,
)
from hostile import ELSEWHERE, Hostile, Reply, World, moved
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from thorough import examples

from dockpass.errors import DockpassError, LoginRefused
from dockpass.gitlabapi import client
from dockpass.gitlabapi.client import PAGE
from dockpass.gitlabapi.rows import Oddities, inherited_of, lint_of, names_of, variables_of
from dockpass.registry.slow_body import Pace
from dockpass.variables.gitlab.model import Definition, Level
from dockpass.variables.snapshot import Extent


async def refused(world: World, server: Hostile, **more: Any) -> DockpassError:
    """Import, which has to fail, and say nothing of the token and of values."""
    with pytest.raises(DockpassError) as caught:
        await taken_from(world, server, **more)
    error = caught.value
    for text in (error.message, error.hint, repr(error)):
        assert TOKEN not in text
        assert CANARY not in text
        assert "\x1b" not in text
    return error


def link(url: str, relation: str = "next") -> tuple[tuple[str, str], ...]:
    return (("Link", f'<{url}>; rel="{relation}"'),)


# Where requests go


async def test_a_list_is_followed_by_its_links(world: World) -> None:
    server = await gitlab(world)
    first = [variable(f"A{number}") for number in range(PAGE)]
    following = f"{server.url}{VARIABLES}?page=2&per_page=100"
    server.on(
        VARIABLES,
        Reply(200, first, link(following) + link(following.replace("page=2", "page=9"), "last")),
        Reply(200, [variable("LAST")], link(f"{server.url}{VARIABLES}?page=1", "first")),
    )
    taken = await taken_from(world, server)
    assert len(found(taken)) == 5 + PAGE + 1
    assert [each.target.partition("?")[2] for each in server.requests(VARIABLES)] == [
        "per_page=100",
        "page=2&per_page=100",
    ]


async def test_a_keyset_link_is_followed_as_it_is(world: World) -> None:
    server = await gitlab(world)
    cursor = f"{VARIABLES}?cursor=eyJpZCI6IjI2In0&pagination=keyset"
    server.on(VARIABLES, Reply(200, [variable("A")], link(cursor)), Reply(200, [variable("B")]))
    assert found(await taken_from(world, server))[-2:] == [("A", "project"), ("B", "project")]
    assert server.requests(VARIABLES)[1].target == cursor


async def test_the_header_of_the_next_page_does_where_there_is_no_link(world: World) -> None:
    server = await gitlab(world)
    server.on(
        VARIABLES,
        Reply(200, [variable("A")], (("X-Next-Page", "2"),)),
        Reply(200, [variable("B")], (("X-Next-Page", ""),)),
    )
    assert found(await taken_from(world, server))[-2:] == [("A", "project"), ("B", "project")]


async def test_a_full_page_without_either_is_asked_for_more(world: World) -> None:
    server = await gitlab(world)
    rows = [variable(f"A{number}") for number in range(PAGE)]
    server.on(VARIABLES, Reply(200, rows), Reply(200, []))
    assert len(found(await taken_from(world, server))) == 5 + PAGE
    assert "page=2" in server.requests(VARIABLES)[1].target


@pytest.mark.parametrize(
    "place",
    [
        "https://elsewhere.example:{other}{path}?page=2",
        "http://gitlab.example:{port}{path}?page=2",
        "https://gitlab.example:{other}{path}?page=2",
        "//elsewhere.example:{other}{path}?page=2",
        "{root}/api/v4/projects/43/variables?page=2",
        "{root}/api/v4/groups/acme/variables?page=2",
        "{root}{path}/../../43/variables?page=2",
        "{root}{path}%2f..?page=2",
        "https://me:secret@gitlab.example:{port}{path}?page=2",
        "https://gitlab.example.:{port}{path}?page=2",
        "javascript:alert(1)",
        "https://[",
    ],
)
async def test_a_next_page_elsewhere_is_refused_and_gets_nothing(world: World, place: str) -> None:
    server = await gitlab(world)
    other = sound(await world.server("elsewhere.example", address=ELSEWHERE))
    url = place.format(other=other.port, port=server.port, path=VARIABLES, root=server.url)
    server.on(VARIABLES, Reply(200, [variable("A")], link(url)), Reply(200, []))
    error = await refused(world, server)
    assert error.id in {"gitlab-answer-refused", "answer-refused"}
    assert "next page" in error.message
    assert not other.asked
    assert len(server.requests(VARIABLES)) == 1
    assert not server.requests("/api/v4/projects/43/variables")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("place", [PROJECT, VARIABLES, OUTER])
@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example:{other}/api/v4/projects/42",
        "/users/sign_in",
        "http://gitlab.example:{port}/",
        "",
    ],
)
async def test_a_redirect_is_told_and_never_followed(
    world: World, place: str, target: str, status: int
) -> None:
    server = await gitlab(world)
    other = sound(await world.server("elsewhere.example", address=ELSEWHERE))
    server.on(place, moved(target.format(other=other.port, port=server.port), status))
    error = await refused(world, server)
    assert error.id == "gitlab-answer-refused"
    assert "redirects to" in error.message
    assert not other.asked
    assert not server.requests("/users/sign_in")


@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_a_project_that_moved_is_asked_for_by_its_number(world: World, scheme: str) -> None:
    server = await gitlab(world)
    server.on(PROJECT, moved(f"{scheme}://{server.host}{NUMBER}", 301))
    server.on(NUMBER, Reply(200, {**PROJECT_BODY, "path_with_namespace": "acme/web/new-shop"}))
    taken = await taken_from(world, server)
    assert taken.notes == ("acme/web/shop has moved: it is acme/web/new-shop now",)
    assert taken.snapshot.project == "acme/web/shop", "a clone still calls it so"
    assert taken.snapshot.count(taken.snapshot.levels[-1]) == 2


async def test_an_answer_about_another_project_is_refused(world: World) -> None:
    server = await gitlab(world)
    server.on(PROJECT, Reply(200, {**PROJECT_BODY, "path_with_namespace": "evil/shop"}))
    assert "names another project, evil/shop" in (await refused(world, server)).message


async def test_a_token_that_is_mirrored_is_masked(world: World) -> None:
    server = await gitlab(world)
    server.on(PROJECT, Reply(401, {"message": f"bad token {TOKEN}"}))
    error = await refused(world, server)
    assert isinstance(error, LoginRefused)
    server.on(PROJECT, Reply(200, f"<title>{TOKEN}</title>".encode()))
    await refused(world, server)
    server.on(PROJECT, moved(f"https://elsewhere.example/?t={TOKEN}"))
    await refused(world, server)


# What answers


@pytest.mark.parametrize(
    ("status", "words", "says"),
    [
        (401, {"message": "401 Unauthorized"}, "rejected the token from the test: 401 Unauthorized"),
        (401, {"error": "invalid_token", "error_description": "Token is expired."}, "Token is expired"),
        (404, {"message": "404 Project Not Found"}, "does not show the project acme/web/shop: 404 Project"),
        (403, {"error": "insufficient_scope", "scope": "api"}, "403 the token lacks the scope read_api"),
        (403, {"message": "403 Forbidden - Your IP is blocked\x1b]0;x\x07"}, "Your IP is blocked"),
        (429, {"message": "slow"}, "too many requests (429). It asks to wait 17 minutes"),
        (500, {"message": "500"}, "failed: 500"),
        (502, "x", "failed: 502"),
        (418, {"message": "teapot"}, "refused the request: 418 teapot"),
    ],
)
async def test_a_refusal_of_the_project_ends_the_import(
    world: World, status: int, words: object, says: str
) -> None:
    server = await gitlab(world)
    server.on(PROJECT, Reply(status, words, (("Retry-After", "1000"),)))
    error = await refused(world, server)
    assert says in error.message
    assert error.hint
    assert len(server.asked) == 1


@pytest.mark.parametrize("path", [PROJECT, VARIABLES, INNER, f"{NUMBER}/protected_tags"])
@pytest.mark.parametrize("status", [200, 403, 404])
@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><title>Sign in \x1b[31m</title>",
        b"\xef\xbb\xbf<html>",
        b"",
        b"null x",
        b"\xff\xfe",
        b'[{"key": "A", "key": "B"}]',
        b'{"id": NaN}',
        b"[" * 100_000,
        b'{"id": ' + b"9" * 10_000 + b"}",
    ],
)
async def test_what_is_no_json_is_no_answer(world: World, path: str, status: int, body: bytes) -> None:
    server = await gitlab(world)
    server.on(path, Reply(status, body))
    error = await refused(world, server)
    assert error.id == "gitlab-unreadable"
    assert "GitLab's API never does" in error.message
    assert "If GitLab is below /acme there, set CI_SERVER_URL=" in error.hint


@pytest.mark.parametrize("body", [None, True, 4, "text", [], {}, {"id": True}, {"id": "42"}, {"id": -1}])
async def test_a_project_of_another_form_is_refused(world: World, body: object) -> None:
    server = await gitlab(world)
    server.on(PROJECT, Reply(200, body))
    assert (await refused(world, server)).id == "gitlab-answer-refused"


@pytest.mark.parametrize("path", [VARIABLES, OUTER, f"{NUMBER}/environments"])
@pytest.mark.parametrize("body", [None, {}, {"variables": []}, "text", 4])
async def test_a_list_of_another_form_is_refused(world: World, path: str, body: object) -> None:
    server = await gitlab(world)
    server.on(path, Reply(200, body))
    assert "rejected: it is not a list" in (await refused(world, server)).message


async def test_a_list_without_an_end_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MOST_PAGES", 5)
    monkeypatch.setattr(client, "MOST_ROWS", 250)
    server = await gitlab(world)
    url = f"{server.url}{VARIABLES}?page="
    server.on(VARIABLES, Reply(200, [], link(f"{url}2")), Reply(200, [], link(f"{url}2")))
    assert "never ends" in (await refused(world, server)).message
    server.on(VARIABLES, *(Reply(200, [], link(f"{url}{number}")) for number in range(2, 12)))
    assert "never ends" in (await refused(world, server)).message
    full = [variable(f"A{number}") for number in range(PAGE)]
    server.on(VARIABLES, Reply(200, full))
    assert "more than 250 rows" in (await refused(world, server)).message


async def test_an_answer_that_is_too_large_or_never_ends_is_given_up(world: World) -> None:
    server = await gitlab(world)
    server.on(VARIABLES, Reply(200, b"[" + b" " * (1 << 20) + b"]"))
    assert "more than 64 KiB" in (await refused(world, server, limit=64 << 10)).message
    server.on(VARIABLES, Reply(pieces=itertools.repeat(b" " * 4096)))
    assert "more than 64 KiB" in (await refused(world, server, limit=64 << 10)).message
    server.on(VARIABLES, Reply(pieces=[b"["], hangs=True))
    assert (await refused(world, server, pace=Pace(silence=0.05))).id == "timeout"
    server.on(VARIABLES, Reply(pieces=[], headless=True, hangs=True))
    assert (await refused(world, server, pace=Pace(answer=0.05))).id == "timeout"


async def test_pages_that_are_too_large_together_are_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LARGEST_LIST", 1 << 20)
    server = await gitlab(world)
    first = [variable(f"A{number}", "x" * 6000) for number in range(PAGE)]
    server.on(VARIABLES, Reply(200, first))
    assert "the list is larger than 1 MiB" in (await refused(world, server)).message


async def test_a_second_page_that_is_refused_ends_the_import(world: World) -> None:
    server = await gitlab(world)
    following = f"{server.url}{VARIABLES}?page=2"
    server.on(
        VARIABLES, Reply(200, [variable("A")], link(following)), Reply(403, {"message": "403 Forbidden"})
    )
    assert "page 2 of the list was refused" in (await refused(world, server)).message


async def test_a_429_is_waited_for(world: World) -> None:
    server = await gitlab(world)
    busy = Reply(429, {"message": "429 Too Many Requests"}, (("Retry-After", "7"),))
    server.on(VARIABLES, busy, Reply(200, [variable("A")]))
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    transport = world.transport()
    transport.retries._sleep = sleep
    world_transport, world.transport = world.transport, lambda *_, **__: transport  # type: ignore[method-assign]
    try:
        taken = await taken_from(world, server)
    finally:
        world.transport = world_transport  # type: ignore[method-assign]
    assert waited == [7.0]
    assert found(taken)[-1] == ("A", "project")


async def test_a_server_of_plain_http_is_not_asked_for_tls_by_a_guess(world: World) -> None:
    server = await gitlab(world, tls=False)
    error = await refused_at(world, server, f"https://{server.host}")
    assert error.id == "not-tls"
    assert "token is only sent over https" in error.hint
    assert TOKEN.encode() not in server.seen


async def refused_at(world: World, server: Hostile, url: str) -> DockpassError:
    class At:
        host = server.host

    At.url = url  # type: ignore[attr-defined]
    return await refused(world, At)  # type: ignore[arg-type]


# Fields


async def test_renamed_and_missing_fields_are_told_and_not_guessed(world: World) -> None:
    server = await gitlab(world)
    odd = variable("A")
    odd["is_protected"] = odd.pop("protected")
    server.on(VARIABLES, Reply(200, [odd, {"key": "B"}, {"name": "C", "value": CANARY}, "D", None, ["E"]]))
    taken = await taken_from(world, server)
    assert found(taken)[-2:] == [("A", "project"), ("B", "project")]
    assert set(taken.notes) == {
        "variables of the project: 2 without a protected flag, taken as not protected",
        "variables of the project: 1 without a value",
        "variables of the project: 1 without a masked flag, taken as not masked",
        "variables of the project: 4 left out: no valid name",
    }


async def test_a_list_in_a_form_that_is_not_known_is_not_told_as_empty(world: World) -> None:
    server = await gitlab(world)
    server.on(VARIABLES, Reply(200, [{"name": "A", "content": CANARY}]))
    taken = await taken_from(world, server)
    project = taken.snapshot.levels[-1]
    assert (project.extent, project.why) == (
        Extent.NOTHING,
        "no variable in the response could be read",
    )
    assert "those of the project not readable" in shown(taken)


@pytest.mark.parametrize("value", [1, True, [], {}, 1.5])
async def test_a_value_of_another_type_is_unknown(world: World, value: object) -> None:
    server = await gitlab(world)
    server.on(VARIABLES, Reply(200, [variable("A", value, protected="yes", environment_scope=7)]))
    taken = await taken_from(world, server)
    assert not isinstance(of(taken, "A").value, str)
    assert (of(taken, "A").protected, of(taken, "A").scope) == (False, "*")
    assert any("with an invalid protected flag" in note for note in taken.notes)


async def test_more_fields_change_nothing(world: World) -> None:
    server = await gitlab(world)
    server.on(VARIABLES, Reply(200, [variable("A", new_field={"x": 1}, hidden_at="2026")]))
    taken = await taken_from(world, server)
    assert (found(taken)[-1], taken.notes) == (("A", "project"), ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    "key",
    "value",
    "protected",
    "masked",
    "hidden",
    "raw",
    "variable_type",
    "environment_scope",
    "name",
)
GRAPHS = ("key", "variableType", "environmentScope", "protected", "groupName", "groupCiCdSettingsPath")
ROWS = st.lists(st.dictionaries(st.sampled_from(FIELDS + GRAPHS), JSON | st.just("KEY"), max_size=8) | JSON)


@given(ROWS, st.sampled_from(sorted(Level)))
@settings(max_examples=examples(60))
def test_no_row_makes_the_reading_fail(rows: list[Any], level: Level) -> None:
    odd = Oddities()
    for each in (*variables_of(rows, level, "", odd), *inherited_of(rows, odd)):
        assert isinstance(each, Definition)
        assert each.key.isascii()
        assert isinstance(each.scope, str)
    assert all(isinstance(name, str) for name in names_of(rows, odd))
    assert all(note.isprintable() for note in odd.notes("rows"))


@given(st.dictionaries(st.sampled_from(("valid", "errors", "warnings", "merged_yaml", "jobs")), JSON))
@settings(max_examples=examples(40))
def test_no_dry_run_makes_the_reading_fail(answer: dict[str, Any]) -> None:
    lint = lint_of(answer)
    assert (lint is None) == (not isinstance(answer.get("valid"), bool))


@given(JSON, JSON, JSON)
@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_answer_makes_the_import_fail_in_another_way(
    world: World, project: Any, rows: Any, names: Any
) -> None:
    server = await gitlab(world)
    body = {**PROJECT_BODY, **project} if isinstance(project, dict) else project
    server.on(PROJECT, Reply(200, body))
    server.on(VARIABLES, Reply(200, rows))
    server.on(f"{NUMBER}/environments", Reply(200, names))
    server.on(GRAPHQL, Reply(200, names), method="POST")
    try:
        text = shown(await taken_from(world, server))
    except DockpassError as error:
        text = error.message
    assert json.dumps(text)
    assert text.replace("\n", "").isprintable()
