"""Settings: a TOML file that is checked when it is read and written when a person changes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dockpass.errors import DockpassError
from dockpass.keeping import keep
from dockpass.system import reason
from dockpass.text import clean

if TYPE_CHECKING:
    import tomlkit

ENGINES = ("auto", "docker", "embedded")
THEMES = (
    *("dockpass-dark", "dockpass-light", "ansi-dark", "ansi-light", "atom-one-dark", "atom-one-light"),
    *("catppuccin-frappe", "catppuccin-latte", "catppuccin-macchiato", "catppuccin-mocha", "dracula"),
    *("flexoki", "gruvbox", "monokai", "nord", "rose-pine", "rose-pine-dawn", "rose-pine-moon"),
    *("solarized-dark", "solarized-light", "textual-dark", "textual-light", "tokyo-night"),
)
"""The names of all themes; Textual is not loaded for them."""


@dataclass(frozen=True, slots=True)
class Mute:
    """A finding that is muted: the id or name of its check, the reason, and patterns of what it is about."""

    check: str
    because: str
    about: str | tuple[str, ...] = "*"

    @property
    def patterns(self) -> tuple[str, ...]:
        """What it may be about; any of them will do."""
        return (self.about,) if isinstance(self.about, str) else self.about


def mute_from(table: Mapping[str, Any]) -> Mute:
    """Return the mute of a table that was checked."""
    about = table.get("about", "*")
    return Mute(str(table["check"]), str(table["because"]), about if isinstance(about, str) else tuple(about))


def mute_table(mute: Mute) -> dict[str, str | list[str]]:
    """Return the table of a mute, as a file has it."""
    about = mute.about if isinstance(mute.about, str) else list(mute.about)
    return {"check": mute.check, **({} if about == "*" else {"about": about}), "because": mute.because}


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default."""

    theme: str = field(default="dockpass-dark", metadata={"help": "the theme of the screen"})
    engine: str = field(
        default="auto", metadata={"help": "who builds, pulls and pushes: auto, docker or embedded"}
    )
    store: str = field(
        default="",
        metadata={"help": "the directory of the embedded engine's images, empty for the usual one"},
    )
    gitlab_version: str = field(
        default="",
        metadata={"help": "the version of your GitLab, such as 17.11; empty for the current one"},
    )
    reveal: bool = field(default=True, metadata={"help": "whether a secret can be shown for ten seconds"})
    read_only: bool = field(
        default=False,
        metadata={"help": "whether nothing may be pushed, deleted, run, written or revealed"},
    )
    keys: Mapping[str, str] = field(
        default_factory=dict, metadata={"help": "other keys for actions, by the action's id"}
    )
    muted: tuple[Mute, ...] = field(
        default=(),
        metadata={"help": "findings of the doctor that count for nothing: tables of check, about, because"},
    )


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings, where each value came from (`default` or the file), and what is wrong in the file."""

    settings: Settings
    sources: Mapping[str, str]
    problems: tuple[str, ...]
    path: Path


def load_settings(path: Path) -> LoadedSettings:
    """Read the file; what is wrong in it is said, and the default is used meanwhile."""
    shown = clean(str(path))
    names = [found.name for found in fields(Settings)]
    sources = dict.fromkeys(names, "default")
    try:
        text, found = _read(path)
    except FileNotFoundError:
        return LoadedSettings(Settings(), sources, (), path)
    except (OSError, ValueError) as error:
        return _unreadable(path, error, sources)
    values: dict[str, Any] = {}
    problems: list[_Problem] = []
    for name, value in found.items():
        if meant := _doubtful(name, value):
            values[meant], sources[meant] = _IN_DOUBT[meant], shown
            said = str(value).lower() if isinstance(value, bool) else str(value)
            words = f"{clean(name, 60)} = {clean(said, 60)} {_in_doubt(meant, name)}"
            problems.append(_Problem((name,), words))
        elif name not in names:
            problems.append(_Problem((name,), f"there is no setting {clean(name)}{_meant(name, names)}"))
        elif problem := _problem(name, value):
            problems.append(_Problem((name, *problem.where), f"{name} {problem.words}"))
        elif name == "keys":
            from dockpass.keymap import checked_keys

            values[name], wrong = checked_keys(value)
            problems += [_Problem((name, each.action), each.words) for each in wrong]
            sources[name] = shown
        else:
            values[name] = tuple(map(mute_from, value)) if name == "muted" else value
            sources[name] = shown
    return LoadedSettings(replace(Settings(), **values), sources, _told(shown, text, problems), path)


def _unreadable(path: Path, error: Exception, sources: Mapping[str, str]) -> LoadedSettings:
    """Return the defaults for a file that cannot be read, but for what protects if it may ask for that."""
    shown = clean(str(path))
    mentioned = [name for name in _IN_DOUBT if _mentions(path, name)]
    told = (f"{shown}: {clean(str(error))}", *(f"{shown}: {name} {_counts_as(name)}" for name in mentioned))
    values: dict[str, Any] = {name: _IN_DOUBT[name] for name in mentioned}
    settings = replace(Settings(), **values)
    return LoadedSettings(settings, {**sources, **dict.fromkeys(mentioned, shown)}, told, path)


class _Problem(NamedTuple):
    """What is wrong, and the names and places that lead to it in the file."""

    where: tuple[str | int, ...]
    words: str


def _told(shown: str, text: str, problems: Sequence[_Problem]) -> tuple[str, ...]:
    """Return each problem behind the file and the line that says it."""
    if not problems:
        return ()
    from dockpass.tomllines import line_at, lines_of

    lines = lines_of(text)
    return tuple(f"{shown}:{line_at(lines, each.where)}: {each.words}" for each in problems)


_IN_DOUBT = {"read_only": True, "reveal": False}
"""The settings that protect, with what holds while the file does not say it correctly."""

_NEAR = 0.8
"""How near a name has to be to one of them, as `difflib` counts: two letters swapped or one left out."""


def _in_doubt(meant: str, name: str) -> str:
    wrong = "is neither true nor false" if name == meant else f"is no setting; did you mean {meant}?"
    return f"{wrong}{';' if name == meant else ''} {meant} {_counts_as(meant)}"


def _counts_as(name: str) -> str:
    return f"counts as {str(_IN_DOUBT[name]).lower()} until the file is corrected"


def _meant_for(word: str) -> str:
    """Return which setting that protects a name is meant for: a misspelt one must not switch it off."""
    if word in Settings.__slots__:
        return word if word in _IN_DOUBT else ""
    import difflib

    protecting = {name.replace("_", ""): name for name in _IN_DOUBT}
    found = word.casefold().replace("-", "").replace("_", "")
    close = difflib.get_close_matches(found, protecting, 1, _NEAR)
    return protecting[close[0]] if close else ""


def _doubtful(name: str, value: object) -> str:
    """Return the setting that a line asks to protect, but not correctly; empty for every other line."""
    meant = _meant_for(name)
    if not meant or value is (not _IN_DOUBT[meant]):
        return ""
    return "" if name == meant and isinstance(value, bool) else meant


def _mentions(path: Path, name: str) -> bool:
    """Tell whether a file that cannot be read as settings has a line for a setting."""
    try:
        lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError:
        return False
    named = (line.partition("=")[0].strip(" \t\"'") for line in lines)
    return any(not word.startswith("#") and _meant_for(word) == name for word in named)


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the file's text and what it says; raises `OSError`, and `ValueError` for what is no TOML."""
    text = path.read_text(encoding="utf-8")
    import tomllib  # only who has a settings file pays for it

    return text, tomllib.loads(text)


def save_setting(path: Path, name: str, value: object) -> None:
    """Write one setting and keep the rest of the file, comments and all; it is replaced at once."""
    import tomlkit

    _change(path, lambda found: found.__setitem__(name, tomlkit.item(value)))


def save_mute(path: Path, mute: Mute) -> None:
    """Write one more mute behind those that are in the file by now."""
    import tomlkit

    _change_mutes(path, lambda tables: [*tables, tomlkit.item(mute_table(mute))])


def remove_mute(path: Path, mute: Mute) -> None:
    """Remove a mute from the file; all others stay, with their comments."""
    _change_mutes(path, lambda tables: [table for table in tables if mute_from(table) != mute])


def _change_mutes(path: Path, change: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
    """Change the tables of `muted`; raises `DockpassError` where the file has something else there."""
    import tomlkit

    def changed(found: tomlkit.TOMLDocument) -> None:
        before = found.get("muted", ())
        if problem := _problem_of_mutes(before) if "muted" in found else None:
            raise _not_changed(path, f"muted {problem.words}")
        after = tomlkit.aot()
        for table in change(before):
            # A list of inline tables becomes one of tables.
            is_table = isinstance(table, tomlkit.items.Table)
            after.append(table if is_table else tomlkit.item(dict(table)))
        found.pop("muted", None)
        if after:
            found.append("muted", after)

    _change(path, changed)


def _change(path: Path, change: Callable[[tomlkit.TOMLDocument], None]) -> None:
    """Change the file and keep the rest of it; it is replaced at once."""
    import tomlkit

    try:
        _read(path)
        found = tomlkit.parse(path.read_bytes())
    except FileNotFoundError:
        found = tomlkit.document()
    except (OSError, ValueError) as error:
        raise _not_changed(path, f"it cannot be read: {clean(str(error))}") from error
    change(found)
    try:
        # A settings file may be a link into a repository of dotfiles.
        keep(path.resolve(), tomlkit.dumps(found).encode())
    except OSError as error:
        raise DockpassError(
            "settings-unwritable",
            f"{clean(str(path))} cannot be written: {reason(error)}.",
            "The change holds for this session only.",
        ) from error


def _not_changed(path: Path, why: str) -> DockpassError:
    return DockpassError(
        "settings-unreadable",
        f"{clean(str(path))} was not changed, because {why}.",
        "Fix or remove the file; until then the defaults are used.",
    )


def _meant(word: str, known: Sequence[str]) -> str:
    import difflib

    close = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {close[0]}?" if close else ""


def _problem(name: str, value: object) -> _Problem | None:
    """Return what is wrong with a value, and where in it; None where nothing is."""
    if name == "muted":
        return _problem_of_mutes(value)
    words = _problem_in_words(name, value)
    return _Problem((), words) if words else None


def _problem_in_words(name: str, value: object) -> str:
    match name:
        case "theme":
            if not isinstance(value, str) or not value:
                return "is the name of a theme, in quotes"
            if value in THEMES:
                return ""
            hint = _meant(value, THEMES) or "; `dockpass settings --schema` lists them"
            return f"is {clean(value, 60)!r}, and there is no such theme{hint}"
        case "engine":
            return "" if value in ENGINES else f"is one of {', '.join(ENGINES)}"
        case "store":
            absolute = isinstance(value, str) and (not value or value.startswith("/"))
            return "" if absolute else "is the absolute path of a directory"
        case "gitlab_version":
            from dockpass.variables.gitlab.versions import version_of

            known = isinstance(value, str) and (not value or version_of(value))
            return "" if known else "is a version such as 17.11, in quotes"
        case "reveal" | "read_only":
            return ""  # every other value is in doubt, and told as such
    pairs = isinstance(value, dict) and all(isinstance(key, str) for key in value.values())
    return "" if pairs else "is a table of action = key"


_LIST_OF_MUTES = 'is a list of tables with texts: [[muted]], check = "DP-SEC-010", because = "…"'


def _problem_of_mutes(value: object) -> _Problem | None:
    """Return what is wrong with `muted`: each names its check and the reason."""
    if not isinstance(value, list):
        return _Problem((), _LIST_OF_MUTES)
    found = ((at, _problem_of_mute(each)) for at, each in enumerate(value))
    return next((_Problem((at,), words) for at, words in found if words), None)


def _is_text(name: object, value: object) -> bool:
    """Tell whether a value of a mute is a text; what it is about may be several."""
    if name == "about" and isinstance(value, list):
        return bool(value) and all(isinstance(text, str) for text in value)
    return isinstance(value, str)


def _problem_of_mute(mute: object) -> str:
    if not isinstance(mute, dict) or not all(_is_text(*each) for each in mute.items()):
        return _LIST_OF_MUTES
    if unknown := sorted(mute.keys() - {"check", "because", "about"}):
        return f"has {clean(str(unknown[0]), 40)}, and there is only check, about and because"
    if not mute.get("check") or not mute.get("because", "").strip():
        return "needs a check and a reason: check and because"
    return ""
