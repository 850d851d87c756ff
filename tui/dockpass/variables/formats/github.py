"""GitHub's own: files named by GITHUB_ENV, which of three secrets a job gets, and what login-action wants."""

from __future__ import annotations

from collections.abc import Mapping

from dockpass.variables.formats.reading import Collector, Reading


def read_github_env(text: str, environ: Mapping[str, str]) -> Reading:  # noqa: ARG001
    """Read `NAME=value` and `NAME<<DELIMITER` lines as GitHub's runner does."""
    found = Collector()
    lines = text.removeprefix("\ufeff").split("\n")
    last_at = {line.removesuffix("\r"): at for at, line in enumerate(lines)}
    at = 0
    while at < len(lines):
        line, number = lines[at].removesuffix("\r"), at + 1
        at += 1
        equals, heredoc = line.find("="), line.find("<<")
        if not line:
            continue
        if heredoc >= 0 and (equals < 0 or heredoc < equals):
            at = _heredoc(line, number, lines, at, last_at, found)
        elif equals > 0:
            found.add(line[:equals], line[equals + 1 :], number)
        else:
            found.problem(
                number, "Invalid format: the line is neither NAME=value nor NAME<<EOF.", refuses=True
            )
    return found.reading()


def _heredoc(
    line: str, number: int, lines: list[str], at: int, last_at: Mapping[str, int], found: Collector
) -> int:
    name, _, delimiter = line.partition("<<")
    if not name or not delimiter:
        found.problem(
            number, "Invalid format: name must not be empty and delimiter must not be empty.", refuses=True
        )
        return at
    for last in range(at, last_at.get(delimiter, -1) + 1):
        if lines[last].removesuffix("\r") == delimiter:
            found.add(name, "\n".join(each.removesuffix("\r") for each in lines[at:last]), number)
            return last + 1
    found.problem(
        number, "Invalid value: the matching delimiter is not found; it was left out.", refuses=True
    )
    return at


def in_scope(
    organization: Mapping[str, str], repository: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return what a job gets: environment beats repository beats organization, in any case of letters."""
    levels = (organization, repository, environment)
    return {name.upper(): value for level in levels for name, value in level.items()}


def login_action_error(username: str, password: str) -> str:
    """Return the words with which docker/login-action stops; empty where it goes on to log in.

    It checks this before it starts docker (`loginStandard` in its src/docker.ts), not for ECR.
    """
    if not username and not password:
        return "Username and password required"
    if not username:
        return "Username required"
    return "" if password else "Password required"
