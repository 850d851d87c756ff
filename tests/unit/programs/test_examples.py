"""Examples of programs are for the files and the programs that are here."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockpass.programs.examples import examples

REPOSITORY = "r.example/web/app"
ALWAYS = "sh -c 'ls -l $DOCKER_CONFIG'"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "work").mkdir()
    return tmp_path


def lines(
    here: Path, *, programs: str = "", files: str = "", repository: str = REPOSITORY
) -> tuple[str, ...]:
    for name in programs.split():
        (here / "bin" / name).write_text("#!/bin/sh\n")
        (here / "bin" / name).chmod(0o755)
    for name in files.split():
        path = here / "work" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    return examples(here / "work", {"PATH": str(here / "bin")}, here / "docker", repository)


def plugin(here: Path, name: str) -> None:
    (here / "docker" / "cli-plugins").mkdir(parents=True, exist_ok=True)
    (here / "docker" / "cli-plugins" / f"docker-{name}").write_text("")
    (here / "docker" / "cli-plugins" / f"docker-{name}").chmod(0o755)


def test_without_programs_there_is_the_one_that_runs_everywhere(here: Path) -> None:
    assert lines(here, files="Dockerfile compose.yaml x-1.tgz Chart.yaml") == (ALWAYS,)
    assert lines(here, repository="") == (ALWAYS,)


def test_docker_builds_with_buildx_only_where_that_is_found(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockpass.programs.examples._SYSTEM_PLUGINS", ())
    assert lines(here, programs="docker", files="Dockerfile")[0] == f"docker build --pull -t {REPOSITORY} ."
    plugin(here, "buildx")
    assert lines(here)[0] == f"docker buildx build --push -t {REPOSITORY} ."
    assert "docker compose push" not in lines(here, files="compose.yaml")
    plugin(here, "compose")
    assert "docker compose push" in lines(here)


def test_a_packaged_chart_and_an_oci_layout_are_pushed(here: Path) -> None:
    assert not any(line.startswith("helm") for line in lines(here, programs="helm skopeo", files="x-1.tgz"))
    found = lines(here, files="chart/Chart.yaml oci-layout")
    assert f"helm push x-1.tgz oci://{REPOSITORY}" in found
    assert f"skopeo copy oci:. docker://{REPOSITORY}" in found


def test_a_name_that_a_shell_would_split_is_quoted(here: Path) -> None:
    (here / "work" / "Chart.yaml").write_text("")
    (here / "work" / "my chart.tgz").write_text("")
    assert f"helm push 'my chart.tgz' oci://{REPOSITORY}" in lines(here, programs="helm")


def test_a_registry_on_this_machine_is_spoken_to_without_tls(here: Path) -> None:
    found = lines(
        here, programs="skopeo podman", files="oci-layout Dockerfile", repository="127.0.0.1:5000/a"
    )
    assert found[:4] == (
        "podman build --pull --tls-verify=false -t 127.0.0.1:5000/a .",
        "skopeo copy --dest-tls-verify=false oci:. docker://127.0.0.1:5000/a",
        "skopeo copy --src-tls-verify=false docker://127.0.0.1:5000/a dir:image",
        "skopeo list-tags --tls-verify=false docker://127.0.0.1:5000/a",
    )
