"""The settings as a JSON Schema, for editors and for checks in a repository of dotfiles."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from dockpass.actions import ACTIONS, SCOPES
from dockpass.keymap import key_pattern
from dockpass.settings import ENGINES, THEMES, Mute, Settings
from dockpass.variables.gitlab.versions import VERSION_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def settings_schema() -> dict[str, Any]:
    """Return the schema of the settings file, read as TOML.

    Beyond it dockpass refuses one thing: a key that two actions of one screen would have.
    """
    defaults = Settings()
    shapes = _shapes()
    return {
        "$schema": DIALECT,
        "title": "The settings of dockpass",
        "type": "object",
        "properties": {
            each.name: {
                "description": each.metadata["help"],
                **(shapes.get(each.name) or _of_type(getattr(defaults, each.name))),
                "default": _plain(getattr(defaults, each.name)),
            }
            for each in fields(Settings)
        },
        "additionalProperties": False,
    }


def schema_text() -> str:
    """Return the schema as a file."""
    return json.dumps(settings_schema(), indent=2, ensure_ascii=False) + "\n"


def _of_type(default: object) -> dict[str, Any]:
    """Return the shape of a setting that takes any value of its type."""
    return {"type": {bool: "boolean", str: "string"}[type(default)]}


def _plain(value: object) -> object:
    """Return a default as JSON has it."""
    return [] if value == () else value


def _shapes() -> dict[str, dict[str, Any]]:
    """Return the shape of each setting that does not take every value of its type."""
    return {
        "theme": {"enum": list(THEMES)},
        "engine": {"enum": list(ENGINES)},
        "store": {"type": "string", "pattern": "^(/|$)"},
        "gitlab_version": {"type": "string", "pattern": rf"^(\s*{VERSION_PATTERN}\s*)?$"},
        "keys": {"type": "object", "properties": _keys(), "additionalProperties": False},
        "muted": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {each.name: {"type": "string"} for each in fields(Mute)}
                | {
                    "check": {"type": "string", "minLength": 1},
                    "about": {"type": ["string", "array"], "items": {"type": "string"}, "minItems": 1},
                    "because": {"type": "string", "pattern": r"\S"},
                },
                "required": ["check", "because"],
                "additionalProperties": False,
            },
        },
    }


def _keys() -> dict[str, Any]:
    """Return a property for each action: what it does on each screen, and its default keys."""
    pattern = key_pattern()
    found: dict[str, Any] = {}
    for action in ACTIONS:
        words = f"{SCOPES[action.scope]}: {action.help}"
        before = found.setdefault(action.id, {"type": "string", "pattern": pattern, "description": ""})
        before["description"] = f"{before['description']} {words}".strip()
    return found
