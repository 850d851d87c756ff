"""`dockpass cleanup` as a process, on a registry that misbehaves: nothing needed goes, no outcome is false."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import threading
from collections.abc import Iterator

import pytest
from cleanupregistry import UNKNOWN, Answer, CleanupRegistry, refusal, said
from fakeregistry import INDEX, digest_of
from program import Program

MANIFESTS = "/v2/r/manifests/"


@pytest.fixture
def registry() -> Iterator[CleanupRegistry]:
    with CleanupRegistry() as made:
        yield made


class Done:
    """A cleanup that ended: its status, what it said, each tag's outcome and each tag's plan."""

    def __init__(self, ended: subprocess.CompletedProcess[str]) -> None:
        assert "Traceback" not in ended.stderr, ended.stderr
        self.status = ended.returncode
        events = [json.loads(line) for line in ended.stdout.splitlines()]
        self.outcomes = {e["tag"]: e["outcome"] for e in events if e["event"] == "tag-deleted"}
        self.details = {e["tag"]: e["detail"] for e in events if e["event"] == "tag-deleted"}
        self.reasons = {e["tag"]: e["reason"] for e in events if e["event"] == "tag-planned"}
        self.log = "\n".join(e["text"] for e in events if e["event"] == "log")
        self.end = next((e for e in events if e["event"] == "ended"), {})
        assert "fault of dockpass" not in str(self.end)

    @property
    def message(self) -> str:
        return f"{self.end['message']} {self.end['hint']}"


def cleanup(program: Program, registry: CleanupRegistry, *rules: str) -> Done:
    return Done(program.run("cleanup", "--repo", registry.repo, *rules, "--yes", "--json"))


def old(registry: CleanupRegistry, count: int) -> list[str]:
    return [registry.image(f"old-{number:02}") for number in range(count)]


# What cannot be read protects


def twice(leaf: str) -> bytes:
    """An index with a key twice, as no strict reader takes it."""
    listed = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [{"digest": leaf, "size": 1}]}
    return b'{"schemaVersion": 2, ' + json.dumps(listed).encode()[1:]


def other_case(leaf: str) -> bytes:
    return json.dumps({"schemaVersion": 2, "Manifests": [{"Digest": leaf}], "layers": []}).encode()


def escaped(leaf: str) -> bytes:
    return twice(leaf).replace(leaf.encode(), leaf.replace(":", "\\u003a").upper().encode())


def packed(leaf: str) -> bytes:
    return gzip.compress(twice(leaf), mtime=0)


def in_two_members(leaf: str) -> bytes:
    return gzip.compress(b'{"schemaVersion": 2, ', mtime=0) + gzip.compress(twice(leaf)[1:], mtime=0)


def wide(leaf: str) -> bytes:
    return twice(leaf).decode().encode("utf-16")


@pytest.mark.parametrize("spelling", [twice, other_case, escaped, packed, in_two_members, wide])
def test_a_kept_tag_that_cannot_be_read_protects_what_its_bytes_name(
    program: Program, registry: CleanupRegistry, spelling: object
) -> None:
    leaf = registry.image("leaf")
    other = registry.image("leaf-other")
    registry.put(spelling(leaf), "keep-multi")  # type: ignore[operator]
    found = cleanup(program, registry, "--match", "leaf.*")
    assert leaf in registry.manifests
    assert "keep-multi" in found.reasons["leaf"]
    assert "cannot be read" in found.reasons["keep-multi"]
    assert (found.status, other in registry.manifests) == (0, False)


def compressed(raw: bytes) -> Answer:
    return said(200, gzip.compress(raw), Content_Encoding="gzip")


@pytest.mark.parametrize(
    "answer",
    [
        refusal(404, UNKNOWN),
        said(404, b"404 page not found"),
        compressed(b"{}"),
        said(200, b"<html>Please log in</html>"),
        said(200, {"message": "come back later"}),
        said(200, b"{}", Docker_Content_Digest="sha256:" + "0" * 64),
        said(200, b" " * (5 << 20)),
        said(302, Location="http://elsewhere.example/x"),
        refusal(412, "PROJECTPOLICYVIOLATION", "the image is in quarantine"),
        said(200, Docker_Content_Digest=digest_of(b"")),
    ],
    ids=[
        "absent",
        "404",
        "compressed",
        "page",
        "other json",
        "other digest",
        "large",
        "elsewhere",
        "412",
        "empty",
    ],
)
def test_a_kept_tag_of_which_no_bytes_can_be_had_keeps_every_digest(
    program: Program, registry: CleanupRegistry, answer: Answer
) -> None:
    leaf = registry.image("leaf")
    registry.index([leaf], "keep-multi")
    registry.intercept = lambda _, path, __: answer if path == f"{MANIFESTS}keep-multi" else None
    found = cleanup(program, registry, "--match", "leaf")
    assert found.status == 0
    assert registry.whole("keep-multi")
    assert found.reasons["leaf"] == "keep-multi cannot be read and may need it"
    assert "keep-multi cannot be read" in found.log
    assert not registry.deletes


def test_what_becomes_unreadable_after_the_plan_protects_too(
    program: Program, registry: CleanupRegistry
) -> None:
    old(registry, 12)
    leaf = registry.image("old-99")
    registry.image("keep")

    def intercept(method: str, path: str, query: dict[str, str]) -> Answer | None:
        if method == "DELETE" and registry.tags["keep"] not in registry.manifests:
            return None
        if registry.deletes and path.endswith("/keep"):
            return compressed(b"{}")
        return None

    registry.intercept = intercept
    found = cleanup(program, registry, "--match", "old-.*")
    assert found.outcomes["old-99"] == "kept"
    assert "keep cannot be read" in found.details["old-99"]
    assert leaf in registry.manifests


# What comes to need an image during the deletion


@pytest.mark.parametrize("how", ["moves", "new tag", "new index", "a tag that was to go"])
def test_what_comes_to_need_an_image_in_mid_run_keeps_it(
    program: Program, registry: CleanupRegistry, how: str
) -> None:
    registry.image("keep-stable")
    digests = old(registry, 40)

    def intercept(method: str, path: str, query: dict[str, str]) -> Answer | None:
        if method == "DELETE" and len(registry.deletes) == 1:
            last = next(d for t, d in registry.tags.items() if t == "old-39")
            if how == "moves":
                registry.tags["keep-stable"] = last
            elif how == "new tag":
                registry.tags["fresh"] = last
            elif how == "new index":
                registry.index([last], "fresh")
            else:
                registry.index([registry.index([last])], "old-38")
        return None

    registry.intercept = intercept
    found = cleanup(program, registry, "--match", "old-.*")
    assert found.status == 0
    assert found.outcomes["old-39"] == "kept"
    assert digests[39] in registry.manifests
    left = 2 if how == "a tag that was to go" else 1
    assert list(found.outcomes.values()).count("deleted") == 40 - left


def test_a_list_that_fails_in_mid_run_ends_it(program: Program, registry: CleanupRegistry) -> None:
    old(registry, 20)
    registry.intercept = lambda _, path, __: (
        refusal(500, "UNKNOWN") if registry.deletes and path.endswith("/tags/list") else None
    )
    found = cleanup(program, registry, "--match", "old-.*")
    assert found.status == 1
    assert list(found.outcomes.values()) == ["deleted"]
    assert "Until then: 1 deleted; 19 tags untouched" in found.message


# Subjects and indexes


def test_the_rules_hold_for_a_tag_whose_manifest_has_a_subject(
    program: Program, registry: CleanupRegistry
) -> None:
    app = registry.image("app-1.0")
    registry.image("app-2.0")
    registry.image("chart-1.0", subject={"mediaType": "x", "digest": app, "size": 1})
    registry.image(f"sha256-{registry.tags['app-2.0'][7:]}.sig")
    found = cleanup(program, registry, "--match", "app-.*")
    assert set(registry.tags) == {"app-1.0", "chart-1.0"}
    assert found.reasons["app-1.0"] == "the kept tag chart-1.0 refers to it"
    assert found.status == 0


@pytest.mark.parametrize("width", [1, 70])
def test_indexes_of_any_depth_keep_what_they_list(
    program: Program, registry: CleanupRegistry, width: int
) -> None:
    leaf = registry.image("leaf-1")
    registry.image("leaf-2")
    inner = registry.index([leaf])
    others = [registry.image(extra=str(number)) for number in range(width - 1)]
    middle = registry.index([*others, inner])
    registry.index([middle], "keep-nest", kind=INDEX)
    found = cleanup(program, registry, "--match", "leaf-.*")
    assert registry.whole("keep-nest")
    assert found.outcomes == {"leaf-2": "deleted"}
    assert "keep-nest" in found.reasons["leaf-1"]


def test_an_index_beyond_the_cap_keeps_everything(program: Program, registry: CleanupRegistry) -> None:
    registry.image("leaf")
    registry.index([f"sha256:{number:064x}" for number in range(1100)], "keep-huge")
    found = cleanup(program, registry, "--match", "leaf")
    assert not registry.deletes
    assert "keep-huge" in found.reasons["leaf"]


# Outcomes


@pytest.mark.parametrize(
    ("delete", "after", "outcome", "status"),
    [
        (refusal(404, UNKNOWN), None, "failed", 1),
        (said(202), None, "failed", 1),
        (said(202), refusal(500, "UNKNOWN"), "unknown", 1),
        (said(202), said(200, b"<html>"), "unknown", 1),
        (refusal(500, "UNKNOWN"), None, "failed", 1),
        (refusal(500, "UNKNOWN"), refusal(404, UNKNOWN), "gone", 0),
        (said(202), refusal(404, UNKNOWN), "deleted", 0),
    ],
)
def test_an_outcome_is_what_was_seen(
    program: Program,
    registry: CleanupRegistry,
    delete: Answer,
    after: Answer | None,
    outcome: str,
    status: int,
) -> None:
    registry.image("old-1")

    def intercept(method: str, path: str, query: dict[str, str]) -> Answer | None:
        if method == "DELETE":
            return delete
        return after if registry.deletes and path == f"{MANIFESTS}old-1" else None

    registry.intercept = intercept
    found = cleanup(program, registry, "--match", "old-.*")
    assert (found.outcomes, found.status) == ({"old-1": outcome}, status)


def test_a_tag_that_is_really_gone_is_no_failure(program: Program, registry: CleanupRegistry) -> None:
    digests = old(registry, 3)

    def intercept(method: str, path: str, query: dict[str, str]) -> Answer | None:
        if method == "DELETE" and len(registry.deletes) == 1:
            registry.manifests.pop(digests[2])
            registry.drop(digests[2])
        return None

    registry.intercept = intercept
    found = cleanup(program, registry, "--match", "old-.*")
    assert found.status == 0
    assert sorted(found.outcomes.values()) == ["deleted", "deleted", "gone"]


def test_each_tag_of_a_digest_is_looked_for(program: Program, registry: CleanupRegistry) -> None:
    registry.image("aaa", "bbb", "ccc")

    def intercept(method: str, path: str, query: dict[str, str]) -> Answer | None:
        if method != "DELETE":
            return None
        registry.tags.pop("aaa", None)
        return said(202)

    registry.intercept = intercept
    found = cleanup(program, registry, "--match", "[abc]{3}")
    assert found.outcomes == {"aaa": "deleted", "bbb": "failed", "ccc": "failed"}
    assert found.status == 1


def test_a_deletion_of_a_tag_that_takes_the_image_along_is_seen_after_the_first(
    program: Program, registry: CleanupRegistry
) -> None:
    for number in range(12):
        registry.image(f"old-{number:02}", f"keep-{number:02}")

    def intercept(method: str, path: str, query: dict[str, str]) -> Answer | None:
        tag = path.rpartition("/")[2]
        if method == "DELETE" and tag in registry.tags:
            digest = registry.tags[tag]
            del registry.manifests[digest]
            registry.drop(digest)
            return said(202)
        return None

    registry.intercept = intercept
    found = cleanup(program, registry, "--match", "old-.*")
    assert found.status == 1
    assert sorted(found.outcomes.values()) == ["deleted", "lost"]
    assert len([tag for tag in registry.tags if tag.startswith("keep-")]) == 11
    assert "should have been kept, but no longer exists" in found.message


def test_every_kept_tag_that_went_along_is_told(program: Program, registry: CleanupRegistry) -> None:
    registry.image("old-00", "keep-a", "keep-b")

    def intercept(method: str, path: str, query: dict[str, str]) -> Answer | None:
        tag = path.rpartition("/")[2]
        if method == "DELETE" and tag in registry.tags:
            digest = registry.tags[tag]
            del registry.manifests[digest]
            registry.drop(digest)
            return said(202)
        return None

    registry.intercept = intercept
    found = cleanup(program, registry, "--match", "old-.*")
    assert found.outcomes == {"old-00": "deleted", "keep-a": "lost", "keep-b": "lost"}
    assert found.status == 1


# One image, and all of them


@pytest.mark.parametrize("status", [405, 412, 423, 409, 501])
def test_one_locked_image_does_not_end_the_cleanup(
    program: Program, registry: CleanupRegistry, status: int
) -> None:
    digests = [registry.image(f"v{n:02}", created=f"2020-01-{n + 1:02}T00:00:00Z") for n in range(20)]
    locked = refusal(status, "UNSUPPORTED", "the image is locked")
    registry.intercept = lambda method, path, _: (
        locked if method == "DELETE" and path.endswith(digests[9]) else None
    )
    found = cleanup(program, registry, "--keep-last", "2")
    assert set(registry.tags) == {"v09", "v18", "v19"}
    assert found.outcomes["v09"] == "failed"
    assert found.details["v09"] == f"{status} UNSUPPORTED: the image is locked"
    assert found.status == 1


def test_a_first_405_stops_the_cleanup(program: Program, registry: CleanupRegistry) -> None:
    old(registry, 12)
    registry.intercept = lambda method, _, __: refusal(405, "UNSUPPORTED") if method == "DELETE" else None
    found = cleanup(program, registry, "--match", "old-.*")
    assert (found.status, found.outcomes, len(registry.deletes)) == (1, {}, 1)
    assert "12 tags untouched" in found.message


def test_a_locked_index_keeps_its_parts(program: Program, registry: CleanupRegistry) -> None:
    leaf = registry.image("old-leaf")
    index = registry.index([leaf], "old-index")
    registry.image("old-other")
    registry.intercept = lambda method, path, _: (
        refusal(423, "LOCKED") if method == "DELETE" and path.endswith(index) else None
    )
    found = cleanup(program, registry, "--match", "old-.*")
    assert found.outcomes == {"old-index": "failed", "old-leaf": "kept", "old-other": "deleted"}
    assert registry.whole("old-index")


@pytest.mark.parametrize("variable", ["", "WERF_IMAGES_CLEANUP_PASSWORD"])
def test_a_login_that_may_not_delete_is_told_what_would_help(
    program: Program, registry: CleanupRegistry, variable: str
) -> None:
    old(registry, 2)
    registry.intercept = lambda method, _, __: refusal(401, "UNAUTHORIZED") if method == "DELETE" else None
    rules = ("cleanup", "--repo", registry.repo, "--match", "old-.*", "--yes", "--json")
    found = Done(program.run(*rules, **({variable: "canary-cleanup-1"} if variable else {})))
    assert found.status == 1
    assert "WERF_IMAGES_CLEANUP_PASSWORD" in found.message


# Lists


def listed(registry: CleanupRegistry, *pages: Answer) -> None:
    """Answer the list of tags with these pages, by the number of `last`s that were asked for."""

    def intercept(method: str, path: str, query: dict[str, str]) -> Answer | None:
        return pages[1 if "last" in query else 0] if path.endswith("/tags/list") else None

    registry.intercept = intercept


NEXT = '</v2/r/tags/list?last=old-01&n=2>; rel="next"'


@pytest.mark.parametrize(
    "second",
    [refusal(404, "NAME_UNKNOWN"), said(200, b"<html>"), refusal(500, "UNKNOWN"), said(404, b"")],
)
def test_a_later_page_that_fails_is_no_end(
    program: Program, registry: CleanupRegistry, second: Answer
) -> None:
    old(registry, 5)
    listed(registry, said(200, {"tags": ["old-00", "old-01"]}, Link=NEXT), second)
    found = cleanup(program, registry, "--keep-last", "0")
    assert (found.status, registry.deletes) == (1, [])


@pytest.mark.parametrize(
    "link",
    [
        "/v2/other/tags/list?last=old-01&n=3",
        "/v2/r/other/tags/list?last=x",
        "/v2/r/../other/tags/list?last=x",
        "/v2/r/%2e%2e/other/tags/list?last=x",
        "/v2/r%2fother/tags/list?last=x",
        "//127.0.0.1:1/v2/r/tags/list?last=x",
        "/v2/_catalog?last=x",
    ],
)
def test_a_next_page_of_another_repository_is_refused_by_its_address(
    program: Program, registry: CleanupRegistry, link: str
) -> None:
    old(registry, 3)
    page = said(200, {"tags": ["old-00", "old-01"]}, Link=f'<{link}>; rel="next"')
    listed(registry, page, said(200, {"tags": ["v1"]}))
    found = cleanup(program, registry, "--keep-last", "0")
    assert found.status == 1
    assert "its next page is" in found.message
    assert not registry.deletes


def test_a_list_that_redirects_to_another_repository_is_refused(
    program: Program, registry: CleanupRegistry
) -> None:
    old(registry, 3)
    registry.intercept = lambda _, path, __: {
        "/v2/r/tags/list": said(302, Location="/v2/other/tags/list"),
        "/v2/other/tags/list": said(200, {"tags": ["old-00"]}),
    }.get(path)
    found = cleanup(program, registry, "--keep-last", "0")
    assert (found.status, registry.deletes) == (1, [])
    assert "it redirects to" in found.message


@pytest.mark.parametrize(("page", "count"), [(100, 120), (50, 130), (64, 70), (20, 45)])
def test_a_list_that_was_cut_without_a_word_is_read_to_its_end(
    program: Program, registry: CleanupRegistry, page: int, count: int
) -> None:
    digest = registry.image(*(f"v{number:03}" for number in range(count)))

    def intercept(method: str, path: str, query: dict[str, str]) -> Answer | None:
        if not path.endswith("/tags/list"):
            return None
        names = sorted(tag for tag in registry.tags if tag > query.get("last", ""))
        return said(200, {"name": "r", "tags": names[:page]})

    registry.intercept = intercept
    found = cleanup(program, registry, "--match", "x")
    assert len(found.reasons) == count, found.end
    assert digest in registry.manifests


def test_more_tags_than_the_bound_in_one_page_are_refused(
    program: Program, registry: CleanupRegistry
) -> None:
    page = said(200, json.dumps({"tags": [f"v{number}" for number in range(250_000)]}).encode())
    listed(registry, page, page)
    found = cleanup(program, registry, "--match", "x")
    assert found.status == 1
    assert "more than 200,000 tags" in found.message
    assert len([path for _, path in registry.asked if path.endswith("/tags/list")]) == 1


# Asking and cancelling


def test_without_a_rule_it_lists_and_says_what_a_rule_looks_like(
    program: Program, registry: CleanupRegistry
) -> None:
    registry.image("v1")
    ended = program.run("cleanup", "--repo", registry.repo, WERF_IMAGES_CLEANUP_PASSWORD="canary-1")
    assert ended.returncode == 0, ended.stderr
    assert "No rule was given" in ended.stderr
    assert "--keep-last 10" in ended.stderr
    assert "v1" in ended.stdout


def test_a_word_is_needed_only_where_something_would_go(program: Program, registry: CleanupRegistry) -> None:
    registry.image("v1")
    kept = program.run("cleanup", "--repo", registry.repo, "--match", "x")
    assert kept.returncode == 0, kept.stderr
    asked = program.run("cleanup", "--repo", registry.repo, "--match", "v1")
    assert asked.returncode == 5
    assert "--yes" in asked.stderr
    assert "Nothing was deleted" in asked.stderr
    assert registry.deletes == []


def test_cancel_says_what_was_deleted_and_what_was_not_touched(
    program: Program, registry: CleanupRegistry
) -> None:
    old(registry, 26)
    reached, free = threading.Event(), threading.Event()
    done: list[str] = []

    def intercept(method: str, path: str, query: dict[str, str]) -> Answer | None:
        if method == "DELETE":
            done.append(path)
        if len(done) == 1 and method == "HEAD":
            reached.set()
            registry.lock.release()
            free.wait(20)
            registry.lock.acquire()
        return None

    registry.intercept = intercept
    command = ("cleanup", "--repo", registry.repo, "--match", "old-.*", "--yes", "--json")
    child = subprocess.Popen(
        program.command(*command),
        cwd=program.work,
        env=program.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert reached.wait(20)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=20)
    free.set()
    found = Done(subprocess.CompletedProcess(command, child.returncode, out, err))
    assert found.status == 4
    assert found.end["status"] == "cancelled"
    assert found.end["message"] == "Cancelled. Until then: 1 deleted; 25 tags untouched."


def test_a_pattern_that_python_wonders_about_prints_no_warning(program: Program) -> None:
    ended = program.run("cleanup", "--repo", "127.0.0.1:1/a/b", "--keep", "[[:alpha:]]", "--dry-run")
    assert "127.0.0.1:1" in ended.stderr
    assert "Warning" not in ended.stderr
    assert "re.compile" not in ended.stderr
