"""`docker run --env-file`, by docker's own rule (docker/cli, pkg/kvfile): what follows `=` is the value."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dockpass.variables.formats.reading import Collector, Reading, shown_key

GO_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
BLANK = re.compile(r"[ \t]")
LONGEST_LINE = 65_535
"""Docker's scanner takes no longer line."""


def taken_by_docker(line: str) -> bool:
    """Tell whether docker takes a line."""
    line = line.lstrip(GO_SPACE)
    name = line.partition("=")[0]
    return not line or line.startswith("#") or bool(name and not BLANK.search(name))


def read_docker(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001 - every reader has it
    """Read an env file as docker does; a name alone takes the value of the process."""
    found = Collector()
    for number, whole in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = whole.removesuffix("\r").lstrip(GO_SPACE)
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not name:
            found.problem(
                number, "There is no variable name before =; docker refuses the file.", refuses=True
            )
        elif BLANK.search(name):
            found.problem(
                number,
                f"The variable {shown_key(name)} contains whitespaces; docker refuses the file.",
                "Write NAME=value without blanks around =, and without export.",
                refuses=True,
            )
        elif not equals:
            found.name(name, number, inherits=True)
        else:
            if len(whole) > LONGEST_LINE:
                found.problem(
                    number, "The line is longer than 64 KiB; docker refuses the file.", refuses=True
                )
            found.add(name, value, number)
    return found.reading()
