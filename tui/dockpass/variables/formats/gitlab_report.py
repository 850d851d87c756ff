"""GitLab's dotenv report, by `ParseDotenvArtifactService`: one KEY=VALUE a line, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dockpass.variables.formats.reading import Collector, Reading, shown_key

LARGEST = 5 * 1024
MOST = 20
_LINE = re.compile(r"(.*?)=(.*)", re.DOTALL)
_KEY = re.compile(r"[A-Za-z0-9_]+")
_STRIPPED = "\0\t\n\v\f\r "
_LONGEST_KEY = 255


def read_gitlab_report(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001
    """Read a report; where GitLab refuses it, the problem has GitLab's own words."""
    found = Collector()
    size = len(text.encode("utf-8", "replace"))  # a byte that is not UTF-8 counts as one
    if size >= LARGEST:
        found.problem(
            0,
            f"Dotenv Artifact Too Big. Maximum Allowable Size: {LARGEST}"
            f" (GitLab's default; this file has {size:,} bytes)",
            refuses=True,
        )
    lines = text.split("\n")
    for number, line in enumerate(lines[:-1] if not lines[-1] else lines, 1):
        split = _LINE.fullmatch(line)
        if not split:
            found.problem(
                number, "Invalid Format: GitLab takes KEY=VALUE lines only, and refuses the report.",
                "Leave out comments, empty lines and values of several lines.", refuses=True,
            )  # fmt: skip
            continue
        key, value = split[1].strip(_STRIPPED), split[2].strip(_STRIPPED)
        if why := _refused(key):
            found.problem(number, f"{why} GitLab refuses the report for it.", refuses=True)
        else:
            found.add(key, value, number)
    count = len(found.reading().values())
    if count > MOST:
        found.problem(
            0,
            f"Dotenv files cannot have more than {MOST} variables (GitLab's default; this one has {count}).",
            "An administrator or the plan can allow more.",
            refuses=True,
        )
    return found.reading()


def _refused(key: str) -> str:
    if not key:
        return "Validation failed: Key can't be blank, Key can contain only letters, digits and '_'."
    if not _KEY.fullmatch(key):
        return (
            "Validation failed: Key can contain only letters, digits and '_'."
            f" {shown_key(key)} is an invalid key."
        )
    if len(key) > _LONGEST_KEY:
        return "Validation failed: Key is too long (maximum is 255 characters). It is an invalid key."
    return ""
