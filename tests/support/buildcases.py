"""Cases of what a build pulls and of what an ignore file leaves out, and our answers to them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockpass.buildfiles.contexts import parse_contexts
from dockpass.buildfiles.dockerfile import Dockerfile, read_dockerfile
from dockpass.buildfiles.lines import syntax
from dockpass.buildfiles.platforms import BuildPlatform
from dockpass.engines.context import open_context, visible_names
from dockpass.errors import UsageError
from dockpass.references.imagenames import normalised

_CASES = Path(__file__).parents[1] / "cases"
AMD64 = BuildPlatform("linux", "amd64")


@dataclass(frozen=True)
class Answer:
    """The images that a build asks for, normalised, and its frontend; or that it is refused."""

    images: frozenset[str] = frozenset()
    frontend: str = ""
    refused: bool = False


@dataclass(frozen=True)
class Case:
    """A row of dockerfiles.jsonl. `allowed` are the answers of the releases of BuildKit."""

    id: str
    dockerfile: str
    target: str | None = None
    args: dict[str, str] = field(default_factory=dict)
    platform: str = ""
    contexts: dict[str, str] = field(default_factory=dict)
    allowed: tuple[Answer, ...] = ()


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (_CASES / name).read_text(encoding="utf-8").split("\n") if line]


def _case(row: dict[str, Any]) -> Case:
    frontend = row.get("frontend") or ""
    allowed = [
        Answer(refused=True) if isinstance(each, str) else Answer(frozenset(each), frontend)
        for each in (row["expected"], *row.get("also", ()))
    ]
    return Case(
        row["id"],
        row["dockerfile"],
        row.get("target"),
        row.get("args") or {},
        row.get("platform") or "",
        row.get("contexts") or {},
        tuple(allowed),
    )


DOCKERFILES = [_case(row) for row in _rows("dockerfiles.jsonl")]
IGNORES = _rows("dockerignore.jsonl")


def read(case: Case) -> Dockerfile:
    """Read the Dockerfile of a case as on a machine of linux/amd64."""
    contexts = parse_contexts([f"{name}={value}" for name, value in case.contexts.items()])
    return read_dockerfile(
        case.dockerfile,
        target=case.target,
        args=case.args,
        platform=case.platform,
        contexts=contexts,
        machine=AMD64,
    )


def our_answer(case: Case) -> Answer:
    """Return what dockpass says of a case."""
    try:
        found = read(case)
    except UsageError:
        return Answer(refused=True)
    asked_first = found.refusal is not None and found.refusal.id == "stage-later"
    asked_first = asked_first and Answer(refused=True) not in case.allowed
    if not asked_first and (found.refusal or any(image.refused for image in found.unknown)):
        return Answer(refused=True)
    names = [image.reference for image in found.base_images]
    names += [image.text for image in found.unknown]  # docker takes it, and dockpass sends nothing there
    named = syntax(case.dockerfile)
    frontend = normalised(case.args.get("BUILDKIT_SYNTAX") or (named.value if named else ""))
    images = {normalised(name) for name in names}
    written = [at for at in case.dockerfile.split("\n") if not at.lstrip().startswith(("#", "//"))]
    own = any(frontend.partition(":")[0].rpartition("/")[2] in line for line in written) if frontend else True
    return Answer(frozenset(images if own else images - {frontend}), frontend)


def make_context(row: dict[str, Any], root: Path) -> Path:
    """Write the files of an ignore case; return its Dockerfile."""
    name = row.get("dockerfile") or "Dockerfile"
    for each in (*row["files"], name):
        (root / each).parent.mkdir(parents=True, exist_ok=True)
        (root / each).write_text("x")
    (root / name).write_text("FROM scratch\nCOPY . /\n")
    for text, path in (
        (row.get("ignore"), root / ".dockerignore"),
        (row.get("own_ignore"), root / f"{name}.dockerignore"),
    ):
        if text is not None:
            path.write_bytes(text.encode())
    return root / name


def our_files(root: Path, dockerfile: Path, *, classic: bool = False) -> list[str] | None:
    """Return the files that `COPY . /` sees, or that the classic builder is sent; None where it is refused."""
    try:
        if classic:
            names = open_context(root, dockerfile, lambda: None).names
        else:
            names = visible_names(root, dockerfile, lambda: None)
    except UsageError:
        return None
    return sorted(name for name in names if not (root / name).is_dir())
