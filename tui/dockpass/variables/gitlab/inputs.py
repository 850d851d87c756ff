"""Inputs of an included file: what its `spec:` takes, and `$[[ inputs.NAME ]]` filled in before it is parsed.

Follows `lib/gitlab/ci/config/interpolation` and `lib/ci/inputs`, with their error texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.expand import expand_existing
from dockpass.variables.gitlab.model import Value
from dockpass.variables.gitlab.tree import Reference, Tree, as_text, in_words, read_tree

MOST_FUNCTIONS = 3
LARGEST = 2 << 20
"""A file that inputs make longer is not read; a default may be repeated everywhere."""

_DIVIDER = re.compile(r"^---\s+", re.MULTILINE)
_BLOCK = re.compile(r"\$\[\[\s*(?P<data>.*?)\s*\]\]")
_TRUNCATE = re.compile(r"truncate\(\s*(\d{1,9})\s*,\s*(\d{1,9})\s*\)?")
_TYPES: Mapping[str, tuple[type, ...]] = {"array": (list,), "boolean": (bool,), "number": (int, float)}


class InputError(ValueError):
    """GitLab refuses the inputs of a file; the text is its own."""


class NotFilledIn(ValueError):
    """The file takes something that is not modelled here, such as rules of inputs."""


@dataclass(frozen=True, slots=True)
class Template:
    """A file with its header, None where it has none; the lines of the header are empty in `text`."""

    header: Tree | None
    text: str


def split_header(text: str, file: str) -> Template:
    """Take the header off a file; raises `YamlError` for one that is no YAML."""
    start = first.end() if (first := _DIVIDER.match(text)) else 0
    divider = _DIVIDER.search(text, start)
    if divider is None or "spec" not in text[: divider.start()]:
        return Template(None, text)
    head = text[:start].count("\n") * "\n" + text[start : divider.start()]
    documents = read_tree(head, file)
    header = documents[0] if documents else None
    if not isinstance(header, Tree) or "spec" not in header:
        return Template(None, text)
    return Template(header, "\n" * text.count("\n", 0, divider.end()) + text[divider.end() :])


def filled_in(template: Template, given: object, variables: Mapping[str, Value]) -> str:
    """Return a file's text with its inputs; raises `InputError` and `NotFilledIn`.

    `given` is what the include says of `inputs`, None where it says nothing.
    """
    arguments = given if isinstance(given, Tree) else Tree()
    if template.header is None:
        if arguments:
            raise InputError(
                "Given inputs not defined in the `spec` section of the included configuration file"
            )
        return template.text
    inputs = _inputs(template.header, arguments)
    length = 0

    def value(block: re.Match[str]) -> str:
        nonlocal length
        found = _interpolated(block, inputs, variables)
        length += len(found)
        if length > LARGEST:
            raise InputError("config too large")
        return found

    return _BLOCK.sub(value, template.text)


def _inputs(header: Tree, given: Tree) -> dict[str, Any]:
    spec = header.get("spec")
    spec = Tree() if spec is None else spec
    if not isinstance(spec, Tree) or set(spec) - {"inputs"}:
        raise NotFilledIn
    specs = spec.get("inputs")
    specs = Tree() if specs is None else specs
    if not isinstance(specs, Tree):
        raise NotFilledIn
    unknown = [name for name in given if name not in specs]
    if unknown:
        raise InputError(f"unknown input arguments: {clean(', '.join(unknown), 200)}")
    return {name: _input(name, each, given.get(name)) for name, each in specs.items()}


def _input(name: str, spec: Any, given: Any) -> Any:
    spec = Tree() if spec is None else spec
    if not isinstance(spec, Tree) or "rules" in spec or isinstance(given, Reference):
        raise NotFilledIn
    where = f"`{clean(name, 80)}` input:"
    if given is None and "default" not in spec:
        raise InputError(f"{where} required value has not been provided")
    kind = spec.get("type", "string")
    value = _coerced(spec.get("default") if given is None else given, kind)
    if kind in _TYPES and not _is_a(kind, value):
        whose = "default" if given is None else "provided"
        raise InputError(f"{where} {whose} value is not {'an' if kind == 'array' else 'a'} {kind}")
    options = spec.get("options")
    if isinstance(options, list) and in_words(value) not in map(in_words, options):
        words = clean(in_words(value), 80)
        raise InputError(f"{where} `{words}` cannot be used because it is not in the list of allowed options")
    return value


def _is_a(kind: str, value: Any) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _coerced(value: Any, kind: Any) -> Any:
    """Return a value as its type has it: a text for `string`, what is JSON in a text for the others."""
    if kind == "string":
        if isinstance(value, list | Tree):
            raise NotFilledIn
        return as_text(value) or ""
    if kind not in _TYPES:
        raise NotFilledIn
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _interpolated(block: re.Match[str], inputs: Mapping[str, Any], variables: Mapping[str, Value]) -> str:
    access, *functions = (part.strip() for part in block["data"].split("|"))
    context, _, name = access.partition(".")
    if context == "matrix":
        return block[0]
    if context != "inputs":
        raise NotFilledIn
    if name not in inputs:
        raise InputError(f"unknown interpolation key: `{clean(name, 80)}`")
    if len(functions) > MOST_FUNCTIONS:
        raise InputError("too many functions in interpolation block")
    value = inputs[name]
    for function in functions:
        value = _applied(function, value, variables)
    return value if isinstance(value, str) else _as_json(value)


def _applied(function: str, value: Any, variables: Mapping[str, Value]) -> str:
    cut = _TRUNCATE.fullmatch(function)
    if cut is None and function != "expand_vars":
        raise NotFilledIn
    if not isinstance(value, str):
        raise InputError(
            f"invalid input type: {function.partition('(')[0]} can only be used with string inputs"
        )
    if cut is not None:
        return value[int(cut[1]) : int(cut[1]) + int(cut[2])]
    expanded = expand_existing(value, variables)
    if isinstance(expanded, Unknown):
        raise NotFilledIn
    return expanded


def _as_json(value: Any) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    except TypeError as error:
        raise NotFilledIn from error
