"""Which images the build of a werf.yaml pulls. Pure; the keys are those of werf's configuration.

A Go template expression is never evaluated: what depends on it is not known, and a finding says so
with file and line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dockpass.auth.facts import UnknownImage
from dockpass.buildfiles.templates import Templates, is_known, take_out_templates
from dockpass.errors import UsageError
from dockpass.findings import Finding
from dockpass.text import clean

_STAPEL = ("shell", "ansible", "git", "import", "mount", "docker", "imageSpec")
_INNER = ("fromImage", "fromImageArtifact", "fromArtifact")
_LISTS_OF_IMAGES = ("import", "dependencies")


@dataclass(frozen=True, slots=True)
class WerfImage:
    """One image. `base` is pulled from a registry; `inner` are other images of the same file.

    `unknown` are keys whose value depends on a template expression; they are empty here. An argument
    whose value is not known is None.
    """

    name: str
    base: str = ""
    inner: tuple[str, ...] = ()
    dockerfile: str = ""
    context: str = ""
    target: str = ""
    args: tuple[tuple[str, str | None], ...] = ()
    stages: tuple[str, ...] = ()
    unknown: frozenset[str] = frozenset()
    line: int = 0


@dataclass(frozen=True, slots=True)
class WerfConfig:
    """The images of a werf.yaml in order, and what could not be read.

    `unknown` names what an expression may put in that is not seen here.
    """

    images: tuple[WerfImage, ...]
    findings: tuple[Finding, ...]
    unknown: tuple[UnknownImage, ...] = ()


def read_werf_config(text: str, *, file: str = "werf.yaml") -> WerfConfig:
    """Read every document; raises `UsageError` with file and line where it is no YAML."""
    shown = clean(file)
    templates = take_out_templates(text)
    findings = [
        Finding(
            "template",
            f"{shown}:{line}",
            f"{_shortened(expression)} is a template expression, whose value is not known",
        )
        for line, expression in templates.found
    ]
    images = [
        image
        for document in _documents(templates, shown)
        if (image_names := _names(document)) is not None
        for image in _images(document, image_names, templates)
    ]
    unknown = tuple(
        UnknownImage(_shortened(text), f"{shown}:{line}", "a template expression may add images of its own")
        for line, text in templates.inserts
    )
    names = {image.name for image in images if image.name}
    linked = tuple(_linked(image, names) for image in images)
    circle = _circle(linked)
    unknown += tuple(
        UnknownImage(
            f"the image {image.name}",
            f"{shown}:{image.line}",
            f"{' and '.join(circle)} are made from each other",
        )
        for image in linked
        if image.name in circle
    )
    return WerfConfig(linked, tuple(findings), unknown)


def _circle(images: tuple[WerfImage, ...]) -> list[str]:
    """Return the names of images that need each other, sorted; empty where none does."""
    needs = {image.name: {name for name in image.inner if name != image.name} for image in images}
    while gone := [name for name, needed in needs.items() if not needed & needs.keys()]:
        for name in gone:
            del needs[name]
    while loose := [name for name in needs if not any(name in needed for needed in needs.values())]:
        for name in loose:  # what only uses images of the circle
            del needs[name]
    return sorted(needs)


def _linked(image: WerfImage, names: set[str]) -> WerfImage:
    """Take `from:` for another image of the file where it names one, as werf does."""
    if image.base not in names or image.base == image.name:
        return image
    return replace(image, base="", inner=(image.base, *image.inner))


def _shortened(expression: str) -> str:
    return clean(" ".join(expression.split()), 80)


def _documents(templates: Templates, shown: str) -> list[MappingNode]:
    try:
        nodes = list(yaml.compose_all(templates.plain, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = clean(getattr(error, "problem", None) or type(error).__name__, 200)
        hint = "Check the file's YAML."
        if templates.found:
            problem += ", once its template expressions are taken out"
            hint = "Render it with `werf config render`, and name the result with --config."
        raise UsageError("werf-yaml", f"{shown}{line}: {problem}.", hint) from error
    return [node for node in nodes if isinstance(node, MappingNode)]


def _names(document: MappingNode) -> list[Node] | None:
    """Return the nodes of the names of an image; None for a document that describes none."""
    for key, value in _pairs(document):
        if key in {"image", "artifact"}:
            return list(value.value) if isinstance(value, SequenceNode) else [value]
    return None


def _images(document: MappingNode, names: list[Node], templates: Templates) -> list[WerfImage]:
    fields = _Fields(document, templates)
    common: dict[str, Any] = {
        "base": fields.text("from"),
        "inner": fields.inner(),
        "dockerfile": fields.text("dockerfile"),
        "context": fields.text("context"),
        "target": fields.text("target"),
        "args": fields.arguments(),
        "stages": tuple(key for key in _STAPEL if key in fields.pairs),
        "unknown": frozenset(fields.unknown),
        "line": document.start_mark.line + 1,
    }
    return [WerfImage(name=_scalar(name), **common) for name in names]


class _Fields:
    """The keys of one document; what cannot be known is remembered in `unknown`."""

    def __init__(self, document: MappingNode, templates: Templates) -> None:
        self.pairs = dict(_pairs(document))
        self.templates = templates
        self.unknown: set[str] = set()

    def text(self, key: str) -> str:
        node = self.pairs.get(key)
        if node is None:
            return ""
        value = _scalar(node)
        if not self._is_known(node):
            self.unknown.add(key)
            return ""
        return value

    def inner(self) -> tuple[str, ...]:
        names = [self.text(key) for key in _INNER]
        for key in _LISTS_OF_IMAGES:
            node = self.pairs.get(key)
            for item in node.value if isinstance(node, SequenceNode) else ():
                names += [_scalar(value) for name, value in _pairs(item) if name in {"image", "artifact"}]
        return tuple(dict.fromkeys(name for name in names if name and is_known(name)))

    def arguments(self) -> tuple[tuple[str, str | None], ...]:
        node = self.pairs.get("args")
        if node is None:
            return ()
        return tuple(
            (clean(name), _scalar(value) if self._is_known(value) else None) for name, value in _pairs(node)
        )

    def _is_known(self, node: Node) -> bool:
        line = node.start_mark.line + 1
        return line not in self.templates.conditional and is_known(_scalar(node))


def _pairs(node: Node) -> list[tuple[str, Node]]:
    """Return keys and values of a mapping, those of a merged one (`<<`) first."""
    if not isinstance(node, MappingNode):
        return []
    merged = [pair for key, value in node.value if key.value == "<<" for pair in _pairs(value)]
    own = [(key.value, value) for key, value in node.value if isinstance(key.value, str)]
    return [*merged, *own]


def _scalar(node: Node) -> str:
    """Return a scalar as it is written; the empty string for null and for what is no scalar."""
    if not isinstance(node, ScalarNode) or node.tag == "tag:yaml.org,2002:null":
        return ""
    return clean(node.value)
