"""The expressions of `rules:if`: read, evaluated with three outcomes, and told operand by operand.

The grammar and the quirks are those of `lib/gitlab/ci/pipeline/expression`: values are compared unexpanded,
`&&` and `||` yield values as Ruby's do, and a right side of `=~` that is no `/pattern/` is searched for the
left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TypeAlias

from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Value
from dockpass.variables.gitlab.patterns import Pattern, read_pattern
from dockpass.variables.gitlab.tree import Reference, Tree

MOST_TOKENS = 100
MOST_PARSED = 512
"""The expressions that are kept: jobs share their rules, and another ref looks at the same ones again."""
UNREADABLE_IF = "if invalid expression syntax"
"""What GitLab says of such a condition, after the rule."""
HOW_TO_WRITE = (
    "An expression compares with ==, !=, =~ or !~, and joins with && and ||. Variables begin with $,"
    " strings are quoted, and patterns go between slashes."
)
_INPUT = "$[["


class _Undecided(Enum):
    """What a comparison gives that depends on a value that is not known."""

    UNDECIDED = "undecided"


_UNDECIDED = _Undecided.UNDECIDED
Operand: TypeAlias = str | bool | Pattern | Unknown | _Undecided | None


def help_with(problem: str) -> str:
    """Return how an expression is written, for a problem in which GitLab refuses one; else nothing."""
    return HOW_TO_WRITE if problem.endswith("invalid expression syntax") else ""


class ExpressionError(ValueError):
    """The expression cannot be read; the text is GitLab's own."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One operand or comparison that was looked at: its text, the values, and what it gave.

    `outcome` is None where it depends on a value that is not known.
    """

    text: str
    names: tuple[str, ...]
    outcome: bool | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the expression holds (None: not known), and what was compared on the way."""

    holds: bool | None
    trace: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Leaf:
    token: _Token


@dataclass(frozen=True, slots=True)
class _Branch:
    operator: str
    left: _Node
    right: _Node


_Node: TypeAlias = "_Leaf | _Branch"

_LEXEMES = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("(", r"\("),
        (")", r"\)"),
        ("variable", r"\$\w+"),
        ("string", r"\"[^\n]*?\"|'[^\n]*?'"),
        ("pattern", r"/(?:[^/]|\\/)+[^\\]/[ismU]*"),
        ("null", r"null"),
        ("boolean", r"\b(?:true|false)\b"),
        ("==", r"=="),
        ("=~", r"=~"),
        ("!=", r"!="),
        ("!~", r"!~"),
        ("&&", r"&&"),
        ("||", r"\|\|"),
    )
)
_PRECEDENCE: Mapping[str, int] = {"==": 10, "=~": 10, "!=": 10, "!~": 10, "&&": 11, "||": 12}


@lru_cache(MOST_PARSED)
def parse(text: str) -> _Node:
    """Read an expression; raises `ExpressionError` with GitLab's text."""
    tokens = _tokens(text)
    if not tokens:
        raise ExpressionError("Empty expression")
    results: list[_Node] = []
    for token in _postfix(tokens):
        if token.kind not in _PRECEDENCE:
            if token.kind == "pattern":
                _require_pattern(token.text)
            results.append(_Leaf(token))
            continue
        if len(results) < 2:
            raise ExpressionError("Unprocessable token found in parse tree")
        right, left = results.pop(), results.pop()
        results.append(_Branch(token.kind, left, right))
    if len(results) != 1:
        raise ExpressionError("Unreachable nodes in parse tree" if results else "Empty parse tree")
    return results[0]


def has_readable_if(rule: Tree) -> bool:
    """Return whether GitLab can read the condition of a rule; it refuses the configuration if not.

    One that is somewhere else, or has an input that is not filled in here, is given the benefit of the doubt.
    """
    condition = rule.get("if")
    if condition is None or isinstance(condition, Reference):
        return True
    if not isinstance(condition, str):
        return False
    if _INPUT in condition:
        return True
    try:
        parse(condition)
    except ExpressionError:
        return False
    return True


def evaluate(node: _Node, variables: Mapping[str, Value]) -> Outcome:
    """Evaluate with the values of variables, which are not expanded."""
    trace: list[Comparison] = []
    value = _evaluate(node, variables, trace)
    if isinstance(node, _Leaf):
        trace.append(Comparison(node.token.text, _names(node), _is_present(value)))
    return Outcome(_is_present(value), tuple(trace))


@dataclass(frozen=True, slots=True)
class Asked:
    """What an expression asks of one variable: `==`, `!=`, `=~`, `!~` with a text, or nothing but to be set.

    `text` is a literal without its quotes, a `/pattern/`, or empty; `other` is the variable it is
    compared with.
    """

    name: str
    operator: str = ""
    text: str = ""
    other: str = ""


def asked_in(node: _Node) -> Iterator[Asked]:
    """Yield what an expression asks of each of its variables."""
    if isinstance(node, _Leaf):
        if node.token.kind == "variable":
            yield Asked(node.token.text[1:])
    elif node.operator in {"&&", "||"} or isinstance(node.left, _Branch) or isinstance(node.right, _Branch):
        yield from asked_in(node.left)
        yield from asked_in(node.right)
    else:
        for one, two in ((node.left.token, node.right.token), (node.right.token, node.left.token)):
            if one.kind == "variable":
                is_variable = two.kind == "variable"
                text = two.text[1:-1] if two.kind == "string" else two.text if two.kind == "pattern" else ""
                yield Asked(one.text[1:], node.operator, text, two.text[1:] if is_variable else "")


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while True:
        position += len(text[position:]) - len(text[position:].lstrip())
        if position >= len(text):
            return tokens
        if len(tokens) >= MOST_TOKENS:
            raise ExpressionError("Too many tokens!")
        for kind, pattern in _LEXEMES:
            match = pattern.match(text, position)
            if match:
                tokens.append(_Token(kind, match[0]))
                position = match.end()
                break
        else:
            raise ExpressionError("Unknown lexeme found!")


def _postfix(tokens: list[_Token]) -> list[_Token]:
    output: list[_Token] = []
    operators: list[_Token] = []
    for token in tokens:
        if token.kind in _PRECEDENCE:
            while operators and _PRECEDENCE.get(operators[-1].kind, 99) <= _PRECEDENCE[token.kind]:
                output.append(operators.pop())
            operators.append(token)
        elif token.kind == "(":
            operators.append(token)
        elif token.kind == ")":
            while operators and operators[-1].kind != "(":
                output.append(operators.pop())
            if not operators:
                raise ExpressionError("Unmatched parenthesis")
            operators.pop()
        else:
            output.append(token)
    if any(operator.kind == "(" for operator in operators):
        raise ExpressionError("Unmatched parenthesis")
    return [*output, *reversed(operators)]


def _require_pattern(text: str) -> Pattern:
    pattern = read_pattern(text)
    if pattern is None or pattern.error:
        raise ExpressionError("Invalid regular expression!")
    return pattern


def _evaluate(node: _Node, variables: Mapping[str, Value], trace: list[Comparison]) -> Operand:
    if isinstance(node, _Leaf):
        return _operand(node.token, variables)
    left = _evaluate(node.left, variables, trace)
    if node.operator in {"&&", "||"}:
        _note(node.left, left, trace)
        if _decides(node.operator, left):
            return left
        right = _evaluate(node.right, variables, trace)
        _note(node.right, right, trace)
        return _joined(node.operator, left, right)
    right = _evaluate(node.right, variables, trace)
    outcome = _COMPARE[node.operator](left, right)
    trace.append(Comparison(_text(node), _names(node), outcome))
    return _UNDECIDED if outcome is None else outcome


def _note(node: _Node, value: Operand, trace: list[Comparison]) -> None:
    """A variable or text on its own counts by being there."""
    if isinstance(node, _Leaf):
        trace.append(Comparison(node.token.text, _names(node), _is_present(value)))


def _decides(operator: str, left: Operand) -> bool:
    """Tell whether Ruby would not look at the right side: only null and false are false there."""
    if _may_be_null(left):
        return False
    truthy = left is not None and left is not False
    return truthy if operator == "||" else not truthy


def _may_be_null(value: Operand) -> bool:
    """Tell whether it may be null or false: an open comparison, or a variable that may be missing."""
    return value is _UNDECIDED or (isinstance(value, Unknown) and value.may_be_missing)


def _joined(operator: str, left: Operand, right: Operand) -> Operand:
    if not _may_be_null(left):
        return right
    if operator == "&&":
        return False if _is_present(right) is False else _UNDECIDED
    return right if _is_present(right) is True else _UNDECIDED


def _operand(token: _Token, variables: Mapping[str, Value]) -> Operand:
    match token.kind:
        case "variable":
            return variables.get(token.text[1:])
        case "string":
            return token.text[1:-1]
        case "boolean":
            return token.text == "true"
        case "pattern":
            return _require_pattern(token.text)
    return None


def _is_present(value: Operand) -> bool | None:
    """Return what Rails calls present: not null, not false, and not blank."""
    if value is _UNDECIDED:
        return None
    if isinstance(value, Unknown):
        return True if value.is_set else None
    if isinstance(value, str):
        return bool(value.strip())
    return value is not None and value is not False


def _equal(left: Operand, right: Operand) -> bool | None:
    if left is _UNDECIDED or right is _UNDECIDED:
        return None
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        known, unknown = (right, left) if isinstance(left, Unknown) else (left, right)
        if known is None:
            return None if _may_be_null(unknown) else False
        if isinstance(known, bool):
            return False
        return False if known == "" and isinstance(unknown, Unknown) and unknown.is_set else None
    return type(left) is type(right) and left == right


def _matching(left: Operand, right: Operand) -> bool | None:
    if right is None or right is False:
        return False
    if left is _UNDECIDED or right is _UNDECIDED:
        return None
    pattern = read_pattern(right) if isinstance(right, str) else right
    if isinstance(pattern, Pattern) and not pattern.error:
        return None if isinstance(left, Unknown) else pattern.search(_as_text(left))
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return None
    return _as_text(left) in _as_text(right)


def _as_text(value: Operand) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else ""


def _not(outcome: bool | None) -> bool | None:
    return None if outcome is None else not outcome


_COMPARE: Mapping[str, Callable[[Operand, Operand], bool | None]] = {
    "==": _equal,
    "!=": lambda left, right: _not(_equal(left, right)),
    "=~": _matching,
    "!~": lambda left, right: _not(_matching(left, right)),
}


def _names(node: _Node) -> tuple[str, ...]:
    if isinstance(node, _Leaf):
        return (node.token.text[1:],) if node.token.kind == "variable" else ()
    return (*_names(node.left), *_names(node.right))


def _text(node: _Node) -> str:
    if isinstance(node, _Leaf):
        return node.token.text
    return f"{_text(node.left)} {node.operator} {_text(node.right)}"
