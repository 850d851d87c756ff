"""The dates of what is built: of the image, of each step, of the files, and what they do not decide."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logins import ANONYMOUS
from notes import Notes
from transfers import Place

from dockpass.engines.base import BuildRequest
from dockpass.engines.embedded.layer import members
from dockpass.engines.embedded.manifest import Manifest
from dockpass.engines.embedded.moment import EARLIEST, EPOCH, LATEST, moment_of, whole_seconds

OLD = 1_100_000_000
DOCKERFILE = "FROM scratch\nENV a=b\nCOPY dir /srv/\nWORKDIR /srv/new\nCOPY <<E /note\nhere\nE\nLABEL x=y\n"


def request_of(place: Place, dockerfile: str = DOCKERFILE, old: int = OLD) -> BuildRequest:
    request = place.context(dockerfile, {"dir/a": b"A", "dir/sub/b": b"B"})
    for path in sorted(request.context.rglob("*"), reverse=True):
        os.utime(path, ns=(0, old * 10**9 + 999_999_999))
    return replace(request, tags=("here.example/a:1",))


def built(place: Place, request: BuildRequest) -> tuple[dict[str, Any], dict[str, float], list[str]]:
    """Build; return the config, the time of each path in the layers, and what was said."""
    notes = Notes()
    place.engine().build(request, ANONYMOUS, notes)
    entry = place.store.find("here.example/a:1")
    manifest = place.store.manifest(entry.descriptor) if entry else None
    assert isinstance(manifest, Manifest)
    times: dict[str, float] = {}
    for layer in manifest.layers:
        with members(place.store, layer) as archive:
            times |= {"/" + member.name: member.mtime for member in archive}
    return place.store.config(manifest), times, notes.lines


def dates(config: dict[str, Any]) -> set[str]:
    return {config["created"], *(entry["created"] for entry in config["history"])}


@pytest.mark.parametrize("dockerfile", [DOCKERFILE, "FROM scratch\n", "FROM scratch\nENV a=b\n"])
def test_an_image_and_each_of_its_steps_is_of_now(place: Place, dockerfile: str) -> None:
    config, _, _ = built(place, request_of(place, dockerfile))
    assert dates(config) == {"2026-09-21T14:13:20Z"}
    place.now += 86400.9
    again, _, _ = built(place, request_of(place, dockerfile))
    assert dates(again) == {"2026-09-22T14:13:20Z"}


def test_files_keep_their_times_and_what_the_build_makes_is_of_now(place: Place) -> None:
    _, times, _ = built(place, request_of(place))
    now = int(place.now)
    assert times == {
        "/srv": now,
        "/srv/a": OLD,
        "/srv/sub": OLD,
        "/srv/sub/b": OLD,
        "/srv/new": now,
        "/note": now,
    }


def test_an_epoch_dates_the_image_and_what_the_build_makes_but_no_files(place: Place) -> None:
    place.environ = {EPOCH: "1700000000"}
    config, times, _ = built(place, request_of(place))
    assert dates(config) == {"2023-11-14T22:13:20Z"}
    assert {times["/srv"], times["/srv/new"], times["/note"]} == {1_700_000_000}
    assert times["/srv/a"] == OLD


@pytest.mark.parametrize(
    ("environ", "arguments", "created"),
    [
        ({EPOCH: "0"}, {}, "1970-01-01T00:00:00Z"),
        ({EPOCH: "-1"}, {}, "1969-12-31T23:59:59Z"),
        ({EPOCH: str(EARLIEST)}, {}, "0001-01-01T00:00:00Z"),
        ({EPOCH: str(LATEST)}, {}, "9999-12-31T23:59:59Z"),
        ({EPOCH: "+5"}, {}, "1970-01-01T00:00:05Z"),
        ({EPOCH: ""}, {}, "2026-09-21T14:13:20Z"),
        ({EPOCH: "5"}, {EPOCH: "6"}, "1970-01-01T00:00:06Z"),
        ({EPOCH: "5"}, {EPOCH: ""}, "2026-09-21T14:13:20Z"),
        ({EPOCH: "nonsense"}, {EPOCH: "6"}, "1970-01-01T00:00:06Z"),
    ],
)
def test_the_epoch_is_read_as_buildkit_reads_it(
    place: Place, environ: dict[str, str], arguments: dict[str, str], created: str
) -> None:
    place.environ = environ
    config, _, _ = built(place, replace(request_of(place), build_args=arguments))
    assert dates(config) == {created}


def test_a_dockerfile_sees_the_epoch_as_an_argument(place: Place) -> None:
    place.environ = {EPOCH: "5"}
    text = f"FROM scratch\nARG {EPOCH}\nLABEL at=${EPOCH}\nCOPY dir /\n"
    config, _, said = built(place, request_of(place, text))
    assert config["config"]["Labels"] == {"at": "5"}
    assert not [line for line in said if "no ARG" in line]


def test_the_date_does_not_decide_what_is_built_already(place: Place) -> None:
    first, _, _ = built(place, request_of(place))
    place.now += 1_000_000
    again, times, said = built(place, request_of(place, old=OLD + 77))
    assert again["rootfs"] == first["rootfs"]
    assert times["/srv/a"] == OLD
    assert [line for line in said if line.startswith("  layer") and "there already" not in line] == []


def test_with_an_epoch_nothing_depends_on_what_was_built_before(place: Place, other: Place) -> None:
    built(place, request_of(place, old=OLD + 77))
    place.environ = other.environ = {EPOCH: "1700000000"}
    other.now += 999
    assert built(place, request_of(place))[:2] == built(other, request_of(other))[:2]


def archive_of(mtime: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("x")
        info.pax_headers = {"mtime": str(mtime)}
        archive.addfile(info)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mtime", "kept"),
    [(12, 12), (12.9, 12), (-5, -5), ("nan", 0), ("inf", 0), ("1e300", LATEST), ("-1e300", EARLIEST)],
)
def test_an_archive_keeps_its_times_however_odd_they_are(place: Place, mtime: object, kept: int) -> None:
    request = place.context("FROM scratch\nADD x.tar /\n", {"x.tar": archive_of(mtime)})
    _, times, _ = built(place, replace(request, tags=("here.example/a:1",)))
    assert times["/x"] == kept


@given(st.floats())
def test_every_time_of_a_file_fits_into_a_layer(found: float) -> None:
    assert EARLIEST <= whole_seconds(found) <= LATEST


@given(st.integers(EARLIEST, LATEST))
def test_every_epoch_has_a_date_of_one_form(seconds: int) -> None:
    clock: Callable[[], float] = lambda: 1.0  # noqa: E731
    shown = str(moment_of({EPOCH: str(seconds)}, clock))
    assert (len(shown), shown[-1], shown[10]) == (20, "Z", "T")
