"""Whatever acts asks for read-only mode: each face asks before it acts, and each run once more."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from dockpass.actions import ACTIONS

SOURCE = Path(__file__).parents[2] / "tui" / "dockpass"
ACTS = frozenset(
    {
        *("Run", "run_command", "ProgramRun", "hand_over", "Popen", "subprocess.run", "start_program"),
        *("remove_image", "prune", "export", "save_new", "create", "keep", "write_text", "write_bytes"),
        *("keep_snapshot", "forget_snapshot", "save_setting", "save_mute", "remove_mute", "accept_realm"),
    }
)
"""Functions that do something beyond reading, by the names under which they are called."""
ASKS = frozenset({"refuse_if_read_only", "read_only_of", "forbids", "forbidden", "read_only"})
ASKED_ELSEWHERE = {
    "cli/commands.py": "run_command asks",
    "cli/variables_settings.py": "keep of gitlab_import asks",
    "cli/program_report.py": "exec asks before it opens a report",
    "ui/suspended.py": "programs.run asks, and Programs before it",
}


def _called(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            names.add(ast.unparse(node.func))
            if isinstance(node.func, ast.Attribute):
                names.add(node.func.attr)
    return names


def _named(tree: ast.AST) -> set[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


FACES = sorted([*(SOURCE / "cli").rglob("*.py"), *(SOURCE / "ui").rglob("*.py")])


@pytest.mark.parametrize("path", FACES, ids=[str(path.relative_to(SOURCE)) for path in FACES])
def test_a_module_that_acts_asks(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not _called(tree) & ACTS or str(path.relative_to(SOURCE)) in ASKED_ELSEWHERE:
        return
    assert _named(tree) & ASKS, f"{sorted(_called(tree) & ACTS)} without asking for read-only mode"


@pytest.mark.parametrize("name", ["runs/run.py", "programs/run.py"])
def test_runs_and_programs_refuse_themselves(name: str) -> None:
    tree = ast.parse((SOURCE / name).read_text(encoding="utf-8"))
    refusing = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and "refuse" in ast.unparse(node.func)
    ]
    assert refusing


def test_every_action_that_asks_first_acts() -> None:
    assert [action.id for action in ACTIONS if action.asks_first and action.act is None] == []
