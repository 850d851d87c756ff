"""What is read of a project, level by level, and what becomes of a level that may not be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakegitlab import (
    API,
    CANARY,
    FORBIDDEN,
    GRAPHQL,
    INNER,
    INSTANCE,
    LINT,
    MISSING,
    NUMBER,
    OUTER,
    PROJECT,
    PROJECT_BODY,
    VARIABLES,
    connection,
    found,
    gitlab,
    inherited,
    of,
    shown,
    taken_from,
    texts_below,
    variable,
)
from hostile import Reply, World

from dockpass.errors import DockpassError
from dockpass.gitlabapi import taking
from dockpass.gitlabapi.rows import Lint
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Ref, RefType
from dockpass.variables.gitlabplace import GitlabPlace
from dockpass.variables.snapshot import HIDDEN, NOT_READABLE, Extent, summary
from dockpass.variables.snapshotfile import keep_snapshot, read_snapshot


async def test_every_level_is_read_the_weakest_first(world: World) -> None:
    server = await gitlab(world)
    taken = await taken_from(world, server)
    assert found(taken) == [
        ("PROXY", "instance"),
        ("FROM_OUTER", "group:acme"),
        ("EVERYWHERE", "group:acme"),
        ("FROM_INNER", "group:acme/web"),
        ("EVERYWHERE", "group:acme/web"),
        ("DEPLOY_TOKEN", "project"),
        ("EMPTY", "project"),
    ]
    snapshot = taken.snapshot
    assert [each.extent for each in snapshot.levels] == [Extent.WHOLE] * 4
    assert (snapshot.protected_branches, snapshot.protected_tags) == (("main", "release/*"), ("v*",))
    assert (snapshot.environments, snapshot.jobs) == (("production",), ("build",))
    assert (snapshot.default_branch, snapshot.registry) == ("main", "registry.example.com")
    assert (snapshot.registry_enabled, snapshot.version) == (True, "18.4.0-ee")
    assert summary(snapshot) == (
        "2 of the project, 2 of the group acme/web, 2 of the group acme, 1 of the instance;"
        " feature/x is not protected"
    )
    assert taken.lint == Lint(True, merged="---\nbuild:\n  script: make\n", jobs=("build",))
    assert taken.notes == ()


async def test_only_reads_are_sent_and_the_token_to_this_server_alone(world: World) -> None:
    server = await gitlab(world)
    server.on(OUTER, FORBIDDEN)
    await taken_from(world, server)
    assert {(each.method, each.path) for each in server.asked if each.method != "GET"} == {("POST", GRAPHQL)}
    (query,) = server.requests(GRAPHQL)
    assert b"mutation" not in query.body
    assert {each.authorization[:7] for each in server.asked} == {"Bearer "}


@pytest.mark.parametrize("refusal", [FORBIDDEN, MISSING])
async def test_a_group_that_is_refused_has_names_and_no_values(world: World, refusal: Reply) -> None:
    server = await gitlab(world)
    server.on(OUTER, refusal)
    nodes = [
        inherited("FROM_OUTER", protected=True, masked=True),
        inherited("FROM_INNER", "acme/web"),
        inherited("A_FILE", variableType="FILE", environmentScope="prod/*", raw=True),
    ]
    server.on(GRAPHQL, connection(nodes), method="POST")
    taken = await taken_from(world, server)
    assert found(taken)[1:5] == [
        ("FROM_OUTER", "group:acme"),
        ("A_FILE", "group:acme"),
        ("FROM_INNER", "group:acme/web"),
        ("EVERYWHERE", "group:acme/web"),
    ]
    outer, file = of(taken, "FROM_OUTER"), of(taken, "A_FILE")
    assert (outer.value, outer.protected, outer.masked) == (NOT_READABLE, True, True)
    assert (file.file, file.raw, file.scope) == (True, True, "prod/*")
    assert "2 of the group acme (values unknown)" in summary(taken.snapshot)


async def test_inherited_names_come_in_pages(world: World) -> None:
    server = await gitlab(world)
    server.on(OUTER, FORBIDDEN)
    server.on(INNER, FORBIDDEN)
    server.on(
        GRAPHQL,
        connection([inherited("ONE")], "MQ"),
        connection([inherited("TWO", "acme/web")]),
        method="POST",
    )
    taken = await taken_from(world, server)
    assert found(taken)[1:3] == [("ONE", "group:acme"), ("TWO", "group:acme/web")]
    assert b'"after": "MQ"' in server.requests(GRAPHQL)[1].body


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, {"data": {"project": None}}),
        Reply(200, {"errors": [{"message": "Field 'groupName' doesn't exist"}]}),
        Reply(200, {"data": {"project": {"inheritedCiVariables": None}}}),
        Reply(200, {"data": []}),
        Reply(200, []),
        Reply(404, {"message": "404 Not Found"}),
        Reply(503, b"<html>down</html>"),
        Reply(200, b"<html>sign in</html>"),
    ],
)
async def test_without_the_list_of_names_the_group_is_unknown(world: World, answer: Reply) -> None:
    server = await gitlab(world)
    server.on(OUTER, FORBIDDEN)
    server.on(GRAPHQL, answer, method="POST")
    taken = await taken_from(world, server)
    assert ("FROM_OUTER", "group:acme") not in found(taken)
    assert "those of the group acme not readable" in summary(taken.snapshot)
    assert taken.notes[0].startswith("GitLab does not list the inherited variables: ")


async def test_older_servers_name_the_group_and_not_its_path(world: World) -> None:
    server = await gitlab(world)
    server.on(OUTER, FORBIDDEN)
    node = inherited("FROM_OUTER")
    del node["groupCiCdSettingsPath"]
    server.on(GRAPHQL, connection([node]), method="POST")
    assert ("FROM_OUTER", "group:acme") in found(await taken_from(world, server))


async def test_an_inherited_variable_of_another_group_is_told(world: World) -> None:
    server = await gitlab(world)
    server.on(OUTER, FORBIDDEN)
    nodes = [inherited("LOST", "elsewhere/x"), inherited("FROM_INNER", "acme/web"), inherited("MINE")]
    server.on(GRAPHQL, connection(nodes), method="POST")
    taken = await taken_from(world, server)
    assert [key for key, _ in found(taken)][1:4] == ["MINE", "FROM_INNER", "EVERYWHERE"]
    assert taken.notes == ("inherited variables: 1 left out, of groups that this project is not in",)


@pytest.mark.parametrize("level", [INSTANCE, OUTER, VARIABLES])
@pytest.mark.parametrize("refusal", [FORBIDDEN, MISSING])
async def test_a_refusal_at_any_level_leaves_the_others(world: World, level: str, refusal: Reply) -> None:
    server = await gitlab(world)
    server.on(level, refusal)
    server.on(GRAPHQL, Reply(200, {"data": {"project": None}}), method="POST")
    taken = await taken_from(world, server)
    missing = [each for each in taken.snapshot.levels if each.extent is Extent.NOTHING]
    assert [each.why for each in missing] == [str(refusal.body["message"])]  # type: ignore[index]
    assert len(found(taken)) == 7 - {INSTANCE: 1, OUTER: 2, VARIABLES: 2}[level]


async def test_protected_refs_that_may_not_be_seen_are_not_known(world: World) -> None:
    server = await gitlab(world)
    server.on(f"{NUMBER}/protected_branches", FORBIDDEN)
    taken = await taken_from(world, server)
    assert taken.snapshot.protection_of(Ref(name="main")) is None
    assert "may be protected: not known to you" in summary(taken.snapshot)


async def test_half_a_list_of_protected_refs_decides_nothing(world: World) -> None:
    server = await gitlab(world)
    server.on(f"{NUMBER}/protected_branches", Reply(200, [{"name": "main"}, {"pattern": "feature/*"}]))
    taken = await taken_from(world, server)
    assert taken.snapshot.protection_of(Ref(name="feature/x")) is None
    assert taken.notes == ("protected branches: 1 left out: no name",)


async def test_an_import_that_takes_too_long_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await gitlab(world)
    server.on(VARIABLES, Reply(pieces=[b"["], hangs=True))
    monkeypatch.setattr(taking, "LONGEST", 0.3)
    with pytest.raises(DockpassError) as caught:
        await taken_from(world, server)
    assert caught.value.id == "timeout"
    assert "did not answer everything" in caught.value.message


async def test_a_project_of_a_person_has_no_group(world: World) -> None:
    server = await gitlab(world)
    body = {**PROJECT_BODY, "namespace": {"kind": "user", "full_path": "me"}}
    server.on(PROJECT, Reply(200, body))
    taken = await taken_from(world, server)
    assert {each.source for each in taken.snapshot.definitions} == {"instance", "project"}
    assert not server.requests(OUTER)


async def test_a_hidden_value_is_unknown_and_an_empty_one_is_empty(world: World) -> None:
    server = await gitlab(world)
    server.on(VARIABLES, Reply(200, [variable("SEALED", None, hidden=True, masked=True), variable("E", "")]))
    taken = await taken_from(world, server)
    assert of(taken, "SEALED").value == HIDDEN
    assert of(taken, "E").value == ""


async def test_one_key_in_several_scopes_is_several_variables(world: World) -> None:
    server = await gitlab(world)
    rows = [variable("URL", "a", environment_scope="prod"), variable("URL", "b", environment_scope="*")]
    server.on(VARIABLES, Reply(200, [*rows, variable("URL", "c", environment_scope="prod")]))
    taken = await taken_from(world, server)
    urls = [(each.scope, each.value) for each in taken.snapshot.definitions if each.key == "URL"]
    assert urls == [("*", "b"), ("prod", "c")]


async def test_the_variables_of_a_pipeline_come_with_its_ref(world: World) -> None:
    server = await gitlab(world)
    server.on(f"{NUMBER}/pipelines/118", Reply(200, {"id": 118, "ref": "v1.2", "tag": True}))
    rows = [{"key": "RUN", "value": "yes"}, {"key": "F", "value": "x", "variable_type": "file"}]
    server.on(f"{NUMBER}/pipelines/118/variables", Reply(200, rows))
    taken = await taken_from(world, server, ref=None, pipeline=118)
    snapshot = taken.snapshot
    tag = Ref(type=RefType.TAG, name="v1.2", protected=None)
    assert (snapshot.ref, snapshot.pipeline_ref) == (tag, tag)
    assert of(taken, "F").file
    assert taken.notes == (), "flags are not expected there"
    assert [each.key for each in snapshot.settings(tag)][-2:] == ["RUN", "F"]
    assert "RUN" not in [each.key for each in snapshot.settings(Ref(name="main"))]
    assert summary(snapshot).endswith("v1.2 is protected")


async def test_a_pipeline_that_there_is_not_ends_the_import(world: World) -> None:
    server = await gitlab(world)
    server.on(f"{NUMBER}/pipelines/9", MISSING)
    with pytest.raises(DockpassError) as caught:
        await taken_from(world, server, pipeline=9)
    assert caught.value.id == "gitlab-pipeline-refused"


async def test_without_a_ref_the_default_branch_is_looked_at(world: World) -> None:
    server = await gitlab(world)
    assert (await taken_from(world, server, ref=None)).snapshot.ref.name == "main"
    assert "content_ref=main" in server.requests(LINT)[0].target


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("18.4.0-ee", ("content_ref=feature%2Fx", "dry_run_ref=feature%2Fx")),
        ("16.10.0", ("content_ref=", "dry_run_ref=")),
        ("16.9.2-ee", ("sha=feature%2Fx", "&ref=feature%2Fx")),
        ("", ("content_ref=", "dry_run_ref=")),
    ],
)
async def test_the_dry_run_is_asked_for_as_the_server_knows_it(
    world: World, version: str, names: tuple[str, str]
) -> None:
    server = await gitlab(world)
    server.on(f"{API}/version", Reply(200, {"version": version}))
    await taken_from(world, server)
    target = server.requests(LINT)[0].target
    assert all(name in target for name in names)
    assert "dry_run=true" in target


@pytest.mark.parametrize(
    "answer",
    [
        Reply(404, {"message": "404 Commit Not Found"}),
        FORBIDDEN,
        Reply(400, {"error": "sha, content_ref are mutually exclusive"}),
        Reply(429, {"error": "This endpoint has been requested too many times."}, (("Retry-After", "999"),)),
        Reply(500, {"message": "500 Internal Server Error"}),
        Reply(200, b"<html>hello</html>"),
        Reply(200, {"status": "valid"}),
        Reply(200, []),
    ],
)
async def test_without_a_dry_run_the_rest_stands(world: World, answer: Reply) -> None:
    server = await gitlab(world)
    server.on(LINT, answer)
    taken = await taken_from(world, server)
    assert (taken.lint, taken.snapshot.jobs) == (None, None)
    assert taken.no_lint
    assert len(found(taken)) == 7
    assert "configuration  " in shown(taken)


async def test_an_invalid_configuration_is_told_in_gitlabs_words(world: World) -> None:
    server = await gitlab(world)
    body = {"valid": False, "errors": ["jobs:x config contains unknown keys: foo\x1b[2J"], "warnings": ["w"]}
    server.on(LINT, Reply(200, body))
    text = shown(await taken_from(world, server))
    assert "invalid on feature/x" in text
    assert "✗ jobs:x config contains unknown keys: foo" in text
    assert "\x1b" not in text


async def test_nothing_on_disk_or_in_the_answer_holds_a_value(world: World, tmp_path: Path) -> None:
    server = await gitlab(world)
    rows = [
        variable("A", masked=True),
        variable("B", f"in a sentence {CANARY}", variable_type="file", description=CANARY),
        variable("C", environment_scope="prod"),
    ]
    server.on(VARIABLES, Reply(200, rows))
    lint = {"valid": True, "merged_yaml": f"---\nx:\n  variables: {{K: {CANARY}}}\n", "jobs": []}
    server.on(LINT, Reply(200, lint))
    taken = await taken_from(world, server)
    assert of(taken, "A").value == CANARY
    place = GitlabPlace(server.url, "acme/web/shop", "")
    path = keep_snapshot(tmp_path, place, taken.snapshot)
    kept = texts_below(tmp_path)
    assert '"A"' in kept
    for text in (kept, repr(taken), shown(taken)):
        assert "Canary" not in text
        assert "glpat-" not in text
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    again, problem = read_snapshot(tmp_path, place)
    assert problem == ""
    assert again == taken.snapshot.without_values()
    assert all(
        isinstance(each.value, Unknown) or each.value == ""
        for each in again.definitions  # type: ignore[union-attr]
    )
