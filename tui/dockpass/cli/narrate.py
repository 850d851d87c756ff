"""Events of a run in words for stderr, as JSON for programs, and its data for stdout. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dockpass.auth.command import Command
from dockpass.cli.table import columns
from dockpass.marks import GLYPH_FAILED, GLYPH_LOOK
from dockpass.runs import events as ev
from dockpass.runs.events import Event
from dockpass.runs.record import kind_of
from dockpass.runs.words import step_words
from dockpass.units import size

if TYPE_CHECKING:
    from dockpass.programs.events import ProgramEvent

PHASES = {
    ev.Phase.CREATE_CONFIG: "create the config",
    ev.Phase.LOGIN: "log in",
    ev.Phase.TAG: "tag",
    ev.Phase.BUILD: "build",
    ev.Phase.PUSH: "push",
    ev.Phase.PULL: "pull",
    ev.Phase.LIST: "list the tags",
    ev.Phase.INSPECT: "look up",
    ev.Phase.CONFIRM: "ask",
    ev.Phase.DELETE: "delete",
    ev.Phase.UNTAG: "remove the tag",
    ev.Phase.PROGRAM: "run the program",
    ev.Phase.REMOVE_CONFIG: "remove the config",
}
_LOG_MARKS = {ev.LogKind.WARNING: f"{GLYPH_LOOK} ", ev.LogKind.ERROR: f"{GLYPH_FAILED} "}


def event_json(event: Event | ProgramEvent) -> dict[str, Any]:
    """Return an event as an object: its kind in kebab case, then its fields."""
    found = asdict(event)
    found.pop("colours", None)  # how it looked says nothing to a program
    if isinstance(event, ev.ImageDescribed):
        found["labels"] = dict(event.labels)
    return {"event": kind_of(event), **found}


def narrate(event: Event) -> list[str]:
    """Return the lines that a person reads on stderr while a run goes on."""
    match event:
        case ev.ConfigCreated():
            memory = "in memory" if event.on_tmpfs else "on disk"
            modes = f"{event.directory_mode}, config.json {event.file_mode}"
            hosts = ", ".join(event.hosts) or "no registry"
            return [f"  config {event.path} ({modes}, {memory}: {event.where}) for {hosts}"]
        case ev.LoginRefused():
            return [f"  refused: {event.words}", *([f"  {event.meaning}"] if event.meaning else [])]
        case ev.LoginSucceeded():
            return [f"  {event.host}: {event.words}"]
        case ev.PhaseEnded():
            detail = f": {event.detail}" if event.detail else ""
            return [f"{event.status.mark} {PHASES[event.phase]}{detail}"]
        case ev.Log():
            return [f"  {_LOG_MARKS.get(event.kind, '')}{event.text}"]
        case ev.Step():
            return [f"  {step_words(event)}"]
        case ev.Waiting():
            return [f"  {GLYPH_LOOK} {event.text}"]
        case ev.Skipped():
            return [f"  {GLYPH_LOOK} {event.in_words}"]
        case ev.Ended():
            return _ending(event)
    return []


def is_start(event: Event) -> bool:
    """Tell whether an event is the start of a step of a build, of which the end is told."""
    return isinstance(event, ev.Step) and event.state == "running"


def _ending(event: ev.Ended) -> list[str]:
    if event.status is ev.Status.DONE:
        return [f"done: {event.message}"]
    if event.id == "not-confirmed":
        return [event.message]  # saying no is no error
    return [f"error: {event.message}", *([f"hint: {event.hint}"] if event.hint else [])]


def data_lines(command: Command, found: Sequence[Event]) -> list[str]:
    """Return what a run prints on stdout when it has ended."""
    match command:
        case Command.PUSH | Command.PULL:
            return _digests(found)
        case Command.BUILD:
            return [
                event.detail
                for event in found
                if isinstance(event, ev.PhaseEnded)
                and event.phase is ev.Phase.BUILD
                and event.status is ev.Status.DONE
            ]
        case Command.CLEANUP:
            return plan_table([event for event in found if isinstance(event, ev.TagPlanned)])
        case Command.DEPLOY:
            return image_table([event for event in found if isinstance(event, ev.ImageDescribed)])


def _digests(found: Sequence[Event]) -> list[str]:
    names: dict[ev.Phase, str] = {}
    lines = []
    for event in found:
        if isinstance(event, ev.PhaseStarted):
            names[event.phase] = event.detail
        elif (
            isinstance(event, ev.PhaseEnded)
            and event.phase in {ev.Phase.PUSH, ev.Phase.PULL}
            and event.status is ev.Status.DONE
        ):
            lines.append(f"{names[event.phase]}@{event.detail}" if event.detail else names[event.phase])
    return lines


def plan_table(rows: Sequence[ev.TagPlanned]) -> list[str]:
    """Return the plan of a cleanup as aligned columns."""
    table = [("TAG", "DIGEST", "CREATED", "ACTION", "REASON")]
    for row in rows:
        table.append((row.tag, row.digest[:19] or "-", row.created[:19] or "-", row.action, row.reason))
    return columns(table, indent="") if rows else []


def image_table(images: Sequence[ev.ImageDescribed]) -> list[str]:
    """Return images as aligned columns."""
    table = [("IMAGE", "DIGEST", "IMAGE ID", "CREATED", "PLATFORMS", "SIZE")]
    for image in images:
        platforms = ", ".join(image.platforms)
        created = image.created[:19] or "-"
        table.append(
            (image.reference, image.digest, image.image_id[:19] or "-", created, platforms, size(image.size))
        )
    lines = columns(table, indent="") if images else []
    labels = [f"{name}={value}" for image in images for name, value in image.labels]
    return lines + ([] if not labels else ["", "LABELS", *labels])
