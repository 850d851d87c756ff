"""Go template expressions in a text: found, taken out, and never evaluated."""

from __future__ import annotations

import re
from dataclasses import dataclass

PLACEHOLDER = "TEMPLATE-EXPRESSION"

_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_KEYWORD = re.compile(r"\{\{-?\s*(/\*|[A-Za-z]+|\$\w+\s*:?=)?")
_OPENING = frozenset({"if", "range", "with", "define", "block"})
_SILENT = frozenset({"end", "else", "/*", "define"})


@dataclass(frozen=True, slots=True)
class Templates:
    """`plain` is the text with a placeholder for every expression and no line lost.

    `found` are line and text of the expressions that may matter; `conditional` are the lines between
    `if`, `range`, `with` or `define` and their `end`: what stands there may hold, more than once, or not.
    `inserts` are the expressions alone on their lines that may put in lines of their own. The body of a
    `define` renders nothing where it stands, and is taken out with it.
    """

    plain: str
    found: tuple[tuple[int, str], ...]
    conditional: frozenset[int]
    inserts: tuple[tuple[int, str], ...]


def take_out_templates(text: str) -> Templates:
    """Find every `{{ … }}`; lines are counted from 1."""
    found: list[tuple[int, str]] = []
    conditional: set[int] = set()
    opened: list[int] = []
    alone: set[int] = set()
    inserts: list[tuple[int, str]] = []
    text = _without_definitions(text)
    for match in _EXPRESSION.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        word = _keyword(match[0])
        if word not in _SILENT:
            found.append((line, match[0]))
        if _is_alone(text, match):
            alone.add(match.start())
            if word in {"include", "template", "tpl", "block"}:
                inserts.append((line, match[0]))
        if word in _OPENING:
            opened.append(line)
        elif word == "end" and opened:
            conditional.update(range(opened.pop(), line + 1))
    if opened:
        conditional.update(range(opened[0], text.count("\n") + 2))
    plain = _EXPRESSION.sub(
        lambda match: ("" if match.start() in alone else PLACEHOLDER) + "\n" * match[0].count("\n"), text
    )
    return Templates(plain, tuple(found), frozenset(conditional), tuple(inserts))


def _without_definitions(text: str) -> str:
    """Take out every `define` up to its own `end`; the lines stay."""
    opened: list[bool] = []
    kept, at, begin = "", 0, 0
    for match in _EXPRESSION.finditer(text):
        word = _keyword(match[0])
        if word in _OPENING:
            if word == "define" and not any(opened):
                begin = match.start()
            opened.append(word == "define")
        elif word == "end" and opened and opened.pop() and not any(opened):
            kept += text[at:begin] + "\n" * text.count("\n", begin, match.end())
            at = match.end()
    return kept + text[at:]


def is_known(value: str) -> bool:
    """Tell whether a value held no expression."""
    return PLACEHOLDER not in value


def _keyword(expression: str) -> str:
    match = _KEYWORD.match(expression)
    return (match[1] or "") if match else ""


def _is_alone(text: str, match: re.Match[str]) -> bool:
    """Tell whether nothing but expressions stands on the lines of this one."""
    begin = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.end())
    around = text[begin : match.start()] + text[match.end() : end if end >= 0 else len(text)]
    return not _EXPRESSION.sub("", around).strip()
