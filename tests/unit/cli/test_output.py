"""What the two outputs do to what they write."""

from __future__ import annotations

import json
from enum import StrEnum

import pytest

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.facts import Facts, Options, Source, SourceKind
from dockpass.cli.explain import explain_json
from dockpass.cli.output import Output, redacted
from dockpass.secrets import Redactor, Secret
from dockpass.variables.gather import variable


class Word(StrEnum):
    """An enumeration of dockpass's own."""

    EXAMPLE = "example"


@pytest.mark.parametrize(
    "token", ["example", "command", "method", "trace", "autologin", "not-met", "push", "name"]
)
def test_a_token_that_is_a_word_of_ours_leaves_the_form_of_the_json(
    token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Source(SourceKind.PROCESS)
    values = {"CI_REGISTRY": "registry.myhost.com", "CI_JOB_TOKEN": token}
    given = Facts({name: variable(name, value, source) for name, value in values.items()}, Options("h.io/a"))
    found = explain_json(decide(Command.PUSH, given), given)

    Output(Redactor([Secret(token)])).json(found)

    shown = json.loads(capsys.readouterr().out)
    assert _form(shown) == _form(json.loads(json.dumps(found)))
    assert (shown["command"], shown["method"]) == ("push", "autologin")
    assert {step["outcome"] for step in shown["trace"]} >= {"not-met", "chosen"}


def test_texts_and_names_from_outside_are_redacted_at_any_depth() -> None:
    redact = Redactor([Secret("canary-4f7Kq2"), Secret("example")])
    found = {"labels": {"org.canary-4f7Kq2": ["x canary-4f7Kq2", {"example": "example"}]}, "n": 12, "at": 1.5}

    shown = redacted(found, redact)

    assert shown == {"labels": {"org.••••": ["x ••••", {"example": "••••"}]}, "n": 12, "at": 1.5}
    assert redacted(Word.EXAMPLE, redact) is Word.EXAMPLE


@pytest.mark.parametrize(
    ("variables", "is_terminal", "shown"),
    [
        ({}, True, "  #1 \x1b[1;31mbad\x1b[0m news\n"),
        ({"NO_COLOR": "1"}, True, "  #1 bad news\n"),
        ({"TERM": "dumb"}, True, "  #1 bad news\n"),
        ({}, False, "  #1 bad news\n"),
    ],
)
def test_output_has_its_colours_on_a_terminal_that_has_them(
    variables: dict[str, str],
    is_terminal: bool,
    shown: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal)
    output = Output(Redactor([Secret("canary-whole")]))
    output.say_output("  ", "#1 bad news", ((3, 6, "bold red"),))
    assert capsys.readouterr().err == shown
    output.say_output("", "canary-whole", ((0, 6, "red"), (6, 12, "green")))
    assert capsys.readouterr().err == "••••\n"


def _form(value: object) -> object:
    if isinstance(value, dict):
        return {key: _form(each) for key, each in value.items()}
    return [_form(each) for each in value] if isinstance(value, list) else type(value)
