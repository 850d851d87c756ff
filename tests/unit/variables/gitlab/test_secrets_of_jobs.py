"""`id_tokens` and `secrets` bring variables, with values that only the job has."""

from __future__ import annotations

from typing import Any

from ciproject import view

from dockpass.unknown import Unknown

YAML = """\
default:
  id_tokens: {DEFAULTED: {aud: a}}
a:
  id_tokens: {VAULT_TOKEN: {aud: https://vault.example.com}}
  secrets:
    PASSWORD: {vault: app/password@ops, file: false}
    KEY_FILE: {vault: app/key@ops}
  script: x
  rules: [{if: $VAULT_TOKEN, variables: {SEEN: 'yes'}}, {when: always}]
b: {script: x}
"""


def seen(job: str, **context: Any) -> Any:
    return view({"files": {".gitlab-ci.yml": YAML}, "context": context, "job": job})


def test_they_are_set_and_not_known_and_masked() -> None:
    found = seen("a").variables
    for name in ("VAULT_TOKEN", "PASSWORD"):
        value = found[name].value
        assert isinstance(value, Unknown)
        assert value.is_set
        assert found[name].winner.masked
    assert found["VAULT_TOKEN"].winner.source == "persisted:id_tokens"
    assert found["VAULT_TOKEN"].winner.place.line == 4
    assert found["PASSWORD"].winner.source == "runner:secrets"
    assert found["KEY_FILE"].value == "<FILE:KEY_FILE>"
    assert "SEEN" not in found, "a token exists only while the job runs"
    assert "DEFAULTED" not in found, "the job has tokens of its own"
    assert "DEFAULTED" in seen("b").variables


def test_a_token_is_the_weakest_and_a_secret_the_strongest() -> None:
    settings = [{"key": "VAULT_TOKEN", "value": "mine"}, {"key": "PASSWORD", "value": "mine"}]
    found = seen("a", project_variables=settings).variables
    assert found["VAULT_TOKEN"].value == "mine"
    assert isinstance(found["PASSWORD"].value, Unknown)
