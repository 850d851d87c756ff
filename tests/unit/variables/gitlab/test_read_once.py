"""A file is parsed once for all refs, and nothing changes what was parsed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cases_of_jobs
import pytest
from ciproject import MAIN, Files

from dockpass.variables.gitlab import includes, tree
from dockpass.variables.gitlab.includes import load
from dockpass.variables.gitlab.tree import Items, Tree, read_tree

CASES = Path(__file__).parents[3] / "cases" / "ci_variables.jsonl"


def whole(found: Any) -> Any:
    """Everything that is in a tree, with its places and kinds."""
    if isinstance(found, Tree):
        return "tree", [(key, whole(value), found.place(key)) for key, value in found.items()]
    if isinstance(found, Items):
        return "items", [whole(each) for each in found], found.places
    return type(found).__name__, found, getattr(found, "place", None)


def test_no_row_changes_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[str, str, list[Any]]] = []

    def remembered(text: str, path: str) -> list[Any]:
        read.append((text, path, read_tree(text, path)))
        return read[-1][2]

    monkeypatch.setattr(includes, "_read_once", remembered)
    for line in CASES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["kind"] in cases_of_jobs.KINDS:
            cases_of_jobs.KINDS[row["kind"]](row)
    assert len(read) > 50
    for text, path, documents in read:
        assert list(map(whole, documents)) == list(map(whole, read_tree(text, path)))


def test_the_same_text_is_parsed_once_and_another_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    compose = tree.yaml.compose_all

    def counted(text: str, **options: Any) -> Any:
        parsed.append(text)
        return compose(text, **options)

    monkeypatch.setattr(tree.yaml, "compose_all", counted)
    files = {MAIN: "include: a.yml\nthis-is: {script: [only here]}\n", "a.yml": "variables: {ONLY: here}\n"}
    for _ in range(3):
        load(MAIN, Files(files), {}, lambda _: None)
    assert len(parsed) == 2
    loaded = load(MAIN, Files({**files, "a.yml": "variables: {ONLY: there}\n"}), {}, lambda _: None)
    assert len(parsed) == 3
    assert loaded.tree["variables"]["ONLY"] == "there"
