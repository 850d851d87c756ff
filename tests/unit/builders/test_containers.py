"""The lines of podman and buildah as reports, and which buildah a podman has inside."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notes import Notes
from waiting import within

from dockpass.builders.base import LONGEST_LINE, BuilderInfo
from dockpass.builders.containers import Containers, ContainersBuilder, Output, buildah_in_podman
from dockpass.builders.names import BuilderName
from dockpass.dockerconfig.runconfig import RunConfig
from dockpass.engines.base import BuildExtras, BuildRequest, BuildSecret
from dockpass.errors import Cancelled, DockpassError, UsageError
from dockpass.secrets import Redactor, Secret

SAID = b"""[1/2] STEP 1/2: FROM 127.0.0.1:5000/team/base:1 AS first
Trying to pull 127.0.0.1:5000/team/base:1...
Getting image source signatures
[1/2] STEP 2/2: RUN make
--> Using cache b0c0cf489cb58ec6709daf4b403cc98703f3c694195cffa57b267167973b37d9
[2/2] STEP 1/1: COPY a /
\x1b[31mred\x1b[0m
[2/2] COMMIT x
--> bd8d2195a28
"""


def told(raw: bytes, *, well: bool = True, cut: int = 0) -> tuple[Output, Notes]:
    notes = Notes()
    output = Output(notes, clock=lambda: 0.0)
    output.take(raw[:cut])
    output.take(raw[cut:])
    output.finish(well=well)
    return output, notes


@given(st.integers(0, len(SAID)))
def test_steps_are_told_with_how_they_ended_in_whatever_pieces(cut: int) -> None:
    output, notes = told(SAID, cut=cut)
    assert [(step, state) for step, _, state, _ in notes.steps] == [
        ("1", "running"),
        ("1", "done"),
        ("2", "running"),
        ("2", "cached"),
        ("3", "running"),
        ("3", "done"),
    ]
    assert notes.steps[3][1] == "[1/2] STEP 2/2: RUN make"
    assert output.base == "127.0.0.1:5000/team/base:1"
    assert "red" in notes.lines


@given(st.integers(-30, 30))
def test_of_an_endless_line_no_second_part_is_told(at: int) -> None:
    notes = Notes()
    output = Output(notes, clock=lambda: 0.0)
    for piece in (b"x" * (LONGEST_LINE + at), b"two halves", b" of a secret", b"\nnext\nlast"):
        output.take(piece)
    output.finish(well=True)
    assert [line[:4] for line in notes.lines] == ["xxxx", "next", "last"]


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        (
            b'Error: building at STEP "RUN false": exit status 1\n',
            'building at STEP "RUN false": exit status 1',
        ),
        (b"time=x level=warning\nerror building: no\n", "building: no"),
        (b"something else\n", "something else"),
        (b"", ""),
    ],
)
def test_the_failure_is_the_last_error(said: bytes, failure: str) -> None:
    output, notes = told(b"STEP 1/1: RUN false\n" + said, well=False)
    assert output.failure == (failure or "STEP 1/1: RUN false")
    assert notes.steps[-1][2] == "failed"


@given(st.binary(max_size=300))
def test_any_bytes_are_told_without_a_fault(raw: bytes) -> None:
    _, notes = told(raw)
    assert all("\n" not in line and "\x1b" not in line for line in notes.lines)


@pytest.mark.parametrize(
    ("podman", "buildah"),
    [
        ("4.3.1", "1.28"),
        ("4.9.4", "1.33"),
        ("5.4.2", "1.39"),
        ("5.6.0", "1.41"),
        ("3.4.4", "1.23"),
        ("dev", ""),
    ],
)
def test_podman_has_a_buildah_inside(podman: str, buildah: str) -> None:
    assert buildah_in_podman(podman) == buildah


@pytest.mark.parametrize("spec", ["type=local,dest=/x", "type=inline", "type=gha"])
def test_a_cache_that_is_no_image_is_refused_and_not_dropped(spec: str, tmp_path: Path) -> None:
    builder = ContainersBuilder(BuilderInfo(name=BuilderName.PODMAN), Containers(program="podman"), {})
    for extras in (BuildExtras(cache_to=(spec,)), BuildExtras(cache_from=(spec,))):
        with pytest.raises(UsageError) as raised:
            builder.check(BuildRequest(tmp_path, tmp_path / "Dockerfile", extras=extras))
        assert raised.value.id == "cache-unsupported"
    builder.check(BuildRequest(tmp_path, tmp_path, extras=BuildExtras(cache_to=("type=registry,ref=a/b",))))


@pytest.mark.parametrize("end", ["exit 1", "kill -INT $$", "exec sleep 60"])
def test_podman_leaves_no_secret_in_the_context_of_a_build_by_its_service(tmp_path: Path, end: str) -> None:
    """Its client copies each secret there, and a client that is ended does not remove it."""
    context, directory, bin_ = (tmp_path / name for name in ("context", "config", "bin"))
    for each in (context, directory, bin_):
        each.mkdir(mode=0o700)
    (directory / "config.json").write_text("{}")
    (context / "podman-build-secret0").write_text("another's")
    script = "#!/bin/sh\nprintf canary-build-4711 > podman-build-secret1\necho copied >&2\n"
    (bin_ / "podman").write_text(f"{script}{end}\n")
    (bin_ / "podman").chmod(0o755)
    containers = Containers(program=str(bin_ / "podman"), url="unix:///none.sock")
    builder = ContainersBuilder(BuilderInfo(name=BuilderName.PODMAN), containers, {"PATH": "/usr/bin:/bin"})
    secret = BuildSecret(id="tok", value=Secret("canary-build-4711"))
    request = BuildRequest(context, context / "Dockerfile", extras=BuildExtras(secrets=(secret,)))
    notes = Notes()
    if "sleep" in end:
        threading.Thread(target=lambda: within(lambda: "copied" in notes.lines) and builder.cut()).start()
    with pytest.raises(Cancelled if "sleep" in end else DockpassError):
        builder.build(request, RunConfig(directory, Redactor()), notes)
    assert [path.name for path in context.iterdir()] == ["podman-build-secret0"]
    assert ("Podman's service may let" in " ".join(notes.lines)) == ("sleep" in end)
