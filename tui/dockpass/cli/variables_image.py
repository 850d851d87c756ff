"""What a job's `DOCKER_AUTH_CONFIG` means for one image: for the runner that pulls it, and in the script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from dockpass.auth.ci import GITLAB
from dockpass.cli.readers import reading_json
from dockpass.cli.table import columns
from dockpass.dockerconfig.readers.cliversions import BEFORE, NEWEST
from dockpass.dockerconfig.readers.dockercli import VARIABLE, read_cli, said_of_variable
from dockpass.dockerconfig.readers.files import NoFiles
from dockpass.dockerconfig.readers.model import Reading
from dockpass.dockerconfig.readers.runner import JOB, read_runner_image
from dockpass.dockerconfig.readers.situation import PayloadLogin, Situation, parse_target
from dockpass.dockerconfig.readers.words import verdict_words
from dockpass.marks import GLYPH_LOOK
from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Resolved
from dockpass.variables.gitlab.resolve import JobView

_STAND_IN = Secret("not known here")
NOT_LOOKED_AT = "The runner's own ~/.docker/config.json and the script's logins are not known here."


def image_readings(view: JobView, image: str, home: Path) -> tuple[Reading, ...] | None:
    """Return what the runner and docker in the script make of an image; None where the value is not known.

    Raises `UsageError` for what is no image.
    """
    found = view.variables.get(VARIABLE)
    seen = "" if found is None else found.value
    content = "" if found is None else _content(found)
    if isinstance(seen, Unknown) or isinstance(content, Unknown):
        return None
    target = parse_target(image if "/" in image else f"docker.io/{image}")
    payload = _payload(view)

    def situation(value: str) -> Situation:
        return Situation({VARIABLE: value}, home, -1, NoFiles(), payload=payload, finds=lambda *_: None)

    return (
        read_runner_image(image, situation(content)),
        read_cli(target, situation(seen), NEWEST),
        read_cli(target, situation(seen), BEFORE),
    )


def _content(found: Resolved) -> str | Unknown:
    """The runner reads the content of a variable of type File, a program in the script its path."""
    return found.value if found.content is None else found.content


def _payload(view: JobView) -> tuple[PayloadLogin, ...]:
    """GitLab sends the job token along for its own registry."""
    registry = view.variables.get(GITLAB.registry)
    if registry is None or not isinstance(registry.value, str) or not registry.value:
        return ()
    return (PayloadLogin(registry.value, GITLAB.user, _STAND_IN),)


def image_lines(view: JobView, image: str, home: Path) -> Iterator[str]:
    """Yield who logs in as whom for the image, and what is wrong with the variable."""
    yield ""
    yield f"for the image {clean(image, 200)}"
    readings = image_readings(view, image, home)
    if readings is None:
        yield f"  What {VARIABLE} means for it cannot be told: its value is not known here."
        return
    runner, since, before = readings
    yield from columns(
        [
            (runner.reader.label, f"{verdict_words(runner)}{_key(runner)}"),
            (f"{since.reader.label}, in the script", f"{verdict_words(since)}{_key(since)}"),
            (f"{before.reader.label}, in the script", f"{verdict_words(before)}{_key(before)}"),
        ]
    )
    said = said_of_variable(_script_value(view))
    for line in (said.always, f"docker login warns: {said.on_login}" if said.on_login else ""):
        if line:
            yield f"  {GLYPH_LOOK} {line}"
    for found in dict.fromkeys(each for reading in readings for each in reading.findings):
        yield f"  {GLYPH_LOOK} {found.message}"
        yield f"    {found.hint}"
    yield f"  {NOT_LOOKED_AT}"


def _key(reading: Reading) -> str:
    return f", by the key {reading.winner.key}" if reading.winner and reading.winner.key else ""


def _script_value(view: JobView) -> str:
    found = view.variables.get(VARIABLE)
    return found.value if found is not None and isinstance(found.value, str) else ""


def _reading_json(reading: Reading) -> dict[str, Any]:
    """Leave out the files, which nobody looked at."""
    known = tuple(each for each in reading.candidates if each.source in {VARIABLE, JOB})
    return reading_json(replace(reading, candidates=known))


def image_json(view: JobView, image: str, home: Path) -> dict[str, Any]:
    """Return the same as an object; `readings` is null where the value is not known."""
    readings = image_readings(view, image, home)
    said = said_of_variable(_script_value(view))
    return {
        "image": clean(image, 255),
        "readings": None if readings is None else [_reading_json(each) for each in readings],
        "docker_says": [line for line in (said.always, said.on_login) if line],
    }
