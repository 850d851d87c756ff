"""A project on disk with scenarios, for the scenes of them: one holds, one does not, one cannot be read."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path

CI = """\
variables:
  CI_REGISTRY_IMAGE: registry.myhost.com/web/backend

publish:
  rules:
    - if: $CI_COMMIT_TAG
    - if: $CI_COMMIT_BRANCH == "main"
  script:
    - docker push $CI_REGISTRY_IMAGE

cleanup:
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
  script:
    - werf cleanup
"""

_START = """\
schema = 1
name = "{name}"
command = "{command}"
job = "{job}"

[context]
ref = "{ref}"
protected = {protected}
{more}
[[source]]
kind = "gitlab-yaml"
path = "../.gitlab-ci.yml"

[[variable]]
key = "CI_REGISTRY"
value = "registry.myhost.com"
level = "predefined"

"""

FILES = {
    "publish-protected.toml": _START.format(
        name="publish on main, protected",
        command="push",
        job="publish",
        ref="main",
        protected="true",
        more="",
    )
    + """\
[[variable]]
key = "CI_JOB_TOKEN"
level = "persisted"
secret = { env = "MY_GITLAB_TOKEN" }
flags = ["masked"]

[expect]
method = "autologin"
username = "gitlab-ci-token"
registry = "registry.myhost.com"
jobs = ["publish"]
variables = ["CI_JOB_TOKEN", "CI_REGISTRY"]
findings = ["DP-PRE-001"]
""",
    "cleanup-scheduled.toml": _START.format(
        name="the nightly cleanup",
        command="cleanup",
        job="cleanup",
        ref="main",
        protected="true",
        more='pipeline_source = "schedule"\n',
    )
    + """\
[[variable]]
key = "SONAR_TOKEN"
level = "project"
secret = { env = "SONAR_TOKEN" }

[expect]
method = "cleanup-token"
username = "werf-cleanup"
registry = "registry.myhost.com"
jobs = ["cleanup", "publish"]
variables = ["WERF_IMAGES_CLEANUP_PASSWORD"]
findings = []

[[muted]]
check = "DP-PRE-001"
about = "CI_REGISTRY_IMAGE"
because = "all our projects push to one repository"
""",
    "publish-unprotected.toml": _START.format(
        name="publish on a feature branch",
        command="push",
        job="publish",
        ref="feature/login",
        protected="false",
        more="",
    )
    + """\
[expect]
jobs_absent = ["publish"]
""",
    "draft.toml": 'schema = 1\njob = "publish"\n\n[context]\nref = "main"\nprotcted = true\n',
    "shell.toml": """\
schema = 1
name = "a laptop"
platform = "generic"

[[variable]]
key = "CI_REGISTRY"
value = "registry.myhost.com"
""",
}


def make(root: Path) -> Path:
    """Make the project in a directory."""
    (root / "scenarios").mkdir()
    (root / ".gitlab-ci.yml").write_text(CI)
    for name, text in FILES.items():
        (root / "scenarios" / name).write_text(text)
    for words in (
        ("init", "-q", "-b", "feature/login"),
        ("remote", "add", "origin", "git@gitlab.myhost.com:web/backend.git"),
    ):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


@cache
def project() -> Path:
    """Make the project once for a process; it goes with the temporary directory of its object."""
    place = tempfile.TemporaryDirectory(prefix="dockpass-scene-")
    _kept.append(place)
    return make(Path(place.name))


_kept: list[tempfile.TemporaryDirectory[str]] = []
