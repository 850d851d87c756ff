"""The sandbox as a place to work in: what is kept, what is left, and whose things stay out of it."""

import base64
import gzip
import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from sandboxclient import MANIFEST, Client, Got, digest_of

from dockpass.errors import DockpassError
from dockpass.sandbox.faults import Faults
from dockpass.sandbox.flavours import PROFILES, Flavour
from dockpass.sandbox.leftovers import GRACE_SECONDS, LOCK, PREFIX, remove_leftovers
from dockpass.sandbox.sample import PROJECT, history
from dockpass.sandbox.server import SandboxServer
from dockpass.sandbox.storage import claim
from dockpass.sandbox.workshop import Workshop


@pytest.fixture(autouse=True)
def own_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


def kept(directory: Path) -> Workshop:
    return Workshop(SandboxServer(directory / "registry"), directory)


def listed(directory: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def test_it_has_a_history_and_leaves_nothing(own_temporary: Path) -> None:
    with Workshop(SandboxServer()) as workshop:
        client = Client(workshop.server, workshop.server.accounts.personal)
        tags = client.tags(PROJECT)
        assert {tag for past in history() for tag in past.tags} | {"multi"} == set(tags)
        assert 35 <= len(tags) <= 45
        index = client.ask("GET", f"/v2/{PROJECT}/manifests/multi").data
        assert [child["platform"]["architecture"] for child in index["manifests"]] == ["amd64", "arm64"]
        signed = client.ask("HEAD", f"/v2/{PROJECT}/manifests/signed").headers["Docker-Content-Digest"]
        assert len(client.ask("GET", f"/v2/{PROJECT}/referrers/{signed}").data["manifests"]) == 1
        digests = [client.ask("HEAD", f"/v2/{PROJECT}/manifests/{tag}").headers["ETag"] for tag in tags]
        assert len(set(digests)) < len(tags)
    assert list(own_temporary.iterdir()) == []


@pytest.mark.parametrize("name", ["work", "project", "home", "state", "registry"])
def test_a_directory_of_somebody_elses_is_not_touched(tmp_path: Path, name: str) -> None:
    theirs = tmp_path / "theirs"
    (theirs / name).mkdir(parents=True)
    (theirs / name / "thesis.txt").write_text("years of it")
    before = listed(theirs)
    with pytest.raises(DockpassError) as caught, kept(theirs):
        pass
    assert caught.value.id == "sandbox-directory-foreign"
    assert listed(theirs) == before
    assert [path.name for path in theirs.iterdir()] == [name]


def test_a_place_that_is_no_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DockpassError) as caught, kept(place):
            pass
        assert caught.value.id == "sandbox-directory"


def test_what_is_kept_is_there_another_time(tmp_path: Path) -> None:
    with kept(tmp_path / "kept") as workshop:
        client = Client(workshop.server, workshop.server.accounts.personal)
        client.image(PROJECT, "mine")
        tags, old = client.tags(PROJECT), workshop.server.host
        dockerfile = workshop.project / "Dockerfile"
        dockerfile.write_text(dockerfile.read_text() + "LABEL mine=yes\n")
    with kept(tmp_path / "kept") as workshop:
        assert Client(workshop.server, workshop.server.accounts.job).tags(PROJECT) == tags
        text = (workshop.project / "Dockerfile").read_text()
        assert "LABEL mine=yes\n" in text
        assert f"FROM {workshop.server.host}/workshop/base:3\n" in text
        assert workshop.server.host == old or old not in text
        with pytest.raises(DockpassError) as caught, kept(tmp_path / "kept"):
            pass
        assert caught.value.id == "sandbox-directory-in-use"
        assert Client(workshop.server, workshop.server.accounts.job).tags(PROJECT) == tags


def test_a_damaged_one_says_what_is_lost_and_goes_on(tmp_path: Path) -> None:
    with kept(tmp_path / "kept"):
        pass
    journal = tmp_path / "kept" / "registry" / "index.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]) + lines[-1][:9])
    with kept(tmp_path / "kept") as workshop:
        (note,) = workshop.server.notes
        assert note.startswith("1 line of ")
        assert Client(workshop.server, workshop.server.accounts.job).tags(PROJECT)


def test_the_persons_own_environment_stays_outside(own_temporary: Path) -> None:
    canaries = [
        "HOME",
        "XDG_RUNTIME_DIR",
        "XDG_CONFIG_HOME",
        "DOCKER_CONFIG",
        "DOCKER_AUTH_CONFIG",
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
        "REGISTRY_AUTH_FILE",
        "CI_REGISTRY",
        "CI_JOB_TOKEN",
        "CI_REGISTRY_PASSWORD",
        "WERF_DOCKER_CONFIG",
        "WERF_IMAGES_CLEANUP_PASSWORD",
        "DOCKPASS_STATE",
        "DOCKPASS_STORE",
        "DOCKPASS_CONFIG",
        "DOCKPASS_ENGINE",
        "HTTP_PROXY",
        "https_proxy",
        "AWS_SECRET_ACCESS_KEY",
    ]
    person = {name: f"/canary/{name}" for name in canaries} | {"PATH": "/bin", "TERM": "xterm"}
    with Workshop(SandboxServer()) as workshop:
        environ = workshop.environ(person)
        assert not [name for name, value in environ.items() if "canary" in value]
        assert (environ["PATH"], environ["TERM"]) == ("/bin", "xterm")
        places = ("HOME", "XDG_RUNTIME_DIR", "DOCKPASS_STATE", "DOCKPASS_STORE", "DOCKPASS_CONFIG")
        assert all(Path(environ[name]).is_relative_to(workshop.root) for name in places)
        assert workshop.root.stat().st_mode & 0o777 == 0o700
        assert (workshop.external_config / "config.json").stat().st_mode & 0o777 == 0o600


KILLED = """
import os, signal
from dockpass.sandbox.server import SandboxServer
from dockpass.sandbox.workshop import Workshop
Workshop(SandboxServer()).__enter__()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_one_left_goes_with_the_next(own_temporary: Path) -> None:
    import sys

    environ = {**os.environ, "TMPDIR": str(own_temporary), "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", KILLED], timeout=60, env=environ)
    left = sorted(own_temporary.glob(f"{PREFIX}*"))
    assert len(left) == 2
    (own_temporary / f"{PREFIX}foreign").mkdir()
    (own_temporary / f"{PREFIX}link").symlink_to(left[0])
    living = own_temporary / f"{PREFIX}living"
    lock = claim(living)
    later = (living / LOCK).stat().st_mtime + GRACE_SECONDS + 1
    try:
        assert remove_leftovers(own_temporary, later - GRACE_SECONDS) == []
        assert remove_leftovers(own_temporary, later) == left
    finally:
        os.close(lock)
    names = {path.name for path in own_temporary.iterdir()}
    assert names == {f"{PREFIX}{name}" for name in ("foreign", "link", "living")}


@pytest.mark.parametrize("flavour", Flavour)
def test_rules_and_faults_begin_behind_the_filling(flavour: Flavour, tmp_path: Path) -> None:
    faults = Faults(too_many=1, path="^/v2/$")
    server = SandboxServer(None, flavour, faults=faults, protected_tags=("^v.*",), job_token_may_delete=True)
    with Workshop(server) as workshop:
        assert workshop.server.faults == faults
        owner = server.username_of(server.accounts.personal)
        client = Client(server, server.accounts.personal, owner)
        assert client.raw("GET", "/v2/").status == 429
        assert "v1.0.0" in client.tags(PROJECT)
        raw = client.ask("GET", f"/v2/{PROJECT}/manifests/main").body
        put = client.ask("PUT", f"/v2/{PROJECT}/manifests/v9", raw, {"Content-Type": MANIFEST})
        assert put.status in {401, 403}
        config = json.loads((workshop.external_config / "config.json").read_text())
        user = base64.b64decode(config["auths"][server.host]["auth"]).decode().partition(":")[0]
        assert user == server.username_of(server.accounts.deploy)
        assert workshop.job["CI_REGISTRY_USER"] == (PROFILES[flavour].basic_user or "gitlab-ci-token")


def test_every_image_says_as_many_layers_as_it_has() -> None:
    with Workshop(SandboxServer()) as workshop:
        client = Client(workshop.server, workshop.server.accounts.personal)

        def read(path: str) -> Got:
            return client.ask("GET", f"/v2/{PROJECT}/{path}")

        names = client.tags(PROJECT)
        names += [child["digest"] for child in read("manifests/multi").data["manifests"]]
        for name in names:
            manifest = read(f"manifests/{name}").data
            if "layers" not in manifest:
                continue
            config = read(f"blobs/{manifest['config']['digest']}").data
            layers = [read(f"blobs/{layer['digest']}").body for layer in manifest["layers"]]
            assert config["rootfs"]["diff_ids"] == [digest_of(gzip.decompress(raw)) for raw in layers]
            assert len([each for each in config["history"] if not each.get("empty_layer")]) == len(layers)
            assert config["history"][-1]["created"] == config["created"]
