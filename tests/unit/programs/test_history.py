"""The history of programs keeps the lines of a person, and none that may hold a secret."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dockpass.programs.history import MOST, History
from dockpass.secrets import Redactor, Secret

TOKEN = "canary-token-0123456789"


def test_the_youngest_line_is_first_and_each_stands_once(tmp_path: Path) -> None:
    history = History(tmp_path / "state")
    assert history.lines() == ()
    for line in ("docker push r.example/a", "helm push x.tgz oci://r.example/c", " docker push r.example/a "):
        assert history.remember(line, Redactor())
    assert history.lines() == ("docker push r.example/a", "helm push x.tgz oci://r.example/c")
    file = next((tmp_path / "state").iterdir())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for number in range(MOST + 5):
        history.remember(f"echo {number}", Redactor())
    assert len(history.lines()) == MOST


@pytest.mark.parametrize(
    "line",
    [
        f"docker login -u me -p {TOKEN} r.example",
        "docker login -u me -p hunter2 r.example",
        "docker login -umephunter2 -phunter2 r.example",
        "docker login --password hunter2 r.example",
        "docker login --password=hunter2 r.example",
        "skopeo copy --dest-creds me:hunter2 oci:x docker://r.example/a",
        "skopeo copy --creds=me:hunter2 docker://r.example/a oci:x",
        "sh -c 'docker login -u me -p hunter2 r.example'",
        "sh -c 'echo hunter2 | docker login -u me --password-stdin; export PASSWORD=hunter2'",
        "env API_TOKEN=hunter2 make push",
        "curl -u me:hunter2 https://r.example/v2/",
        "curl -H 'Authorization: Bearer hunter2' https://r.example/v2/",
        "git clone https://me:hunter2@git.example/a.git",
        "helm registry login r.example --username me --password hunter2",
        "crane auth login r.example -u me -p hunter2",
        "make push TOKEN=glpat-xxxxxxxxxxxxxxxxxxxx",
        "deploy ghp_0123456789abcdefghijklmnopqrstuvwxyz",
        "echo me:glpat-xxxxxxxxxxxxxxxxxxxx",
        "docker build --build-arg NPM_TOKEN=hunter2 .",
        "a\nb",
        "a\x1bb",
    ],
)
def test_a_line_that_may_hold_a_secret_is_not_kept(tmp_path: Path, line: str) -> None:
    assert not History(tmp_path).remember(line, Redactor([Secret(TOKEN)]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "line",
    [
        "docker buildx build --push -t r.example/a/b .",
        "docker compose -p shop push",
        "mkdir -p x",
        "docker login -u me --password-stdin r.example",
        "skopeo copy oci:app docker://r.example:5000/a/b@sha256:" + "0" * 64 + " --quiet",
        "helm push chart-1.0.tgz oci://r.example/charts",
        "podman push --authfile auth.json r.example/a",
    ],
)
def test_an_ordinary_line_is_kept(tmp_path: Path, line: str) -> None:
    assert History(tmp_path).remember(line, Redactor([Secret(TOKEN)]))


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe\n\x1b[2Jowned\n\n\n", b"x" * (1 << 20), b"", "a\u202eb\n".encode(), b"a\0b"]
)
def test_a_file_that_is_spoilt_steers_no_terminal(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "programs").write_bytes(raw)
    assert all(line.isprintable() and len(line) <= 1000 for line in History(tmp_path).lines())


def test_a_state_that_cannot_be_read_is_an_empty_history(tmp_path: Path) -> None:
    (tmp_path / "programs").mkdir()
    assert History(tmp_path).lines() == ()
    assert History(Path("/proc/none")).lines() == ()
