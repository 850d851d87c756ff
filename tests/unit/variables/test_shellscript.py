"""What a script uses and sets: bash and dash themselves are the judges."""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from needed import missing

from dockpass.variables.shellscript import DEEPEST, MOST_CHARACTERS, read_script

CANARY = "canary"
LINES = [
    'echo "$A"',
    "echo '$A'",
    "echo \\$A",
    'echo "\\$A ${B}"',
    "echo $1 $# $@ $? $*; : $$ $! $-",
    "echo pre$A/post ${B}s",
    "A=1; echo $A",
    "A=1 B=$C; echo $B",
    "for A in x y; do echo $A $B; done",
    "echo x | while read -r A; do echo $A$B; done",
    "echo $(echo $A `echo $B`)",
    'echo "`echo \\"$A\\"`"',
    'echo "$(echo "$A" "$(echo "$B")")"',
    "case x in x) echo $A;; (y) echo;; esac; echo $B $(case x in x) echo $C;; esac)",
    "echo ${A%x} ${B#y}",
    "echo # $A",
    "echo x#$A",
    "echo \\\n  $A",
    "if true; then echo $A; fi; { echo $B; }; (echo $C)",
    "f() { echo $A $1; }; f x",
    "echo $A >&1; echo $B 2>&1 2>/dev/null",
    "echo $A&&echo $B;false||echo $C;echo $D",
    "export A=1; echo $A $B",
    "readonly A=1; echo $A $B",
    "while getopts x A; do :; done; echo $B",
    "cat <<'EOF'\n$A\nEOF\necho $B",
    "cat <<-\tEOF\n\t'unclosed\n\tEOF\necho $B",
    "cat <<ONE; cat <<TWO\n'\nONE\n\"\nTWO\necho $A",
    "echo \"a # $A\" 'b # $B'",
    "echo ${A}${B}$C",
    'echo "$"A $ B',
    "echo $A\u00a0$B",
]
"""Every one prints what it uses."""
BASH = [
    "echo $'\\'$A' $B",
    'echo $"$A"',
    "cat <<< $A",
    "echo ${A//x/y} ${B^^} ${#C}",
    "[[ x == x ]] && echo $A",
    "local_=1; declare A=2; echo $A $B $local_",
    "read -r A <<< x; echo $A $B",
    "cat <(echo $A) 2>&1",
    "printf -v A x; echo $A $B",
    "mapfile -t A < /dev/null; echo $A $B",
    "echo $A |& cat",
]


def ran(shell: str, script: str, name: str | None) -> str:
    environ = {"PATH": "/usr/bin:/bin"} | ({name: CANARY} if name else {})
    return subprocess.run(
        [shell, "-c", script], env=environ, capture_output=True, text=True, timeout=20, check=False
    ).stdout


@pytest.mark.parametrize(
    ("shell", "script"),
    [*((shell, line) for shell in ("bash", "dash") for line in LINES), *(("bash", line) for line in BASH)],
)
def test_a_script_uses_what_its_shell_looks_up(shell: str, script: str) -> None:
    if shutil.which(shell) is None:
        missing(f"no {shell}")
    found = read_script(script)
    needed = {name for name in found.uses if name not in found.assigned}
    without = ran(shell, script, None)
    judged = {name for name in "ABCD" if ran(shell, script, name) != without}
    assert needed == judged
    assert not found.is_open


@pytest.mark.parametrize(
    "script",
    [
        "echo ${A:-x} ${A-x} ${A:+x} ${A=x}",
        '[ -n "$A" ] && echo $A',
        'if [[ -z $A ]]; then A=1; fi; echo "$A"',
        'test "$A" != "" || exit 1; echo $A',
        'if [ "$A" ]; then echo "$A"; fi',
        "[[ -v A ]] && echo $A",
        "unset A; echo $A",
        ": ${A:=1}; echo $A",
        "echo $(( A + 1 ))",
        "echo $[[ inputs.A ]]",
        "cat <<EOF\n$A\nEOF",
    ],
)
def test_what_a_script_can_do_without_is_no_use(script: str) -> None:
    found = read_script(script)
    assert not found.uses.keys() - found.assigned


@pytest.mark.parametrize(
    ("script", "is_open"),
    [
        (". ./env.sh; echo $A", True),
        ("source env.sh", True),
        ('eval "$LINE"', True),
        ('eval "$(docker-machine env)"', True),
        ('eval "$(ssh-agent -s)"', False),
        (". venv/bin/activate", False),
        ('$env:A = "x"', True),
        ("$a = 1", True),
        ("echo source .", False),
    ],
)
def test_what_may_set_anything_leaves_it_open(script: str, is_open: bool) -> None:
    assert read_script(script).is_open is is_open


def test_each_use_has_the_line_of_its_first_place() -> None:
    found = read_script("echo\necho $A\ncat <<EOF\n$A\n\nEOF\necho $B \\\n $C\necho $A")
    assert found.uses == {"A": 1, "B": 6, "C": 7}


def test_a_pipe_goes_on_behind_a_line_end_and_a_comment() -> None:
    last = read_script("echo $A | # to stdin\n\n  docker login x").commands[-1]
    assert last.source is not None
    assert [word.text for word in last.source.words] == ["echo", "$A"]
    assert last.line == 2


PIECES = st.sampled_from(
    [
        "$",
        "{",
        "}",
        "(",
        ")",
        "'",
        '"',
        "`",
        "\\",
        "\n",
        " ",
        "<<",
        "<<<",
        "EOF",
        "|",
        ";",
        "A",
        "=",
        "#",
        "case",
        "esac",
        "in",
        "${A:-",
        "$((",
        "))",
        "[[",
        "\xa0",
        "\x1b",
        "\x1c",
        "é",
        "eval",
        "2>",
        "<(",
        "-n",
        "!",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join))
def test_no_text_is_too_odd(script: str) -> None:
    found = read_script(script)
    lines = script.count("\n")
    assert all(0 <= line <= lines for line in [*found.uses.values(), *(each.line for each in found.commands)])


@pytest.mark.parametrize(
    "script",
    [
        "$(" * 5000,
        "`" * 5001,
        "${A:-" * 5000,
        '"$(' * 5000,
        "(" * 5000,
        "$((" * 5000,
        "<<A\n" * 5000,
        "<<A;" * 9000,
        "'" * 9001,
        "x " * 90000,
        "$A" * 90000,
        "a|" * 60000,
        "A=" * 50000,
        "\\\n" * 50000,
        "case " * 9000,
    ],
)
def test_a_hostile_script_takes_no_time(script: str) -> None:
    began = time.process_time()
    read_script(script)
    assert time.process_time() - began < 5


def test_what_is_too_long_or_too_deep_is_open() -> None:
    assert read_script("echo $A;" * (MOST_CHARACTERS // 8 + 1)).is_open
    assert read_script("$(" * (DEEPEST + 1) + ")" * (DEEPEST + 1)).is_open
    deep = read_script("$(" * DEEPEST + "echo $A" + ")" * DEEPEST)
    assert not deep.is_open
    assert deep.uses == {"A": 0}
