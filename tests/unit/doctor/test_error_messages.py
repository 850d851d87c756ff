"""An error message as tools print it, and as people paste it, leads to the checks that mostly explain it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from dockpass.doctor import symptoms
from dockpass.doctor.symptoms import LARGEST, explaining
from dockpass.doctor.table import TABLE

CASES = Path(__file__).parents[2] / "cases"


def rows_of(name: str) -> list[dict[str, str]]:
    lines = (CASES / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


ROWS = rows_of("error_messages.jsonl")
SHOWN = 5


def first(message: str) -> list[str]:
    return [check.id for check in explaining(message, TABLE)][:SHOWN]


def lines(message: str, width: int) -> list[str]:
    """The lines of a terminal, which breaks words where its edge is."""
    return [message[at : at + width] for at in range(0, len(message), width)]


def wrapped(message: str, width: int) -> list[str]:
    return textwrap.wrap(message, width, break_long_words=False, break_on_hyphens=False)


PASTED: dict[str, Callable[[str], str]] = {
    "colours": lambda text: f"\x1b[0K\x1b[31;1mERROR: {text}\x1b[0;m",
    "colours that lost their escape": lambda text: f"[0;33m{text}[0;m",
    "a log with times": lambda text: "\n".join(
        f"2026-05-22T12:43:0{at % 10}.962646Z 01O {part}" for at, part in enumerate(wrapped(text, 60))
    ),
    "a terminal": lambda text: "\n".join(lines(text, 57)),
    "a chat": lambda text: "\n".join(f"> {part}" for part in wrapped(text, 40)),
    "a build": lambda text: f"#7 [2/3] RUN make\n#7 0.412 {text}\n------",
    "typographic quotes": lambda text: text.replace('"', "”").replace("'", "’"),
    "a log record": lambda text: f'time="2026-05-22T12:43:01Z" level=error msg={json.dumps(text)}',
    "Windows": lambda text: text.replace(" ", "\xa0", 3) + "\r\n",
    "capitals": str.upper,
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["message"][:60])
def test_a_message_leads_to_the_check_that_mostly_explains_it_however_it_is_pasted(
    row: dict[str, str],
) -> None:
    plain = first(row["message"])
    assert row["means"] in plain
    for how, paste in PASTED.items():
        assert row["means"] in first(paste(row["message"])), how


def test_what_programs_printed_leads_to_the_check_that_tells_it() -> None:
    """Each was captured from that version of the program, at a registry; one that no check tells has no `means`.

    Where names of hosts and directories stood, others do.
    """
    rows = rows_of("captured_errors.jsonl")
    wrong = {
        (row["tool"], row["version"], row["situation"]): found
        for row in rows
        if (found := first(row["message"])) is not None
        and (row["means"] not in found if row["means"] else found)
    }
    assert wrong == {}
    assert {row["tool"] for row in rows} == {
        "docker",
        "podman",
        "buildah",
        "skopeo",
        "helm",
        "oras",
        "buildx",
    }


def test_what_failed_is_at_the_end_of_a_log() -> None:
    assert "DP-LOG-011" in first("all is well\n" * (LARGEST // 6) + "no basic auth credentials\n")


@pytest.mark.parametrize("message", ["all is well", "", "\x1b[31m", "Pulling fs layer", "Login Succeeded"])
def test_what_is_no_error_leads_nowhere(message: str) -> None:
    assert first(message) == []


def test_what_mostly_explains_a_message_has_that_message_among_its_symptoms() -> None:
    checks = {check.id: check for check in TABLE}
    unknown = {name for _, ids in symptoms._LIKELY for name in ids if not checks.get(name)}
    assert unknown == set()
    assert all(checks[name].symptoms for _, ids in symptoms._LIKELY for name in ids)


def test_no_pattern_is_slow_on_a_long_line() -> None:
    """A pattern that looks for its end from each start would take minutes, and the test's time would be over."""
    for words in (
        "lookup docker ",
        "tag ",
        "token ",
        "docker-credential-",
        "base name (",
        "login attempt to ",
    ):
        assert first(words * (LARGEST // len(words))) == []
