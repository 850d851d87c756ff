"""Inputs of an included file: what its `spec:` takes, and `$[[ inputs.NAME ]]` filled in before it is parsed.

Follows `lib/gitlab/ci/config/interpolation` and `lib/ci/inputs`, with their error texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.expand import expand_existing
from dockpass.variables.gitlab.model import Value
from dockpass.variables.gitlab.patterns import compiled_pattern
from dockpass.variables.gitlab.tree import Reference, Tree, as_text, in_words, read_tree

MOST_FUNCTIONS = 3
MOST_BLOCKS = 10_000
LARGEST = 2 << 20
"""A file that inputs make longer is not read; a default may be repeated everywhere."""

_DIVIDER = re.compile(r"^---\s+", re.MULTILINE)
_OPENS, _CLOSES = re.compile(r"\$\[\[\s*+"), re.compile(r"(?<=\S)\s*+\]\]")
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
    arguments = Tree() if given is None else given
    if not isinstance(arguments, Tree):
        raise NotFilledIn
    if template.header is None:
        if arguments:
            raise InputError(
                "Given inputs not defined in the `spec` section of the included configuration file"
            )
        return template.text
    inputs = _inputs(template.header, arguments)
    values: dict[str, str] = {}
    pieces: list[str] = []
    at = length = 0
    for start, end, data in _blocks(template.text):
        block = template.text[start:end]
        if block not in values:
            values[block] = _interpolated(block, data, inputs, variables)
        length += len(values[block])
        if length > LARGEST:
            raise InputError("config too large")
        if len(values) > MOST_BLOCKS:
            raise InputError("too many interpolation blocks")
        pieces += template.text[at:start], values[block]
        at = end
    return "".join((*pieces, template.text[at:]))


def _blocks(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where each `$[[ DATA ]]` begins and ends, and its data, at least two characters of one line.

    It looks at each end once: one pattern for a whole block would run from each beginning to the end of a
    line without one, in a file that anybody may have written.
    """
    begin = 0
    for close in _CLOSES.finditer(text):
        end = close.start()
        line = text.rfind("\n", begin, end) + 1
        for opened in _OPENS.finditer(text, begin, end):
            if opened.end() >= line and end - opened.end() >= 2:
                yield opened.start(), close.end(), text[opened.end() : end]
                break
        begin = close.end()


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
    if not isinstance(spec, Tree) or "rules" in spec:
        raise NotFilledIn
    where = f"`{clean(name, 80)}` input:"
    if given is None and "default" not in spec:
        raise InputError(f"{where} required value has not been provided")
    default = _validated(spec.get("default"), spec, f"{where} default", where) if "default" in spec else None
    return default if given is None else _validated(given, spec, f"{where} provided", where)


def _validated(value: Any, spec: Tree, whose: str, where: str) -> Any:
    """Return a value as its type has it; raises `InputError` for one that the input does not take."""
    kind = spec.get("type", "string")
    value = _coerced(value, kind)
    if kind in _TYPES and not _is_a(kind, value):
        raise InputError(f"{whose} value is not {'an' if kind == 'array' else 'a'} {kind}")
    _require_option(value, kind, spec.get("options"), where)
    if "regex" in spec:
        _require_match(value, kind, spec["regex"], whose, where)
    return value


def _require_option(value: Any, kind: str, options: Any, where: str) -> None:
    if options is None:
        return
    if kind not in {"string", "number"}:
        raise InputError(f"{where} Options can only be used with string and number inputs")
    if not isinstance(options, list):
        raise NotFilledIn
    words = in_words(value)
    if words not in map(in_words, options):
        which = "the allowed" if kind == "number" else "allowed"
        raise InputError(
            f"{where} `{clean(words, 80)}` cannot be used because it is not in the list of {which} options"
        )


def _require_match(value: Any, kind: str, regex: Any, whose: str, where: str) -> None:
    if kind != "string":
        raise InputError(f"{where} RegEx validation can only be used with string inputs")
    if not isinstance(regex, str):
        raise NotFilledIn
    pattern = compiled_pattern(regex)
    if pattern.error:
        raise InputError(f"{where} invalid regular expression")
    matches = pattern.search(value)
    if matches is None:
        raise NotFilledIn
    if not matches:
        raise InputError(f"{whose} value does not match required RegEx pattern")


def _is_a(kind: str, value: Any) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _coerced(value: Any, kind: Any) -> Any:
    """Return a value as its type has it: a text for `string`, what is JSON in a text for the others."""
    if kind == "string":
        text = "" if value is None else as_text(value)
        if text is None:
            raise NotFilledIn
        return text
    if not isinstance(kind, str) or kind not in _TYPES or isinstance(value, Reference):
        raise NotFilledIn
    if isinstance(value, str):
        try:
            return json.loads(value, parse_constant=_no_json)
        except (ValueError, RecursionError):
            return value
    return value


def _no_json(word: str) -> None:
    """Refuse `NaN` and `Infinity`, which Python's reader takes."""
    raise ValueError(word)


def _interpolated(block: str, data: str, inputs: Mapping[str, Any], variables: Mapping[str, Value]) -> str:
    access, *functions = (part.strip() for part in data.split("|"))
    context, _, name = access.partition(".")
    if context == "matrix":
        return block
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
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotFilledIn from error
