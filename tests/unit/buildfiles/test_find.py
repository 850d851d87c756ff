"""Which file a build is read from, and what comes of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from dockpass.buildfiles.find import BuildSources, find_base_images, named_base_images, refused
from dockpass.errors import UsageError


def write(folder: Path, **files: str) -> None:
    """Write files; `__` in a name stands for a slash, a single `_` for a dot."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))


def references(found: BuildSources) -> list[str] | None:
    return None if found.base_images is None else [image.reference for image in found.base_images]


def test_nothing_is_known_where_nothing_is(tmp_path: Path) -> None:
    assert find_base_images(tmp_path) == BuildSources()


def test_the_dockerfile_comes_before_the_werf_yaml(tmp_path: Path) -> None:
    write(tmp_path, werf_yaml="image: a\nfrom: debian\n")
    assert references(find_base_images(tmp_path)) == ["debian"]
    write(tmp_path, Dockerfile="FROM alpine\n")
    found = find_base_images(tmp_path)
    assert references(found) == ["alpine"]
    assert (found.dockerfile, found.context) == (tmp_path / "Dockerfile", tmp_path)


def test_a_named_file_is_relative_to_the_directory_and_the_context_is_its_own(tmp_path: Path) -> None:
    write(tmp_path, docker__app_Dockerfile="FROM alpine AS one\nFROM debian\n", src__x="")
    found = find_base_images(tmp_path, file="docker/app.Dockerfile", context="src", target="one")
    assert references(found) == ["alpine"]
    assert (found.dockerfile, found.context, found.target) == (
        tmp_path / "docker/app.Dockerfile",
        tmp_path / "src",
        "one",
    )


def test_the_dockerfile_of_the_context_is_found(tmp_path: Path) -> None:
    write(tmp_path, src__Dockerfile="ARG T=1\nFROM alpine:$T\n")
    found = find_base_images(tmp_path, context="src", args={"T": "2"})
    assert references(found) == ["alpine:2"]
    assert found.args == {"T": "2"}


def test_an_image_that_cannot_be_known_makes_the_build_unknown_not_empty(tmp_path: Path) -> None:
    write(tmp_path, Dockerfile="ARG BASE\nFROM $BASE\n")
    found = find_base_images(tmp_path)
    assert found.base_images == ()
    assert [(image.text, image.origin) for image in found.unknown] == [("$BASE", "Dockerfile:2")]
    write(tmp_path, Dockerfile="FROM scratch\n")
    assert find_base_images(tmp_path).base_images == ()


@pytest.mark.parametrize("option", ["file", "config"])
def test_a_named_file_that_is_no_build_file_is_refused(option: str, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\x7fELF\x00\xff")
    (tmp_path / "large").write_bytes(b"#" * ((1 << 20) + 1))
    (tmp_path / "folder").mkdir()
    for name, error in (("none", "missing"), ("binary", "binary"), ("large", "large"), ("folder", "kind")):
        with pytest.raises(UsageError) as caught:
            find_base_images(tmp_path, **{option: name})
        assert caught.value.id == f"build-file-{error}"
        assert str(tmp_path / name) in caught.value.message
        assert f"--{option}" in caught.value.hint


WERF = """\
    project: web
    configVersion: 1
    ---
    image: base
    from: registry.myhost.com/base:1
    shell:
      install: [make]
    ---
    image: api
    dockerfile: docker/Dockerfile
    context: api
    target: prod
    args: {TAG: "3"}
    ---
    image: web
    fromImage: base
    ansible:
      install: []
    """
DOCKERFILE = "ARG TAG=1\nFROM alpine:$TAG AS prod\nFROM debian\n"


def test_a_werf_image_with_a_dockerfile_becomes_that_build(tmp_path: Path) -> None:
    write(tmp_path, werf_yaml=WERF, api__docker__Dockerfile=DOCKERFILE)
    found = find_base_images(tmp_path, image="api")
    assert references(found) == ["alpine:3"]
    assert (found.dockerfile, found.context) == (tmp_path / "api/docker/Dockerfile", tmp_path / "api")
    assert (found.target, found.args, found.image) == ("prod", {"TAG": "3"}, "api")
    assert not found.unsupported


def test_a_place_is_a_path_from_here(tmp_path: Path) -> None:
    write(tmp_path, werf_yaml=WERF, api__docker__Dockerfile=DOCKERFILE)
    for found in (
        find_base_images(tmp_path, file="api/../api/docker/Dockerfile"),
        find_base_images(tmp_path, config="werf.yaml", image="api"),
    ):
        assert found.base_images is not None
        assert {base.origin.rpartition(":")[0] for base in found.base_images} == {"api/docker/Dockerfile"}
    elsewhere = find_base_images(tmp_path / "api", file="docker/Dockerfile").base_images
    (tmp_path / "web").mkdir()
    outside = find_base_images(tmp_path / "web", file="../api/docker/Dockerfile").base_images
    assert [base.origin for base in elsewhere or ()] == ["docker/Dockerfile:3"]
    assert [base.origin for base in outside or ()] == ["Dockerfile:3"]


def test_the_command_line_beats_the_werf_yaml(tmp_path: Path) -> None:
    write(tmp_path, werf_yaml=WERF, api__docker__Dockerfile=DOCKERFILE)
    found = find_base_images(tmp_path, image="api", target="PROD", args={"TAG": "9"})
    assert references(found) == ["alpine:9"]
    assert found.args == {"TAG": "9"}


def test_an_image_of_stages_is_explained_and_not_built(tmp_path: Path) -> None:
    write(tmp_path, werf_yaml=WERF, api__docker__Dockerfile=DOCKERFILE)
    found = find_base_images(tmp_path, image="base")
    assert references(found) == ["registry.myhost.com/base:1"]
    assert found.dockerfile is None
    assert found.unsupported.startswith("The image base of werf.yaml is described by shell stages")


def test_an_image_pulls_what_the_images_it_is_made_from_pull(tmp_path: Path) -> None:
    write(tmp_path, werf_yaml=WERF, api__docker__Dockerfile=DOCKERFILE)
    found = find_base_images(tmp_path, image="web")
    assert references(found) == ["registry.myhost.com/base:1"]
    assert "ansible stages" in found.unsupported


def test_all_images_count_where_none_is_named_and_one_has_to_be_to_build(tmp_path: Path) -> None:
    write(tmp_path, werf_yaml=WERF, api__docker__Dockerfile=DOCKERFILE)
    found = find_base_images(tmp_path)
    assert references(found) == ["registry.myhost.com/base:1", "alpine:3"]
    assert "several images (base, api, web)" in found.unsupported


def test_images_that_are_made_from_each_other_end(tmp_path: Path) -> None:
    write(tmp_path, werf_yaml="image: a\nfromImage: b\n---\nimage: b\nfromImage: a\n")
    assert references(find_base_images(tmp_path, image="a")) == []


def test_from_may_name_an_image_of_the_same_file(tmp_path: Path) -> None:
    text = "image: app\nfrom: base\nshell: {}\n---\nimage: base\nfrom: registry.myhost.com/b:1\n"
    write(tmp_path, werf_yaml=text)
    for image in ("app", None):
        found = find_base_images(tmp_path, image=image)
        assert references(found) == ["registry.myhost.com/b:1"]
    write(tmp_path, werf_yaml="image: debian\nfrom: debian\n")
    assert references(find_base_images(tmp_path)) == ["debian"]


def test_a_definition_renders_nothing_where_it_stands(tmp_path: Path) -> None:
    text = """\
        {{- define "x" }}
        {{ if .Values.a }} image: b
          - {{ end }} from: evil
        {{- end }}
        image: app
        from: alpine:3
        """
    write(tmp_path, werf_yaml=text)
    found = find_base_images(tmp_path)
    assert (references(found), found.unknown) == (["alpine:3"], ())


def test_the_only_image_needs_no_name(tmp_path: Path) -> None:
    write(tmp_path, werf_yaml="image: ~\ndockerfile: Dockerfile2\n", Dockerfile2="FROM alpine\n")
    found = find_base_images(tmp_path, config="werf.yaml")
    assert (references(found), found.dockerfile) == (["alpine"], tmp_path / "Dockerfile2")


def test_an_unknown_image_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    write(tmp_path, werf_yaml=WERF)
    with pytest.raises(UsageError) as caught:
        find_base_images(tmp_path, image="nope")
    assert caught.value.id == "image-unknown"
    assert "base, api, web" in caught.value.hint


def test_a_dockerfile_that_a_werf_yaml_names_has_to_be_there(tmp_path: Path) -> None:
    write(tmp_path, werf_yaml=WERF)
    with pytest.raises(UsageError) as caught:
        find_base_images(tmp_path, image="api")
    assert caught.value.id == "build-file-missing"
    assert "the image api in werf.yaml" in caught.value.hint


@pytest.mark.parametrize(
    "line", ["from: {{ .base }}", "dockerfile: {{ .file }}", "dockerfile: Dockerfile\ncontext: {{ .dir }}"]
)
def test_what_depends_on_an_expression_is_not_known(line: str, tmp_path: Path) -> None:
    write(tmp_path, werf_yaml=f"image: app\n{line}\n")
    found = find_base_images(tmp_path)
    assert found.base_images == ()
    assert "is a template expression" in found.unknown[0].because
    assert found.findings[0].id == "template"
    assert "template expression" in found.unsupported


def test_an_unknown_argument_is_never_replaced_by_its_default(tmp_path: Path) -> None:
    write(
        tmp_path,
        werf_yaml="image: app\ndockerfile: Dockerfile2\nargs: {TAG: '{{ .tag }}'}\n",
        Dockerfile2="ARG TAG=1\nFROM alpine:$TAG\n",
    )
    found = find_base_images(tmp_path)
    assert found.base_images == ()
    assert found.unknown[0].because == "the value of TAG is not known here"
    assert "The value of TAG is not known" in found.unsupported
    assert references(find_base_images(tmp_path, args={"TAG": "2"})) == ["alpine:2"]


def test_a_base_that_is_no_image_is_a_finding(tmp_path: Path) -> None:
    write(tmp_path, werf_yaml="image: app\nfrom: https://r.io/a\n")
    found = find_base_images(tmp_path)
    assert [each.id for each in found.findings] == ["image-invalid"]
    assert [image.text for image in found.unknown] == ["https://r.io/a"]


def test_images_named_by_hand_are_checked() -> None:
    assert [image.reference for image in named_base_images(["r.io/a:1", "alpine"])] == ["r.io/a:1", "alpine"]
    with pytest.raises(UsageError) as caught:
        named_base_images(["r.io/a:1", "https://evil"])
    assert caught.value.message.startswith("--from: ")


@pytest.mark.parametrize(
    ("files", "loaded"),
    [({}, "[]"), ({"Dockerfile": "FROM alpine\n"}, "['dockpass.buildfiles.dockerfile']")],
)
def test_a_reader_is_loaded_only_where_there_is_a_file_for_it(
    files: dict[str, str], loaded: str, tmp_path: Path
) -> None:
    write(tmp_path, **files)
    code = (
        "import sys; from pathlib import Path; from dockpass.buildfiles.find import find_base_images;"
        f"find_base_images(Path({str(tmp_path)!r}));"
        "print([name for name in ('dockpass.buildfiles.dockerfile', 'yaml') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], timeout=30, capture_output=True, text=True)
    assert ended.stdout == f"{loaded}\n"


@pytest.mark.parametrize(
    ("stages", "named"),
    [
        ("FROM a AS one\nFROM b AS two\nFROM c\n", "its named stages are one, two"),
        ("FROM a\n", "none of its stages has a name"),
    ],
)
def test_a_stage_that_is_missing_is_told_with_what_target_takes(
    tmp_path: Path, stages: str, named: str
) -> None:
    (tmp_path / "Dockerfile").write_text(stages)
    found = find_base_images(tmp_path, target="nope").refusal
    assert found is not None
    error = refused(found)
    assert (error.id, error.message) == ("target-unknown", f"Dockerfile: it has no stage nope; {named}.")
    assert "--target" in error.hint
