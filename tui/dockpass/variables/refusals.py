"""Why a job cannot be resolved: GitLab refuses the configuration, there is none, or it has no such job."""

from __future__ import annotations

from dockpass.errors import UsageError
from dockpass.text import clean
from dockpass.variables.clone import CI_FILE
from dockpass.variables.gitlab.config import Config
from dockpass.variables.gitlab.model import Place


def configuration_refused(message: str, place: Place) -> UsageError:
    """Return the error of a configuration that GitLab would refuse, in its words and with the line."""
    where = f"{place}: " if place.line else ""
    return UsageError(
        "ci-file-invalid",
        f"{where}{message}",
        "GitLab would refuse this configuration. Fix it, then try again.",
    )


def configuration_missing(scenario: str = "") -> UsageError:
    """Return the error where there is no configuration; `scenario` names the file that is about one."""
    message = f"{CI_FILE} not found here or at the root of this repository."
    hint = "Run this in a clone of the project."
    if scenario:
        message = f"{clean(scenario, 200)}: the configuration that it is about was not found."
        hint = 'Name it in a [[source]] with kind = "gitlab-yaml"; its path is relative to the scenario.'
    return UsageError("ci-file-missing", message, hint)


def job_missing(name: str, config: Config) -> UsageError:
    """Return the error for a job that the configuration does not have, with the one that may be meant."""
    import difflib  # only who needs it pays for it

    names = list(config.jobs or {})
    close = difflib.get_close_matches(name, names, 1)
    meant = (
        f"Did you mean {clean(close[0], 80)}?"
        if close
        else f"Jobs: {clean(', '.join(names) or 'none', 300)}."
    )
    if config.not_loaded:
        meant += " It may be in an include that is not loaded; dockpass vars show --from-gitlab reads those."
    return UsageError("no-such-job", f"{CI_FILE} has no job {clean(name, 80)!r}.", meant)


def ref_unknown() -> UsageError:
    """Return the error where nothing says which branch or tag is meant."""
    return UsageError("ref-unknown", "No branch or tag is checked out here.", "Give --ref or --tag.")
