"""Inputs of included files: filled in as GitLab does, refused in its words, or left open."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from ciproject import view
from hypothesis import given
from hypothesis import strategies as st

from dockpass.unknown import Unknown
from dockpass.variables.gitlab.inputs import InputError, NotFilledIn, filled_in, split_header
from dockpass.variables.gitlab.tree import YamlError

HEADER = """\
spec:
  inputs:
    name:
    port: {type: number, default: 80}
    fast: {type: boolean, default: true}
    tags: {type: array, default: [a, b]}
    stage: {options: [test, deploy], default: test}
---
"""
JOB = """\
"$[[ inputs.name ]]-job":
  script: x
  tags: $[[ inputs.tags ]]
  environment: $[[inputs.stage]]
  variables:
    PORT: $[[ inputs.port ]]
    FAST: $[[ inputs.fast ]]
    CUT: $[[ inputs.name | truncate(0,2) ]]
    LEFT: $[[ matrix.OS ]]
"""


def seen(inputs: str, job: str = "web-job", text: str = HEADER + JOB) -> Any:
    given = f", inputs: {{{inputs}}}" if inputs else ""
    files = {
        ".gitlab-ci.yml": f"include: [{{local: part.yml{given}}}]\nother: {{script: x}}\n",
        "part.yml": text,
    }
    context = {"predefined": {"CI_COMMIT_BRANCH": "main"}}
    return view({"files": files, "context": context, "job": job})


def test_values_and_defaults_are_filled_in_with_their_types() -> None:
    found = seen("name: web, port: 8080, stage: deploy, fast: 'false'")
    assert not found.problems
    assert found.environment == "deploy"
    values = {name: found.variables[name].value for name in ("PORT", "FAST", "CUT", "LEFT")}
    assert values == {"PORT": "8080", "FAST": "false", "CUT": "we", "LEFT": "$[[ matrix.OS ]]"}
    assert found.variables["PORT"].winner.place.line == 14, "the lines are those of the file"
    assert seen("name: web").variables["PORT"].value == "80"
    text = "spec: {inputs: {a: {default: $CI_COMMIT_BRANCH}}}\n---\n$[[ inputs.a | expand_vars | truncate(0, 3) ]]"
    assert filled_in(split_header(text, "f"), None, {"CI_COMMIT_BRANCH": "main"}) == "\n\nmai"
    hidden = {"CI_COMMIT_BRANCH": Unknown("hidden")}
    with pytest.raises(NotFilledIn):
        filled_in(split_header(text, "f"), None, hidden)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("", "`part.yml`: `name` input: required value has not been provided"),
        ("name: a, prot: 1", "`part.yml`: unknown input arguments: prot"),
        ("name: a, port: b", "`part.yml`: `port` input: provided value is not a number"),
        ("name: a, port: true", "`part.yml`: `port` input: provided value is not a number"),
        ("name: a, fast: 1", "`part.yml`: `fast` input: provided value is not a boolean"),
        ("name: a, tags: b", "`part.yml`: `tags` input: provided value is not an array"),
        (
            "name: a, stage: prod",
            "`part.yml`: `stage` input: `prod` cannot be used because it is not in the list of allowed options",
        ),
    ],
)
def test_what_gitlab_refuses(inputs: str, message: str) -> None:
    assert [each.message for each in seen(inputs, "other").problems] == [message]


def test_a_key_that_no_input_has_and_inputs_without_a_header_are_refused() -> None:
    text = "spec: {inputs: {a: {default: b}}}\n---\nx: {script: $[[ inputs.c ]]}\n"
    assert seen("", "other", text).problems[0].message == "`part.yml`: unknown interpolation key: `c`"
    assert (
        "not defined in the `spec` section" in seen("a: b", "other", "x: {script: y}\n").problems[0].message
    )


@pytest.mark.parametrize(
    ("spec", "given", "problem"),
    [
        ("regex: '^v[0-9]+$'", "v12", ""),
        ("regex: '^v[0-9]+$'", "latest", "provided value does not match required RegEx pattern"),
        ("regex: '^v[0-9]+$', default: main", "v1", "default value does not match required RegEx pattern"),
        ("regex: '['", "v1", "invalid regular expression"),
        ("type: number, regex: '1'", "1", "RegEx validation can only be used with string inputs"),
        ("type: number, default: b", "1", "default value is not a number"),
        ("type: number, options: [1, 2]", "2", ""),
        (
            "type: number, options: [1, 2]",
            "3",
            "`3` cannot be used because it is not in the list of the allowed options",
        ),
        ("type: number", "NaN", "provided value is not a number"),
        ("type: boolean, options: [true]", "true", "Options can only be used with string and number inputs"),
        ("type: array", f"'{'[' * 100_000}'", "provided value is not an array"),
    ],
)
def test_defaults_and_values_are_held_against_type_options_and_pattern(
    spec: str, given: str, problem: str
) -> None:
    text = f"spec: {{inputs: {{a: {{{spec}}}}}}}\n---\nx: {{script: $[[ inputs.a ]]}}\n"
    expected = [f"`part.yml`: `a` input: {problem}"] if problem else []
    assert [each.message for each in seen(f"a: {given}", "other", text).problems] == expected


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$[[ inputs.a ]]$[[inputs.a]]", "bb"),
        ("$[[\n  inputs.a\n]] $[[ inputs.a", "b $[[ inputs.a"),
        ("$[[ inputs\n.a ]] ]] $[[ inputs.a ]]", "$[[ inputs\n.a ]] ]] b"),
        ("if [[ $x ]]; then $[[ ]] $[[ a ]]", "if [[ $x ]]; then $[[ ]] $[[ a ]]"),
        ("$[[ x\n$[[ inputs.a ]]", "$[[ x\nb"),
    ],
)
def test_what_is_a_block(text: str, filled: str) -> None:
    header = split_header("spec: {inputs: {a: {default: b}}}\n---\n" + text, "f")
    assert filled_in(header, None, {}).lstrip("\n") == filled


@pytest.mark.parametrize("text", ["$[[" * 50_000, "$[[" + " " * 50_000, "$[[ a\n" * 20_000 + "]]" * 50_000])
def test_blocks_without_an_end_take_no_time(text: str) -> None:
    header = split_header("spec: {inputs: {a: {default: b}}}\n---\n" + text, "f")
    assert filled_in(header, None, {}).endswith(text.strip("\n"))


def test_too_many_blocks_are_refused() -> None:
    text = "".join(f"$[[ inputs.a | truncate(0, {number}) ]]\n" for number in range(10_001))
    with pytest.raises(InputError, match="too many interpolation blocks"):
        filled_in(split_header("spec: {inputs: {a: {default: b}}}\n---\n" + text, "f"), None, {})


@pytest.mark.parametrize(
    "text",
    [
        "spec: {inputs: {a: {default: 2020-01-01}}}\n---\nx: {script: $[[ inputs.a ]]}\n",
        "spec: {inputs: {a: {default: !reference [b]}}}\n---\nx: {script: $[[ inputs.a ]]}\n",
        "spec: {inputs: {a: {default: b, type: [string]}}}\n---\nx: {script: $[[ inputs.a ]]}\n",
        "spec: {inputs: {a: {default: b, type: {a: b}}}}\n---\nx: {script: $[[ inputs.a ]]}\n",
        "spec: {inputs: {a: {default: b, regex: '\\\\pL'}}}\n---\nx: {script: $[[ inputs.a ]]}\n",
        "spec: {inputs: {a: {default: b, rules: [{default: c}]}}}\n---\nx: {script: y}\n",
        "spec: {inputs: {a: {default: b}}}\n---\nx: {script: $[[ inputs.a | posix_escape ]]}\n",
        "spec: {inputs: {a: {default: b, type: date}}}\n---\nx: {script: $[[ inputs.a ]]}\n",
        "spec: {inputs: {}, component: [name]}\n---\nx: {script: $[[ component.name ]]}\n",
    ],
)
def test_what_is_not_modelled_leaves_the_file_out_and_says_so(text: str) -> None:
    found = seen("", "other", text)
    assert not found.problems
    assert found.included is True
    context = {"ref": {"type": "merge_request", "name": "x"}, "pipeline_source": "merge_request_event"}
    files = {".gitlab-ci.yml": "include: part.yml\nother: {script: x}\n", "part.yml": text}
    assert view({"files": files, "context": context, "job": "other"}).included is None


def test_the_file_of_the_project_takes_the_defaults() -> None:
    text = "---\nspec: {inputs: {level: {default: '2'}}}\n---\na: {script: x, variables: {L: $[[ inputs.level ]]}}\n"
    found = view({"files": {".gitlab-ci.yml": text}, "context": {}, "job": "a"})
    assert (found.variables["L"].value, found.variables["L"].winner.place.line) == ("2", 4)


@pytest.mark.parametrize(
    "text", ["a: {script: '$[[ inputs.x ]]'}\n", "---\na: {script: x}\n", "# spec\n---\na: 1\n"]
)
def test_a_file_without_a_header_stays_as_it_is(text: str) -> None:
    assert filled_in(split_header(text, "f"), None, {}) == text


@given(
    st.lists(
        st.sampled_from(
            ["spec", ": ", "inputs", "{", "}", "\n", "---\n", "$[[ inputs.a", " ]]", "|", "a", "[", "  "]
        ),
        max_size=14,
    ).map("".join)
)
def test_no_text_makes_it_fail(text: str) -> None:
    with suppress(InputError, NotFilledIn, YamlError):
        assert isinstance(filled_in(split_header(text, "f"), None, {}), str)


def test_a_default_that_is_repeated_fills_no_memory() -> None:
    header = f"spec: {{inputs: {{a: {{default: {'x' * 100_000}}}}}}}\n---\n"
    with pytest.raises(InputError, match="too large"):
        filled_in(split_header(header + "$[[inputs.a]]" * 1000, "f"), None, {})
