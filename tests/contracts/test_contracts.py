"""What the structure promises."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "tui").rglob("*.py"))
LIGHT = """
import sys
from dockpass.cli.main import cli
try:
    cli.main({arguments!r}, prog_name="dockpass", standalone_mode=False)
except SystemExit:
    pass
print(sorted(name for name in ("textual", "docker", "aiohttp", "rich", "h2") if name in sys.modules))
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["explain", "push", "--repo", "registry.example/a"],
        ["explain", "build", "--json"],
        ["config", "registry.example"],
    ],
)
def test_small_commands_load_nothing_heavy(arguments: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LIGHT.format(arguments=arguments)], capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        ["vars", "show", "--job", "build"],
        ["vars", "explain", "A", "--job", "build"],
        ["vars", "explain", "DOCKER_AUTH_CONFIG", "--image", "nginx"],
        ["vars", "why", "build", "--json"],
        ["vars", "diff", "main", "here"],
        ["vars", "lint"],
        ["doctor", "--job", "build"],
        ["report", "--job", "build"],
        ["vars", "export", "--format", "docker", "--job", "build"],
        ["explain", "push", "--job", "build"],
    ],
)
def test_variables_of_a_job_load_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    """What needs no network loads no HTTP client, and no screen."""
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=tmp_path, check=True)
    (tmp_path / ".gitlab-ci.yml").write_text("build: {variables: {A: b}, script: [env]}\n")
    script = LIGHT.format(arguments=arguments)
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "[]"
    assert len(ended.stdout.splitlines()) > 1


def loaded_with(begun: str, names: str) -> list[str]:
    """Return which modules, of these names with blanks between, a new process has with those that it begins with."""
    script = f"import sys, {begun}\nprint(*(name for name in {names.split()!r} if name in sys.modules))"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return ended.stdout.split()


def test_the_first_table_waits_for_nothing_that_it_does_not_show() -> None:
    """What a key, a look at the doctor or at a job needs is loaded behind the first frame."""
    begun = "dockpass.cli.main, dockpass.cli.screen, dockpass.session.start, dockpass.ui.app"
    later = (
        "docker aiohttp yaml dockpass.doctor dockpass.probe dockpass.programs dockpass.runs.run dockpass.session.desk"
        " dockpass.buildfiles.dockerfile dockpass.ui.palette dockpass.ui.screens.dialogs dockpass.ui.screens.run"
    )
    assert loaded_with(begun, later) == []


def test_a_push_loads_no_builder_and_no_event_loop() -> None:
    """What the engine does by itself is begun with as little as can be."""
    begun = (
        "dockpass.cli.main, dockpass.cli.commands, dockpass.cli.runs, dockpass.runs.push, dockpass.runs.pull,"
        " dockpass.engines.docker"
    )
    others = (
        "asyncio aiohttp dockpass.builders.survey dockpass.buildfiles.dockerfile dockpass.programs"
        " dockpass.variables.gitlab.model"
    )
    assert loaded_with(begun, others) == []


def test_who_may_import_whom() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports"))]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Return every node of a file: walking it takes longer than parsing it, and five tests look at each."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT / "tui")) for path in SOURCES])
def test_files_and_functions_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 400
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name


def test_styles_name_no_colour_of_their_own() -> None:
    for path in (ROOT / "tui").rglob("*.tcss"):
        assert not re.search(r":[^;{]*#[0-9a-fA-F]{3,8}\b", path.read_text(encoding="utf-8"))


def test_the_names_of_a_ci_stand_in_few_files() -> None:
    """`auth/ci.py` has them; beside it tables of GitLab's own, the doctor's words, and the sandbox."""
    own = {"variables/gitlab", "doctor", "sandbox"}
    found = {
        name
        for path in SOURCES
        if not any((name := str(path.relative_to(ROOT / "tui/dockpass"))).startswith(each) for each in own)
        and any(_names_a_ci(text) for text in _texts(path))
    }
    assert "auth/ci.py" in found
    assert len(found) <= 4, sorted(found)


def _names_a_ci(text: str) -> bool:
    return bool(re.search(r"(?<![A-Z_])(CI_JOB_TOKEN|CI_REGISTRY)(?![A-Z_])|gitlab-ci-token", text))


@cache
def _texts(path: Path) -> list[str]:
    """Return the string literals of a file, those in f-strings among them, without its docstrings."""
    nodes = nodes_of(path)
    alone = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone
    ]


def test_the_marks_stand_in_one_table() -> None:
    for path in SOURCES:
        marked = [text for text in _texts(path) if re.search("[✓✗▲▶●]", text)]
        assert path.name == "marks.py" or not marked, (path, marked)


def test_no_repr_shows_an_environment() -> None:
    """A field that holds the environment, or what was typed as a variable, is left out of `repr`."""
    shown = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for kind in nodes_of(path)
        if isinstance(kind, ast.ClassDef)
        and any("dataclass" in ast.unparse(each) for each in kind.decorator_list)
        for node in kind.body
        if isinstance(node, ast.AnnAssign)
        and ast.unparse(node.target) in {"environ", "sets"}
        and "repr=False" not in ast.unparse(node)
    ]
    assert not shown


def test_no_module_imports_itself_on_any_way() -> None:
    assert _circles(_imports()) == []


def test_a_hidden_circle_is_found(tmp_path: Path) -> None:
    texts = {
        "a": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.b import B",
        "b": "def f():\n    import house.c",
        "c": "from house import a",
        "d": "from house import a, c",
    }
    (tmp_path / "house").mkdir()
    for name, text in texts.items():
        (tmp_path / "house" / f"{name}.py").write_text(text)
    assert _circles(_imports(tmp_path)) == [["house.a", "house.b", "house.c"]]


def _imports(root: Path = ROOT / "tui") -> dict[str, set[str]]:
    """Return which modules each imports in any form: at the top, for types only, inside functions."""
    paths = {_name(path.relative_to(root)): path for path in sorted(root.rglob("*.py"))}
    found: dict[str, set[str]] = {}
    for name, path in paths.items():
        imported: set[str] = set()
        for node in nodes_of(path):
            if isinstance(node, ast.Import):
                imported |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom):
                base = _absolute(node, name, path)
                imported |= {
                    full if (full := f"{base}.{each.name}") in paths else base for each in node.names
                }
        found[name] = imported & paths.keys() - {name}
    return found


def _name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _absolute(node: ast.ImportFrom, name: str, path: Path) -> str:
    """Return the module that a `from … import` names, the dots in front resolved."""
    if not node.level:
        return node.module or ""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    return ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])


def _circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that reach each other, each sorted."""
    reached = {name: _reached(name, imports) for name in imports}
    groups = {
        tuple(sorted({name} | {other for other in reached[name] if name in reached[other]}))
        for name in imports
        if name in reached[name]
    }
    return sorted(map(list, groups))


def _reached(start: str, imports: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    left = list(imports[start])
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += imports[name]
    return found
