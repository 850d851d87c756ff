"""The owner of copied files: `--chown` by number, or by a name that the image itself knows."""

from __future__ import annotations

from collections.abc import Callable

from dockpass.engines.embedded.imageconfig import InstructionError

LARGEST_ID = (1 << 31) - 1

ReadFile = Callable[[str], bytes | None]
"""Returns the contents of a file in the image, or None if there is no such file."""


def find_owner(text: str, read: ReadFile) -> tuple[int, int]:
    """Return user and group id of `user[:group]`; without a group, `user` names both."""
    user, _, group = text.partition(":")
    return _id(user, "/etc/passwd", "user", read), _id(group or user, "/etc/group", "group", read)


def _id(word: str, path: str, what: str, read: ReadFile) -> int:
    if word.isascii() and word.isdecimal():
        number = int(word)
        if number > LARGEST_ID:
            raise InstructionError(f"{word} is too large for a {what} id", word)
        return number
    for line in (read(path) or b"").decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if fields[0] == word and len(fields) > 2 and fields[2].isdecimal():
            return int(fields[2])
    raise InstructionError(f"the image has no {what} {word or 'of an empty name'} in {path}", word)
