"""Reading a scenario's file: bounded, checked, and what is wrong is said with line and key."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dockpass.errors import UsageError
from dockpass.findings import Finding
from dockpass.git import ask_git
from dockpass.scenario.keys import Wrong
from dockpass.scenario.model import SCHEMA, Scenario
from dockpass.scenario.schema import check
from dockpass.text import clean, sentence
from dockpass.textfile import read_bytes_of, text_of
from dockpass.tomllines import lines_of

LARGEST = 256 << 10
_MOST_DOTS = 100
_MOST_TOLD = 6
_HINT = "`dockpass scenario new` writes a valid one; its keys are in docs/scenarios.md of dockpass."


def read_scenario(path: Path, shown: str, environ: Mapping[str, str]) -> Scenario:
    """Return what a file says; `shown` names it in messages.

    Raises `UsageError` where it cannot be read or is no scenario. Nothing that it names is read yet.
    """
    shown = clean(shown, 200)
    raw = read_bytes_of(path, "scenario", _HINT, LARGEST)
    if len(raw) > LARGEST:
        raise UsageError("scenario-large", f"{shown} is larger than 256 KiB.", _HINT)
    text = text_of(raw, shown, "scenario", _HINT)
    checked = check(_parsed(text, shown), lines_of(text))
    if checked.wrong:
        raise _invalid(checked.wrong, shown)
    if checked.plain:
        _require_private(path, shown, environ, checked.plain[0])
    scenario = checked.scenario
    if scenario.schema > SCHEMA:
        newer = Finding(
            "scenario-newer",
            shown,
            f"has schema {scenario.schema}, which is newer than {SCHEMA}: what this dockpass does not know is"
            " left out",
        )
        return replace(scenario, notes=(newer, *scenario.notes))
    return scenario


def _parsed(text: str, shown: str) -> dict[str, object]:
    # The parser's time grows with the square of a key's parts.
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _MOST_DOTS:
            raise UsageError(
                "scenario-toml", f"{shown}:{number}: has more than {_MOST_DOTS} dots in one line.", _HINT
            )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            "scenario-toml", f"{shown} is not valid TOML: {clean(str(error), 300)}.", _HINT
        ) from None
    except (RecursionError, ValueError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else "a number is too long"
        raise UsageError("scenario-toml", f"{shown} cannot be read: {why}.", _HINT) from None


def _invalid(wrong: Sequence[Wrong], shown: str) -> UsageError:
    first, *others = sorted(wrong, key=lambda each: each.line)
    told = [sentence(f"{shown}:{each.line}: {each.path} {each.message}") for each in others[: _MOST_TOLD - 1]]
    if len(others) >= _MOST_TOLD:
        told.append(f"{len(others) - _MOST_TOLD + 1} more problems are not listed.")
    where = f"{shown}:{first.line}" if first.line else shown
    return UsageError(
        "scenario-invalid",
        sentence(f"{where}: {first.path} {first.message}"),
        f"Also {' '.join(told)}" if told else _HINT,
    )


def _require_private(path: Path, shown: str, environ: Mapping[str, str], line: int) -> None:
    """A secret in the file itself is read only where nobody else sees it, and git does not keep it."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        why = "others may read the file: chmod 600 it"
    elif ask_git(path.parent, environ, "rev-parse", "--show-toplevel") and not ask_git(
        path.parent, environ, "check-ignore", "--", str(path)
    ):
        why = "the file is in a git repository and not ignored: add it to .gitignore"
    else:
        return
    raise UsageError(
        "scenario-plain-secret",
        f"{shown}:{line}: allow_plain does not hold, because {why}.",
        'Give the secret by reference instead, such as secret = { env = "NAME" }.',
    )
