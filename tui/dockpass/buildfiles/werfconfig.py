"""Which images the build of a werf.yaml pulls. Pure; the keys are those of werf's configuration.

A Go template expression is never evaluated: what depends on it is a finding with file and line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dockpass.buildfiles.dockerfile import BuildFinding
from dockpass.errors import UsageError
from dockpass.text import clean

_TEMPLATE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_PLACEHOLDER = "TEMPLATE-EXPRESSION"
_STAPEL = ("shell", "ansible", "git", "import", "mount", "docker")


@dataclass(frozen=True, slots=True)
class WerfImage:
    """One image. `base` is pulled from a registry; `inner` is another image of the same file."""

    name: str
    base: str = ""
    inner: str = ""
    dockerfile: str = ""
    context: str = ""
    target: str = ""
    args: tuple[tuple[str, str], ...] = ()
    stages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WerfConfig:
    """The images of a werf.yaml in order, and what could not be read."""

    images: tuple[WerfImage, ...]
    findings: tuple[BuildFinding, ...]


def read_werf_config(text: str, *, file: str = "werf.yaml") -> WerfConfig:
    """Read every document; raises `UsageError` with file and line where it is no YAML."""
    import yaml

    shown = clean(file)
    findings = tuple(
        BuildFinding(
            "template",
            f"{shown}:{text.count(chr(10), 0, found.start()) + 1}",
            f"{clean(found[0], 60)} is a template expression; its value is not known here",
        )
        for found in _TEMPLATE.finditer(text)
    )
    plain = _TEMPLATE.sub(lambda found: _PLACEHOLDER + "\n" * found[0].count("\n"), text)
    try:
        documents = [document for document in yaml.safe_load_all(plain) if isinstance(document, dict)]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = clean(getattr(error, "problem", None) or type(error).__name__)
        raise UsageError("werf-yaml", f"{shown}{line}: {problem}.", "Check the file's YAML.") from error
    images = tuple(
        _image(document) for document in documents if "image" in document or "artifact" in document
    )
    return WerfConfig(images, findings)


def is_known(value: str) -> bool:
    """Tell whether a value holds no template expression."""
    return _PLACEHOLDER not in value


def _image(document: dict[Any, Any]) -> WerfImage:
    def text(key: str) -> str:
        value = document.get(key)
        return "" if value is None or isinstance(value, (dict, list)) else clean(str(value))

    args = document.get("args")
    return WerfImage(
        name=text("image") or text("artifact"),
        base=text("from"),
        inner=text("fromImage") or text("fromImageArtifact") or text("fromArtifact"),
        dockerfile=text("dockerfile"),
        context=text("context"),
        target=text("target"),
        args=tuple((clean(str(name)), str(value)) for name, value in args.items())
        if isinstance(args, dict)
        else (),
        stages=tuple(key for key in _STAPEL if key in document),
    )
