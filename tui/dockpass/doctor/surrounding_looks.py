"""Looks at whose variables these are, and at the engine that they name."""

from __future__ import annotations

from collections.abc import Iterator

from dockpass.auth.facts import Facts
from dockpass.doctor.check import Patient
from dockpass.findings import Finding, Severity
from dockpass.text import clean
from dockpass.variables.gitlab.model import MERGE_REQUEST
from dockpass.variables.gitlab.versions import PROTECTED_IN_MERGE_REQUESTS, version_of

_OF_PULL_REQUESTS = frozenset({"pull_request", "pull_request_review", "pull_request_review_comment"})
"""Events of which a workflow gets no secrets if the pull request is from a fork."""
_OF_DEPENDABOT = _OF_PULL_REQUESTS | {"push", "create", "deployment"}
_NOT_OF_MERGE_REQUESTS = frozenset({"push", "schedule", "trigger", "web"})
_SOURCE, _TARGET = "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "CI_MERGE_REQUEST_PROJECT_PATH"


def in_surroundings(patient: Patient) -> Iterator[Finding]:
    """Yield where the variables contradict each other, are no job's own, or are those of a fork."""
    facts = patient.facts
    if why := next(_contradictions(facts), ""):
        yield Finding(
            "contradicting",
            "",
            f"{why}: the variables are from different jobs, or were edited",
            hint="Take the variables of one job.",
        )
    gcl = facts.text("GITLAB_CI") == "false" and facts.text("CI") == "true"
    simulator = "gitlab-ci-local" if gcl else "act" if facts.is_set("ACT") else ""
    if simulator:
        yield Finding(
            "simulated",
            "",
            f"The variables come from {simulator}; a real job has different ones.",
            severity=Severity.NOTE,
        )
    yield from _without_secrets(patient)
    yield from _of_a_fork(facts)


def _contradictions(facts: Facts) -> Iterator[str]:
    branch, tag, ref = (facts.text(f"CI_COMMIT_{name}") for name in ("BRANCH", "TAG", "REF_NAME"))
    if branch and tag:
        yield "CI_COMMIT_BRANCH and CI_COMMIT_TAG are both set, and a pipeline runs for one of them"
    if ref and (branch or tag) and ref != (branch or tag):
        name = "CI_COMMIT_BRANCH" if branch else "CI_COMMIT_TAG"
        yield f"{name} is {clean(branch or tag, 80)}, and CI_COMMIT_REF_NAME is {clean(ref, 80)}"
    source = facts.text("CI_PIPELINE_SOURCE")
    if source == MERGE_REQUEST:
        yield from _in_merge_request(facts)
    elif source in _NOT_OF_MERGE_REQUESTS and facts.text("CI_MERGE_REQUEST_IID"):
        yield f"CI_MERGE_REQUEST_IID is set, and CI_PIPELINE_SOURCE is {source}"
    sha, short = facts.text("CI_COMMIT_SHA"), facts.text("CI_COMMIT_SHORT_SHA")
    if sha and short and not sha.startswith(short):
        yield "CI_COMMIT_SHORT_SHA is not the beginning of CI_COMMIT_SHA"
    path, name, group = (facts.text(f"CI_PROJECT_{word}") for word in ("PATH", "NAME", "NAMESPACE"))
    if path and name and group and path != f"{group}/{name}":
        whole = clean(f"{group}/{name}", 80)
        yield f"CI_PROJECT_PATH is {clean(path, 80)}, and CI_PROJECT_NAMESPACE/CI_PROJECT_NAME {whole}"


def _in_merge_request(facts: Facts) -> Iterator[str]:
    for name in ("CI_COMMIT_BRANCH", "CI_COMMIT_TAG"):
        if facts.text(name):
            yield f"{name} is set, which no merge request pipeline has"
    branch, ref = facts.text("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"), facts.text("CI_COMMIT_REF_NAME")
    if branch and ref and branch != ref:
        yield (
            f"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME is {clean(branch, 80)}, and CI_COMMIT_REF_NAME is"
            f" {clean(ref, 80)}"
        )
    if facts.text("CI_COMMIT_REF_PROTECTED") != "true":
        return
    protected = "CI_COMMIT_REF_PROTECTED is true"
    version = version_of(facts.text("CI_SERVER_VERSION"))
    if not PROTECTED_IN_MERGE_REQUESTS.holds(version):
        since = PROTECTED_IN_MERGE_REQUESTS.since
        yield f"{protected}, and before GitLab {since} no merge request pipeline is protected"
    for side in ("SOURCE", "TARGET"):
        if facts.text(f"CI_MERGE_REQUEST_{side}_BRANCH_PROTECTED") == "false":
            yield f"{protected}, and the {side.lower()} branch of the merge request is not protected"
    if _fork(facts):
        yield f"{protected}, and the merge request is from a fork"


def _fork(facts: Facts) -> str:
    """Return the project that a merge request comes from, where it is another one than its target."""
    source, target = facts.text(_SOURCE), facts.text(_TARGET)
    return source if source and target and source != target else ""


def _of_a_fork(facts: Facts) -> Iterator[Finding]:
    if not (fork := _fork(facts)) or facts.text("CI_PIPELINE_SOURCE") != MERGE_REQUEST:
        return
    shown, target = clean(fork, 100), clean(facts.text(_TARGET), 100)
    own = facts.text("CI_PROJECT_PATH") == fork
    yield Finding(
        "of-a-fork",
        _SOURCE,
        f"is {shown}: the pipeline runs in that fork, which has a registry of its own and none of the"
        f" variables of {target}"
        if own
        else f"is {shown}, a fork of {target}: its pipelines never get protected variables",
        hint="A member of the project can run the pipeline there: tab Pipelines of the merge request."
        if own
        else "Use what needs no protected variable, or run it after the merge.",
        severity=Severity.NOTE,
    )


def _without_secrets(patient: Patient) -> Iterator[Finding]:
    facts, here = patient.facts, patient.here
    event, repository = facts.text("GITHUB_EVENT_NAME"), facts.text("GITHUB_REPOSITORY")
    if facts.text("GITHUB_ACTOR") == "dependabot[bot]" and event in _OF_DEPENDABOT:
        yield Finding(
            "github-no-secrets",
            "GITHUB_ACTOR",
            "is dependabot[bot]: its workflows get no secrets of the repository",
            hint="Skip the login in such workflows, or store the secrets for Dependabot.",
        )
    elif here is not None and repository and event in _OF_PULL_REQUESTS:
        head = here.head_of(facts.text("GITHUB_EVENT_PATH"))
        if head and head.lower() != repository.lower():
            yield Finding(
                "github-no-secrets",
                "GITHUB_EVENT_NAME",
                f"is {event}, from the fork {clean(head, 100)}: unless a private repository is set to send"
                " them, its workflows get no secrets, and GITHUB_TOKEN can only read",
                hint="Skip the login and the push if github.event.pull_request.head.repo.full_name is not"
                " github.repository.",
            )


def in_engine(patient: Patient) -> Iterator[Finding]:
    """Yield where the engine's port does not match its TLS setting."""
    facts = patient.facts
    address = facts.text("DOCKER_HOST")
    if not address.startswith("tcp://"):
        return
    certificates = facts.text("DOCKER_TLS_CERTDIR")
    off = facts.is_known("DOCKER_HOST") and facts.variables.get("DOCKER_TLS_CERTDIR") is not None
    verify = facts.is_known("DOCKER_TLS_VERIFY")
    if address.rstrip("/").endswith(":2375") and (certificates or verify):
        name = "DOCKER_TLS_VERIFY" if verify else "DOCKER_TLS_CERTDIR"
        yield Finding(
            "engine-tls",
            "DOCKER_HOST",
            f"is {clean(address, 100)}, the port without TLS, and {name} switches TLS on",
            hint="Use port 2376, or set DOCKER_TLS_CERTDIR to the empty string.",
        )
    elif address.rstrip("/").endswith(":2376") and off and not certificates and not _unknown_certdir(facts):
        yield Finding(
            "engine-tls",
            "DOCKER_HOST",
            f"is {clean(address, 100)}, the port with TLS, and DOCKER_TLS_CERTDIR is empty, which switches"
            " TLS off",
            hint="Use port 2375, or set DOCKER_TLS_CERTDIR to /certs.",
        )


def _unknown_certdir(facts: Facts) -> bool:
    return facts.unknown("DOCKER_TLS_CERTDIR") is not None
