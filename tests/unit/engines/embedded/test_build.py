"""Builds: what is refused in words, what makes them reproducible, and how they end when they are cancelled."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from logins import ANONYMOUS
from notes import Notes
from servers import wait_until
from transfers import Place, in_own_process

from dockpass.engines.base import BuildRequest
from dockpass.engines.embedded.layer import PART
from dockpass.engines.embedded.manifest import Manifest
from dockpass.engines.embedded.tree import Tree, add_layer
from dockpass.errors import Cancelled, UsageError

FILES = {"a": b"A", "b": b"B", "dir/c": b"C", "dir/sub/d": b"D"}
DOCKERFILE = (
    "FROM scratch AS one\nCOPY dir /dir\nFROM scratch\nCOPY --from=one / /all/\nCOPY a b /\nLABEL x=y\n"
)


def build(place: Place, request: BuildRequest) -> str:
    return place.engine().build(request, ANONYMOUS, Notes())


def layers(place: Place, image: str) -> list[str]:
    """Return the digests of an image's layers."""
    entry = place.store.find(image)
    assert entry is not None
    manifest = place.store.manifest(entry.descriptor)
    assert isinstance(manifest, Manifest)
    return [layer.digest for layer in manifest.layers]


# What is refused


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("WORKDIR /${a:?no such place}", r"Dockerfile:2:9: WORKDIR: a: no such place\."),
        ('ENV x="${a:?with blanks}"', r"Dockerfile:2:7: ENV: a: with blanks\."),
        ("COPY a ${a?}", r"Dockerfile:2:8: COPY: a: it has no value\."),
        ("ARG a\nUSER ${a:?who}", r"Dockerfile:3:6: USER: a: who\."),
        ("ENV a=\nUSER ${a:?who}", r"Dockerfile:3:6: USER: a: who\."),
        (
            "ENV x=${a:?words with blanks}",
            r"Dockerfile:2:5: ENV: a substitution is not closed; if it contains blanks",
        ),
        (
            "LABEL x=${a:-two words} y=z",
            r"Dockerfile:2:7: LABEL: a substitution is not closed; if it contains blanks",
        ),
        ("COPY a ${a:-/two words}", r"Dockerfile:2:8: COPY: .* is not closed; if it contains blanks"),
        ('COPY "a b" /x', r'Dockerfile:2:6: COPY: "a cannot be read: a quote is not closed'),
        ('VOLUME "a b"', r'Dockerfile:2:8: VOLUME: "a cannot be read: a quote is not closed'),
        ("COPY .wh.x /", r"Dockerfile:2:6: COPY: /\.wh\.x: in a layer, .* removes a file"),
        ("COPY wh /wh", r"Dockerfile:2:1: COPY: /wh/\.wh\.y: in a layer"),
        ("COPY a /.wh.a", r"Dockerfile:2:9: COPY: /\.wh\.a: in a layer"),
        ("WORKDIR /.wh..wh..opq/b", r"Dockerfile:2:10: WORKDIR: .*in a layer"),
        ("ADD x.tar /", r"Dockerfile:2:1: ADD: /\.wh\.z: in a layer"),
    ],
)
def test_what_cannot_be_built_is_refused_at_its_place(place: Place, lines: str, words: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(".wh.z"))
    files = {**FILES, ".wh.x": b"", "wh/.wh.y": b"", "x.tar": buffer.getvalue()}
    with pytest.raises(UsageError, match=words):
        build(place, place.context(f"FROM scratch\n{lines}\n", files))


@pytest.mark.parametrize("line", ["ENV x=${a:?who}", "WORKDIR ${a?no such place}", 'LABEL x="${a:?b c}"'])
def test_a_demanded_variable_that_is_set_is_taken(place: Place, line: str) -> None:
    assert build(place, place.context(f"FROM scratch\nENV a=/b\n{line}\n"))


# Whiteouts


def layer(*names: str) -> list[tarfile.TarInfo]:
    found = []
    for name in names:
        info = tarfile.TarInfo(name)
        info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
        found.append(info)
    return found


@pytest.mark.parametrize(
    ("upper", "left"),
    [
        (["d/.wh.old"], ["/d", "/d/e", "/d/e/deep", "/other"]),
        (["d/.wh.e"], ["/d", "/d/old", "/other"]),
        (["d/.wh..wh..opq", "d/new"], ["/d", "/d/new", "/other"]),
        (["d/new", "d/.wh..wh..opq"], ["/d", "/d/new", "/other"]),
        (["d/e/new", "d/.wh..wh..opq"], ["/d", "/d/e", "/d/e/new", "/other"]),
        (["d/old", "d/.wh.old"], ["/d", "/d/e", "/d/e/deep", "/d/old", "/other"]),
        (["d/e/", "d/e/new", "d/.wh.e"], ["/d", "/d/e", "/d/e/new", "/d/old", "/other"]),
        ([".wh..wh..opq", "x"], ["/x"]),
        (["x", ".wh..wh..opq"], ["/x"]),
        ([".wh.nothing", "none/.wh..wh..opq"], ["/d", "/d/e", "/d/e/deep", "/d/old", "/other"]),
    ],
)
def test_whiteouts_hide_lower_layers_only(upper: list[str], left: list[str]) -> None:
    tree = Tree()
    add_layer(tree, "lower", layer("d/", "d/old", "d/e/", "d/e/deep", "other"), lambda: None)
    add_layer(tree, "upper", layer(*upper), lambda: None)
    assert [path for path, _ in tree.walk()] == left


# The same files give the same image


def touch(request: BuildRequest, seconds: int) -> BuildRequest:
    """Give every path of the context a time of its own, from `seconds` on."""
    for number, path in enumerate(sorted(request.context.rglob("*"))):
        os.utime(path, (seconds + 9 * number, seconds + number))
    return request


def test_order_and_place_of_the_files_change_nothing(place: Place, other: Place) -> None:
    first = build(place, touch(place.context(DOCKERFILE, FILES), 1_100_000_000))
    request = other.context(DOCKERFILE, dict(reversed(FILES.items())))
    assert build(other, touch(request, 1_100_000_000)) == first


def test_the_umask_and_the_process_change_nothing(place: Place, other: Place) -> None:
    request = touch(place.context(DOCKERFILE, FILES), 1_100_000_000)
    first = build(place, request)
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom logins import ANONYMOUS\nfrom notes import Notes\n"
        "from transfers import Place\nfrom dockpass.engines.base import BuildRequest\n"
        "os.umask(0o077)\nwork = Path(sys.argv[1])\n"
        "print(Place(Path(sys.argv[2])).engine().build(BuildRequest(work, work / 'Dockerfile'), ANONYMOUS, Notes()))\n"
    )
    child = in_own_process(script, str(request.context), str(other.root))
    out, _ = child.communicate(timeout=60)
    assert out.strip() == first


def test_the_epoch_is_taken_from_the_argument_before_the_environment(place: Place, tmp_path: Path) -> None:
    request = place.context(DOCKERFILE, FILES)
    by_argument = replace(request, build_args={"SOURCE_DATE_EPOCH": "1700000000"})
    found = {}
    for name, environ, asked in [
        ("neither", {}, request),
        ("variable", {"SOURCE_DATE_EPOCH": "1700000000"}, request),
        ("argument", {}, by_argument),
        ("both", {"SOURCE_DATE_EPOCH": "1"}, by_argument),
    ]:
        found[name] = build(Place(tmp_path / name, environ), asked)
    assert found["variable"] == found["argument"] == found["both"] != found["neither"]


@pytest.mark.parametrize("text", ["soon", "1.5", "9" * 30, "-62135596801", "253402300800", " 1", "1_0", "٣"])
def test_an_epoch_that_is_none_is_refused(place: Place, text: str) -> None:
    request = replace(place.context(DOCKERFILE, FILES), build_args={"SOURCE_DATE_EPOCH": text})
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
        build(place, request)


def test_layers_that_are_built_already_are_taken_again(place: Place) -> None:
    request = place.context(DOCKERFILE, FILES)
    build(place, request)
    before = place.state()
    notes = Notes()
    place.engine().build(request, ANONYMOUS, notes)
    assert [line for line in notes.lines if "layer" in line and "there already" not in line] == []
    assert place.state() == before
    shutil.rmtree(place.store.root / "blobs")  # the notes of built layers stay, and mean nothing now
    assert build(place, request)
    assert {name for name in place.state() if "blobs" in name} == {name for name in before if "blobs" in name}


def test_a_layer_of_several_compressed_parts_is_read_back(place: Place) -> None:
    files = {"big": os.urandom(2 * PART + 5), "later": b"behind it"}
    lines = "FROM scratch AS one\nCOPY . /\nFROM scratch\nCOPY --from=one /big /later /\n"
    copied = build(place, place.context(lines, files))
    image = replace(place.context("FROM scratch\nCOPY big later /\n", files), tags=("here.example/a:1",))
    assert layers(place, copied) == layers(place, build(place, image))
    of_base = "FROM here.example/a:1 AS one\nFROM scratch\nCOPY --from=one /later /\n"
    alone = build(place, place.context("FROM scratch\nCOPY later /\n", files))
    assert layers(place, build(place, place.context(of_base))) == layers(place, alone)


# Cancelling


class EndsAfter(Notes):
    """A sink that cancels at its n-th question."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.left = count

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cancelled


def unfinished(place: Place) -> list[str]:
    """Return what a build left half done: spools, and images without all of their blobs."""
    spools = [str(path) for path in (place.store.root / "ingest").glob("*")]
    return spools + [name for name in place.names() if not place.is_whole(name)]


def test_a_build_that_is_cancelled_anywhere_leaves_nothing_unfinished(place: Place) -> None:
    request = replace(place.context(DOCKERFILE, FILES), tags=("here.example/a:1",))
    count, done = 0, False
    while not done:
        try:
            place.engine().build(request, ANONYMOUS, EndsAfter(count))
            done = True
        except Cancelled:
            assert place.names() == []
        assert unfinished(place) == []
        count += 1
    assert count > 20


def bytes_read() -> int:
    """Return how many bytes this process has read from files."""
    return int(Path("/proc/self/io").read_text().partition("rchar: ")[2].split()[0])


@pytest.mark.parametrize("step", ["COPY big", "COPY --from"])
def test_a_cancelled_build_ends_in_the_middle_of_a_step(place: Place, step: str) -> None:
    request = place.context("FROM scratch AS one\nCOPY big /\nFROM scratch\nCOPY --from=one /big /again\n")
    size = 100_000_000 if step == "COPY --from" else 4_000_000_000
    with (request.context / "big").open("wb") as file:
        file.truncate(size)
    engine, notes, at = place.engine(), Notes(), []

    def cut() -> None:
        wait_until(lambda: any(step in line for line in notes.lines), 60, "the step")
        at.append(bytes_read())
        engine.cut()

    thread = threading.Thread(target=cut)
    thread.start()
    with pytest.raises(Cancelled):
        engine.build(request, ANONYMOUS, notes)
    thread.join()
    assert bytes_read() - at[0] < size // 4
    assert unfinished(place) == []
