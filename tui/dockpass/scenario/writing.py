"""Writing a scenario's file. No secret is ever written: what is one becomes a reference to a variable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import tomli_w

from dockpass.auth.command import Command
from dockpass.errors import UsageError
from dockpass.scenario.keys import is_a_secret
from dockpass.scenario.model import (
    FLAGS,
    LEVEL_WORDS,
    LISTS,
    SCHEMA,
    Context,
    Expectation,
    Given,
    Kind,
    Platform,
    Reference,
    ReferenceKind,
    Scenario,
    Source,
)
from dockpass.secrets import Secret
from dockpass.settings import mute_table
from dockpass.text import clean_lines
from dockpass.variables.gitlab.model import Level, RefType
from dockpass.variables.token_kind import looks_secret

_KEY_OF_LIST = {kind: key for key, kind in LISTS.items()}


def scenario_text(scenario: Scenario, redact: Callable[[str], str], about: str = "") -> str:
    """Return the text of the file, with a comment about it at the top.

    Raises `UsageError` for a newer form, and for a text that holds a known secret.
    """
    if scenario.schema > SCHEMA:
        raise UsageError(
            "scenario-newer",
            f"The scenario has schema {scenario.schema}, and this dockpass writes schema {SCHEMA}.",
            "Use a newer dockpass.",
        )
    document = _document(scenario)
    if path := _secret_at(document, redact):
        raise secret_refused(path)
    comment = "".join(f"# {line}\n" for line in clean_lines(redact(about)))
    return comment + tomli_w.dumps(document)


def secret_at(scenario: Scenario, redact: Callable[[str], str]) -> str:
    """Return where a text of the scenario holds a secret, such as `job`; empty where none does."""
    return _secret_at(_document(scenario), redact)


def _secret_at(document: Mapping[str, Any], redact: Callable[[str], str]) -> str:
    found = (path for path, text in _texts(document) if looks_secret(text) or redact(text) != text)
    return next(found, "")


def secret_refused(path: str) -> UsageError:
    """Return the error for a scenario that would hold a secret."""
    return UsageError(
        "scenario-secret",
        f"The scenario was not written: {path} holds a secret.",
        "Name it in another way, or leave it out.",
    )


def _document(scenario: Scenario) -> dict[str, Any]:
    document = {
        "schema": SCHEMA,
        "name": scenario.name,
        "platform": "" if scenario.platform is Platform.GITLAB else str(scenario.platform),
        "command": str(scenario.command or ""),
        "job": scenario.job,
        "context": _context(scenario.context),
        "source": [_source(each) for each in scenario.sources],
        "variable": [_given(each) for each in scenario.variables],
        "expect": _expect(scenario.expected, scenario.command),
        "muted": [mute_table(each) for each in scenario.muted],
    }
    return {key: value for key, value in document.items() if value}


def _context(context: Context) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ref_type": None if context.ref_type is RefType.BRANCH else str(context.ref_type),
        "ref": context.ref,
        "protected": context.protected,
        "pipeline_source": context.pipeline_source,
        "environment": context.environment,
        "docker_cli": context.docker_cli or None,
        "gitlab_version": context.gitlab_version or None,
        "unset": list(context.unset) or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _source(source: Source) -> dict[str, Any]:
    found = {"kind": source.kind, "path": source.path, "dialect": source.dialect}
    if source.level is not None:
        found["level"] = LEVEL_WORDS[source.level]
    return {key: value for key, value in found.items() if value}


def _given(given: Given) -> dict[str, Any]:
    found: dict[str, Any] = {"key": given.key}
    if isinstance(given.value, Reference):
        found["secret"] = _reference(given.value)
    elif isinstance(given.value, Secret) or is_a_secret(given.key, given.value):
        found["secret"] = {"env": given.key}
    else:
        found["value"] = given.value
    if given.level is not Level.WHAT_IF:
        found["level"] = LEVEL_WORDS[given.level]
    if given.group:
        found["group"] = given.group
    if flags := [flag for flag in FLAGS if flag in given.flags]:
        found["flags"] = flags
    if given.scope != "*":
        found["scope"] = given.scope
    return found


def _reference(reference: Reference) -> dict[str, Any]:
    match reference.kind:
        case ReferenceKind.PROMPT:
            return {"prompt": True}
        case ReferenceKind.COMMAND | ReferenceKind.KEYRING:
            return {str(reference.kind): list(reference.words)}
        case ReferenceKind.GITLAB:
            project, key, scope = reference.words
            return {"gitlab": project, "key": key} | ({"scope": scope} if scope != "*" else {})
    return {str(reference.kind): reference.words[0]}


def _expect(expected: Iterable[Expectation], own: Command | None) -> dict[str, Any]:
    """Return the table: what is expected of the scenario's own command stands in it, others in their own."""
    found: dict[str, Any] = {}
    logins: dict[str, dict[str, str]] = {}
    for each in expected:
        if each.kind is Kind.FINDINGS:
            found["findings"] = each.wanted.split()
        elif each.kind in _KEY_OF_LIST:
            found.setdefault(_KEY_OF_LIST[each.kind], []).append(each.wanted)
        elif each.command is own:
            found[str(each.kind)] = each.wanted
        else:
            logins.setdefault(str(each.command), {})[str(each.kind)] = each.wanted
    return {**found, **logins}


def _texts(found: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a document with where it stands."""
    if isinstance(found, str):
        yield path, found
    elif isinstance(found, Mapping):
        for key, value in found.items():
            yield from _texts(value, f"{path}.{key}" if path else str(key))
    elif isinstance(found, list):
        for number, value in enumerate(found, 1):
            yield from _texts(value, f"{path}[{number}]")
