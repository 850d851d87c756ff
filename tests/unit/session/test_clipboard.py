"""The clipboard: real programs that stand in for a desktop's, and what they get."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from dockpass.session.clipboard import TOOLS, Clipboard, Copied, TakenBack, Tool

SECRET = "canary-secret-0123\nwith two lines"
COPIES = """#!/bin/sh
printf '%s ' "$0" "$@" >> "{log}"
env >> "{log}"
case "$*" in
    *-o*|*--no-newline*|*--output*) cat "{held}" ;;
    *) cat > "{held}" ;;
esac
"""


class Desktop:
    """A directory of programs that copy into a file."""

    def __init__(self, directory: Path) -> None:
        self.bin = directory / "bin"
        self.bin.mkdir()
        self.held, self.log = directory / "held", directory / "log"
        self.held.touch()
        self.log.touch()
        self.environ = {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "DISPLAY": ":9",
            "WAYLAND_DISPLAY": "wayland-9",
            "CI_JOB_TOKEN": "canary-token",
        }

    def add(self, name: str, text: str = COPIES) -> None:
        path = self.bin / name
        path.write_text(text.format(log=self.log, held=self.held))
        path.chmod(0o755)

    def without(self, *names: str) -> dict[str, str]:
        return {name: value for name, value in self.environ.items() if name not in names}


@pytest.fixture
def desktop(tmp_path: Path) -> Desktop:
    return Desktop(tmp_path)


def only_here(desktop: Desktop) -> Clipboard:
    """A clipboard that finds the programs of the test alone."""

    def find(name: str, _: Mapping[str, str]) -> Path | None:
        path = desktop.bin / name
        return path if path.exists() else None

    return Clipboard(find=find, platform="linux")


@pytest.mark.parametrize("name", ["wl-copy", "xclip", "xsel"])
def test_a_program_of_the_desktop_gets_the_text_on_stdin_alone(desktop: Desktop, name: str) -> None:
    desktop.add(name)
    copied = only_here(desktop).copy(SECRET, desktop.environ, secret=True)
    assert copied == Copied(by=name)
    assert copied.in_words("CI_JOB_TOKEN") == f"copied with {name}: CI_JOB_TOKEN"
    assert desktop.held.read_text() == SECRET
    assert "canary" not in desktop.log.read_text()


def test_the_first_that_has_a_desktop_is_taken(desktop: Desktop) -> None:
    for name in ("wl-copy", "xclip", "xsel"):
        desktop.add(name)
    clipboard = only_here(desktop)
    assert clipboard.copy("a", desktop.environ).by == "wl-copy"
    assert clipboard.copy("a", desktop.without("WAYLAND_DISPLAY")).by == "xclip"
    assert clipboard.copy("a", desktop.without("WAYLAND_DISPLAY", "DISPLAY")) == Copied()
    assert clipboard.copy("a", {**desktop.environ, "SSH_CONNECTION": "1"}).by == "xclip"


def test_pbcopy_is_taken_on_a_mac_and_not_by_somebody_on_ssh(desktop: Desktop) -> None:
    desktop.add("pbcopy")
    desktop.add("pbpaste", '#!/bin/sh\ncat "{held}"\n')
    clipboard = only_here(desktop)
    assert clipboard.copy("a", {}) == Copied()
    clipboard.platform = "darwin"
    assert clipboard.copy("a", {}, secret=True).by == "pbcopy"
    assert clipboard.take_back({}) is TakenBack.EMPTIED
    assert clipboard.copy("a", {"SSH_CONNECTION": "1"}) == Copied()


def test_without_a_program_the_terminal_is_asked_and_the_words_say_so(desktop: Desktop) -> None:
    copied = only_here(desktop).copy("a", desktop.environ)
    assert copied.in_words("a") == "sent to the terminal's clipboard: a"


def test_a_program_that_fails_is_named_and_the_next_one_is_tried(desktop: Desktop) -> None:
    desktop.add("wl-copy", "#!/bin/sh\nexit 1\n")
    clipboard = only_here(desktop)
    copied = clipboard.copy("a", desktop.environ)
    assert copied.in_words("a") == "wl-copy failed; sent to the terminal's clipboard: a"
    desktop.add("xclip")
    assert clipboard.copy("a", desktop.environ).by == "xclip"


def test_a_program_that_hangs_is_given_up(desktop: Desktop) -> None:
    desktop.add("xclip")

    def hangs(words: Sequence[str], _: Mapping[str, str], __: bytes | None) -> bytes:
        raise subprocess.TimeoutExpired(list(words), 1.0)

    clipboard = only_here(desktop)
    clipboard.run = hangs
    copied = clipboard.copy("a", desktop.environ, secret=True)
    assert copied.failed == "xclip did not answer"
    assert not clipboard.holds_secret


@pytest.mark.parametrize("name", ["wl-copy", "xclip", "xsel"])
def test_a_secret_is_taken_back_and_something_else_is_not(desktop: Desktop, name: str) -> None:
    desktop.add(name)
    if name == "wl-copy":
        desktop.add("wl-paste")
    clipboard = only_here(desktop)
    clipboard.copy(SECRET, desktop.environ, secret=True)
    assert clipboard.holds_secret
    assert clipboard.take_back(desktop.environ) is TakenBack.EMPTIED
    assert desktop.held.read_text() == ""
    assert not clipboard.holds_secret
    clipboard.copy(SECRET, desktop.environ, secret=True)
    desktop.held.write_text("what the person copied meanwhile")
    assert clipboard.take_back(desktop.environ) is TakenBack.NOTHING
    assert desktop.held.read_text() == "what the person copied meanwhile"
    clipboard.copy("no secret", desktop.environ)
    assert not clipboard.holds_secret
    assert clipboard.take_back(desktop.environ) is TakenBack.NOTHING
    assert desktop.held.read_text() == "no secret"


def test_a_secret_is_in_no_repr() -> None:
    clipboard = Clipboard(run=lambda *_: b"", find=lambda *_: Path("/bin/true"), platform="linux")
    clipboard.copy("canary-secret", {"DISPLAY": ":9"}, secret=True)
    assert "canary" not in repr(clipboard)


def test_each_tool_is_known_by_the_program_that_copies() -> None:
    assert [tool.name for tool in TOOLS] == ["wl-copy", "xclip", "xsel", "pbcopy"]
    assert all(isinstance(tool, Tool) for tool in TOOLS)


def test_a_secret_stays_known_where_the_next_text_goes_elsewhere(desktop: Desktop) -> None:
    """To the terminal, because the program fails, or to another clipboard."""
    desktop.add("xclip")
    clipboard = only_here(desktop)
    clipboard.copy(SECRET, desktop.environ, secret=True)
    assert clipboard.copy("a", desktop.without("DISPLAY")) == Copied()
    assert clipboard.holds_secret
    desktop.add("wl-copy", "#!/bin/sh\ncat > /dev/null\n")
    assert clipboard.copy("a", desktop.environ).by == "wl-copy"
    assert desktop.held.read_text() == ""
    assert not clipboard.holds_secret
