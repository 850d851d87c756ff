"""The man page has every command and option, and nothing in it is taken for a request of roff."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dockpass.cli.main import cli

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "dockpass.1").read_text(encoding="utf-8")
REQUESTS = {".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".BR", ".br", ".nf", ".fi", ".nh", ".ad"}


def commands(command: click.Command, ctx: click.Context) -> Iterator[tuple[str, click.Command]]:
    yield ctx.command_path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            below = command.get_command(ctx, name)
            assert below is not None
            yield from commands(below, click.Context(below, info_name=name, parent=ctx))


ALL = list(commands(cli, click.Context(cli, info_name="dockpass")))


def plain(text: str) -> str:
    for escaped, sign in ((r"\fB", ""), (r"\fR", ""), (r"\-", "-"), (r"\(dq", '"'), (r"\e", "\\")):
        text = text.replace(escaped, sign)
    return text


@pytest.mark.parametrize(("path", "command"), ALL, ids=[path for path, _ in ALL])
def test_a_command_has_its_words_and_options(path: str, command: click.Command) -> None:
    section = plain(PAGE)
    if path != "dockpass":
        section = section.partition(f'.SS "{path} ')[2]
    section = section.partition("\n.SS")[0]
    assert (command.help or "").split("\n")[0][:30] in section
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            for name in (option.opts[-1], *option.secondary_opts):
                assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", section), name


def test_every_common_option_is_described_once() -> None:
    common = plain(PAGE).partition(".SH COMMON OPTIONS")[2].partition(".SH ")[0]
    described = re.findall(r"(?:^| / )(-[\w-]+)", common, re.MULTILINE)
    assert len(described) == len(set(described))
    named = {
        name
        for line in re.findall(r"^Common options: (.*)\.$", plain(PAGE), re.MULTILINE)
        for name in line.split(", ")
    }
    assert set(described) == named


def test_only_known_requests_begin_a_line() -> None:
    found = {line.split()[0] for line in PAGE.splitlines() if line.startswith((".", "'"))}
    assert found == REQUESTS - ({".nf", ".fi"} - found)
    assert r"\fR" in PAGE
    assert not re.search(r"\\(?![&e\-(f:])", PAGE)
