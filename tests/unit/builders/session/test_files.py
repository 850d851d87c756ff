"""Which files an engine gets when it asks for them, and that nothing else ever leaves."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sessionclient import asking

from dockpass.builders.session.channel import Status
from dockpass.builders.session.files import PATH, Sources, asked_by, file_methods, followed
from dockpass.builders.session.wire import decode, encode, number, raw_bytes
from dockpass.errors import Cancelled, DockpassError

REQ, DATA, FIN = 1, 2, 3


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A context with what is hard: an ignore file, links, odd names, a socket, a Dockerfile beside it."""
    context = tmp_path / "context"
    for name in ("src/deep", "secret", "a", "a.b"):
        (context / name).mkdir(parents=True)
    for name in ("src/x.go", "src/deep/y.go", "secret/key", "a/z", "a.b/z", "Dockerfile", "ö ✓", "big"):
        (context / name).write_bytes(name.encode() * (30_000 if name == "big" else 1))
    (context / ".dockerignore").write_text("secret\n.dockerignore\n")
    (context / "link").symlink_to("src/deep")
    (context / "out").symlink_to("../../../etc/passwd")
    (context / "src/x.go").chmod(0o4751)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(context / "socket"))
    (tmp_path / "beside").write_text("FROM scratch\n")
    return tmp_path


class Received:
    """What an engine that has nothing yet ends up with."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.stats: dict[str, dict[int, list[int | bytes]]] = {}
        self.contents: dict[str, bytes] = {}


async def receive(
    top: Path, directory: str = "context", dockerfile: str = "context/Dockerfile", **metadata: tuple[str, ...]
) -> Received:
    faults: list[DockpassError] = []
    sources = Sources(top / "context", top / dockerfile)
    found = Received()
    async with asking(file_methods(sources, faults.append)) as client:
        fields = {name.replace("_", "-"): values for name, values in metadata.items()}
        answer, stream = client.begin(PATH, metadata={"dir-name": directory, **fields}, last=False)
        async with asyncio.timeout(10):
            while b"" not in answer.messages and not answer.ended.is_set():
                await asyncio.sleep(0)
            if answer.status is not None and answer.status != Status.OK:
                raise (faults[0] if faults else AssertionError(answer.words))
            for message in answer.messages[:-1]:
                described = decode(raw_bytes(decode(message), 2))
                name = raw_bytes(described, 1).decode()
                found.names.append(name)
                found.stats[name] = described
            count = len(found.names)
            files = [
                place for place, name in enumerate(found.names) if not number(found.stats[name], 2) >> 27
            ]
            for place in files:
                client.send(stream, encode((1, REQ), (3, place)))
            client.send(stream, encode((1, FIN)))
            await answer.ended.wait()
    assert answer.status == Status.OK, answer.words
    for message in answer.messages[count + 1 :]:
        packet = decode(message)
        if number(packet, 1) == DATA:
            name = found.names[number(packet, 3)]
            found.contents[name] = found.contents.get(name, b"") + raw_bytes(packet, 4)
    return found


async def test_everything_that_is_not_excluded_comes_in_the_order_that_buildkit_wants(top: Path) -> None:
    found = await receive(top, exclude_patterns=("secret", ".dockerignore"))
    assert found.names == [
        *("Dockerfile", "a", "a/z", "a.b", "a.b/z", "big", "link", "out"),
        *("src", "src/deep", "src/deep/y.go", "src/x.go", "ö ✓"),
    ]
    assert found.contents["src/deep/y.go"] == b"src/deep/y.go"
    assert found.contents["big"] == b"big" * 30_000
    assert "key" not in str(found.contents)


async def test_modes_links_and_times_are_as_they_are_and_nobody_owns_a_file(top: Path) -> None:
    stats = (await receive(top)).stats
    assert number(stats["src"], 2) == 1 << 31 | (top / "context/src").stat().st_mode & 0o777
    assert number(stats["src/x.go"], 2) == 1 << 23 | 0o751
    assert number(stats["link"], 2) >> 27 & 1
    assert raw_bytes(stats["link"], 7) == b"src/deep"
    assert number(stats["src/x.go"], 6) == (top / "context/src/x.go").stat().st_mtime_ns
    assert not [name for name, each in stats.items() if 3 in each or 4 in each]
    assert "socket" not in stats


async def test_two_names_of_one_file_stay_that(top: Path) -> None:
    (top / "context/src/again").hardlink_to(top / "context/a/z")
    stats = (await receive(top)).stats
    assert (raw_bytes(stats["src/again"], 7), number(stats["src/again"], 5)) == (b"a/z", 0)
    assert (raw_bytes(stats["a/z"], 7), number(stats["a/z"], 5)) == (b"", 3)
    alone = (await receive(top, followpaths=("src/again",))).stats["src/again"]
    assert (raw_bytes(alone, 7), number(alone, 5)) == (b"", 3)


async def test_a_link_out_of_the_context_is_a_link_and_nothing_is_read(top: Path) -> None:
    found = await receive(top, followpaths=("out",))
    assert found.names == ["out"]
    assert raw_bytes(found.stats["out"], 7) == b"../../../etc/passwd"
    assert found.contents == {}


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (("src/deep",), ["src", "src/deep", "src/deep/y.go"]),
        (("link",), ["link", "src", "src/deep", "src/deep/y.go"]),
        (("link/y.go",), ["link", "src", "src/deep", "src/deep/y.go"]),
        (("/a/../a.b/z", "big"), ["a.b", "a.b/z", "big"]),
        (("src/*.go",), ["src", "src/deep", "src/deep/y.go", "src/x.go"]),
        (("nothing",), []),
        (("secret/key",), []),
        (("../../etc/passwd",), []),
    ],
)
async def test_what_is_asked_for_comes_with_its_parents_and_what_is_excluded_does_not(
    top: Path, paths: tuple[str, ...], names: list[str]
) -> None:
    assert (await receive(top, followpaths=paths)).names == names


@pytest.mark.parametrize("paths", [(".",), ("*",), ("/",), ("a/..",), ("",)])
def test_some_paths_mean_everything(top: Path, paths: tuple[str, ...]) -> None:
    assert followed(top / "context", paths) is None


def test_links_that_lead_to_each_other_end(top: Path) -> None:
    (top / "context/one").symlink_to("two")
    (top / "context/two").symlink_to("one")
    assert followed(top / "context", ["one"]) == {"one", "two"}


@given(st.lists(st.text(st.sampled_from("ab/.*?[\\"), max_size=9), max_size=4))
def test_whatever_is_asked_for_has_an_answer(paths: list[str]) -> None:
    wanted = followed(Path("/nonexistent"), paths)
    assert wanted is None or not [each for each in wanted if each.startswith(("/", ".."))]


async def test_the_ignore_file_is_sent_for_the_engine_to_read(top: Path) -> None:
    assert (await receive(top, followpaths=(".dockerignore",))).names == [".dockerignore"]
    excluded = {"followpaths": (".dockerignore",), "exclude_patterns": (".dockerignore",)}
    assert (await receive(top, **excluded)).names == []


async def test_an_ignore_file_that_is_a_link_is_sent_as_a_file(top: Path) -> None:
    (top / "context/.dockerignore").rename(top / "elsewhere")
    (top / "context/.dockerignore").symlink_to("../elsewhere")
    assert (await receive(top, followpaths=(".dockerignore",))).contents == {
        ".dockerignore": b"secret\n.dockerignore\n"
    }
    assert "secret" not in (await receive(top)).names


async def test_of_the_dockerfiles_directory_only_what_belongs_to_it_is_sent(top: Path) -> None:
    (top / "beside.dockerignore").write_text("src\n")
    (top / "other").write_text("canary")
    found = await receive(top, "dockerfile", "beside")
    assert found.names == ["beside", "beside.dockerignore"]
    assert "src" not in (await receive(top, dockerfile="beside")).names


async def test_a_dockerfile_that_is_a_link_comes_with_what_it_leads_to(top: Path) -> None:
    (top / "context/linked").symlink_to("../beside")
    found = await receive(top, "dockerfile", "context/linked")
    assert found.contents == {"linked": b"FROM scratch\n"}
    assert not number(found.stats["linked"], 2) >> 27


async def test_no_other_directory_can_be_asked_for(top: Path) -> None:
    for directory in ("", "/etc", "..", "secret"):
        with pytest.raises(AssertionError, match="has no"):
            await receive(top, directory)


@pytest.mark.bound_by_modes
async def test_a_file_that_cannot_be_read_ends_the_build_with_its_name(top: Path) -> None:
    (top / "context/a/z").chmod(0)
    with pytest.raises(DockpassError) as raised:
        await receive(top)
    assert raised.value.id == "context-unreadable"
    assert "a/z" in raised.value.message


async def test_a_file_that_is_gone_meanwhile_ends_the_build_with_its_name(top: Path) -> None:
    sources = Sources(top / "context", top / "context/Dockerfile")
    assert "big" in sources.names
    (top / "context/big").unlink()
    faults: list[DockpassError] = []
    async with asking(file_methods(sources, faults.append)) as client:
        answer = await client.call(PATH, **{"dir-name": "context"})
    assert answer.status == Status.FAILED_PRECONDITION
    assert [error.id for error in faults] == ["context-unreadable"]


@pytest.mark.parametrize("kind", ["pipe", "link"])
async def test_what_takes_the_place_of_a_file_is_neither_waited_for_nor_followed(
    top: Path, kind: str
) -> None:
    faults: list[DockpassError] = []
    sources = Sources(top / "context", top / "context/Dockerfile")
    big = top / "context/big"
    async with asking(file_methods(sources, faults.append)) as client, asyncio.timeout(10):
        answer, stream = client.begin(PATH, metadata={"dir-name": ("context",)}, last=False)
        while b"" not in answer.messages:
            await asyncio.sleep(0)
        names = [raw_bytes(decode(raw_bytes(decode(each), 2)), 1) for each in answer.messages[:-1]]
        big.unlink()
        os.mkfifo(big) if kind == "pipe" else big.symlink_to("/etc/passwd")
        client.send(stream, encode((1, REQ), (3, names.index(b"big"))))
        await answer.ended.wait()
    assert answer.status == Status.FAILED_PRECONDITION
    assert "big cannot be read for the build" in faults[0].message
    assert b"root" not in b"".join(answer.messages)


async def test_an_engine_that_is_gone_is_no_fault_of_the_files(top: Path) -> None:
    faults: list[DockpassError] = []
    sources = Sources(top / "context", top / "context/Dockerfile")
    method = file_methods(sources, faults.append)[PATH]

    class Gone:
        metadata = {"dir-name": ("context",)}

        async def send(self, message: bytes) -> None:
            raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        await method(Gone())  # type: ignore[arg-type]
    assert faults == []


async def test_a_cancel_ends_the_listing_of_files(top: Path) -> None:
    def check() -> None:
        raise Cancelled

    faults: list[DockpassError] = []
    sources = Sources(top / "context", top / "context/Dockerfile", check)
    async with asking(file_methods(sources, faults.append)) as client:
        answer = await client.call(PATH, **{"dir-name": "context"})
    assert answer.status == Status.FAILED_PRECONDITION
    assert [error.id for error in faults] == ["cancelled"]


async def test_an_ignore_file_that_docker_refuses_is_refused(top: Path) -> None:
    (top / "context/.dockerignore").write_text("[\n")
    with pytest.raises(DockpassError) as raised:
        await receive(top)
    assert raised.value.id == "ignore-invalid"


async def test_a_name_that_is_no_utf_8_keeps_its_bytes(top: Path) -> None:
    Path(os.fsdecode(os.fsencode(top / "context") + b"/\xff")).write_text("x")
    async with asking(file_methods(Sources(top / "context", top / "context/Dockerfile"), print)) as client:
        answer, _ = client.begin(PATH, metadata={"dir-name": "context"})
        await answer.ended.wait()
    assert b"\xff" in [raw_bytes(decode(raw_bytes(decode(each), 2)), 1) for each in answer.messages]


@pytest.mark.parametrize("place", [0, 99, 1 << 31])
async def test_only_files_that_were_described_can_be_asked_for(top: Path, place: int) -> None:
    async with asking(file_methods(Sources(top / "context", top / "context/Dockerfile"), print)) as client:
        wanted = {"dir-name": "context", "followpaths": "a"}
        answer, _ = client.begin(PATH, [encode((1, REQ), (3, place))], wanted)
        await answer.ended.wait()
    assert answer.status == Status.INVALID_ARGUMENT


def test_texts_beyond_ascii_come_escaped() -> None:
    asked = asked_by(
        {
            "dir-name": ("context",),
            "followpaths": (quote_plus("ö ü"), "b"),
            "followpaths-encoded": ("1",),
            "exclude-patterns": ("%41",),
        }
    )
    assert asked.paths == ("ö ü", "b")
    assert asked.excludes == ("%41",)
