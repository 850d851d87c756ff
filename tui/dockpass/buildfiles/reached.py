"""The stages that a target reaches, and what BuildKit refuses in them alone."""

from __future__ import annotations

from posixpath import join, normpath

from dockpass.buildfiles.mounts import why_mount_refused
from dockpass.buildfiles.stages import Linked, Refusal
from dockpass.text import clean


def needed(linked: list[Linked], target: int) -> list[int]:
    """Return the numbers of the stages that a target reaches, itself among them, in order.

    A base that is not known may be any stage with a name before it.
    """
    found: set[int] = set()
    left = [target]
    while left:
        index = left.pop()
        if index in found:
            continue
        found.add(index)
        each = linked[index]
        left += each.stages
        if each.base.because:
            left += [other.stage.index for other in linked[:index] if other.stage.name]
    return sorted(found)


def wrong_mount(linked: list[Linked], reached: list[int]) -> Refusal | None:
    """Return the refusal of a mount in a stage that is needed; those of others are never looked at."""
    ends: dict[int, str | None] = {}
    for index in reached:
        each = linked[index]
        directory = "" if each.base.stage is None else ends.get(each.base.stage, "")
        for at in each.stage.body:
            if at.keyword == "WORKDIR":
                directory = _moved(directory, at.text)
            elif why := why_mount_refused(at, directory):
                return Refusal("parse", at.line, f"RUN: {why}")
        ends[index] = directory
    return None


def _moved(directory: str | None, text: str) -> str | None:
    """Return the working directory after a WORKDIR; None where a variable or an image's own decides on it."""
    if "$" in text or (not text.startswith("/") and not directory):
        return None
    return normpath(join("/", directory or "", text))


def used_too_early(linked: list[Linked], reached: list[int]) -> Refusal | None:
    """Return the refusal of files from a stage that is defined later."""
    for index in reached:
        for use in linked[index].uses:
            if use.stage is not None and use.stage > index:
                shown = clean(use.text, 80)
                return Refusal("stage-later", use.line, f"COPY or RUN: the stage {shown} is defined later")
    return None
