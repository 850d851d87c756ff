"""What the list of a repository's tags shows of a registry and of reading there, with whatever login."""

from __future__ import annotations

from dockpass.findings import Finding, Severity
from dockpass.probe.model import PULL, ActionResult, Verdict
from dockpass.probe.recorder import Answered
from dockpass.registry.answer import Where
from dockpass.registry.flavour import Flavour
from dockpass.registry.forms import is_page
from dockpass.registry.judgement import Outcome
from dockpass.registry.meanings import CHECK_ADDRESS, NOT_A_REGISTRY


def read_by_list(answered: Answered, path: str, flavour: Flavour) -> ActionResult:
    """Return whether a repository can be read, by the answer to a request for its tags."""
    if answered.status == 200:
        problem = answered.why_no_tag_list(path)
        verdict = Verdict.UNKNOWN if problem else Verdict.GRANTED
        return ActionResult(PULL, verdict, f"listing its tags: {problem or '200'}", path)
    found = answered.judged(Where.LIST, flavour)
    verdict = Verdict.REFUSED if found.outcome is Outcome.REFUSED else Verdict.UNKNOWN
    return ActionResult(
        PULL, verdict, f"listing its tags: {sentences(answered.in_words, found.meaning)}", path
    )


def odd_list(host: str, problem: str, answered: Answered, *, seen: bool) -> Finding:
    """Return the finding about a list that is none; `seen` tells whether a registry showed itself before."""
    if seen and not is_page(answered.shown):
        return Finding(
            "list-odd",
            "",
            f"{host} answered the request for the tag list with {problem}.",
            hint="The registry or a proxy in front of it is misconfigured: ask the registry's administrator.",
            severity=Severity.ERROR,
        )
    return Finding(
        NOT_A_REGISTRY,
        "",
        f"{host} does not answer as a registry: the tag list is {problem}.",
        hint=CHECK_ADDRESS,
        severity=Severity.ERROR,
    )


def sentences(words: str, meaning: str) -> str:
    """Join what was said and what it means."""
    return f"{words.rstrip('.')}. {meaning}"
