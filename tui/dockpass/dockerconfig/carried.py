"""What a program keeps of the person's docker config: plugins, the current context, proxies; never a login.

Only what is named here is carried over; the program sees nothing else of the person's config.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dockpass.dockerconfig.configfile import read_config
from dockpass.text import clean

_SECTIONS = ("proxies", "aliases", "plugins", "features", "cliPluginsExtraDirs")
_PLUGIN_DIRECTORIES = "cliPluginsExtraDirs"
_IN_OTHER_WORDS = frozenset({_PLUGIN_DIRECTORIES, "currentContext"})
_LOST = {"httpheaders": "HttpHeaders", "detachkeys": "detachKeys", "psformat": "psFormat"}
_OF_CONTEXT = ("meta", "tls")
_DEFAULT = "default"
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """`sections` stand in the temporary `config.json`; `words` say what is carried over, `lost` what is not.

    `copied` and `linked` are files and directories of a context and of buildx, by their path in the config.
    `context` is the name of the context that is carried, empty for none.
    """

    sections: Mapping[str, object] = field(repr=False)
    context: str = ""
    copied: Mapping[str, Path] = field(default_factory=dict)
    linked: Mapping[str, Path] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    def write(self, directory: Path) -> None:
        """Put the directories beside `config.json`; raises `OSError` where one cannot be copied."""
        for name, source in self.copied.items():
            _copy(source, directory / name)
        for name, source in self.linked.items():
            (directory / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (directory / name).symlink_to(source)


def original_directory(environ: Mapping[str, str], home: Path) -> Path:
    """Return the directory of the person's docker config, as docker finds it."""
    return Path(environ.get("DOCKER_CONFIG") or home / ".docker").absolute()


def carried_from(original: Path, environ: Mapping[str, str]) -> Carried:
    """Return what is carried over from the docker config in `original`. Never raises."""
    config = read_config(original)
    found = {name: config.sections[name.lower()] for name in _SECTIONS if name.lower() in config.sections}
    plugins = _plugin_directories(original, found.get(_PLUGIN_DIRECTORIES))
    if plugins:
        found[_PLUGIN_DIRECTORIES] = plugins
    else:
        found.pop(_PLUGIN_DIRECTORIES, None)
    asked = environ.get("DOCKER_CONTEXT") or ("" if environ.get("DOCKER_HOST") else config.current_context)
    context, directories = _context(original, asked)
    if context and not environ.get("DOCKER_CONTEXT"):
        found["currentContext"] = context
    builders, chosen = _builders(original, environ)
    words = [f"{name} of config.json" for name in found if name not in _IN_OTHER_WORDS]
    words += ["plugins"] * bool(plugins) + [f"the context {clean(context, 80)}"] * bool(context)
    words += ["the builders of buildx"] * bool(builders)
    lost = [shown for name, shown in _LOST.items() if name in config.sections]
    if asked not in {"", _DEFAULT, context}:
        lost.append(f"the context {clean(asked, 80)}, which cannot be read in {clean(str(original))}")
    return Carried(
        sections=found,
        context=context,
        copied={**directories, **chosen},
        linked=builders,
        words=tuple(words),
        lost=tuple(lost),
    )


def _plugin_directories(original: Path, given: object) -> list[str]:
    """Return the person's plugin directories; docker looks into the system's own by itself."""
    named = [each for each in given if isinstance(each, str)] if isinstance(given, list) else []
    own = original / "cli-plugins"
    return list(dict.fromkeys([*named, *([str(own)] if own.is_dir() else [])]))


def _context(original: Path, name: str) -> tuple[str, dict[str, Path]]:
    """Return a context's name and directories; an empty name for the default and for a missing one."""
    if name in {"", _DEFAULT}:
        return "", {}
    identity = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    found = {f"contexts/{kind}/{identity}": original / f"contexts/{kind}/{identity}" for kind in _OF_CONTEXT}
    if not (found[f"contexts/meta/{identity}"] / "meta.json").is_file():
        return "", {}
    return name, {path: source for path, source in found.items() if source.is_dir()}


def _builders(original: Path, environ: Mapping[str, str]) -> tuple[dict[str, Path], dict[str, Path]]:
    """Return the person's builders, and which of them is chosen; never buildx's `config`: it may hold logins.

    A builder that is made or removed inside stays so; the choice of another one does not.
    """
    buildx = Path(environ.get("BUILDX_CONFIG") or original / "buildx").absolute()
    directories = [name for name in ("instances", "defaults") if (buildx / name).is_dir()]
    links = {f"buildx/{name}": buildx / name for name in directories}
    chosen = {"buildx/current": buildx / "current"} if (buildx / "current").is_file() else {}
    return links, chosen


def _copy(source: Path, target: Path) -> None:
    """Copy a regular file, or those in a directory, for the owner alone."""
    for path in _files_below(source):
        to = target / path.relative_to(source)
        to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_size <= _LARGEST:
            shutil.copyfile(path, to)
            to.chmod(0o600)


def _files_below(directory: Path) -> Iterator[Path]:
    if directory.is_file():
        yield directory
        return
    with suppress(OSError):
        for path in sorted(directory.iterdir()):
            if path.is_dir() and not path.is_symlink():
                yield from _files_below(path)
            elif path.is_file():
                yield path
