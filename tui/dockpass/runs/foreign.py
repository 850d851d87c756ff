"""What a person has to agree to before a token of a CI goes to another registry than its own. Pure."""

from __future__ import annotations

from dockpass.auth.ci import GITLAB
from dockpass.auth.decision import WarningId
from dockpass.references.address import host_of_registry
from dockpass.runs.request import RunRequest
from dockpass.text import clean


def foreign_question(request: RunRequest) -> str | None:
    """Return what would be sent where, and why that is doubtful; None if nothing is."""
    decision = request.decision
    if not decision.warns(WarningId.FOREIGN_REGISTRY):
        return None
    registry = request.facts.text(GITLAB.registry)
    sent = f"{decision.secret_from} would be sent to {', '.join(decision.login)}. "
    if host_of_registry(registry) not in decision.login:
        shown = clean(registry) or "not set"
        if request.facts.unknown(GITLAB.registry):
            return f"{sent}The value of {GITLAB.registry} is not known here, so it may be another registry."
        return f"{sent}{GITLAB.registry} is {shown}, so this token was not made for that registry."
    found = next(notice for notice in decision.warnings if notice.id is WarningId.FOREIGN_REGISTRY)
    return f"{sent}That may not be its registry. {found.message}."
