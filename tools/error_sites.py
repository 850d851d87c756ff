"""Finds every error id in the source, with the exit status that it ends with.

A literal id is the first argument of an error class; ids that are composed or chosen at run time come from
the tables that they are chosen from.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from dockpass.engines.failurekinds import FAILURES
from dockpass.registry.answer import Where
from dockpass.registry.meanings import DELETION_OFF, NOT_REGISTRY, ROWS

SOURCE = Path(__file__).resolve().parents[1] / "tui" / "dockpass"
BASE = "DockpassError"
STATUS = {
    "UsageError": 2,
    "LoginRefused": 3,
    "Cancelled": 4,
    "NotAllowed": 5,
    "NotExecutable": 126,
    "NotFound": 127,
}
_BY_RUNS = frozenset({Where.PING, Where.TOKEN, Where.ANONYMOUS, Where.REGISTRY})
_ID = re.compile(r"[a-z]+(-[a-z]+)*")
OF_FILES = ("missing", "unreadable", "kind", "large", "binary")
"""The ends of the ids that `textfile` composes, behind a kind of file."""


def error_ids() -> dict[str, frozenset[int]]:
    """Return each id with its exit statuses."""
    found: dict[str, set[int]] = {"fault": {1}, "engine-failed": {1}, "cancelled": {4}}
    for row in ROWS:
        if not row.where or row.where & _BY_RUNS:
            found.setdefault(row.judgement.error, set()).add(1)
    for row in ROWS[: next(number for number, row in enumerate(ROWS) if row.judgement == NOT_REGISTRY) + 1]:
        if not row.where or Where.PING in row.where:  # a probe that ends at the first contact
            found.setdefault(row.judgement.id, set()).add(1)
    for error_id in (DELETION_OFF.error, *(failure.id for failure in FAILURES)):
        found.setdefault(error_id, set()).add(1)
    for _, error_id, status, _ in _sites():
        if _ID.fullmatch(error_id):
            found.setdefault(error_id, set()).add(status)
    return {error_id: frozenset(statuses) for error_id, statuses in sorted(found.items())}


def makers() -> dict[tuple[str, int], set[str]]:
    """Return the functions that make the error of an id and an exit status, as `path:Class.function`."""
    found: dict[tuple[str, int], set[str]] = {}
    for path, error_id, status, function in _sites():
        if function:
            found.setdefault((error_id, status), set()).add(f"{path.relative_to(SOURCE)}:{function}")
    return found


@cache
def _sites() -> list[tuple[Path, str, int, str]]:
    """Return every place that raises an id: its file, the id, the exit status and the function."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SOURCE.rglob("*.py"))}
    classes = _statuses(list(trees.values()))
    return [(path, *site) for path, tree in trees.items() for site in _raised(tree, classes)]


def _statuses(trees: list[ast.Module]) -> dict[str, int]:
    """Return the exit status of every error class, by its name."""
    classes = {BASE: 1, **STATUS}
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    known = 0
    while known < len(classes):
        known = len(classes)
        for node in nodes:
            bases = [base.id for base in node.bases if isinstance(base, ast.Name) and base.id in classes]
            if bases and node.name not in classes:
                classes[node.name] = classes[bases[0]]
    return classes


def _raised(
    tree: ast.AST, classes: dict[str, int], within: int = 0, place: str = ""
) -> Iterator[tuple[str, int, str]]:
    """Yield each id with its status, and the function that makes it; that is empty for `textfile`'s."""
    for node in ast.iter_child_nodes(tree):
        status, inner = within, place
        if isinstance(node, ast.ClassDef):
            status = classes.get(node.name, 0)
        elif isinstance(node, ast.Call):
            yield from ((error_id, status, "") for error_id, status in _of_file(node))
            yield from ((error_id, status, place) for error_id, status in _of_call(node, classes, within))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = f"{place}.{node.name}".strip(".")
        yield from _raised(node, classes, status, inner)


def _of_file(node: ast.Call) -> Iterator[tuple[str, int]]:
    if _name(node) in {"read_text_file", "read_bytes_of", "text_of"}:
        yield from ((f"{kind}-{end}", 2) for kind in _literals(node)[:1] for end in OF_FILES if kind)


def _name(node: ast.Call) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def _literals(node: ast.Call) -> list[object]:
    return [each.value for each in node.args if isinstance(each, ast.Constant)]


def _of_call(node: ast.Call, classes: dict[str, int], within: int) -> Iterator[tuple[str, int]]:
    name, literals = _name(node), _literals(node)
    if name == "Refusal" and isinstance(node.args[0], ast.Name | ast.Attribute) and literals:
        yield str(literals[0]), 2  # a decision's: the command, then the id
    status = within if name == "__init__" else classes.get(name, 0)
    first = node.args[0] if node.args else None
    if status and name != "Cancelled" and isinstance(first, ast.Constant) and isinstance(first.value, str):
        yield first.value, status
