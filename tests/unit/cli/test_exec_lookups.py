"""Each program of docs/exec.md finds the chosen login first, whatever lies where it would look else.

The rows are the order in which a program looks, as its source or manual says. A program that stands for all of
them reads the very files and variables in these orders, in the environment that `dockpass exec` gives it.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Program

HOST = "registry.example"
JOB = {"CI_REGISTRY": HOST, "CI_JOB_TOKEN": "canary-token-0123456789", "CI_REGISTRY_IMAGE": f"{HOST}/a/b"}

DOCKER = ["$DOCKER_AUTH_CONFIG", "DOCKER_CONFIG/config.json", "HOME/.docker/config.json"]
CONTAINERS = ["XDG_RUNTIME_DIR/containers/auth.json", "HOME/.config/containers/auth.json"]
GGCR = [*DOCKER, "REGISTRY_AUTH_FILE", *CONTAINERS]
HELM = [
    "HELM_REGISTRY_CONFIG",
    "HELM_CONFIG_HOME/registry/config.json",
    "HOME/.config/helm/registry/config.json",
]

ROWS: dict[str, list[str]] = {
    "docker": DOCKER,
    "docker compose": DOCKER,
    "docker buildx": [
        f"BUILDX_CONFIG/config/{HOST}/config.json",
        *DOCKER,
    ],
    "docker SDK": ["DOCKER_CONFIG/config.json", "HOME/.docker/config.json"],
    "skopeo": ["REGISTRY_AUTH_FILE", *CONTAINERS, *DOCKER[1:]],
    "podman": ["REGISTRY_AUTH_FILE", "DOCKER_CONFIG/config.json", *CONTAINERS, "HOME/.docker/config.json"],
    "buildah": ["REGISTRY_AUTH_FILE", "DOCKER_CONFIG/config.json", *CONTAINERS, "HOME/.docker/config.json"],
    "crane": GGCR,
    "cosign": GGCR,
    "ko": GGCR,
    "flux": GGCR,
    "kaniko": GGCR[1:],
    "trivy": ["=TRIVY_REGISTRY_TOKEN", "=TRIVY_PASSWORD", *GGCR],
    "syft": ["=SYFT_REGISTRY_AUTH_TOKEN", "=SYFT_REGISTRY_AUTH_PASSWORD", *GGCR],
    "grype": ["=GRYPE_REGISTRY_AUTH_TOKEN", "=GRYPE_REGISTRY_AUTH_PASSWORD", *GGCR],
    "oras": ["DOCKER_CONFIG/config.json", "HOME/.docker/config.json"],
    "helm": [*HELM, *DOCKER],
    "terraform helm": ["HELM_REGISTRY_CONFIG_PATH", *HELM],
    "terraform docker": ["=DOCKER_REGISTRY_PASS", *DOCKER],
    "buildpacks": ["=CNB_REGISTRY_AUTH", *GGCR],
    "regctl": ["REGCTL_CONFIG", *DOCKER],
    "werf": ["WERF_DOCKER_CONFIG/config.json", *DOCKER],
}

LOOK = """
import base64, json, os, sys
def found(step):
    if step.startswith("="):
        return os.environ.get(step[1:])
    if step.startswith("$"):
        text = os.environ.get(step[1:])
    else:
        name, _, rest = step.partition("/")
        if name not in os.environ:
            return None
        try:
            text = open(os.path.join(os.environ[name], rest) if rest else os.environ[name]).read()
        except OSError:
            return None
    entry = json.loads(text or "{}").get("auths", {}).get("HOST")
    return base64.b64decode(entry["auth"]).decode().partition(":")[0] if entry else None
rows = json.loads(sys.argv[1])
print(json.dumps({name: next(filter(None, map(found, steps)), None) for name, steps in rows.items()}))
""".replace("HOST", HOST)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """A machine with a wrong login in every file and every variable of the rows."""
    made = Program(tmp_path, dict(JOB))
    wrong = json.dumps({"auths": {HOST: {"auth": base64.b64encode(b"nobody:canary-wrong").decode()}}})
    home = tmp_path / "home"
    places = {
        "DOCKER_CONFIG": tmp_path / "docker",
        "WERF_DOCKER_CONFIG": None,  # it would decide which login is the chosen one
        "BUILDX_CONFIG": tmp_path / "buildx",
        "HELM_CONFIG_HOME": tmp_path / "nothing of helm",
        "REGISTRY_AUTH_FILE": tmp_path / "auth.json",
        "HELM_REGISTRY_CONFIG": tmp_path / "helm.json",
        "HELM_REGISTRY_CONFIG_PATH": tmp_path / "terraform.json",
        "REGCTL_CONFIG": tmp_path / "regctl.json",
    }
    roots = {**places, "HOME": home, "XDG_RUNTIME_DIR": made.runtime}
    for step in {step for row in ROWS.values() for step in row}:
        name, _, rest = step.lstrip("=$").partition("/")
        if step[0] in "=$":
            made.environ[name] = wrong if step[0] == "$" else "nobody"
        elif (root := roots[name]) is not None and name != "HELM_CONFIG_HOME":
            path = root / rest if rest else root
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wrong)
    made.environ |= {name: str(path) for name, path in places.items() if path is not None}
    yield made
    assert made.left == []
    made.remove()


def looked(program: Program, *options: str) -> dict[str, str | None]:
    """Return the user that each row finds first under `dockpass exec`."""
    ended = program.run("exec", *options, "--", sys.executable, "-c", LOOK, json.dumps(ROWS))
    assert ended.returncode == 0, ended.stderr
    found: dict[str, str | None] = json.loads(ended.stdout)
    return found


def test_every_program_finds_the_chosen_login_first(program: Program) -> None:
    assert looked(program) == dict.fromkeys(ROWS, "gitlab-ci-token")


@pytest.mark.parametrize(
    ("name", "programs"),
    [
        ("DOCKER_AUTH_CONFIG", {"docker", "crane", "cosign"}),
        ("REGISTRY_AUTH_FILE", {"skopeo", "podman", "buildah"}),
        ("BUILDX_CONFIG", {"docker buildx"}),
        ("HELM_REGISTRY_CONFIG", {"helm"}),
        ("HELM_REGISTRY_CONFIG_PATH", {"terraform helm"}),
        ("REGCTL_CONFIG", {"regctl"}),
        ("TRIVY_REGISTRY_TOKEN", {"trivy"}),
        ("TRIVY_PASSWORD", {"trivy"}),
        ("SYFT_REGISTRY_AUTH_TOKEN", {"syft"}),
        ("GRYPE_REGISTRY_AUTH_PASSWORD", {"grype"}),
        ("DOCKER_REGISTRY_PASS", {"terraform docker"}),
        ("CNB_REGISTRY_AUTH", {"buildpacks"}),
        ("DOCKER_CONFIG", {"docker", "docker SDK", "oras"}),
    ],
)
def test_a_variable_that_is_kept_would_have_won(program: Program, name: str, programs: set[str]) -> None:
    """So each row can fail: without what `exec` does to this variable, the wrong login is found."""
    found = looked(program, "--keep-env", name)
    assert {each: found[each] for each in programs} == dict.fromkeys(programs, "nobody")


def test_each_place_is_known_to_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs/exec.md").read_text()
    for name in ROWS:
        assert name.split()[0].casefold() in page.casefold(), name
