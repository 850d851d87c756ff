"""Two sets of variables beside each other: what it means for the logins, and what differs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from dockpass.auth.command import Command
from dockpass.auth.decision import Decision
from dockpass.marks import GLYPH_LOOK
from dockpass.secrets import MASK
from dockpass.text import clean, plural
from dockpass.ui.views.commands import Decided, warning_words
from dockpass.ui.views.words import Line, Span, cell, cells, fitted, hanging, length, method_role
from dockpass.unknown import Unknown
from dockpass.variables.compare import Comparison, Difference, Seen, State
from dockpass.variables.gitlab.model import Reason
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.inwords import reason_words

_GLYPHS = {State.ONLY_LEFT: "-", State.ONLY_RIGHT: "+", State.SAME: "=", State.UNKNOWN: "?"}
_NAME = 32


def logins_lines(
    left: Mapping[Command, Decided],
    right: Mapping[Command, Decided],
    titles: tuple[str, str],
    width: int,
    open_: Collection[Command] = (),
) -> list[Line]:
    """Return the login of each command on both sides; the same one is said only once.

    Of the `open_` commands it is not known whether the login is the same.
    """
    column = max((width - 10) // 2, 16)
    head = f"{'command':10}{cell(titles[0], column - 1)} {fitted(titles[1], column)}"
    lines: list[Line] = [((head, "heading"),)]
    for command in Command:
        one, two = _login(left[command], column - 1), _login(right[command], column)
        the_same: Line = (("may differ", "look"),) if command in open_ else (("the same", "label"),)
        same = the_same if _key(left[command]) == _key(right[command]) else two
        blank = column - length(one)
        lines.append(((f"{command!s:10}", "strong"), *one, (" " * max(blank, 1), "text"), *same))
    return lines


def _key(decided: Decided) -> object:
    if not isinstance(decided, Decision):
        return decided.id
    warning = warning_words(decided)
    return decided.method, decided.username, decided.login, decided.secret_from, decided.config, warning


def _login(decided: Decided, room: int) -> Line:
    if not isinstance(decided, Decision):
        return ((fitted("no repository", room), "look"),)
    method: Span = (decided.method.label, method_role(decided.method))
    where = _registry(decided) if decided.method.logs_in else _config(decided)
    warning = warning_words(decided)
    address: Line = ((f"  {where}", "text"),) if where else ()
    notice: Line = ((f"  {GLYPH_LOOK} {warning}", "look"),) if warning else ()
    for line in ((method, *address, *notice), (method, *notice)):
        if length(line) <= room:
            return line
    return (method,)


def _registry(decision: Decision) -> str:
    return clean(decision.login[0]) if decision.login else "registry not known"


def _config(decision: Decision) -> str:
    """Return where the docker config lies that is used; empty with a login."""
    return "of its runner or image" if decision.config_of_runner else clean(decision.config_dir or "")


def difference_row(found: Difference, width: int) -> Line:
    """Return one row: the name, and what stands on either side; no secret."""
    name = min(_NAME, max(width * 3 // 7, 18))
    column = max((width - 2 - name) // 2, 8)
    role = _role(found)
    glyph = _GLYPHS.get(found.state, "≠")
    spans: list[Span] = [(f"{glyph} ", role), (cell(clean(found.name, 255), name - 1) + " ", "text")]
    for seen in (found.left, found.right):
        shown = _side(seen, found, column - 1)
        taken = length(shown)
        spans += [*shown, (" " * max(column - taken, 1), "text")]
    return tuple(spans)


def _role(found: Difference) -> str:
    if found.logins:
        return "look" if found.is_open else "bad"
    return "label" if found.state in {State.SAME, State.UNKNOWN} else "look"


def _side(seen: Seen | None, found: Difference, room: int) -> list[Span]:
    text, role = _value(seen, secret=found.secret)
    spans: list[Span] = [(fitted(text, room), role)]
    left = room - cells(spans[0][0]) - 2
    if seen is not None and seen.source and left >= 8:
        spans.append((f"  {fitted(seen.place or seen.source, left)}", "label"))
    return spans


def _value(seen: Seen | None, *, secret: bool) -> tuple[str, str]:
    if seen is None:
        return "absent", "absent"
    if isinstance(seen.value, Unknown):
        if seen.value.why == Reason.PROTECTED_UNKNOWN and seen.value.may_be_missing:
            return "if protected", "look"
        return ("may be missing" if seen.value.may_be_missing else "value unknown"), "look"
    if not seen.value:
        return "empty", "look"
    if secret:
        return f"{MASK} {plural(len(seen.value), 'character')}", "look"
    return clean(seen.value, 1000), "text"


def verdict(found: Comparison) -> Line:
    """Return the answer for the status line."""
    logins = len(found.of_logins)
    if logins:
        return ((f"{plural(logins, 'difference')} {_changing(found).partition(' ')[2]}", "bad"),)
    if found.plain:
        rest = "a login may change" if found.open_logins else "no login changes"
        return ((f"{plural(len(found.plain), 'difference')}, {rest}", "look"),)
    if found.open_logins:
        return (("a login may change", "look"),)
    return (("no difference", "good"),)


def listed(found: Comparison, *, every_run: bool) -> list[Difference]:
    """Return the rows in their order: what changes a login, what may, the rest, unknown values, every run."""
    rest = found.every_run if every_run else ()
    unknown = (each for each in found.unknown_on_one_side if each not in found.open_logins)
    return [*found.of_logins, *found.open_logins, *found.plain, *unknown, *rest]


def matching(found: Iterable[Difference], text: str) -> list[Difference]:
    """Return those whose name holds a text."""
    return [each for each in found if text in clean(each.name, 255).casefold()]


def why_lines(
    found: Difference, titles: tuple[str, str], views: tuple[JobView | None, JobView | None], width: int
) -> list[Line]:
    """Return what a difference is, side by side, and which logins it changes."""
    column = max(22, min(max(map(len, titles)), width // 3))
    lines: list[Line] = []
    for title, seen, view in zip(titles, (found.left, found.right), views, strict=True):
        text, role = _value(seen, secret=found.secret)
        words = f"{text}{f' ({seen.place or seen.source})' if seen is not None and seen.source else ''}"
        if seen is None and view is not None and found.name in view.absent:
            words = f"absent: {reason_words(view.absent[found.name].losers[0])}"
        head: Line = ((f"{cell(title, column)} ", "strong"),)
        lines += hanging(head, words, role if role != "absent" else "label", width)
    if found.how:
        lines += [(), *hanging((), found.how, "text", width)]
    if found.every_run:
        lines += [(), (("It differs from run to run.", "label"),)]
    if found.state is State.UNKNOWN:
        gets = "Whether the job gets it is not known."
        words = gets if found.is_open else "What is not known cannot be compared."
        lines += [(), *hanging((), words, "label", width)]
    if found.logins:
        names = ", ".join(map(str, found.logins))
        verb = "may change" if found.state is State.UNKNOWN else "changes"
        lines += [
            (),
            *hanging(((f"{GLYPH_LOOK} ", "bad"),), f"It {verb} the login of {names}.", "text", width),
        ]
    return lines


def summary(found: Comparison, keys: Sequence[str]) -> str:
    """Return the counts for the frame, with the key that shows what differs in every run."""
    rest = len(found.plain)
    words = [_changing(found), f"{rest} {'does' if rest == 1 else 'do'} not", f"{found.same} the same"]
    if found.open_logins:
        words.insert(1, f"{len(found.open_logins)} may")
    if found.every_run:
        words.append(f"{len(found.every_run)} in every run: {keys[0]}")
    return " · ".join(words)


def _changing(found: Comparison) -> str:
    count = len(found.of_logins)
    return f"{count} changes a login" if count == 1 else f"{count} change a login"
