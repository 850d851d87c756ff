"""The answers of `dockpass vars --json` as objects. Pure; no secret value is ever in them."""

from __future__ import annotations

from typing import Any

from dockpass.cli.variables import Looked
from dockpass.cli.variables_settings import settings_json
from dockpass.secrets import MASK
from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Definition, Loser, Resolved, Value
from dockpass.variables.gitlab.policies import Policy
from dockpass.variables.gitlab.rules import Clause, Judgement
from dockpass.variables.inwords import absent_in_words, because
from dockpass.variables.jobscript import OwnLogin
from dockpass.variables.logins import JobLogin, is_secret
from dockpass.variables.undefined import Undefined

_LONGEST_VALUE = 1 << 16


def show_json(looked: Looked) -> dict[str, Any]:
    """Return the object of `vars show --json`; the value of a secret is masked, an unknown one is null."""
    view = looked.view
    return {
        "job": clean(view.name, 255) or None,
        "ref": {
            "type": looked.pipeline.ref.type,
            "name": clean(looked.pipeline.ref.name, 255),
            "protected": looked.pipeline.ref.protected,
        },
        "environment": _value_json(view.environment) or None,
        "gitlab_version": str(looked.pipeline.version) if looked.pipeline.version else None,
        "included": view.included,
        "variables": [_variable_json(name, view.variables[name]) for name in sorted(view.variables)],
        "absent": [
            {
                "name": clean(name, 255),
                "reason": absent_in_words(view.absent[name]),
                "overridden": [_loser_json(each) for each in view.absent[name].losers],
            }
            for name in sorted(view.absent)
        ],
        "undefined": [{"name": clean(each.name, 255)} | _used_json(each) for each in looked.undefined],
        "logins": [_login_json(login) for login in looked.logins],
        "own_logins": [_own_login_json(login) for login in looked.script.logins],
        "not_loaded": [
            {"kind": each.kind, "name": each.text, "file": each.place.file, "line": each.place.line}
            for each in looked.loaded.config.not_loaded
        ],
        "settings": settings_json(looked.settings),
        "errors": [
            {"message": each.message, "file": each.place.file or None, "line": each.place.line or None}
            for each in view.problems
        ],
    }


def explain_json(looked: Looked, name: str) -> dict[str, Any]:
    """Return the object of `vars explain --json`."""
    found, absent = looked.view.variables.get(name), looked.view.absent.get(name)
    if found is not None:
        return _variable_json(name, found) | {
            "steps": [
                {"by": step.by, "reference": step.reference, "source": step.source} for step in found.steps
            ]
        }
    losers = absent.losers if absent is not None else ()
    used = next((each for each in looked.undefined if each.name == name), None)
    return {
        "name": clean(name, 255),
        "absent": True,
        "overridden": [_loser_json(each) for each in losers],
        "used": None if used is None else _used_json(used),
    }


def why_json(looked: Looked) -> dict[str, Any]:
    """Return the object of `vars why --json`."""
    view = looked.view
    return {
        "job": clean(view.name, 255),
        "included": view.included,
        "when": clean(view.when, 40) or None,
        "workflow": _rules_json(view.workflow),
        "rules": _rules_json(view.rules),
        "policies": [_policy_json(each) for each in view.policies],
        "errors": [each.message for each in view.problems],
    }


def _rules_json(judgement: Judgement | None) -> list[dict[str, Any]] | None:
    if judgement is None:
        return None
    return [
        {
            "file": rule.place.file,
            "line": rule.place.line,
            "outcome": rule.outcome,
            "reached": rule.reached,
            "when": clean(rule.when, 40),
            "sets": [clean(each.key, 255) for each in rule.variables],
            "clauses": [_clause_json(each) for each in rule.clauses],
        }
        for rule in judgement.rules
    ]


def _policy_json(policy: Policy) -> dict[str, Any]:
    return {
        "kind": policy.kind,
        "default": policy.is_default,
        "file": policy.place.file,
        "line": policy.place.line,
        "outcome": policy.holds,
        "clauses": [_clause_json(each) for each in policy.clauses],
    }


def _clause_json(clause: Clause) -> dict[str, Any]:
    return {
        "kind": clause.kind,
        "text": clause.text,
        "outcome": clause.outcome,
        "why": clause.why,
        "comparisons": [
            {"text": clean(each.text, 500), "outcome": each.outcome} for each in clause.comparisons
        ],
    }


def _value_json(value: Value) -> str | None:
    return None if isinstance(value, Unknown) else clean(value, _LONGEST_VALUE)


def _masked_json(value: Value, *, secret: bool) -> str | None:
    if isinstance(value, Unknown):
        return None
    return MASK if secret and value else clean(value, _LONGEST_VALUE)


def _variable_json(name: str, found: Resolved) -> dict[str, Any]:
    secret = is_secret(name, found)
    definition = found.winner
    result = {
        "name": clean(name, 255),
        "value": _masked_json(found.value, secret=secret and not definition.file),
        "gitlab_value": _masked_json(found.gitlab_value, secret=secret),
        "secret": secret,
        "source": _source_json(definition),
        "flags": _flag_names(definition),
        "scope": clean(definition.scope, 255),
        "overridden": [_loser_json(each) for each in found.losers],
    }
    if found.content is not None:
        result["content"] = _masked_json(found.content, secret=secret)
    return result


def _source_json(definition: Definition) -> dict[str, Any]:
    return {
        "level": clean(definition.source, 255),
        "file": definition.place.file or None,
        "line": definition.place.line or None,
    }


def _loser_json(loser: Loser) -> dict[str, Any]:
    return _source_json(loser.definition) | {
        "flags": _flag_names(loser.definition),
        "scope": clean(loser.definition.scope, 255),
        "reason": because(loser),
    }


def _flag_names(definition: Definition) -> list[str]:
    return [name for name in ("protected", "masked", "hidden", "raw", "file") if getattr(definition, name)]


def _login_json(login: JobLogin) -> dict[str, Any]:
    return {
        "command": login.command,
        "method": login.method,
        "username": login.username,
        "address": login.address,
        "secret_from": login.secret_from,
        "unknown": list(login.unknown),
        "refusal": login.refusal or None,
    }


def _used_json(used: Undefined) -> dict[str, Any]:
    return {
        "used_by": clean(used.user, 255),
        "file": used.place.file or None,
        "line": used.place.line or None,
    } | ({"elsewhere": used.elsewhere} if used.elsewhere else {})


def _own_login_json(login: OwnLogin) -> dict[str, Any]:
    return {
        "program": login.program,
        "file": login.place.file or None,
        "line": login.place.line or None,
        "address": login.host or None,
        "username": login.user or None,
        "secret_from": [clean(name, 255) for name in login.secrets],
        "password_in_script": login.password is not None,
    }
