"""The environment of a program: every known way to a login leads to the temporary config. Pure.

All variables are set for every program alike: a script or a Makefile runs several tools, and the name of
the program says little. Where each program looks is in docs/exec.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockpass.auth.ci import GITLAB
from dockpass.dockerconfig.runconfig import RIVALS
from dockpass.text import clean

MARKER = "DOCKPASS_EXEC"
"""`DEPTH:HOST` in the environment of a program: how many programs are around it, and whose login it has."""

_CONTEXT = "DOCKER_CONTEXT"
_DIRECTORY = ("DOCKER_CONFIG", "WERF_DOCKER_CONFIG")
_FILE = ("REGISTRY_AUTH_FILE", "HELM_REGISTRY_CONFIG", "HELM_REGISTRY_CONFIG_PATH")
_BELOW = {"BUILDX_CONFIG": "buildx", "REGCTL_CONFIG": "regctl.json"}

LEADING = frozenset((*_DIRECTORY, *_FILE, *_BELOW))
"""The variables by which programs are led to a config."""

_OWN_LOGINS = frozenset(
    {
        "TRIVY_USERNAME",
        "TRIVY_PASSWORD",
        "TRIVY_REGISTRY_TOKEN",
        "DOCKER_REGISTRY_USER",  # Terraform's Docker provider
        "DOCKER_REGISTRY_PASS",
        "CNB_REGISTRY_AUTH",  # the lifecycle of Cloud Native Buildpacks
    }
)
_OWN_LOGIN_PREFIXES = ("SYFT_REGISTRY_AUTH_", "GRYPE_REGISTRY_AUTH_")

_TOLD = {
    "GITHUB_TOKEN": "trivy and ko use it for ghcr.io where the config has no login",
    "AWS_ACCESS_KEY_ID": "ko asks Amazon's helper first",
    GITLAB.token: f"kaniko uses it for {GITLAB.registry} if the config has no login",
}
"""Left as they are, because they are for more than registries; which program takes a login from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramEnvironment:
    """`variables` is the whole environment; the other fields say how it differs from dockpass's own.

    `set` are the variables that lead to the config, `removed` the names of those that would win over it,
    `kept` those that would and were asked to stay, `notes` what stays and may be used as a login.
    """

    variables: Mapping[str, str] = field(repr=False)
    set: Mapping[str, str]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    notes: tuple[str, ...]


def program_environment(
    environ: Mapping[str, str],
    directory: Path,
    host: str,
    *,
    job: Mapping[str, str] | None = None,
    left_out: Collection[str] = (),
    keep: frozenset[str] = frozenset(),
    has_context: bool = False,
) -> ProgramEnvironment:
    """Return the environment of a program whose config is in `directory`.

    `job` are the variables of a job, which win over those of `environ`; `left_out` are variables of the job
    that have no value here, so that `environ` does not give them another one. `keep` are names that are to
    stay as they are. `has_context` tells that the context of `DOCKER_CONTEXT` is in the config.
    """
    own = {name: value for name, value in environ.items() if name not in left_out}
    given = {**own, **(job or {})}
    leading = {
        **dict.fromkeys(_DIRECTORY, str(directory)),
        **dict.fromkeys(_FILE, str(directory / "config.json")),
        **{name: str(directory / below) for name, below in _BELOW.items()},
    }
    rivals = {name for name in given if _wins(name, has_context=has_context)} - leading.keys()
    removed = rivals - keep
    leading = {name: value for name, value in leading.items() if name not in keep}
    leading[MARKER] = f"{depth_of(environ) + 1}:{host}"
    left = {name: value for name, value in given.items() if name not in removed}
    return ProgramEnvironment(
        variables={**left, **leading},
        set=leading,
        removed=tuple(sorted(removed)),
        kept=tuple(sorted(keep & given.keys() & (rivals | RIVALS | set(_DIRECTORY)))),
        notes=tuple(f"{name} stays set: {words}" for name, words in _TOLD.items() if given.get(name)),
    )


def _wins(name: str, *, has_context: bool) -> bool:
    """Tell whether a program would prefer this variable to the config, or be lost with it."""
    if name == _CONTEXT:
        return not has_context
    return name in RIVALS or name in _OWN_LOGINS or name.startswith(_OWN_LOGIN_PREFIXES)


def depth_of(environ: Mapping[str, str]) -> int:
    """Return how many programs of dockpass are around this process."""
    depth = environ.get(MARKER, "").partition(":")[0]
    return int(depth) if depth.isascii() and depth.isdigit() and len(depth) < 4 else 0


def outer_host(environ: Mapping[str, str]) -> str:
    """Return the host whose login the program around this process has; empty if there is none."""
    return clean(environ.get(MARKER, "").partition(":")[2], 200) if depth_of(environ) else ""


def printed(found: ProgramEnvironment) -> Iterator[str]:
    """Yield what would be set and removed, as a shell would say it; no other variable is shown."""
    import shlex

    for name, value in found.set.items():
        yield f"export {name}={shlex.quote(value)}"
    for name in found.removed:
        yield f"unset {shlex.quote(clean(name, 200))}"
