"""What holds for every configuration and every set of definitions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ciproject import MAIN, config_of
from hypothesis import given
from hypothesis import strategies as st

from dockpass.unknown import Unknown
from dockpass.variables.gitlab.expand import Item, gitlab_expand, go_expand, runner_expand
from dockpass.variables.gitlab.model import Definition, Level, Ref
from dockpass.variables.gitlab.resolve import Situation, view_job
from dockpass.variables.gitlab.tree import Tree, YamlError, read_tree

NAMES = ("A", "B", "C", "D")
_TEXT = st.lists(
    st.sampled_from(["$A", "${B}", "%C%", "$$", "%%", "${", "}", "$", "x", " ", "$1", "${D:-x}"]), max_size=4
).map("".join)
_VALUES = st.one_of(_TEXT, st.just(Unknown("not known", is_set=True)), st.just(Unknown("not known")))
_DEFINITIONS = st.lists(
    st.builds(
        Definition,
        key=st.sampled_from(NAMES),
        value=_VALUES,
        level=st.sampled_from([Level.RUNNER, Level.PERSISTED, Level.GROUP, Level.PROJECT, Level.PIPELINE]),
        protected=st.booleans(),
        raw=st.booleans(),
        file=st.booleans(),
        scope=st.sampled_from(["*", "production", "prod*"]),
    ),
    max_size=8,
)
_YAML = st.dictionaries(st.sampled_from(NAMES), _TEXT, max_size=3)
CONFIG = "variables: {{{0}}}\nbuild: {{environment: {2}, variables: {{{1}}}, script: [env]}}\n"


def _config(defaults: dict[str, str], own: dict[str, str], environment: str) -> str:
    def quoted(values: dict[str, str]) -> str:
        return ", ".join(f"{key}: '{value}'" for key, value in values.items())

    return CONFIG.format(quoted(defaults), quoted(own), environment)


@given(
    _DEFINITIONS, _YAML, _YAML, st.sampled_from(["production", "''"]), st.sampled_from([True, False, None])
)
def test_every_job_resolves(
    definitions: list[Definition],
    defaults: dict[str, str],
    own: dict[str, str],
    environment: str,
    protected: bool | None,
) -> None:
    """One winner each, nothing both there and absent, and an edit always wins."""
    config = config_of({MAIN: _config(defaults, own, environment)})
    job = config.job("build")
    assert job is not None
    situation = Situation(ref=Ref(protected=protected), definitions=tuple(definitions))
    view = view_job(config, situation, job)
    assert not view.variables.keys() & view.absent.keys()
    for name, found in view.variables.items():
        assert found.winner.key == name
        assert found.winner not in [loser.definition for loser in found.losers] or found.losers
        if isinstance(found.winner.value, Unknown) and not found.winner.file:
            assert isinstance(found.value, Unknown), "what is not known never becomes a text"
    for name in NAMES:
        edit = Definition(key=name, value="edited", level=Level.WHAT_IF, raw=True)
        edited = view_job(config, replace(situation, definitions=(*definitions, edit)), job)
        assert edited.variables[name].value == "edited"


@given(_DEFINITIONS)
def test_removing_a_loser_of_a_weaker_level_changes_no_value(definitions: list[Definition]) -> None:
    plain = [replace(each, raw=True, value="v") for each in definitions]
    config = config_of({MAIN: "build: {script: [env]}\n"})
    job = config.job("build")
    assert job is not None
    view = view_job(config, Situation(definitions=tuple(plain)), job)
    winners = [found.winner for found in view.variables.values()]
    kept = [each for each in plain if any(each is winner or each == winner for winner in winners)]
    less = view_job(config, Situation(definitions=tuple(kept)), job)
    assert {name: each.value for name, each in less.variables.items()} == {
        name: each.value for name, each in view.variables.items()
    }


@given(st.lists(st.tuples(st.sampled_from(NAMES), _TEXT), max_size=8))
def test_both_expansions_take_any_values(values: list[tuple[str, str]]) -> None:
    definitions = [Definition(key=key, value=value, level=Level.PROJECT) for key, value in values]
    items, circles = gitlab_expand(definitions)
    assert sorted(item.key for item in items) == sorted(key for key, _ in values)
    assert all(len(circle) > 1 and set(circle) <= set(definitions) for circle in circles)
    for item in runner_expand(items, lambda key: key):
        assert isinstance(item.value, str)


@given(st.text("${}A-:1 ", max_size=12))
def test_the_runners_cut_loses_only_what_go_drops(text: str) -> None:
    kept = "".join(piece for _, piece in go_expand(text))
    assert len(kept) <= len(text)
    assert "$" in text or kept == text


@given(st.text(max_size=60))
def test_any_text_is_yaml_or_told(text: str) -> None:
    assert documents_or_error(text) != ""


def documents_or_error(text: str) -> list[Any] | str:
    try:
        return read_tree(text, "f.yml")
    except YamlError as error:
        return error.message


def test_an_unknown_reference_makes_the_whole_value_unknown() -> None:
    definitions = [
        Definition(key="A", value=Unknown("hidden", is_set=True), level=Level.PROJECT),
        Definition(key="B", value="x-$A", level=Level.YAML),
    ]
    items, _ = gitlab_expand(definitions)
    assert {item.key: item.value for item in items} == {
        "A": Unknown("hidden", is_set=True),
        "B": Unknown("hidden", is_set=True),
    }
    assert Item(definitions[1], "x").key == "B"
    assert isinstance(Tree(), dict)
