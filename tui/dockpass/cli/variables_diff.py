"""The work of `dockpass vars diff`: two sides, named in words, beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dockpass.cli.table import columns
from dockpass.cli.usual import usual_version
from dockpass.cli.variables import look
from dockpass.cli.world import World
from dockpass.errors import ExitCode, UsageError
from dockpass.secrets import MASK, Secret
from dockpass.session.sides import Chosen, side_of_scenario
from dockpass.text import clean, cut, plural
from dockpass.typedpath import is_readable_file, is_there
from dockpass.unknown import Unknown
from dockpass.variables.compare import (
    Comparison,
    Difference,
    Seen,
    Side,
    State,
    side_of_environ,
    side_of_reading,
    side_of_view,
)
from dockpass.variables.envsource import STDIN
from dockpass.variables.formats.catalogue import known_format, no_variables, read, read_variables_file
from dockpass.variables.formats.detect import propose
from dockpass.variables.gitlab.model import Reason

HERE = "here"
_HINT = (
    "Give a file, - for stdin, here for this shell, scenario:FILE, or branch:NAME, tag:NAME, mr:BRANCH,"
    " job:NAME, environment:NAME, protected, unprotected; several with commas."
)
_LONGEST = 40
_WORDS = {
    "branch": ("ref",),
    "ref": ("ref",),
    "tag": ("tag",),
    "mr": ("ref",),
    "job": ("job",),
    "environment": ("environment",),
    "env": ("environment",),
    "source": ("pipeline_source",),
}


def side_of(world: World, text: str, given: Mapping[str, Any], format_: str | None) -> Side:
    """Return the side that an argument names; raises `UsageError` for one that names nothing."""
    if text == HERE:
        return _learned(world, side_of_environ("this shell", world.environ))
    kind, colon, path = text.partition(":")
    if colon and kind == "scenario":
        return side_of_scenario(Chosen(scenario=path), world, usual_version(world)).side
    if text == "-" or (colon and kind == "file"):
        return _file(world, path if colon else text, given, format_)
    context = _context(text)
    if context is not None:
        return _job(world, text, {**given, **context})
    if is_readable_file(world.cwd / text):
        return _file(world, text, given, format_)
    if _is_no_branch(world, text):
        raise _no_side(text)
    return _job(world, text, {**given, "ref": text, "tag": None, "merge_request": False})


def _no_side(text: str) -> UsageError:
    return UsageError("diff-side", f"{clean(text, 80)} is neither a file nor a branch.", _HINT)


def _is_no_branch(world: World, text: str) -> bool:
    """Tell a path, and a word with a colon, from a branch's name: git has none like these."""
    return ":" in text or text.startswith(("/", ".", "~")) or is_there(world.cwd / text)


def _context(text: str) -> dict[str, Any] | None:
    """Read `branch:main,protected,job:publish`; None for a text that is none of these words."""
    found: dict[str, Any] = {}
    for part in text.split(","):
        word, colon, value = part.partition(":")
        if part in {"protected", "unprotected"}:
            found["protected"] = part == "protected"
        elif colon and word in _WORDS and value:
            found |= dict.fromkeys(_WORDS[word], value)
            if word in {"branch", "ref", "mr"}:
                found |= {"tag": None, "merge_request": word == "mr"}
            elif word == "tag":
                found |= {"ref": None, "merge_request": False}
        else:
            return None
    return found


def _job(world: World, text: str, given: dict[str, Any]) -> Side:
    try:
        looked = look(world, given)
    except UsageError as error:
        if error.id == "ci-file-missing":
            raise _no_side(text) from error
        raise
    name = f"job {clean(looked.view.title, 80)}" if looked.view.name else "every job"
    ref = looked.pipeline.ref
    state = {True: ", protected", False: ", not protected", None: ""}[ref.protected]
    return side_of_view(f"{name} on {clean(ref.name, 80)}{state}", looked.view)


def _file(world: World, name: str, given: Mapping[str, Any], format_: str | None) -> Side:
    path = STDIN if name == "-" else world.cwd / name
    shown = "stdin" if path == STDIN else clean(name, 200)
    text = read_variables_file(path, shown, "Give a file with variables.")
    chosen = known_format(format_) if format_ else propose(text, name).format
    side = side_of_reading(
        f"{shown} ({chosen})", read(chosen, text, world.environ), given["environment"] or ""
    )
    if not side.variables:
        raise no_variables(shown, chosen, "--env-format reads it in another format.")
    return _learned(world, side)


def _learned(world: World, side: Side) -> Side:
    world.redactor.learn_all(
        Secret(seen.value)
        for seen in side.variables.values()
        if seen.secret and isinstance(seen.value, str) and seen.value
    )
    return side


def diff_lines(found: Comparison, *, everything: bool) -> Iterator[str]:
    """Yield the differences, those that change a login first."""
    yield f"left   {found.left}"
    yield f"right  {found.right}"
    for title, listed in (
        ("change a login", found.of_logins),
        ("may change a login", found.open_logins),
        ("differ", found.plain),
        ("not known on one side", _only_unknown(found)),
        ("differ in every run", found.every_run),
    ):
        if not listed:
            continue
        yield ""
        if title == "differ in every run" and not everything:
            yield f"{plural(len(listed), 'variable')} that differ in every run (--all)"
            continue
        yield title
        yield from columns([_row(each) for each in listed])
    yield ""
    yield verdict(found)
    if any(_depends_on_protection(each) for each in found.open_logins):
        yield "Say which branches are protected: branch:NAME,protected or branch:NAME,unprotected."


def _only_unknown(found: Comparison) -> tuple[Difference, ...]:
    listed = {each.name for each in found.open_logins}
    return tuple(each for each in found.unknown_on_one_side if each.name not in listed)


def _depends_on_protection(each: Difference) -> bool:
    values = (seen.value for seen in (each.left, each.right) if seen is not None)
    return any(isinstance(value, Unknown) and value.why == Reason.PROTECTED_UNKNOWN for value in values)


def verdict(found: Comparison) -> str:
    """Return the answer in one sentence, and in a second one which logins are not settled by it."""
    names = [clean(each.name, 80) for each in found.open_logins]
    if not names:
        return _settled(found)
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    commands = sorted({str(command) for each in found.open_logins for command in each.logins})
    return (
        f"{_settled(found)} Whether the login of {', '.join(commands)} changes is not known: it depends on"
        f" {names[0]}{more}."
    )


def _settled(found: Comparison) -> str:
    if not found.differences:
        unknown = f", {plural(len(found.unknown), 'variable')} not known" if found.unknown else ""
        return f"No difference{unknown}; {plural(found.same, 'variable')} the same."
    logins = sorted({str(command) for each in found.of_logins for command in each.logins})
    if not logins:
        return f"{plural(len(found.differences), 'difference')}, none of which changes a login."
    changing = len(found.of_logins)
    verb = "changes" if changing == 1 else "change"
    return (
        f"{plural(len(found.differences), 'difference')}, {changing} of which {verb} a login:"
        f" {', '.join(logins)}."
    )


def _row(each: Difference) -> tuple[str, ...]:
    logins = ", ".join(map(str, each.logins))
    return (
        clean(each.name, 255),
        _shown(each.left, secret=each.secret),
        _shown(each.right, secret=each.secret),
        each.how or (f"for {logins}" if logins else ""),
    )


def _shown(seen: Seen | None, *, secret: bool) -> str:
    if seen is None:
        return "absent"
    if isinstance(seen.value, Unknown):
        return "unknown"
    if not seen.value:
        return "empty"
    return MASK if secret else cut(clean(seen.value), _LONGEST)


def diff_json(found: Comparison) -> dict[str, Any]:
    """Return the object of `vars diff --json`; secrets are masked, unknown values null."""
    return {
        "left": found.left,
        "right": found.right,
        "differences": [_json(each) for each in found.differences],
        "unknown": [_json(each) for each in found.unknown],
        "same": found.same,
        "verdict": verdict(found),
    }


def _json(each: Difference) -> dict[str, Any]:
    return {
        "name": clean(each.name, 255),
        "state": str(each.state),
        "secret": each.secret,
        "left": _side_json(each.left, secret=each.secret),
        "right": _side_json(each.right, secret=each.secret),
        "logins": [str(command) for command in each.logins],
        "every_run": each.every_run,
        "how": each.how or None,
    }


def _side_json(seen: Seen | None, *, secret: bool) -> dict[str, Any] | None:
    if seen is None:
        return None
    known = isinstance(seen.value, str)
    value = clean(seen.value, 1 << 16) if isinstance(seen.value, str) else None
    return {
        "value": MASK if secret and value else value,
        "known": known,
        "length": len(seen.value) if isinstance(seen.value, str) else None,
        "source": clean(seen.source, 300) or None,
    }


def status(found: Comparison) -> int:
    """Return 1 where the sides differ for certain, leaving aside what differs in every run; else 0."""
    real = [each for each in found.differences if each.logins or not each.every_run]
    return ExitCode.FAILED if real else ExitCode.DONE


__all__ = ["State", "diff_json", "diff_lines", "side_of", "status", "verdict"]
