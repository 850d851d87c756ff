"""What is kept on disk, and what happens to it when it is damaged or taken."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandboxclient import INDEX, MANIFEST, Client, digest_of

from dockpass.errors import DockpassError
from dockpass.sandbox.manifests import read_manifest
from dockpass.sandbox.server import SandboxServer
from dockpass.sandbox.storage import JOURNAL, Storage

SUBJECT = digest_of(b"subject")


def content(storage: Storage) -> set[str]:
    root = storage.content.path(SUBJECT).parents[2]
    return {f"{path.parent.parent.name}:{path.name}" for path in root.glob("*/*/*")}


def put(storage: Storage, name: str, tag: str = "", *, number: int = 0, subject: str = "") -> str:
    data: dict[str, object] = {"schemaVersion": 2, "annotations": {"number": str(number)}}
    if subject:
        data["subject"] = {"digest": subject}
    raw = json.dumps(data).encode()
    digest = storage.content.write(raw)
    storage.put_manifest(name, read_manifest(raw, digest, MANIFEST), [tag] if tag else [])
    return digest


def reopened(directory: Path, storage: Storage) -> Storage:
    storage.close()
    return Storage(directory)


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    with SandboxServer(tmp_path / "kept") as sandbox:
        client = Client(sandbox, sandbox.accounts.personal)
        digest = client.image("a/b", "v1", "v2", "gone")
        about = {"digest": digest, "size": 1}
        referrer = client.image("a/b", subject=about, artifactType="x/y")
        index = client.manifest("a/b", {"schemaVersion": 2, "mediaType": INDEX, "manifests": [about]}, "all")
        client.ask("DELETE", "/v2/a/b/manifests/gone")
        before = client.ask("GET", "/v2/a/b/manifests/v1").body
    with SandboxServer(tmp_path / "kept") as sandbox:
        client = Client(sandbox, sandbox.accounts.personal)
        assert client.tags("a/b") == ["all", "v1", "v2"]
        got = client.ask("GET", "/v2/a/b/manifests/v1")
        assert (got.body, got.headers["Content-Type"]) == (before, MANIFEST)
        assert client.ask("HEAD", f"/v2/a/b/manifests/{index}").headers["Content-Type"] == INDEX
        listed = client.ask("GET", f"/v2/a/b/referrers/{digest}").data["manifests"]
        assert [entry["digest"] for entry in listed] == [referrer]
        layer = json.loads(before)["layers"][0]["digest"]
        assert client.ask("GET", f"/v2/a/b/blobs/{layer}").body == b"a layer"
        assert client.ask("GET", f"/v2/a/c/blobs/{layer}").status == 404
        assert sandbox.notes == ()


def test_the_journal_is_written_anew_without_what_was_undone(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    for number in range(50):
        put(storage, "a/b", "v1", number=number)
    long = (tmp_path / JOURNAL).stat().st_size
    for digest in [digest for digest in content(storage) if not storage.tags_of("a/b", digest)]:
        storage.remove_manifest("a/b", digest)
    storage = reopened(tmp_path, storage)
    assert (tmp_path / JOURNAL).stat().st_size < long / 20
    assert storage.tags("a/b") == (["v1"], False)
    assert len(content(storage)) == 1
    storage.close()


def test_content_goes_with_its_last_link(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    digest = put(storage, "a/one", "v1")
    assert put(storage, "a/two", "v1") == digest
    storage.remove_manifest("a/one", digest)
    assert content(storage) == {digest}
    storage.remove_manifest("a/two", digest)
    assert content(storage) == set()
    assert storage.tags("a/two") == ([], False)
    storage.close()


def test_what_a_killed_server_left_is_removed(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    digest = put(storage, "a/b", "v1")
    orphan = storage.content.write(b"placed, but never linked")
    upload = storage.content.begin("a/b")
    upload.append(b"half")
    assert content(storage) == {digest, orphan}
    storage = reopened(tmp_path, storage)
    assert content(storage) == {digest}
    assert not upload.path.exists()
    storage.close()


@pytest.mark.parametrize(
    "line",
    [
        b'["tag", "a/b", "v2", "sha256:',
        b"\xff\xfe",
        b"{}",
        b"[]",
        b'["nonsense", "a/b", "v2"]',
        b'["untag", "../b", "v1"]',
        b'["untag", "a/b", "../v1"]',
        b'["untag", "a/b", 5]',
        b'["unblob", "a/b", "sha256:x"]',
        b'["tag", "a/b", "v2", "../../etc/passwd"]',
        f'["manifest", "a/b", "{SUBJECT}", "x/y"]'.encode(),
        f'["blob", "a/b", "{SUBJECT}"]'.encode(),
    ],
)
def test_a_damaged_line_is_left_out_and_told(tmp_path: Path, line: bytes) -> None:
    storage = Storage(tmp_path)
    digest = put(storage, "a/b", "v1")
    storage.close()
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(line)
    storage = Storage(tmp_path)
    assert storage.tags("a/b") == (["v1"], False)
    assert len(storage.notes) == 1
    assert storage.notes[0].startswith(("1 line of ", "The content of 1 entry in "))
    put(storage, "a/b", "v3", number=3)
    storage = reopened(tmp_path, storage)
    assert storage.tags("a/b") == (["v1", "v3"], False)
    assert storage.notes == []
    assert storage.manifest("a/b", "v1") == storage.manifest("a/b", digest)
    storage.close()


def test_lost_content_takes_its_tags_with_it(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    digest = put(storage, "a/b", "v1")
    put(storage, "a/b", "v2", number=2)
    storage.content.remove(digest)
    storage = reopened(tmp_path, storage)
    assert storage.tags("a/b") == (["v2"], False)
    assert storage.notes[0].startswith("The content of 2 entries in ")
    storage.close()


def test_one_directory_is_one_sandboxs(tmp_path: Path) -> None:
    with SandboxServer(tmp_path), pytest.raises(DockpassError) as caught, SandboxServer(tmp_path):
        pass
    assert caught.value.id == "sandbox-directory-in-use"
    with SandboxServer(tmp_path):
        pass


def test_a_directory_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "mine").write_text("precious")
    with pytest.raises(DockpassError) as caught, SandboxServer(tmp_path):
        pass
    assert caught.value.id == "sandbox-directory-foreign"
    assert [path.name for path in tmp_path.rglob("*")] == ["uploads", "mine"]


def test_a_directory_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DockpassError) as caught, SandboxServer(tmp_path / "file"):
        pass
    assert caught.value.id == "sandbox-directory"


def test_a_full_disk_leaves_the_index_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage(tmp_path)
    put(storage, "a/b", "v1")
    whole = (tmp_path / JOURNAL).read_bytes()
    write = __import__("os").write
    monkeypatch.setattr("dockpass.sandbox.journal.os.write", lambda file, data: write(file, data[:7]))
    with pytest.raises(OSError, match="No space"):
        put(storage, "a/b", "v2", number=2)
    assert storage.tags("a/b") == (["v1"], False)
    assert (tmp_path / JOURNAL).read_bytes() == whole
    storage.close()


def test_too_many_uploads_end_the_oldest_idle_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockpass.sandbox.blobs.MOST_UPLOADS", 2)
    storage = Storage(tmp_path)
    first, second = storage.content.begin("a/b"), storage.content.begin("a/b")
    first.busy = True
    third = storage.content.begin("a/b")
    known = [storage.content.upload("a/b", upload.id) for upload in (first, second, third)]
    assert known == [first, None, third]
    storage.close()


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "tag", "remove", "untag", "blob", "unblob", "reopen"]),
        st.sampled_from(["a/b", "a/c"]),
        st.integers(0, 3),
        st.sampled_from(["v1", "V1", "latest"]),
    ),
    max_size=40,
)


@given(CHANGES)
def test_any_changes_and_restarts_agree_with_a_plain_model(changes: list[tuple[str, str, int, str]]) -> None:
    with TemporaryDirectory() as directory:
        storage = Storage(Path(directory))
        manifests: dict[str, set[str]] = {"a/b": set(), "a/c": set()}
        tags: dict[str, dict[str, str]] = {"a/b": {}, "a/c": {}}
        blobs: dict[str, set[str]] = {"a/b": set(), "a/c": set()}
        for kind, name, number, tag in changes:
            if kind in {"put", "tag"}:
                digest = put(storage, name, tag if kind == "tag" else "", number=number)
                manifests[name].add(digest)
                if kind == "tag":
                    tags[name][tag] = digest
            elif kind == "remove" and manifests[name]:
                gone = sorted(manifests[name])[number % len(manifests[name])]
                storage.remove_manifest(name, gone)
                manifests[name].discard(gone)
                tags[name] = {one: named for one, named in tags[name].items() if named != gone}
            elif kind == "untag" and tag in tags[name]:
                storage.remove_tag(name, tag)
                del tags[name][tag]
            elif kind == "blob":
                digest = storage.content.write(b"blob %d" % number)
                storage.link_blob(name, digest)
                blobs[name].add(digest)
            elif kind == "unblob" and blobs[name]:
                gone = sorted(blobs[name])[number % len(blobs[name])]
                storage.unlink_blob(name, gone)
                blobs[name].discard(gone)
            elif kind == "reopen":
                storage = reopened(Path(directory), storage)
                assert storage.notes == []
        for name in manifests:
            assert {one for one in manifests[name] if storage.manifest(name, one)} == manifests[name]
            for tag in ("v1", "V1", "latest"):
                found = storage.manifest(name, tag)
                assert (found.digest if found else None) == tags[name].get(tag)
            if tags[name]:
                assert storage.tags(name) == (sorted(tags[name]), False)
            assert all(storage.has_blob(name, one) for one in blobs[name])
        assert content(storage) == set().union(*manifests.values(), *blobs.values())
        storage.close()
