"""Checks of the files that variables are read from, line by line."""

from __future__ import annotations

from collections.abc import Iterable

from dockpass.auth.facts import EnvFileRemark
from dockpass.doctor import sources
from dockpass.doctor.check import Check, Patient
from dockpass.doctor.values import in_facts
from dockpass.findings import Finding, Severity


def in_notes(patient: Patient) -> Iterable[Finding]:
    """Find what the readers of env files and build files noted."""
    return patient.notes


CHECKS: tuple[Check, ...] = (
    Check(
        id="DP-FMT-001",
        names=(EnvFileRemark.QUOTES, EnvFileRemark.OPEN_QUOTE),
        level=Severity.WARNING,
        look=in_facts,
        title="An env file has a value in quotes.",
        matters="Docker's --env-file and GitLab keep the quotes, where a shell and most dotenv libraries"
        " remove them: the value depends on who reads the file.",
        fix="Leave the quotes out.",
        many="have values in quotes",
        nouns="lines of env files",
        source=sources.ENV_FILE,
        symptoms=(r"HTTP Basic: Access denied", r"invalid reference format"),
    ),
    Check(
        id="DP-FMT-002",
        names=(EnvFileRemark.HASH,),
        level=Severity.NOTE,
        look=in_facts,
        title="An env file has a value with a #.",
        matters="Docker keeps the # and what follows; most dotenv libraries take it for a comment.",
        fix="Put a comment on a line of its own.",
        many="have a # in their value",
        nouns="lines of env files",
        source=sources.ENV_FILE,
    ),
    Check(
        id="DP-FMT-003",
        names=(EnvFileRemark.BLANKS, EnvFileRemark.SHELL),
        level=Severity.WARNING,
        look=in_facts,
        title="An env file has `export`, or spaces around =.",
        matters="Docker refuses the whole file because of one such line.",
        fix="Write NAME=value without spaces and without `export`.",
        many="have `export` or spaces around the =",
        nouns="lines of env files",
        source=sources.ENV_FILE,
        symptoms=(r"poorly formatted environment", r"contains whitespaces"),
    ),
    Check(
        id="DP-FMT-007",
        names=(EnvFileRemark.CONTINUED, EnvFileRemark.SEVERAL_LINES),
        level=Severity.WARNING,
        look=in_facts,
        title="A value in an env file spans several lines.",
        matters="Docker reads one variable per line, and in the output of `env` nobody can tell where such a"
        " value ends.",
        fix="Write the dump with `env -0` or `export -p`.",
        many="span several lines",
        nouns="values of env files",
        source=sources.ENV_FILE,
        symptoms=(r"poorly formatted environment",),
    ),
    Check(
        id="DP-FMT-009",
        names=(EnvFileRemark.COMPUTED,),
        level=Severity.WARNING,
        look=in_facts,
        title="An env file has a value that a shell would compute.",
        matters="Nothing is run, so the value is used as it is written.",
        fix="Give the value itself; `export -p` prints it.",
        many="have values that a shell would compute",
        nouns="lines of env files",
        source=sources.ENV_FILE,
    ),
    Check(
        id="DP-FMT-013",
        names=(EnvFileRemark.LONG,),
        level=Severity.NOTE,
        look=in_facts,
        title="An env file has a line longer than 64 KiB.",
        matters="Docker refuses the whole file because of it.",
        fix="Give that value in another way.",
        many="are longer than 64 KiB",
        nouns="lines of env files",
        source=sources.ENV_FILE,
        symptoms=(r"token too long",),
    ),
    Check(
        id="DP-FMT-004",
        names=("env-file-crlf",),
        level=Severity.WARNING,
        look=in_notes,
        title="An env file has Windows line ends.",
        matters="A script that sources the file gets a CR at the end of every value, and a password or an"
        " address with it is wrong.",
        fix="Save the file with Unix line ends (LF).",
        many="have Windows line ends, of which a shell keeps the CR",
        nouns="files",
        source=sources.ENV_FILE,
        symptoms=(
            r"invalid reference format",
            r"invalid character \"?\\r",
            r"HTTP Basic: Access denied",
        ),
    ),
    Check(
        id="DP-FMT-008",
        names=("env-file-encoding",),
        level=Severity.WARNING,
        look=in_notes,
        title="An env file is UTF-16, or begins with a byte order mark.",
        matters="A shell takes a byte order mark for part of the first name, so that variable is missing."
        " Neither a shell nor docker reads UTF-16.",
        fix="Save the file as UTF-8 without a byte order mark.",
        many="are UTF-16 or begin with a byte order mark",
        nouns="files",
        source=sources.ENV_FILE,
        symptoms=(r"invalid utf8 bytes at line",),
    ),
    Check(
        id="DP-FMT-005",
        names=(EnvFileRemark.AGAIN,),
        level=Severity.WARNING,
        look=in_facts,
        title="An env file gives a variable two values.",
        matters="The last line counts, and a change of the other one has no effect.",
        fix="Remove one of the lines.",
        many="have two values in one file, of which the last counts",
        source=sources.ENV_FILE,
    ),
    Check(
        id="DP-FMT-006",
        names=(EnvFileRemark.NAME,),
        level=Severity.NOTE,
        look=in_facts,
        title="An env file has a name that no shell takes.",
        matters="Docker passes it on, but a script in the container cannot use it.",
        fix="Use letters, digits and underscores.",
        many="have names that no shell takes",
        source=sources.ENV_FILE,
    ),
    Check(
        id="DP-FMT-010",
        names=("env-file-line", "env-file-left-out", "env-file-format"),
        level=Severity.WARNING,
        look=in_notes,
        title="A line of a file with variables was not read as written.",
        matters="Other programs may read it in another way, or refuse the file.",
        fix="Correct the line, or name the format with --env-format.",
        many="were not read as written",
        nouns="lines",
        source="docs/command-line.md#formats",
    ),
    Check(
        id="DP-SEC-014",
        names=("value-unknown",),
        level=Severity.NOTE,
        look=in_notes,
        title="A variable is there, but its value is not known here.",
        matters="A login without its secret cannot be used for a run or a probe.",
        fix="Export the value and add --set NAME.",
        many="are there, but their values are not known here",
        source=sources.VARIABLES,
    ),
)
