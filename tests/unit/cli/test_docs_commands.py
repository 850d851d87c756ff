"""Every command that the documentation shows is one that dockpass takes, and does what the page says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import guard
import pytest
from docpages import PLACEHOLDERS, ROOT, Shown, blocks, complaint, spans
from program import Program, StartedSandbox

from dockpass.cli.main import cli

BLOCKS = blocks()

NOT_RUN = {
    "dockpass": "starts the screen, which needs a terminal: tests/e2e/test_terminal.py",
    "dockpass vars import gitlab": "asks before it contacts a server: tests/unit/cli/test_vars_import.py",
    "cd my-project && dockpass": "starts the screen, which needs a terminal: tests/e2e/test_terminal.py",
    "dockpass vars show --job publish --from-gitlab": "asks a server: tests/unit/cli/test_vars_import.py",
    "dockpass scenario new": "needs a project with a push: tests/unit/cli/test_scenario_new.py",
    "dockpass vars import gitlab --yes": "asks the sandbox's GitLab: tests/unit/cli/test_vars_import.py",
    'eval "$(dockpass sandbox --shell | tee job.sh &)"': "starts a sandbox of its own:"
    " tests/unit/cli/test_sandbox_command.py",
    "dockpass --env-file job.env": "starts the screen, which needs a terminal: tests/e2e/test_terminal.py",
    "dockpass try": "starts the screen, which needs a terminal: tests/e2e/test_tour.py",
    "dockpass --sandbox": "starts the screen, which needs a terminal: tests/e2e/test_tour.py",
    "dockpass sandbox": "stays until Ctrl-C: tests/unit/cli/test_sandbox_command.py",
    "dockpass sandbox --env-file job.env": "stays until Ctrl-C: tests/unit/cli/test_sandbox_command.py",
    "dockpass sandbox --shell > job.sh": "stays until Ctrl-C: tests/unit/cli/test_sandbox_command.py",
    'eval "$(dockpass sandbox --shell &)"': "starts a sandbox of its own: tests/unit/cli/test_sandbox_command.py",
    "dockpass shell": "needs a terminal: tests/e2e/test_exec_terminal.py",
    **dict.fromkeys(
        (
            "dockpass exec -- docker push registry.myhost.com/web/backend:main",
            "dockpass exec --for pull -- docker pull registry.myhost.com/web/backend:main",
            "dockpass exec --for build --from registry.myhost.com/web/base:1 -- docker build --pull .",
            "dockpass exec --for pull -- skopeo copy docker://registry.myhost.com/web/backend:main dir:backend",
            "dockpass exec -- skopeo copy dir:backend docker://registry.myhost.com/web/backend:main",
            "dockpass exec -- podman push backend registry.myhost.com/web/backend:main",
            "dockpass exec -- buildah push backend registry.myhost.com/web/backend:main",
            "dockpass exec -- docker compose push",
            "dockpass exec -- docker buildx build --push --tag registry.myhost.com/web/backend:main .",
            "dockpass exec -- helm push chart-0.1.0.tgz oci://registry.myhost.com/web/backend",
            "dockpass exec -- oras push registry.myhost.com/web/backend:notes notes.txt:text/plain",
            "dockpass exec -- crane copy registry.myhost.com/web/backend:main registry.myhost.com/web/backend:1.4",
            "dockpass exec --for pull -- syft scan registry:registry.myhost.com/web/backend:main",
        ),
        "needs that client: tests/engine/test_exec_clients.py",
    ),
}
"""What is not run here, and why; the test that has it instead."""

OTHER_STATUS = {
    "dockpass probe cleanup": (1, "the job's token may not delete"),
    "dockpass vars diff main feature/login --job publish": (1, "the two differ"),
    "dockpass vars diff here main --job publish": (1, "a shell is not a job"),
    "dockpass vars diff branch:main,protected feature/login --job publish --unprotected": (1, "they differ"),
}
"""What ends otherwise than with 0, and why."""

CI_YAML = """
publish:
  environment: production
  script: ["true"]
  rules: [{if: '$CI_COMMIT_BRANCH == "main"'}]
"""
PROTECTED = [{"key": "REGISTRY_PUSH_TOKEN", "value": "x" * 20, "protected": True, "masked": True}]
FAKE_TOOLS = {
    "jq": 'exec "$PYTHON" -c "import json, sys; json.load(sys.stdin)[\'needs\']"',
    "glab": 'cat "$HOME/vars.json"',
}


def without_comment(shown: Shown) -> str:
    return re.sub(r"\s+#.*", "", shown.text)


@pytest.mark.parametrize("shown", [*BLOCKS, *spans()], ids=lambda shown: f"{shown.name} {shown.text}"[:70])
def test_every_command_and_option_exists(shown: Shown) -> None:
    for words in shown.calls():
        assert complaint(cli, words) == ""


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("explain push --nope", "--nope"),
        ("pusch", "pusch"),
        ("images nope", "nope"),
        ("paths push", "push"),
        ("--nope", "--nope"),
    ],
)
def test_what_does_not_exist_is_found(line: str, missing: str) -> None:
    assert missing in complaint(cli, line.split())


def test_the_table_names_only_what_the_pages_show() -> None:
    assert NOT_RUN.keys() | OTHER_STATUS.keys() <= {without_comment(shown) for shown in BLOCKS}
    assert len(BLOCKS) > 30


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A sandbox, and a clone of its project, with an image and the files that the pages speak of."""
    made = Program(
        tmp_path_factory.mktemp("docs"), {"DOCKPASS_CONFIG": "/dev/null", "PYTHON": sys.executable}
    )
    home = made.directory / "home"
    tools = home / ".local" / "bin"
    tools.mkdir(parents=True)
    (home / ".zfunc").mkdir()
    for path in (".local/share/bash-completion/completions", ".config/fish/completions"):
        (home / path).mkdir(parents=True)
    calls = {"dockpass": 'exec "$PYTHON" -m dockpass "$@"'}
    for name, script in {**calls, **FAKE_TOOLS}.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    (home / "vars.json").write_text(json.dumps(PROTECTED))
    with StartedSandbox(made, "--env-file", "job.env"):
        text = (made.work / "job.env").read_text()
        pairs = re.findall(r"^(?:# not set by the job: )?(\w+)=(.*)$", text, re.MULTILINE)
        made.environ.update(pairs)
        made.environ["CLEANUP_PASSWORD"] = made.environ.pop("WERF_IMAGES_CLEANUP_PASSWORD")
        made.environ["TOOLS"] = str(tools)
        made.environ["NEW_CI_JOB_TOKEN"] = made.environ["REGISTRY_PASSWORD"] = made.environ["CI_JOB_TOKEN"]
        prepare(made)
        yield made
    made.remove()


def prepare(made: Program) -> None:
    """Have what a person has before: a clone with a job and a branch, images, docker's own login, saved variables."""
    shutil.copytree(made.environ["CI_PROJECT_DIR"], made.work, dirs_exist_ok=True)
    (made.work / ".gitlab-ci.yml").write_text(CI_YAML)
    for name in ("scenarios", "docs/scenarios"):
        shutil.copytree(ROOT / "docs/scenarios", made.work / name)
    for name in ("vars.json", "project.json"):
        shutil.copy(made.directory / "home" / "vars.json", made.work / name)
    login = {"username": made.environ["CI_REGISTRY_USER"], "password": made.environ["CI_REGISTRY_PASSWORD"]}
    for directory in (made.work, made.directory / "home"):
        (directory / ".docker").mkdir()
        config = {"auths": {made.environ["CI_REGISTRY"]: login}}
        (directory / ".docker" / "config.json").write_text(json.dumps(config))
    identity = ["-c", "user.name=me", "-c", "user.email=me@example.com"]
    for words in (
        ["init", "-q", "-b", "feature/login"],
        ["add", "."],
        [*identity, "commit", "-q", "-m", "x"],
    ):
        subprocess.run(["git", *words], cwd=made.work, env=made.variables(), check=True)
    for name in (f"{made.environ['CI_REGISTRY_IMAGE']}:main", "myimage:1", "another:1"):
        assert made.run("build", "--engine=embedded", "--tag", name).returncode == 0


def as_in_the_sandbox(text: str, environ: dict[str, str]) -> str:
    """Put what the sandbox has in the place of the page's example registry and logins."""
    if "--clean-env" in text:
        return text
    user, password = environ["CI_REGISTRY_USER"], environ["CI_REGISTRY_PASSWORD"]
    if "dockpass cleanup" in text:
        user, password = "werf-cleanup", environ["CLEANUP_PASSWORD"]
    for example, own in (
        ("registry.myhost.com/web/backend", environ["CI_REGISTRY_IMAGE"]),
        ("=myuser", f"={user}"),
        ("username bob", f"username {user}"),
        ("=mypassword", f"={password}"),
        ("A3XewXjfldf", environ["CLEANUP_PASSWORD"]),
    ):
        text = text.replace(example, own)
    return text


@pytest.mark.xdist_group("docs")
@pytest.mark.parametrize(
    "shown",
    [shown for shown in BLOCKS if without_comment(shown) not in NOT_RUN],
    ids=lambda shown: f"{shown.name} {shown.text}"[:70],
)
def test_what_can_run_in_a_sandbox_runs(job: Program, shown: Shown) -> None:
    environ = job.variables()
    if "vars " in shown.text:  # the job of a page about variables is one of the clone's, on its branch
        environ = {name: value for name, value in environ.items() if not name.startswith("CI")}
    if (
        "dockpass cleanup" in shown.text
    ):  # whoever cleans up in a job has set it; the job's token may not delete
        environ["WERF_IMAGES_CLEANUP_PASSWORD"] = job.environ["CLEANUP_PASSWORD"]
    words = without_comment(shown)
    status, _ = OTHER_STATUS.get(words, (0, ""))
    for placeholder, value in PLACEHOLDERS.items():
        words = re.sub(rf"(?<=\s){re.escape(placeholder)}(?=\s|$)", value, words)
    lines = [as_in_the_sandbox(line, job.environ) for line in (*shown.before, words)]
    script = "\n".join([f'PATH="{job.environ["TOOLS"]}:$PATH"', "set -o pipefail", *lines])
    ended = guard.run(["bash", "-c", script], cwd=job.work, env=environ)
    assert ended.returncode == status, ended.stdout + ended.stderr
    printed = [line.strip() for line in ended.stdout.splitlines()]
    for line in filter(str.strip, shown.output):
        assert line.strip() in printed, ended.stdout
