"""What registries answered in the scenes of the access screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from dockpass.auth.command import Method
from dockpass.auth.facts import Facts
from dockpass.findings import Finding, Severity
from dockpass.probe.model import (
    ACTIONS,
    SCOPES,
    ActionResult,
    Challenge,
    Login,
    LoginState,
    Probe,
    ProbeRequest,
    TokenFacts,
    Verdict,
)
from dockpass.probe.plan import AccessPlan, AccessReport, requirements_of
from dockpass.registry.meanings import ROWS
from dockpass.registry.realms import RealmChanged
from dockpass.runs.services import Services

HOST, PATH = "registry.myhost.com", "web/backend"
REALM = "https://gitlab.myhost.com/jwt/auth"
OTHER = "https://login.example.net/token"

_PING = ProbeRequest("GET", f"https://{HOST}/v2/", 401, 0.021, "Bearer, realm gitlab.myhost.com")


def _token(scope: str, words: str, took: float, status: int = 200) -> ProbeRequest:
    asked = f"repository:{PATH}:{scope}" if scope else ""
    return ProbeRequest("GET", REALM, status, took, words, asked, "login")


def _granting(name: str, user: str, auth_type: str, *allowed: str) -> Probe:
    """GitLab's answers to a login that may do `allowed`."""
    kind = f" (token type {auth_type})"
    actions, requests = [], [_PING, _token("", f"accepted, auth_type {auth_type}", 0.048)]
    for number, asked in enumerate(ACTIONS):
        listed = ", ".join(one for one in SCOPES[asked].split(",") if one in allowed) or "nothing"
        granted = asked in allowed
        words = f"GitLab's token lists {listed}{kind}"
        verdict = Verdict.GRANTED if granted else Verdict.REFUSED
        evidence = words if granted else f"{words}; {SCOPES[asked]} was asked for"
        actions.append(ActionResult(asked, verdict, evidence, PATH))
        requests.append(_token(SCOPES[asked], listed, 0.030 + number / 1000))
        if asked == "pull":
            url = f"https://{HOST}/v2/{PATH}/tags/list?n=1"
            requests.append(ProbeRequest("GET", url, 200, 0.026, "tags are listed", "", "token"))
    base = ProbeRequest("GET", REALM, 200, 0.029, "pull", "repository:web/base:pull", "login")
    return Probe(
        HOST,
        PATH,
        name,
        user,
        True,
        "GitLab",
        "answers as a registry",
        Challenge("Bearer", REALM, "container_registry"),
        Login(LoginState.ACCEPTED, "accepted by gitlab.myhost.com"),
        tuple(actions),
        TokenFacts("JWT", user, 300.0, auth_type, "container_registry", (), ("^release-.*",)),
        (*requests, base),
        exists=True,
        others=(ActionResult("pull", Verdict.GRANTED, "the token lists pull", "web/base"),),
    )


def _none(probe: Probe, login: Login, why: str) -> Probe:
    """A login that got no further."""
    actions = tuple(ActionResult(asked, Verdict.NOT_PROBED, why, PATH) for asked in ACTIONS)
    return replace(probe, login=login, actions=actions, token=TokenFacts(), exists=None, others=())


def job_token() -> Mapping[Method, Probe]:
    """A job token that may not delete."""
    return {Method.AUTOLOGIN: _granting("autologin", "gitlab-ci-token", "build", "pull", "push")}


def compared() -> Mapping[Method, Probe]:
    """The job token beside a cleanup token and a personal one."""
    full = _granting("cleanup token", "werf-cleanup", "personal_access_token", "pull", "push", "delete")
    own = _granting("docker's own", "alice", "personal_access_token", "pull")
    return {**job_token(), Method.CLEANUP_TOKEN: full, Method.AMBIENT: own}


def wrong_password() -> Mapping[Method, Probe]:
    """GitLab does not take the login."""
    row = next(row.judgement for row in ROWS if row.judgement.id == "gitlab-credentials")
    denied = "UNAUTHORIZED: HTTP Basic: Access denied. The provided password or token is incorrect."
    login = Login(LoginState.REJECTED, f"401 {denied} {row.meaning}", row.hint)
    probe = _none(_granting("options", "alice", ""), login, "not probed: the login was not accepted")
    finding = Finding(
        "failed-logins-count",
        "",
        "GitLab counts failed logins by address; GitLab.com bans one for a while at 30 in 3 minutes."
        " This probe has made 1.",
        severity=Severity.NOTE,
    )
    return {
        Method.OPTIONS: replace(probe, requests=(_PING, _token("", denied, 0.052, 401)), findings=(finding,))
    }


def opaque_token() -> Mapping[Method, Probe]:
    """A token server whose tokens show nothing."""
    actions = [
        ActionResult("pull", Verdict.GRANTED, "the token is opaque, but the tags were listed with it", PATH)
    ]
    actions += [
        ActionResult(
            asked,
            Verdict.NOT_VISIBLE,
            f"the token is opaque; only a real {done} shows it",
            PATH,
        )
        for asked, done in (("push", "push"), ("delete", "deletion"), ("*", "deletion"))
    ]
    probe = _granting("autologin", "gitlab-ci-token", "", "pull")
    opaque = "opaque token"
    requests = tuple(
        replace(request, words="accepted, opaque token" if number == 1 else opaque)
        if request.carried == "login"
        else request
        for number, request in enumerate(probe.requests)
    )
    return {
        Method.AUTOLOGIN: replace(
            probe, flavour="", actions=tuple(actions), token=TokenFacts("opaque"), requests=requests
        )
    }


def changed_realm() -> Mapping[Method, Probe]:
    """The registry names another token server than it did."""
    login = Login(LoginState.WITHHELD, "not sent: the address for tokens has changed")
    probe = _none(_granting("autologin", "gitlab-ci-token", ""), login, "not probed: the login was not sent")
    finding = Finding(
        "realm-changed",
        "",
        f"{HOST} used the token server {REALM} until now, and names {OTHER}. No credentials were sent there.",
        hint="If the administrator confirms it, accept it with `dockpass probe --accept-realm`.",
        severity=Severity.ERROR,
    )
    ping = replace(_PING, words="Bearer, realm login.example.net")
    return {
        Method.AUTOLOGIN: replace(
            probe,
            flavour="",
            challenge=Challenge("Bearer", OTHER, "registry"),
            requests=(ping,),
            findings=(finding,),
        )
    }


def answering(make: Callable[[], Mapping[Method, Probe]]) -> Callable[..., Awaitable[AccessReport]]:
    """A registry that answers as `make` says."""

    async def probe(
        plan: AccessPlan,
        _facts: Facts,
        _services: Services,
        methods: Sequence[Method],
        *,
        on_probe: Callable[[Probe], None] = lambda _: None,
        **_: object,
    ) -> AccessReport:
        probes = {method: found for method, found in make().items() if method in methods}
        for found in probes.values():
            on_probe(found)
        changed = RealmChanged(HOST, REALM, OTHER) if make is changed_realm else None
        return AccessReport(plan, probes, requirements_of(plan, probes), (), changed)

    return probe
