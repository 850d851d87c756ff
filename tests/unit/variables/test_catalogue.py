"""Everything that a rule reads is listed, with what it would do."""

from __future__ import annotations

from dockpass.auth.facts import Facts, Source, SourceKind, Variable
from dockpass.auth.rules import RULES
from dockpass.variables.catalogue import CATALOGUE, LISTED_WHEN_SET, Group, entry, listed


def test_everything_that_a_rule_reads_is_always_listed_with_a_rule() -> None:
    names = {found.name: found for found in CATALOGUE}
    for rule in RULES:
        for name in rule.reads:
            found = names[name]
            assert found.rule is not None
            assert found.option == (not name.isupper())


def test_names_are_unique_and_every_entry_says_what_it_means() -> None:
    entries = (*CATALOGUE, *LISTED_WHEN_SET)
    assert len({found.name for found in entries}) == len(entries)
    assert all(found.means for found in entries)
    assert max(len(found.name) for found in CATALOGUE) == 31


def test_nothing_is_set_and_the_list_is_whole_and_in_order_of_the_groups() -> None:
    assert listed(Facts()) == CATALOGUE
    assert [found.group for found in CATALOGUE] == sorted(
        (found.group for found in CATALOGUE), key=list(Group).index
    )


def test_a_former_name_is_listed_where_it_is_set_with_its_name_of_today() -> None:
    name = "WERF_CLEANUP_REGISTRY_PASSWORD"
    facts = Facts({name: Variable(name, "x", Source(SourceKind.PROCESS))})
    found = next(each for each in listed(facts) if each.name == name)
    assert "WERF_IMAGES_CLEANUP_PASSWORD" in found.means
    assert found.secret


def test_what_is_secret_is_known_without_a_value() -> None:
    secret = {found.name for found in (*CATALOGUE, *LISTED_WHEN_SET) if found.secret}
    assert {
        "CI_JOB_TOKEN",
        "registry-password",
        "WERF_IMAGES_CLEANUP_PASSWORD",
        "DOCKER_AUTH_CONFIG",
    } <= secret
    assert not secret & {"CI_REGISTRY", "registry-username", "WERF_DOCKER_CONFIG", "DAPP_DOCKER_CONFIG"}


def test_an_unknown_name_has_no_entry() -> None:
    assert entry("HOME") is None
    assert entry("CI_REGISTRY") is CATALOGUE[0]
