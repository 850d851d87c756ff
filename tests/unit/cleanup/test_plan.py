from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.plan import (
    YOUNG,
    DeletionPlan,
    Policy,
    TagInfo,
    needs_single_tags,
    plan_deletion,
    referred_digest,
)
from dockpass.units import age

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
OLD = timedelta(days=30)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def tag(name: str, number: int, *, days: float | None = 100, **extra: object) -> TagInfo:
    created = None if days is None else NOW - timedelta(days=days)
    return TagInfo(name, digest(number), created, 10, **extra)  # type: ignore[arg-type]


def policy(**rules: object) -> Policy:
    return Policy(NOW, CleanupOptions(**rules))  # type: ignore[arg-type]


def going(plan: DeletionPlan) -> set[str]:
    return {row.info.tag for row in plan.rows if row.deletes}


def reason(plan: DeletionPlan, name: str) -> str:
    return next(row.reason for row in plan.rows if row.info.tag == name)


def test_nothing_goes_without_a_rule() -> None:
    plan = plan_deletion([tag("a", 1)], policy(), single_tags=True)
    assert not plan.deletions
    assert reason(plan, "a") == "no rule selects tags to delete"


def test_every_given_rule_has_to_let_a_tag_go() -> None:
    tags = [
        tag("feature-1", 1),
        tag("feature-2", 2, days=10),
        tag("release", 3),
        tag("feature-3", 4, days=50),
    ]
    plan = plan_deletion(
        tags, policy(match="feature-.*", older_than=OLD.total_seconds(), keep=(".*-3",)), single_tags=True
    )
    assert going(plan) == {"feature-1"}
    assert reason(plan, "feature-1") == "matches --match feature-.*, 100 days old"
    assert reason(plan, "feature-2") == "younger than 30 days"
    assert reason(plan, "release") == "does not match --match feature-.*"
    assert reason(plan, "feature-3") == "kept by --keep .*-3"


def test_patterns_are_about_the_whole_tag() -> None:
    plan = plan_deletion([tag("v1", 1), tag("v10", 2)], policy(match="v1"), single_tags=True)
    assert going(plan) == {"v1"}


def test_the_newest_are_counted_as_images_not_as_tags() -> None:
    tags = [tag("latest", 1, days=1), tag("v3", 1, days=1), tag("v2", 2, days=2), tag("v1", 3, days=3)]
    plan = plan_deletion(tags, policy(keep_last=2), single_tags=True)
    assert going(plan) == {"v1"}
    assert reason(plan, "v3") == "among the newest 2 images, which have 3 tags"
    assert [row.info.tag for row in plan.rows] == ["latest", "v3", "v2", "v1"]


def test_keep_last_counts_among_what_the_match_is_about() -> None:
    tags = [tag("main", 1, days=1), tag("pr-2", 2, days=2), tag("pr-1", 3, days=3)]
    assert going(plan_deletion(tags, policy(match="pr-.*", keep_last=1), single_tags=True)) == {"pr-1"}


def test_keep_last_of_none_lets_all_go() -> None:
    assert going(plan_deletion([tag("a", 1)], policy(keep_last=0), single_tags=True)) == {"a"}


def test_what_is_young_or_of_unknown_age_stays_whatever_the_rule() -> None:
    tags = [tag("young", 1, days=0.08), tag("ahead", 2, days=-3), tag("unknown", 3, days=None), tag("old", 4)]
    plan = plan_deletion(tags, policy(match=".*"), single_tags=True)
    assert going(plan) == {"old"}
    assert reason(plan, "young") == "younger than 2 hours"
    assert reason(plan, "unknown") == "its age is unknown"


def test_a_broken_tag_stays_is_told_and_hinders_no_other() -> None:
    tags = [TagInfo("broken", digest(2), problem="404 BLOB_UNKNOWN"), tag("old", 1)]
    plan = plan_deletion(tags, policy(match=".*"), single_tags=True)
    assert going(plan) == {"old"}
    assert reason(plan, "broken") == "cannot be read: 404 BLOB_UNKNOWN"


@pytest.mark.parametrize("single_tags", [True, False, None])
def test_a_digest_goes_whole_only_if_all_of_its_tags_go(single_tags: bool | None) -> None:
    tags = [tag("v1", 1), tag("stable", 1), tag("v0", 2), tag("old", 2)]
    plan = plan_deletion(tags, policy(match="v.*|old"), single_tags=single_tags)
    fates = {deletion.digest: (set(deletion.tags), deletion.whole) for deletion in plan.deletions}
    assert fates.pop(digest(2)) == ({"v0", "old"}, True)
    assert fates == ({digest(1): ({"v1"}, False)} if single_tags else {})
    if not single_tags:
        known = "this registry cannot" if single_tags is False else "it is unknown whether"
        assert "shares sha256:000000000000 with the kept stable" in reason(plan, "v1")
        assert known in reason(plan, "v1")
    assert needs_single_tags(tags, policy(match="v.*|old"))
    assert not needs_single_tags(tags, policy(match=".*"))


def test_the_parts_of_a_kept_index_stay_and_those_of_a_going_one_go_after_it() -> None:
    tags = [
        tag("v2", 1, days=1, children=(digest(2), digest(3))),
        tag("v2-amd64", 2),
        tag("v1-amd64", 5),
        tag("v1", 4, children=(digest(5),)),
    ]
    plan = plan_deletion(tags, policy(older_than=OLD.total_seconds()), single_tags=True)
    assert going(plan) == {"v1", "v1-amd64"}
    assert reason(plan, "v2-amd64") == "part of the kept index v2"
    assert [deletion.tags for deletion in plan.deletions] == [("v1",), ("v1-amd64",)]


COMPANIONS: list[Callable[[int], TagInfo]] = [
    lambda of: tag(f"sha256-{of:064x}.sig", 90, days=None),
    lambda of: tag(f"sha256-{of:064x}", 90, days=None),
    lambda of: tag(f"sha256-{of:064x}.sbom", 90, subject=digest(of)),
]


@pytest.mark.parametrize("companion", COMPANIONS)
def test_what_refers_to_an_image_shares_its_fate(companion: Callable[[int], TagInfo]) -> None:
    tags = [tag("new", 1, days=1), tag("old", 2), tag("index", 3, days=1, children=(digest(4),))]
    for subject, expected in ((1, set()), (2, {"old"}), (4, set()), (99, set())):
        signature = companion(subject)
        plan = plan_deletion(
            [*tags, signature],
            policy(match="new|old|index", older_than=OLD.total_seconds()),
            single_tags=True,
        )
        fate = {signature.tag} if expected else set()
        assert going(plan) == {"old"} | fate, subject
        if expected:
            assert plan.deletions[0].tags == (signature.tag,)
            assert reason(plan, signature.tag).startswith("belongs to sha256:")


def test_the_rules_hold_for_an_artifact_with_a_name_of_its_own_and_one_that_stays_keeps_its_image() -> None:
    tags = [tag("app-1", 1), tag("app-2", 2), tag("chart-1", 3, subject=digest(1))]
    plan = plan_deletion(tags, policy(match="app-.*"), single_tags=True)
    assert going(plan) == {"app-2"}
    assert reason(plan, "chart-1") == "does not match --match app-.*"
    assert reason(plan, "app-1") == "the kept tag chart-1 refers to it"
    plan = plan_deletion(tags, policy(match=".*-1"), single_tags=True)
    assert [deletion.tags for deletion in plan.deletions] == [("chart-1",), ("app-1",)]
    plan = plan_deletion(tags, policy(match="chart-.*"), single_tags=True)
    assert reason(plan, "chart-1") == "refers to the kept image app-1"


def test_artifacts_take_no_image_s_place_among_the_newest() -> None:
    tags = [
        tag("sbom-2", 4, days=1, subject=digest(2)),
        tag("v2", 2, days=2),
        tag("v1", 1, days=3),
        tag("sbom-1", 3, days=2.5, subject=digest(1)),
    ]
    assert going(plan_deletion(tags, policy(keep_last=1), single_tags=True)) == {"v1", "sbom-1"}


def test_while_it_is_not_known_what_a_kept_tag_needs_no_digest_loses_its_last_tag() -> None:
    unread = TagInfo("unread", "", problem="404", doubt="404")
    tags = [unread, tag("v1", 1), tag("v2", 2), tag("stable", 2)]
    plan = plan_deletion(tags, policy(match="v.*"), single_tags=True)
    assert going(plan) == {"v2"}
    assert reason(plan, "v1") == "unread cannot be read and may need it"
    assert plan.doubts == {"unread": "404"}
    assert not plan_deletion(tags, policy(match="v.*"), single_tags=False).deletions


def test_what_a_broken_tag_is_known_to_need_stays_and_the_rest_goes() -> None:
    broken = TagInfo("broken", digest(9), problem="it has a key twice", children=(digest(1),))
    plan = plan_deletion([broken, tag("v1", 1), tag("v2", 2)], policy(match="v.*"), single_tags=False)
    assert going(plan) == {"v2"}
    assert not plan.doubts


def test_indexes_go_from_the_outermost_to_the_innermost() -> None:
    tags = [
        tag("leaf", 1),
        tag("inner", 2, children=(digest(1),)),
        tag("outer", 3, children=(digest(2), digest(1))),
        tag(f"sha256-{3:064x}.sig", 4),
    ]
    plan = plan_deletion(tags, policy(match=".*"), single_tags=True)
    assert [deletion.tags[0] for deletion in plan.deletions] == [tags[3].tag, "outer", "inner", "leaf"]


@pytest.mark.parametrize("turned", [False, True])
def test_a_circle_of_names_goes_by_what_the_manifests_name(turned: bool) -> None:
    tags = [
        tag("leaf", 1),
        tag("inner", 2, children=(digest(1),)),
        tag("outer", 3, children=(digest(2), digest(1))),
        tag(f"sha256-{3:064x}.sig", 1),
    ]
    plan = plan_deletion(tags[::-1] if turned else tags, policy(match=".*"), single_tags=True)
    assert [deletion.digest for deletion in plan.deletions] == [digest(3), digest(2), digest(1)]


def test_a_signature_is_never_counted_among_the_newest() -> None:
    signature = tag(f"sha256-{2:064x}.sig", 9, days=1)
    tags = [signature, tag("v2", 2, days=50), tag("v1", 1, days=60)]
    assert going(plan_deletion(tags, policy(keep_last=1), single_tags=True)) == {"v1"}


@pytest.mark.parametrize(("days", "keep"), [(0.01, ()), (None, ("sha256-.*",))])
def test_an_image_that_was_just_signed_or_whose_signature_is_kept_stays(
    days: float | None, keep: tuple[str, ...]
) -> None:
    signature = tag(f"sha256-{1:064x}.sig", 9, days=days)
    plan = plan_deletion([tag("v1", 1), signature], policy(match="v.*", keep=keep), single_tags=True)
    assert not going(plan)
    assert reason(plan, "v1") == f"the kept tag {signature.tag} refers to it"


def test_what_refers_to_what_refers_to_a_kept_image_stays_too() -> None:
    tags = [
        tag("v1", 1, days=1),
        tag("sbom", 2, subject=digest(1)),
        tag(f"sha256-{2:064x}.sig", 3),
        tag("v0", 4),
    ]
    assert going(plan_deletion(tags, policy(older_than=OLD.total_seconds()), single_tags=True)) == {"v0"}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (f"sha256-{7:064x}", digest(7)),
        (f"sha256-{7:064x}.sig", digest(7)),
        (f"sha256-{7:064x}.att", digest(7)),
        (f"sha256-{7:063x}", ""),
        (f"x-sha256-{7:064x}", ""),
        ("latest", ""),
    ],
)
def test_fallback_and_signature_tags_are_known_by_their_form(name: str, found: str) -> None:
    assert referred_digest(name) == found


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(days=30), "30 days"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(days=-1), "0 minutes"),
    ],
)
def test_spans_are_said_in_words(span: timedelta, words: str) -> None:
    assert age(span) == words


# Properties

NUMBERS = st.integers(0, 7)
NAMES = [
    *(f"{kind}-{number}" for kind in ("pr", "v") for number in range(6)),
    *(f"sha256-{n:064x}" for n in range(4)),
]


@st.composite
def repositories(draw: st.DrawFn) -> list[TagInfo]:
    """Draw tags that share digests, and indexes and subjects that may form any graph."""
    ages = {
        number: draw(st.none() | st.floats(-1, 200).map(lambda days: NOW - timedelta(days=days)))
        for number in range(8)
    }
    children = {number: draw(st.lists(NUMBERS, max_size=2)) for number in range(8)}
    subjects = {number: draw(st.none() | NUMBERS) for number in range(8)}
    found = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=10)):
        number, problem = draw(NUMBERS), draw(st.sampled_from(["", "", "", "404"]))
        if problem:
            known = draw(st.booleans())
            listed = tuple(map(digest, children[number])) if known else ()
            doubt = "" if known else problem
            where = digest(number) if known else ""
            found.append(TagInfo(name, where, children=listed, problem=problem, doubt=doubt))
            continue
        subject = subjects[number]
        found.append(
            TagInfo(
                name,
                digest(number),
                ages[number],
                children=tuple(map(digest, children[number])),
                subject="" if subject is None else digest(subject),
            )
        )
    return found


POLICIES = st.builds(
    Policy,
    now=st.just(NOW),
    rules=st.builds(
        CleanupOptions,
        keep_last=st.none() | st.integers(0, 4),
        older_than=st.none() | st.integers(0, 150).map(lambda days: days * 86400.0),
        match=st.sampled_from([None, "pr-.*", ".*"]),
        keep=st.sampled_from([(), ("v-1",), (".*-2",)]),
        dry_run=st.just(False),
    ),
)
SINGLE = st.sampled_from([True, False, None])


@settings(max_examples=examples(300))
@given(repositories(), POLICIES, SINGLE)
def test_no_kept_tag_ever_loses_its_image_nor_what_that_needs(
    tags: list[TagInfo], rules: Policy, single: bool | None
) -> None:
    plan = plan_deletion(tags, rules, single_tags=single)
    gone = {deletion.digest for deletion in plan.deletions if deletion.whole}
    lost = {name for deletion in plan.deletions for name in deletion.tags}
    kept = [row.info for row in plan.rows if not row.deletes]
    for info in kept:
        assert info.tag not in lost
        assert info.digest not in gone
        assert not gone & set(info.children)
    kept_digests = {info.digest for info in kept if info.digest}
    needed = kept_digests | {child for info in kept for child in info.children}
    for row in plan.rows:
        assert not (row.deletes and needed.intersection(row.info.refers_to))
    for info in kept:
        assert not gone.intersection(info.needs)
        assert not (info.doubt and gone)


@settings(max_examples=examples(300))
@given(repositories(), POLICIES, SINGLE)
def test_the_plan_and_its_rows_say_the_same(tags: list[TagInfo], rules: Policy, single: bool | None) -> None:
    plan = plan_deletion(tags, rules, single_tags=single)
    assert sorted(row.info.tag for row in plan.rows) == sorted(info.tag for info in tags)
    assert all(row.reason for row in plan.rows)
    deleted = [name for deletion in plan.deletions for name in deletion.tags]
    assert sorted(deleted) == sorted(going(plan))
    for deletion in plan.deletions:
        on_it = {info.tag for info in tags if info.digest == deletion.digest}
        assert deletion.whole is (on_it == set(deletion.tags))
        assert deletion.whole or single


@settings(max_examples=examples(300))
@given(repositories(), POLICIES, SINGLE)
def test_nothing_young_newest_named_or_broken_goes(
    tags: list[TagInfo], rules: Policy, single: bool | None
) -> None:
    rows = [row for row in plan_deletion(tags, rules, single_tags=single).rows if row.deletes]
    assert rules.rules.has_rule or not rows
    images = [row.info for row in rows if not row.info.belongs_to]
    for info in (row.info for row in rows):
        assert not info.problem
        assert info.created is None or NOW - info.created >= YOUNG
    for info in images:
        assert info.created is not None
        assert (
            rules.rules.older_than is None or (NOW - info.created).total_seconds() >= rules.rules.older_than
        )
    for is_artifact in (False, True):
        same = [i for i in tags if i.created and not i.belongs_to and bool(i.subject) is is_artifact]
        to_go = [info for info in images if bool(info.subject) is is_artifact]
        if rules.rules.keep_last and not rules.rules.match and to_go:
            staying = {info.digest for info in same} - {info.digest for info in to_go}
            assert len(staying) >= rules.rules.keep_last
            newest_to_go = max(info.created for info in to_go if info.created)
            newer = {i.digest for i in same if i.created and i.created >= newest_to_go}
            assert len(newer) > rules.rules.keep_last


@settings(max_examples=examples(200))
@given(repositories(), POLICIES)
def test_what_the_registry_can_do_only_adds_deletions(tags: list[TagInfo], rules: Policy) -> None:
    able, unable = (plan_deletion(tags, rules, single_tags=single) for single in (True, False))
    assert going(unable) <= going(able)


@settings(max_examples=examples(200))
@given(repositories(), POLICIES)
def test_a_cleanup_that_is_run_again_finds_nothing_more(tags: list[TagInfo], rules: Policy) -> None:
    first = plan_deletion(tags, rules, single_tags=True)
    left = [replace(row.info) for row in first.rows if not row.deletes]
    if rules.rules.keep_last is None:
        assert not plan_deletion(left, rules, single_tags=True).deletions


@settings(max_examples=examples(200))
@given(repositories(), POLICIES, st.randoms())
def test_the_order_of_a_listing_does_not_matter(tags: list[TagInfo], rules: Policy, random: object) -> None:
    shuffled = list(tags)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert going(plan_deletion(tags, rules, single_tags=True)) == going(
        plan_deletion(shuffled, rules, single_tags=True)
    )
