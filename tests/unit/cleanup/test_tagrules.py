"""Tags that the token itself excludes are marked before anything is deleted; hostile patterns do no harm."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakerealm import PATH, FakeRealm, entry, jwt
from fakeregistry import Asked, Said
from hypothesis import given
from hypothesis import strategies as st
from logins import Given
from sandboxclient import Client

from dockpass.cleanup.execute import TagResult, execute
from dockpass.cleanup.inventory import can_delete_single_tags, survey
from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.plan import Policy, TagInfo, needs_single_tags, plan_deletion
from dockpass.cleanup.tagrules import LONGEST_PATTERN, MOST_PATTERNS, make_rules, rules_of, why_not
from dockpass.references.credential import Credential
from dockpass.registry.client import RegistryClient
from dockpass.sandbox.server import SandboxServer
from dockpass.secrets import Secret

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OLD = NOW - timedelta(days=90)
LOGIN = Credential("someone", Secret("canary-password-1"))


def tag(name: str, digest: str = "") -> TagInfo:
    return TagInfo(name, digest or f"sha256:{name}", OLD)


@pytest.mark.parametrize(
    ("pattern", "tags"),
    [
        ("^release-.*", ["release-1"]),
        (r"^v\d+\.\d+\.\d+$", ["v1.2.3"]),
        ("^(main|latest)$", ["main"]),
        ("(?i)^V", ["v1.2.3"]),
        (r"^v(\d+\.)?(\d+\.)?(\*|\d+)$", ["v1.2.3"]),
        ("ease", ["release-1"]),
    ],
)
def test_a_pattern_protects_what_it_finds(pattern: str, tags: list[str]) -> None:
    found, complete = make_rules([pattern]).protecting(["main", "v1.2.3", "release-1", "feature-9"])
    assert (list(found), complete) == (tags, True)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "not a regular expression"),
        ("[z-a]", "not a regular expression"),
        (r"\pL", "not a regular expression"),
        ("a" * (LONGEST_PATTERN + 1), "too long"),
        ("(?<=v)1", "not an RE2 pattern"),
        ("(?!x)", "not an RE2 pattern"),
        (r"(a)\1", "not an RE2 pattern"),
        ("a++", "not an RE2 pattern"),
        ("(a+)+$", "take too long"),
        ("(a|aa)*$", "take too long"),
        ("(a{1,9}){30}", "take too long"),
        ("(?:(?:a?))*", "take too long"),
        ("a*a*a*a*a*b", "take too long"),
    ],
)
def test_a_pattern_that_is_not_tried_is_told_and_protects_nothing(pattern: str, why: str) -> None:
    rules = make_rules([pattern, "^v"])
    assert why in rules.problems[0]
    assert rules.patterns == ("^v",)


def test_only_so_many_patterns_are_tried() -> None:
    rules = make_rules(["^v"] * (MOST_PATTERNS + 5))
    assert len(rules.patterns) == MOST_PATTERNS
    assert len(rules.problems) == 5


def test_comparing_ends_in_time() -> None:
    ticks = iter(range(100))
    found, complete = make_rules(["^v"]).protecting(
        ["v1", "v2", "v3", "v4"], clock=lambda: float(next(ticks))
    )
    assert not complete
    assert len(found) < 4


pieces = st.sampled_from(
    ["a", ".", r"\w", "[ab]", "(", ")", "(?:", "*", "+", "?", "{2,}", "|", "^", "$", "b"]
)


@given(st.lists(pieces, max_size=14).map("".join))
def test_whatever_pattern_is_tried_is_matched_soon(pattern: str) -> None:
    if not why_not(pattern):
        began = time.process_time()
        make_rules([pattern]).protecting(["a" * 128, "a" * 127 + "!", "ab" * 64])
        assert time.process_time() - began < 2


def test_a_protected_tag_stays_with_its_reason() -> None:
    policy = Policy(NOW, CleanupOptions(keep_last=0), protected={"release-1": "^release-.*"}, by_tag=True)
    plan = plan_deletion([tag("release-1"), tag("feature-1")], policy, single_tags=True)
    fates = {row.info.tag: (row.deletes, row.reason) for row in plan.rows}
    assert fates["release-1"] == (False, "protected by the registry's tag rules: ^release-.*")
    assert fates["feature-1"][0]


def test_where_tags_are_protected_single_tags_are_deleted_and_no_digest() -> None:
    policy = Policy(NOW, CleanupOptions(keep_last=0), protected={}, by_tag=True)
    tags = [tag("feature-1")]
    assert needs_single_tags(tags, policy)
    assert [each.whole for each in plan_deletion(tags, policy, single_tags=True).deletions] == [False]
    assert [each.whole for each in plan_deletion(tags, policy, single_tags=False).deletions] == [True]


def test_what_shares_an_image_with_a_protected_tag_stays_where_single_tags_cannot_go() -> None:
    policy = Policy(NOW, CleanupOptions(keep_last=0), protected={"v1": "^v"}, by_tag=True)
    shared = [tag("v1", "sha256:a"), tag("feature-1", "sha256:a")]
    kept = plan_deletion(shared, policy, single_tags=False)
    assert kept.deletions == ()
    assert [each.tags for each in plan_deletion(shared, policy, single_tags=True).deletions] == [
        ("feature-1",)
    ]


async def test_the_rules_are_those_of_the_token_for_a_deletion() -> None:
    def token(asked: Asked) -> Said:
        meta = {"tag_deny_access_patterns": {"delete": ["^v", "("], "push": ["^x"]}}
        others = entry("pull", name="web/other", meta={"tag_deny_access_patterns": {"delete": ["."]}})
        return Said(200, {"token": jwt({"access": [entry("pull", meta=meta), others]})})

    async with FakeRealm(token=token) as fake, RegistryClient(fake.host, Given(LOGIN)) as client:
        rules = await rules_of(client, PATH)
        scopes = [asked.query for asked in fake.requests("GET", "/auth")]
    assert rules.patterns == ("^v",)
    assert len(rules.problems) == 1
    assert "delete" in scopes[0]


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
async def test_where_nothing_is_visible_there_are_no_rules(scheme: str) -> None:
    async with FakeRealm(scheme=scheme) as fake, RegistryClient(fake.host, Given(LOGIN)) as client:
        assert await rules_of(client, PATH) == make_rules([])


async def test_a_cleanup_leaves_protected_tags_alone_and_is_refused_nothing(tmp_path: Path) -> None:
    results: list[TagResult] = []
    with SandboxServer(tmp_path) as sandbox:
        pusher = Client(sandbox, sandbox.accounts.personal)
        for name in ("release-1", "feature-1", "feature-2"):
            pusher.image(PATH, name, layer=name.encode())
        pusher.image(PATH, "release-2", "feature-3")
    with SandboxServer(tmp_path, protected_tags=("^release-",)) as sandbox:
        async with RegistryClient(sandbox.host, Given(sandbox.accounts.cleanup.credential)) as client:
            tags = await survey(client, PATH, lambda done, total: None)
            rules = await rules_of(client, PATH)
            protected, _ = rules.protecting([info.tag for info in tags])
            later = datetime.now(UTC) + timedelta(days=365)
            policy = Policy(
                later, CleanupOptions(match=".*"), protected=protected, by_tag=bool(rules.patterns)
            )
            single = await can_delete_single_tags(client, PATH)
            await execute(client, PATH, plan_deletion(tags, policy, single_tags=single), results.append)
            left = await client.tags(PATH)
    assert {result.tag: result.outcome for result in results if result.outcome != "deleted"} == {}
    assert left == ["release-1", "release-2"]
