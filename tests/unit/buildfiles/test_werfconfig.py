"""What is read from a werf.yaml, and what a template expression hides."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.buildfiles.werfconfig import WerfConfig, read_werf_config
from dockpass.errors import UsageError


def read(text: str) -> WerfConfig:
    return read_werf_config(dedent(text))


def test_every_document_with_an_image_is_one() -> None:
    config = read("""\
        project: web
        configVersion: 1
        ---
        artifact: assets
        from: node:20
        shell:
          install: [npm ci]
        ---
        image: backend
        from: registry.myhost.com/base:1
        import:
        - artifact: assets
          add: /dist
        - image: tools
          add: /bin
        ---
        image: ~
        fromImage: backend
        ---
        image: api
        dockerfile: docker/Dockerfile
        context: api
        target: prod
        args:
          VERSION: 1.10
          DEBUG: false
        """)
    assert [image.name for image in config.images] == ["assets", "backend", "", "api"]
    assets, backend, nameless, api = config.images
    assert (assets.base, assets.stages) == ("node:20", ("shell",))
    assert (backend.base, backend.inner) == ("registry.myhost.com/base:1", ("assets", "tools"))
    assert (nameless.base, nameless.inner) == ("", ("backend",))
    assert (api.dockerfile, api.context, api.target) == ("docker/Dockerfile", "api", "prod")
    assert api.args == (("VERSION", "1.10"), ("DEBUG", "false"))
    assert not config.findings
    assert not config.unknown


def test_scalars_stay_as_they_are_written() -> None:
    assert read("image: 1.10\nfrom: 0x10\n").images[0].name == "1.10"


def test_one_document_may_have_several_names() -> None:
    config = read("image: [one, two]\nfrom: alpine\n")
    assert [(image.name, image.base) for image in config.images] == [("one", "alpine"), ("two", "alpine")]


def test_anchors_and_merges_are_followed() -> None:
    config = read("""\
        .base: &base
          from: alpine:3
        <<: *base
        image: app
        """)
    assert config.images[0].base == "alpine:3"


def test_an_expression_is_a_finding_with_file_and_line_and_never_a_guess() -> None:
    config = read("""\
        project: web
        ---
        image: app
        from: {{ .Values.base }}
        """)
    assert [(found.id, found.about) for found in config.findings] == [("template", "werf.yaml:4")]
    assert "{{ .Values.base }}" in config.findings[0].message
    assert config.images[0].base == ""
    assert config.images[0].unknown == {"from"}


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('from: "registry.myhost.com/{{ .Env }}:1"', "from"),
        ("from: alpine:{{- .tag -}}", "from"),
        ("from: {{ if .x }}alpine{{ else }}debian{{ end }}", "from"),
        ("dockerfile: {{ $file }}", "dockerfile"),
        ("context: '{{ env `DIR` }}'", "context"),
        ("target: {{\n  .target\n}}", "target"),
    ],
)
def test_a_value_with_an_expression_is_unknown(line: str, key: str) -> None:
    config = read_werf_config(f"image: app\n{line}\n")
    assert config.images[0].unknown == {key}
    assert config.findings[0].about == "werf.yaml:2"


def test_an_argument_with_an_expression_is_unknown() -> None:
    config = read("image: app\ndockerfile: Dockerfile\nargs:\n  A: x\n  B: '{{ .b }}'\n")
    assert config.images[0].args == (("A", "x"), ("B", None))


def test_what_stands_in_a_condition_is_unknown() -> None:
    config = read("""\
        image: app
        {{- if eq .Env "prod" }}
        from: registry.myhost.com/base:1
        {{- else }}
        from: alpine:3
        {{- end }}
        ---
        image: other
        from: debian
        """)
    app, other = config.images
    assert (app.base, app.unknown) == ("", {"from"})
    assert (other.base, other.unknown) == ("debian", frozenset())


def test_expressions_alone_on_a_line_take_no_line_away() -> None:
    config = read("""\
        {{ $registry := "r.io" }}
        {{/* a comment is no finding */}}
        image: app
        from: {{ $registry }}/a
        """)
    assert [found.about for found in config.findings] == ["werf.yaml:1", "werf.yaml:4"]


def test_what_an_expression_puts_in_is_not_seen() -> None:
    assert read('image: app\nfrom: alpine\n---\n{{ include "more" . }}\n').unknown


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("image: app\nfrom: [unclosed\n", "werf.yaml, line 3"),
        ("image: a\n\tfrom: b\n", "werf.yaml, line 2"),
        ("a: *unknown\n", "werf.yaml, line 1"),
        ("a: b: c\n", "werf.yaml, line 1"),
        ("[" * 20000, "werf.yaml"),
        ("a: \x01\n", "werf.yaml"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(text: str, where: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_werf_config(text)
    assert caught.value.id == "werf-yaml"
    assert caught.value.message.startswith(where)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("image: a\nfrom: b\n---\nimage: b\nfrom: a\n", "a and b"),
        (
            "image: a\nfromImage: b\n---\nimage: b\nfrom: c\n---\nimage: c\nfrom: a\n---\nimage: d\nfrom: a\n",
            "a and b and c",
        ),
        (
            "image: a\nfrom: x\nimport:\n- image: b\n---\nimage: b\nfrom: a\n---\nimage: c\nfrom: x\n",
            "a and b",
        ),
    ],
)
def test_images_that_need_each_other_are_not_known(text: str, names: str) -> None:
    found = read_werf_config(text).unknown
    assert [image.text for image in found] == [f"the image {name}" for name in names.split(" and ")]
    assert {image.because for image in found} == {f"{names} are made from each other"}


def test_an_image_of_its_own_name_is_one_of_a_registry() -> None:
    config = read_werf_config("image: alpine\nfrom: alpine\n---\nimage: app\nfrom: alpine\n")
    assert [image.base for image in config.images] == ["alpine", ""]


def test_a_file_that_is_yaml_only_when_rendered_is_told_how_to_render_it() -> None:
    with pytest.raises(UsageError) as caught:
        read_werf_config("image: a\n{{ range .x }}- b\n{{ end }}")
    assert "werf config render" in caught.value.hint


@pytest.mark.parametrize("text", ["", "just text", "- a\n- b\n", "42", "---\n---\n", "from: alpine\n"])
def test_a_file_without_an_image_has_none(text: str) -> None:
    assert read_werf_config(text).images == ()


def test_python_objects_are_not_made() -> None:
    config = read_werf_config("image: app\nfrom: !!python/object/apply:os.system ['exit 1']\n")
    assert config.images[0].base == ""


@given(
    st.lists(
        st.sampled_from(
            ["image: a\n", "from: ", "{{ if x }}", "{{ end }}", "{{", "}}", "\n", "---\n", "b", " "]
        )
    )
)
def test_any_text_is_read_or_refused(words: list[str]) -> None:
    try:
        config = read_werf_config("".join(words))
    except UsageError as error:
        refused = error.id
    else:
        assert all("TEMPLATE" not in image.base for image in config.images)
        return
    assert refused == "werf-yaml"
