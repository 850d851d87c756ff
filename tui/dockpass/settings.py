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
    """A finding that is muted: the id or name of its check, a pattern of what it is about, and the reason."""

    check: str
    because: str
    about: str = "*"


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
        if _is_doubtful(name, value):
            values["read_only"], sources["read_only"] = True, shown
            words = f"{clean(name)} = {clean(str(value), 60)}: read_only {_IN_DOUBT}"
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
            values[name] = tuple(Mute(**each) for each in value) if name == "muted" else value
            sources[name] = shown
    told = tuple(f"{shown}{_at(text, problem)}: {problem.words}" for problem in problems)
    return LoadedSettings(replace(Settings(), **values), sources, told, path)


def _unreadable(path: Path, error: Exception, sources: Mapping[str, str]) -> LoadedSettings:
    """Return the defaults for a file that cannot be read, but for read-only mode if it may ask for that."""
    shown = clean(str(path))
    told = f"{shown}: {clean(str(error))}"
    if not _mentions_read_only(path):
        return LoadedSettings(Settings(), sources, (told,), path)
    doubt = f"{shown}: read_only {_IN_DOUBT}"
    return LoadedSettings(Settings(read_only=True), {**sources, "read_only": shown}, (told, doubt), path)


class _Problem(NamedTuple):
    """What is wrong, and the names and places that lead to it in the file."""

    where: tuple[str | int, ...]
    words: str


def _at(text: str, problem: _Problem) -> str:
    """Return the line of a problem as `:7`; nothing where it is not known."""
    from dockpass.settings_lines import line_of

    line = line_of(text, problem.where)
    return f":{line}" if line else ""


_IN_DOUBT = "is true or false; it counts as true until the file is corrected"


def _is_read_only(name: str) -> bool:
    """Tell whether a name is meant for `read_only`: a misspelt one must not leave the mode off."""
    return name.casefold().replace("-", "").replace("_", "") == "readonly"


def _is_doubtful(name: str, value: object) -> bool:
    """Tell whether a line may ask for read-only mode, but does not do so correctly."""
    is_right = name == "read_only" and value is True
    return _is_read_only(name) and value is not False and not is_right


def _mentions_read_only(path: Path) -> bool:
    """Tell whether a file that cannot be read as settings has a line for `read_only`."""
    try:
        lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError:
        return False
    return any(_is_read_only(line.partition("=")[0].strip(" \t\"'")) for line in lines)


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the file's text and what it says; raises `OSError`, and `ValueError` for what is no TOML."""
    text = path.read_text(encoding="utf-8")
    import tomllib  # only who has a settings file pays for it

    return text, tomllib.loads(text)


def save_setting(path: Path, name: str, value: object) -> None:
    """Write one setting and keep the rest of the file, comments and all; it is replaced at once."""
    import tomlkit

    _change(path, lambda found: found.__setitem__(name, tomlkit.item(value)))


def save_mutes(path: Path, mutes: Sequence[Mute]) -> None:
    """Write which findings are muted: those that stay keep their comments."""
    import tomlkit

    def change(found: tomlkit.TOMLDocument) -> None:
        kept = tomlkit.aot()
        for table in found.get("muted", ()):
            if Mute(**table) in mutes:
                kept.append(table)
        there = [Mute(**table) for table in kept]
        for each in mutes:
            if each not in there:
                about = {"about": each.about} if each.about != "*" else {}
                kept.append(tomlkit.item({"check": each.check, **about, "because": each.because}))
        found.pop("muted", None)
        if kept:
            found.append("muted", kept)

    _change(path, change)


def _change(path: Path, change: Callable[[tomlkit.TOMLDocument], None]) -> None:
    """Change the file and keep the rest of it; it is replaced at once."""
    import tomlkit

    try:
        _read(path)
        found = tomlkit.parse(path.read_bytes())
    except FileNotFoundError:
        found = tomlkit.document()
    except (OSError, ValueError) as error:
        raise DockpassError(
            "settings-unreadable",
            f"{clean(str(path))} was not changed, because it cannot be read: {clean(str(error))}.",
            "Fix or remove the file; until then the defaults are used.",
        ) from error
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
            unknown = f"is {clean(value, 60)!r}, and there is no such theme{_meant(value, THEMES)}"
            return "" if value in THEMES else unknown
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
            return "" if isinstance(value, bool) else "is true or false"
    pairs = isinstance(value, dict) and all(isinstance(key, str) for key in value.values())
    return "" if pairs else "is a table of action = key"


def _problem_of_mutes(value: object) -> _Problem | None:
    """Return what is wrong with `muted`: each names its check and the reason."""
    for at, each in enumerate(value if isinstance(value, list) else [value]):
        if words := _problem_of_mute(each):
            return _Problem((at,) if isinstance(value, list) else (), words)
    return None


def _problem_of_mute(mute: object) -> str:
    if not isinstance(mute, dict) or not all(isinstance(text, str) for text in mute.values()):
        return 'is a list of tables with texts: [[muted]], check = "DP-SEC-010", because = "…"'
    if unknown := sorted(mute.keys() - {"check", "because", "about"}):
        return f"has {clean(str(unknown[0]), 40)}, and there is only check, about and because"
    if not mute.get("check") or not mute.get("because", "").strip():
        return "needs a check and a reason: check and because"
    return ""
