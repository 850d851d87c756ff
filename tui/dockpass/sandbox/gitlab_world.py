"""What the sandbox's GitLab knows of the sample project: settings that fit the sandbox's registry.

On main the job gets a token that may delete, and one for the repository of another project. Both are
protected, so that a feature branch lacks them. The person is Maintainer of the project and no owner of its
group, so the group's variables have names and no values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockpass.sandbox.accounts import Accounts
from dockpass.sandbox.sample import GROUP, PROJECT
from dockpass.sandbox.tokens import number_of

VERSION = "18.4.0-ee"
RELEASES = f"{GROUP}/releases"
"""A repository of another project, which the job's token may not push to."""

BRANCHES = ("main", "feature/basket", "feature/checkout")
TAGS = ("v1.5.0", "v1.5.1")
PIPELINE = 118
JOBS = {"build": True, "publish": True, "release": False, "cleanup": False}
"""The jobs of the sample configuration, and whether a push to any branch brings them."""


@dataclass(frozen=True, slots=True)
class GitlabWorld:
    """The settings, for a server at `url` (`http://host:port`) whose registry is at `host`."""

    url: str
    host: str
    accounts: Accounts
    merged_yaml: str

    @property
    def project(self) -> dict[str, Any]:
        """The project as `GET /projects/:id` gives it."""
        return {
            "id": number_of(PROJECT),
            "name": "shop",
            "path": PROJECT.rpartition("/")[2],
            "path_with_namespace": PROJECT,
            "default_branch": "main",
            "visibility": "private",
            "web_url": f"{self.url}/{PROJECT}",
            "namespace": {"id": number_of(GROUP), "name": "Workshop", "kind": "group", "full_path": GROUP},
            "container_registry_access_level": "enabled",
            "container_registry_image_prefix": f"{self.host}/{PROJECT}",
            "ci_config_path": "",
            "ci_pipeline_variables_minimum_override_role": "developer",
        }

    @property
    def variables(self) -> list[dict[str, Any]]:
        """The project's variables."""
        accounts = self.accounts
        return [
            variable_row(
                "WERF_IMAGES_CLEANUP_PASSWORD",
                accounts.cleanup.secret.reveal(),
                protected=True,
                masked=True,
            ),
            variable_row("RELEASES_IMAGE", f"{self.host}/{RELEASES}"),
            variable_row("RELEASES_USER", accounts.deploy.username),
            variable_row(
                "RELEASES_PASSWORD", accounts.deploy.secret.reveal(), protected=True, masked=True, raw=True
            ),
            variable_row("SHOP_URL", "https://shop.example.com", environment_scope="production"),
            variable_row("SHOP_URL", "https://staging.shop.example.com", environment_scope="staging"),
            variable_row("SIGNING_KEY", None, masked=True, hidden=True),
            variable_row("SHOP_CONFIG", "currency = EUR\n", variable_type="file"),
            variable_row("FEATURE_FLAGS", ""),
        ]

    @property
    def inherited(self) -> list[dict[str, Any]]:
        """The group's variables as GraphQL lists them, without values."""
        return [
            inherited_row("REGISTRY_MIRROR"),
            inherited_row("SHARED_DEPLOY_TOKEN", protected=True, masked=True),
            inherited_row("SHOP_URL", environmentScope="review/*"),
        ]

    @property
    def lists(self) -> Mapping[str, list[dict[str, Any]]]:
        """The project's lists, by the last part of their path."""
        return {
            "variables": self.variables,
            "protected_branches": [_protected("main"), _protected("release/*")],
            "protected_tags": [_protected("v*")],
            "environments": [
                {"id": number, "name": name, "state": "available"}
                for number, name in enumerate(("production", "staging"), 1)
            ],
            f"pipelines/{PIPELINE}/variables": [
                {"key": "RUN_SMOKE_TESTS", "value": "yes", "variable_type": "env_var"}
            ],
        }

    @property
    def pipeline(self) -> dict[str, Any]:
        """A pipeline that somebody started by hand."""
        return {"id": PIPELINE, "iid": 7, "ref": "main", "tag": False, "source": "web", "status": "success"}

    def lint(self, ref: str, *, with_jobs: bool) -> dict[str, Any]:
        """Return what the dry run for a branch or tag says."""
        names = [
            name for name, everywhere in JOBS.items() if everywhere or (name == "release" and ref in TAGS)
        ]
        found: dict[str, Any] = {
            "valid": True,
            "errors": [],
            "warnings": [],
            "merged_yaml": self.merged_yaml,
            "includes": [],
        }
        if with_jobs:
            found["jobs"] = [
                {"name": name, "stage": "test", "script": [], "when": "on_success", "environment": None}
                for name in names
            ]
        return found


def variable_row(key: str, value: object, **more: Any) -> dict[str, Any]:
    """Return a variable as GitLab's REST API lists it."""
    return {
        "variable_type": "env_var",
        "key": key,
        "value": value,
        "hidden": False,
        "protected": False,
        "masked": False,
        "raw": False,
        "environment_scope": "*",
        "description": None,
        **more,
    }


def inherited_row(key: str, group: str = GROUP, **more: Any) -> dict[str, Any]:
    """Return a group's variable as GraphQL lists those that a project inherits."""
    return {
        "key": key,
        "variableType": "ENV_VAR",
        "environmentScope": "*",
        "protected": False,
        "masked": False,
        "raw": False,
        "groupName": group.rpartition("/")[2].title(),
        "groupCiCdSettingsPath": f"/groups/{group}/-/settings/ci_cd",
        **more,
    }


def _protected(name: str) -> dict[str, Any]:
    return {"id": number_of(name), "name": name, "push_access_levels": [], "merge_access_levels": []}
