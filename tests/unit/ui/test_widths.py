"""At every width: a warning is told in words, no name is broken, and nothing is wider than its room."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.auth.command import Command
from dockpass.auth.decision import Decision
from dockpass.auth.facts import Edit, EditKind
from dockpass.findings import Finding
from dockpass.secrets import Secret
from dockpass.session.session import Session
from dockpass.ui.tour import steps
from dockpass.ui.views.commands import CommandState, command_lines
from dockpass.ui.views.help import help_lines
from dockpass.ui.views.overview import environment_rows, read_by, status_line, why_lines
from dockpass.ui.views.plan import plan_lines
from dockpass.ui.views.words import Line, hanging, plain, shorten, wrapped
from dockpass.variables.catalogue import listed
from dockpass.variables.place import Place, PlaceKind
from scenes import ALICE, CLEANUP_TOKEN, FOREIGN, IGNORE, JOB, SANDBOX, SANDBOX_JOB, session

WIDTHS = range(60, 201)
NARROWEST_ROOM = 54
"""Cells for text in a frame, on 60 columns."""

NAME = re.compile(r"[A-Za-z0-9_]*_[A-Za-z0-9_]*|--[a-z-]+|[\w-]+(?:\.[\w-]+)+(?::\d+)?")
"""Variables, options and hosts."""

BROKEN = [
    Finding(
        "auth-not-base64",
        "/builds/web/backend.tmp/docker-config/config.json",
        "the entry registry.internal.company.example:5000 has an auth that is not Base64",
        hint="Log in again: docker login registry.internal.company.example:5000",
    )
]
EXTERNAL = Edit(EditKind.SET, "WERF_DOCKER_CONFIG", "/builds/web/backend.tmp/docker-config")
SITUATIONS: dict[str, tuple[dict[str, str], tuple[Edit, ...]]] = {
    "job": (JOB, ()),
    "sandbox": (SANDBOX_JOB, ()),
    "cleanup token": (JOB, (CLEANUP_TOKEN,)),
    "ignored, looks false": (JOB, (Edit(EditKind.SET, "WERF_IGNORE_CI_DOCKER_AUTOLOGIN", "0"),)),
    "two edits": (JOB, (CLEANUP_TOKEN, IGNORE)),
    "foreign": (JOB, (FOREIGN,)),
    "options": (JOB, ALICE),
    "half a login": (JOB, ALICE[:1]),
    "options ignored": (JOB, (EXTERNAL, *ALICE)),
    "external": (JOB, (EXTERNAL,)),
    "nothing": ({}, ()),
    "no repository": ({"CI_REGISTRY": "registry.myhost.com", "CI_JOB_TOKEN": "glcbt-64_canary"}, ()),
    "long names": (
        {
            **JOB,
            "CI_REGISTRY": "registry.internal.company.example:5000",
            "CI_REGISTRY_IMAGE": "registry.internal.company.example:5000/group/sub/project",
            "WERF_CLEANUP_REGISTRY_PASSWORD": "canary-old",
        },
        (Edit(EditKind.GIVE, "registry-username", "somebody.with.a.long.name@company.example"),),
    ),
    "many hosts": (
        JOB,
        (Edit(EditKind.GIVE, "from", "a.example.com/x b.example.com/y c.example.com/z"), *ALICE),
    ),
}


def made(name: str) -> Session:
    values, edits = SITUATIONS[name]
    return session(values, edits=edits)


def whole(lines: Sequence[Line], known: set[str]) -> None:
    """No name stands in the lines in a part only."""
    for line in plain(lines):
        for found in NAME.findall(line):
            assert found in known or not any(found in name for name in known), (found, line)


def names_in(*texts: str) -> set[str]:
    return {name for text in texts for name in NAME.findall(text)}


def texts(lines: Sequence[Line]) -> str:
    return "".join("".join(plain(lines)).split())


@pytest.fixture(scope="module", params=list(SITUATIONS))
def candidates(request: pytest.FixtureRequest) -> Session:
    return made(request.param)


def states(candidates: Session) -> list[CommandState]:
    return [
        CommandState(command, candidates.decide(command), candidates.decide_before(command))
        for command in Command
    ]


def test_the_table_tells_every_warning_in_words_and_fits(candidates: Session) -> None:
    rows = states(candidates)
    widest = plain(command_lines(rows, 400))
    names = names_in(*widest)
    for width in (width - 6 for width in WIDTHS):
        lines = command_lines(rows, width)
        assert [len(text) for text in plain(lines) if len(text) > width] == []
        for row, text in zip(rows, plain(lines), strict=True):
            assert str(row.command) in text
            if isinstance(row.now, Decision):
                assert row.now.method.label in text
                assert ("▲ " in text) == bool(row.now.warnings)
                warning = next((span for span, role in lines[0] if role == "look" and "▲" in span), "")
                assert "…" not in warning
        whole([line for row, line in zip(rows, lines, strict=True) if isinstance(row.now, Decision)], names)


def test_a_warning_is_the_same_words_at_every_width(candidates: Session) -> None:
    def warnings(width: int) -> Iterator[str]:
        for text in plain(command_lines(states(candidates), width)):
            if "▲" in text:
                yield text.partition("▲")[2]

    if all(isinstance(row.now, Decision) for row in states(candidates)):
        expected = list(warnings(400))
        assert all(list(warnings(width - 6)) == expected for width in WIDTHS)


def test_why_breaks_no_name_and_loses_no_word(candidates: Session) -> None:
    for command in (Command.PUSH, Command.CLEANUP, Command.BUILD):
        decided, instead = candidates.decide(command), candidates.instead(command)
        expected = why_lines(decided, instead, BROKEN, 2000)
        names = names_in(*plain(expected))
        for width in (width - 6 for width in WIDTHS):
            lines = why_lines(decided, instead, BROKEN, width)
            assert texts(lines) == texts(expected)
            if isinstance(decided, Decision):
                # The first line, the sentence, is wrapped at blanks by the widget.
                assert [text for text in plain(lines)[1:] if len(text) > width] == []
                whole(lines, names)


def test_the_plan_breaks_no_name_and_loses_no_word(candidates: Session) -> None:
    for command in Command:
        request = candidates.request(command)
        if hasattr(request, "hint"):
            continue
        plan = candidates.plan(request)  # type: ignore[arg-type]
        expected = plan_lines(plan, "", 2, 2000)
        for width in (width - 10 for width in WIDTHS):
            lines = plan_lines(plan, "", 2, width)
            assert texts(lines) == texts(expected)
            assert [text for text in plain(lines) if len(text) > width] == []
            whole(lines, names_in(*plain(expected)))


def test_the_environment_and_the_first_line_fit(candidates: Session) -> None:
    facts = candidates.facts
    reads = read_by(candidates.decide(Command.PUSH))
    for width in (width - 6 for width in WIDTHS):
        rows = environment_rows(listed(facts), facts, candidates.findings, reads, {"CI_REGISTRY"}, width)
        assert [row.line for row in rows if len(plain([row.line])[0]) > width] == []
        for row in rows:
            assert row.entry is None or row.entry.option or row.entry.name in plain([row.line])[0]
    for width in WIDTHS:
        left, right = status_line(
            candidates.place, 3, ("Docker 28.2.2  unix socket", "good"), width, ("sandbox",)
        )
        assert len(plain([left])[0]) + len(plain([right])[0]) + 4 <= width


def test_a_narrow_status_line_still_says_whose_logins_they_are() -> None:
    place = Place(PlaceKind.GITLAB, "as publish on feature/login")
    engine = ("embedded engine  no Docker here", "look")
    for width in WIDTHS:
        for badges in ((), ("sandbox",), ("read-only",), ("sandbox", "read-only")):
            left, right = status_line(place, 3, engine, width, badges)
            assert all(badge in plain([left])[0] for badge in badges)
            assert len(plain([left])[0]) + len(plain([right])[0]) + 4 <= width
            assert "  as " in plain([left])[0] or len(badges) == 2, (width, badges)
            assert "  no Docker" not in plain([right])[0] or place.label in plain([left])[0]
    left, right = status_line(place, 0, engine, 60)
    assert plain([left, right]) == ["dockpass  as publish on feature/login", "● embedded engine"]
    left, _ = status_line(place, 0, engine, 60, ("read-only",))
    assert plain([left]) == ["dockpass  read-only  as publish on…"]


def test_the_help_fits() -> None:
    for width in WIDTHS:
        for scope in ("overview", "run"):
            lines = help_lines(scope, {"edit": "f7"}, width - 10)
            assert [text for text in plain(lines) if len(text) > width - 10] == []


def test_text_that_has_no_room_behind_its_head_stands_below() -> None:
    name = "WERF_IGNORE_CI_DOCKER_AUTOLOGIN"
    head: Line = (("● docker's own     ", "text"),)
    assert plain(hanging(head, f"set {name} to 1", "text", 44)) == [
        "● docker's own",
        f"    set {name} to 1",
    ]
    assert plain(hanging(head, f"set {name} to 1", "text", 54))[0] == f"● docker's own     set {name}"


@pytest.mark.parametrize("width", range(1, 40))
def test_shortened_text_is_whole_words(width: int) -> None:
    text = "push needs a repository: set CI_REGISTRY_IMAGE"
    short = shorten(text, width)
    assert len(short) <= width
    if " " in text[:width]:
        assert text.startswith(short.removesuffix("…"))
        assert text[len(short.removesuffix("…")) :][:1] in {"", " ", ":"}


def test_no_secret_is_told() -> None:
    canary = Secret("canary-secret-value")
    candidates = session(JOB, edits=(Edit(EditKind.SET, "CI_JOB_TOKEN", canary),))
    facts = candidates.facts
    for width in WIDTHS:
        rows = environment_rows(listed(facts), facts, (), {}, (), width)
        assert "canary" not in texts([row.line for row in rows])


def test_a_reference_without_room_is_broken_behind_its_parts() -> None:
    text = "push registry.example:5000/group/project/application:main now"
    assert plain(hanging((), text, "text", 30)) == [
        "push registry.example:5000/",
        "group/project/application:main",
        "now",
    ]
    assert plain(hanging((), "x" * 25, "text", 10)) == ["x" * 10, "x" * 10, "x" * 5]


@given(
    st.lists(st.tuples(st.text("ab ", min_size=1), st.sampled_from("xyz")), max_size=6), st.integers(1, 20)
)
def test_wrapping_keeps_every_letter_in_its_role(line: list[tuple[str, str]], width: int) -> None:
    def letters(lines: Sequence[Line]) -> list[tuple[str, str]]:
        return [(char, role) for line in lines for text, role in line for char in text if char != " "]

    parts = wrapped(tuple(line), width)
    assert all(len(text) <= width for text in ("".join(text for text, _ in part) for part in parts))
    assert letters(parts) == letters([tuple(line)])


def test_a_step_of_the_tour_has_room_on_a_low_terminal_when_it_has_the_keys() -> None:
    """Five rows, of which the last one tells how far the tour is."""
    made = session(SANDBOX_JOB, sandbox=SANDBOX)
    assert made.sandbox is not None
    for step in steps(made.sandbox, made.keys):
        assert len(wrapped(((step.text, "text"),), 55)) <= 4, step.title
