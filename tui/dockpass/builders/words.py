"""A build as the options and variables that buildx, podman and buildah take alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dockpass.builders.options import contexts_of, spelled
from dockpass.engines.base import BuildRequest
from dockpass.secrets import Secret

_VARIABLE = "DOCKPASS_BUILD_SECRET_{}"

Keep = Callable[[str, Secret], str]
"""Writes the value of a secret to a file of this name, and returns its path."""


def build_words(
    request: BuildRequest,
    environ: Mapping[str, str],
    *,
    cache: Callable[[str], str] = str,
    keep: Keep | None = None,
) -> tuple[list[str], dict[str, str]]:
    """Return the options of a build, and its environment: `environ` with the variables that they name.

    A command line is public, so no value of a secret is in it. `cache` spells a cache as the program takes
    it; `keep` is for a program that cannot take a secret from a variable.
    """
    extras = request.extras
    words, variables = _arguments(request, environ)
    for place, secret in enumerate(extras.secrets):
        if secret.value is None:
            source = {"src": str(secret.file)}
        elif keep is not None:
            source = {"src": keep(f"secret-{place}", secret.value)}
        else:
            source = {"env": _VARIABLE.format(place)}
            variables[source["env"]] = secret.value.reveal()
        words += ["--secret", spelled({"id": secret.id, **source})]
    for name, values in (
        ("--tag", request.tags),
        ("--ssh", extras.ssh),
        ("--cache-from", tuple(map(cache, extras.cache_from))),
        ("--cache-to", tuple(map(cache, extras.cache_to))),
        ("--build-context", contexts_of(request)),
        ("--target", filter(None, (request.target,))),
        ("--platform", filter(None, (request.platform,))),
        ("--network", filter(None, (extras.network,))),
        ("--file", (str(request.dockerfile),)),
    ):
        for value in values:
            words += [name, value]
    return words, {**environ, **variables}


def _arguments(request: BuildRequest, environ: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return the options for the build arguments, and the variables that give them their values.

    A value is in the command line only where the program itself needs a variable of that name.
    """
    words: list[str] = []
    variables: dict[str, str] = {}
    for name, value in request.build_args.items():
        if name in environ and environ[name] != value:
            words += ["--build-arg", f"{name}={value}"]
        else:
            words += ["--build-arg", name]
            variables[name] = value
    return words, variables
