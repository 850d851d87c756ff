"""Options that only some builders take: secrets, ssh, caches. No value of a secret is ever shown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from dockpass.engines.base import BuildRequest, BuildSecret
from dockpass.errors import UsageError
from dockpass.secrets import Secret
from dockpass.system import reason
from dockpass.text import clean
from dockpass.typedpath import typed_path

LARGEST_SECRET = 500 << 10
"""BuildKit refuses a larger secret."""

_TYPES = frozenset({"env", "file"})
_FILE = frozenset({"src", "source"})


def parse_secrets(specs: Iterable[str], environ: Mapping[str, str], cwd: Path) -> tuple[BuildSecret, ...]:
    """Return the secrets of `--secret id=NAME[,env=VARIABLE][,src=FILE]`; raises `UsageError`.

    As with docker, an id alone is the variable of that name, else the file. Files are only looked for.
    """
    return tuple(_secret(spec, environ, cwd) for spec in specs)


def _secret(spec: str, environ: Mapping[str, str], cwd: Path) -> BuildSecret:
    given = _fields(spec)
    if given is None or given.keys() - {"id", "type", "env", *_FILE} or not given.get("id"):
        # What was typed is not repeated: a value may have been typed for a name.
        raise _invalid("it is not id=NAME with env=VARIABLE or src=FILE")
    name, kind = given["id"], given.get("type", "")
    shown = clean(name, 80)
    if kind and kind not in _TYPES:
        raise _invalid(f"the type of {shown} is neither env nor file")
    source = next((given[key] for key in ("src", "source") if given.get(key)), "")
    variable = given.get("env") or (source if kind == "env" else "")
    if not variable and not source and kind != "file" and name in environ:
        variable = name
    if variable:
        if variable not in environ:
            raise _missing(f"the variable {clean(variable, 80)} is not set", shown)
        return BuildSecret(id=name, value=Secret(environ[variable]))
    file = typed_path(cwd, source or name)
    try:
        size = file.stat().st_size
    except (OSError, ValueError) as error:
        words = reason(error) if isinstance(error, OSError) else f"{clean(str(file), 200)} is no path"
        raise _missing(words, shown) from error
    if size > LARGEST_SECRET:
        raise _invalid(f"{clean(str(file), 200)} is larger than 500 KiB")
    return BuildSecret(id=name, file=file)


def contents_of(secret: BuildSecret) -> Iterator[Secret]:
    """Yield what has to be masked in output: the value, or the text of the file."""
    text = secret.value.reveal() if secret.value else ""
    if secret.file is not None:
        try:
            text = secret.file.read_bytes()[:LARGEST_SECRET].decode("utf-8", "replace")
        except OSError:
            return  # the builder will say so
    yield Secret(text.strip())


def spelled(fields: Mapping[str, str]) -> str:
    """Return fields as docker's options take them, quoted where a value holds a comma or a quote."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([f"{name}={value}" for name, value in fields.items()])
    return line.getvalue()


def cache_fields(spec: str) -> dict[str, str]:
    """Return what a cache's option says, with its `type`: the name of an image alone is one in a registry.

    Nothing is returned for what docker would not read.
    """
    if "=" not in spec.partition(",")[0]:
        return {"type": "registry", "ref": spec}
    return _fields(spec) or {}


def cache_reference(spec: str) -> str:
    """Return the image that a cache is in: `REF`, or `type=registry,ref=REF`; empty for another kind."""
    given = cache_fields(spec)
    return given.get("ref", "") if given.get("type") == "registry" else ""


def cache_references(specs: Sequence[str]) -> tuple[str, ...]:
    """Return the images that caches are in."""
    return tuple(filter(None, map(cache_reference, specs)))


def require_images(title: str, caches: Iterable[str]) -> None:
    """Raise `UsageError` for a cache that is no image, for a builder that takes no other one."""
    if other := [each for each in caches if not cache_reference(each)]:
        raise UsageError(
            "cache-unsupported",
            f"{title} keeps caches in images only, not in {clean(other[0], 80)}.",
            "Give the name of a repository, or build with --builder buildx.",
        )


def require_in_images(title: str, caches: Iterable[str]) -> None:
    """Raise `UsageError` for a cache that is neither an image nor inside the one that is built."""
    require_images(title, (each for each in caches if cache_fields(each).get("type") != "inline"))


def contexts_of(request: BuildRequest) -> tuple[str, ...]:
    """Return the named contexts as docker's option takes them; directories with their whole path."""
    return tuple(
        f"{name}={_value_of(each.image, each.directory, each.other, request.named_root)}"
        for name, each in request.contexts.items()
    )


def _value_of(image: str, directory: str, other: str, root: Path) -> str:
    if image:
        return f"docker-image://{image}"
    return str(root / directory) if directory else other


def _fields(spec: str) -> dict[str, str] | None:
    try:
        parts = next(csv.reader([spec], strict=True), [])
    except csv.Error:
        return None
    found = [part.partition("=") for part in parts]
    return (
        {name.strip().lower(): value for name, equals, value in found if equals}
        if all(equals for _, equals, _ in found)
        else None
    )


def _invalid(why: str) -> UsageError:
    return UsageError(
        "secret-invalid", f"--secret: {why}.", "Give for example id=token,env=TOKEN or id=key,src=key.pem."
    )


def _missing(why: str, name: str) -> UsageError:
    message = f"--secret: there is no value for {name}: {why}."
    return UsageError("secret-missing", message, "Set the variable, or check the path.")
