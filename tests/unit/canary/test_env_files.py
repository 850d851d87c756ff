"""A secret in an env file, in every format, well written or not: no output shows it."""

from __future__ import annotations

import json

import pytest
from planted import Planted

from dockpass.variables.formats.catalogue import FORMATS


def lines(name: str, value: str) -> str:
    return f"{name}={value}\n{name} {value}\n{value}\n={value}\n{name}='{value}\nexport {name}\n"


def in_json(name: str, value: str) -> str:
    return json.dumps([{"key": name, "value": value, "masked": True}, {"name": name, "value": value}, value])


def in_yaml(name: str, value: str) -> str:
    text = json.dumps(value)
    return f"{name}: {text}\nvariables:\n  {name}: {text}\n  NESTED: {{value: {text}, other: [{text}]}}\n"


TEXTS = {
    "lines": lines,
    "declared": lambda name, value: (
        f"export {name}={json.dumps(value)}\ndeclare -x {name}={json.dumps(value)}\n"
    ),
    "env0": lambda name, value: f"{name}={value}\0{value}\0",
    "traced": lambda name, value: f"+ export {name}={value}\n++ {name}='{value}'\n",
    "JSON": in_json,
    "broken JSON": lambda name, value: in_json(name, value)[:-3] + value,
    "YAML": in_yaml,
    "broken YAML": lambda name, value: in_yaml(name, value) + f"{value}: [\n",
    "heredoc": lambda name, value: f"{name}<<END\n{value}\nEND\n{name}<<{value}\n",
}
"""Texts of every kind; each is read in every format, whatever it is."""


@pytest.mark.parametrize("name", [None, *FORMATS], ids=str)
def test_no_format_shows_a_value(machine: Planted, name: str | None) -> None:
    plain = machine.aviary("a value in an env file", plain=True).value
    odd = machine.aviary("an odd value in an env file").value
    named = ("--env-format", name) if name else ()
    for kind, text in TEXTS.items():
        for value in (plain, odd):
            for variable in ("CI_JOB_TOKEN", "MY_OWN_PASSWORD"):
                (machine.work / "file").write_text(text(variable, value))
                ended = machine.run("explain", "push", "--json", "--clean-env", "--env-file", "file", *named)
                assert not machine.leaks(ended.all), (kind, ended)
                assert "Traceback" not in ended.err
    (machine.work / "file").unlink()
    assert machine.leaks_elsewhere() == []
