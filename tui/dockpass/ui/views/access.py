"""Access: what was asked and granted, what that means for each command, and by which requests it is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dockpass.auth.command import Method
from dockpass.auth.rules import sends_token
from dockpass.findings import Finding, Severity
from dockpass.marks import (
    GLYPH_DONE,
    GLYPH_FAILED,
    GLYPH_LOOK,
    GLYPH_METHOD,
    GLYPH_NOT_REACHED,
    GLYPH_NOW,
    OF_SEVERITY,
)
from dockpass.probe.model import (
    ACTIONS,
    LoginState,
    Probe,
    ProbeRequest,
    Verdict,
)
from dockpass.probe.plan import AccessPlan, CandidateLogin
from dockpass.probe.requirements import Ability, Requirement
from dockpass.probe.words import ABILITIES, LOGINS, VERDICTS
from dockpass.text import plural
from dockpass.ui.views.words import (
    WIDE,
    Line,
    Span,
    Status,
    cell,
    cells,
    end_of,
    fitted,
    hanging,
    method_role,
    status_title,
)
from dockpass.units import duration

Probes = Mapping[Method, Probe]

NAMES = 16
NARROWEST_COLUMN = 18

_VERDICT_ROLES: Mapping[Verdict, str] = {
    Verdict.GRANTED: "good",
    Verdict.REFUSED: "bad",
    Verdict.NOT_VISIBLE: "look",
    Verdict.NOT_PROBED: "absent",
    Verdict.UNKNOWN: "look",
}
_LOGIN_ROLES: Mapping[LoginState, str] = {
    LoginState.ACCEPTED: "good",
    LoginState.REJECTED: "bad",
    LoginState.ANONYMOUS: "absent",
    LoginState.NOT_NEEDED: "label",
    LoginState.WITHHELD: "bad",
    LoginState.NOT_PROBED: "absent",
    LoginState.UNSENT: "bad",
    LoginState.UNKNOWN: "look",
}
_ABILITY_ROLES: Mapping[Ability, str] = {Ability.CAN: "good", Ability.CANNOT: "bad", Ability.UNKNOWN: "look"}
_SEVERITY_ROLES: Mapping[Severity, str] = {
    Severity.ERROR: "bad",
    Severity.WARNING: "look",
    Severity.NOTE: "label",
}
_KINDS = {
    "build": "job token",
    "personal_access_token": "personal token",
    "deploy_token": "deploy token",
    "gitlab_or_ldap": "password",
    "oauth": "OAuth token",
}
"""What GitLab believes that it got, by the token's auth_type."""


def status_line(
    plan: AccessPlan, probes: Probes, asking: Method | None, badges: Sequence[str] = ()
) -> Status:
    """Return the left and the right half of the status line."""
    left = status_title("access", str(plan.repository), badges)
    if asking is not None:
        return left, ((f"{GLYPH_NOW} asking with {asking.label}", "accent"),)
    if not probes:
        return left, (("nothing sent yet", "label"),)
    reached = next((probe for probe in probes.values() if probe.reached), None)
    if reached is None:
        first = next(iter(probes.values()))
        return left, ((f"{GLYPH_FAILED} {first.unreached}", "bad"),)
    flavour: Line = ((f"  {reached.flavour}", "label"),) if reached.flavour else ()
    return left, ((f"{GLYPH_METHOD} ", "good"), ("reachable", "text"), *flavour)


def shown_logins(plan: AccessPlan, probes: Probes) -> tuple[CandidateLogin, ...]:
    """Return the logins that have a column: those that are there, and the tokens that could be."""
    return tuple(
        found
        for found in plan.candidates
        if found.method in probes or not found.absent or sends_token(found.method)
    )


def granted_lines(plan: AccessPlan, probes: Probes, asking: Method | None, width: int) -> list[Line]:
    """Return the table: one column for each login, one row for each thing that was asked."""
    every = shown_logins(plan, probes)
    logins = _fitting(every, plan, probes, max((width - NAMES) // NARROWEST_COLUMN, 1))
    column = min(max((width - NAMES) // len(logins), NARROWEST_COLUMN), 34)
    head: list[Span] = [(cell("asked", NAMES), "heading")]
    users: list[Span] = [(cell("user", NAMES), "text")]
    for login in logins:
        mark = f"{GLYPH_NOW} " if login.method is plan.chosen else "  "
        head.append((cell(f"{mark}{login.method.label}", column), method_role(login.method)))
        user, role = _user(login, probes.get(login.method))
        users.append((cell(f"  {user}", column - 1) + " ", role))
    rows: list[tuple[str, list[Span]]] = [
        ("accepted", [_accepted(login, probes.get(login.method), asking, column - 1) for login in logins])
    ]
    for asked in ACTIONS:
        title = "everything (*)" if asked == "*" else asked
        rows.append((title, [_verdict(login, probes.get(login.method), asked) for login in logins]))
    rows += _token_rows([probes.get(login.method) for login in logins])
    lines: list[Line] = [tuple(head), tuple(users)]
    for title, verdicts in rows:
        shown = [(cell(text, column - 1) + " ", role) for text, role in verdicts]
        lines.append(((cell(title, NAMES), "text"), *shown))
    left_out = [login.method.label for login in every if login not in logins]
    if left_out:
        lines.append(((fitted(f"not enough room for {', '.join(left_out)}", width), "look"),))
    return lines


def _fitting(
    logins: Sequence[CandidateLogin], plan: AccessPlan, probes: Probes, most: int
) -> tuple[CandidateLogin, ...]:
    """Return as many logins as there is room for, in their order: the command's own, then what was asked."""

    def matters(login: CandidateLogin) -> tuple[bool, bool, bool]:
        return login.method is not plan.chosen, login.method not in probes, bool(login.absent)

    kept = sorted(logins, key=matters)[:most]
    return tuple(login for login in logins if login in kept)


def _user(login: CandidateLogin, probe: Probe | None) -> Span:
    if login.unknown:
        return "value unknown", "look"
    if login.absent:
        return login.absent, "absent"
    if probe is not None:
        return (probe.username, "text") if probe.username else ("no login", "absent")
    return (login.username, "text") if login.username else ("from the config", "label")


def _accepted(login: CandidateLogin, probe: Probe | None, asking: Method | None, width: int) -> Span:
    if login.absent:
        return "", "absent"
    if probe is None:
        words = f"{GLYPH_NOW} asking" if login.method is asking else f"{GLYPH_NOT_REACHED} not asked"
        return words, "accent" if login.method is asking else "absent"
    if not probe.reached:
        return f"{GLYPH_FAILED} {probe.unreached}", "bad"
    kind = _KINDS.get(probe.token.auth_type, "")
    if probe.login.state is LoginState.ACCEPTED and kind:
        return f"{GLYPH_DONE} {kind}", "good"
    words, role = LOGINS[probe.login.state], _LOGIN_ROLES[probe.login.state]
    if cells(words) > width and probe.login.state is LoginState.UNKNOWN:
        return f"{GLYPH_LOOK} unusable answer", role
    return words, role


def _verdict(login: CandidateLogin, probe: Probe | None, asked: str) -> Span:
    if login.absent:
        return "", "absent"
    if probe is None:
        return GLYPH_NOT_REACHED, "absent"
    verdict = probe.verdict(asked)
    return VERDICTS[verdict], _VERDICT_ROLES[verdict]


def _token_rows(probes: Sequence[Probe | None]) -> list[tuple[str, list[Span]]]:
    """Return what the tokens say of themselves; the rare row is left out where it is empty everywhere."""
    tokens = [probe.token if probe else None for probe in probes]
    rows: list[tuple[str, list[Span]]] = [
        ("token lifetime", [(_life(token.life, token.kind) if token else "", "label") for token in tokens]),
        ("may not delete", [(", ".join(token.deny_delete) if token else "", "look") for token in tokens]),
        ("may not push", [(", ".join(token.deny_push) if token else "", "look") for token in tokens]),
    ]
    return [
        (title, [(f"  {text}" if text else "", role) for text, role in cells])
        for title, cells in rows
        if title != "may not push" or any(text for text, _ in cells)
    ]


def _life(life: float | None, kind: str) -> str:
    if kind == "opaque":
        return "opaque token"
    if life is None:
        return ""
    return f"{life / 60:.0f} min" if life >= 60 else f"{life:.0f} s"


def need_lines(needs: Sequence[Requirement], asked: bool, width: int) -> list[Line]:
    """Return one entry for each command, wrapped; a way out that helps several is told once."""
    lines: list[Line] = []
    told_ways: set[str] = set()
    for need in needs:
        mark, role = ABILITIES[need.standing], _ABILITY_ROLES[need.standing]
        words = need.words
        if not asked:
            mark, role = GLYPH_NOT_REACHED, "absent"
            words = f"needs {' and '.join(need.needs)}"
        head: Line = ((cell(str(need.command), 10), "text"), (cell(mark, 13), role))
        if need.method is not None and width >= WIDE - 5:
            head = (*head, (cell(need.method.label, 16), method_role(need.method)))
        is_fresh = asked and need.way_out and need.way_out not in told_ways
        told = f"{words}. {need.way_out}" if is_fresh else words
        told_ways.add(need.way_out)
        lines += hanging(head, told, "label", width)
    return lines


def planned_lines(plan: AccessPlan, width: int) -> list[Line]:
    """Return what would be sent, before anything is."""
    login = plan.login(plan.chosen)
    who = f"as {login.username}" if login.username else f"with the entry in {login.source}, if any"
    host, path = plan.repository.host, plan.repository.path
    lines: list[Line] = [
        (("Nothing has been sent yet.", "strong"),),
        *hanging((), f"enter asks {host} {who}, one request after the other:", "text", width),
        (),
    ]
    steps = (
        ("GET /v2/", "is this a registry, and which token server does it use"),
        ("token without scope", "is the login accepted"),
        (f"token for {path}", "pull, then push, delete and everything (*), one at a time"),
        ("GET tags/list?n=1", "does the repository exist"),
    )
    wide = max(cells(what) for what, _ in steps) + 2
    for what, why in steps:
        lines += hanging(((f"  {cell(what, min(wide, width // 2))}", "label"),), why, "label", width)
    more = [method.label for method in plan.comparable if method is not plan.chosen]
    lines.append(())
    if more:
        lines += hanging((), f"c asks with {', '.join(more)} too, one login after the other.", "label", width)
    none = "Nothing is pulled, pushed or deleted, and a refused login is not retried."
    return [*lines, *hanging((), none, "label", width)]


def evidence_lines(probes: Probes, width: int) -> list[Line]:
    """Return findings, every request that was made, and the reason for each verdict."""
    lines: list[Line] = []
    for severity in (Severity.ERROR, Severity.WARNING):
        lines += finding_lines(probes, severity, width)
    if lines:
        lines.append(())
    if any(probe.requests for probe in probes.values()):
        lines += hanging((("sent: ", "label"),), CARRIED_LEGEND, "label", width)
    for method, probe in probes.items():
        if len(probes) > 1:
            lines.append(((method.label, method_role(method)),))
        lines.append(_request_head(width))
        lines += [_request(number, request, width) for number, request in enumerate(probe.requests, 1)]
        lines += [(), *_reasons(probe, width)]
        for finding in probe.findings:
            if finding.severity is Severity.NOTE:
                lines += _finding(finding, width)
        lines.append(())
    return lines[:-1] if lines and not lines[-1] else lines


def finding_lines(probes: Probes, severity: Severity, width: int) -> list[Line]:
    """Return the findings of a severity, each once."""
    found = [
        finding for probe in probes.values() for finding in probe.findings if finding.severity is severity
    ]
    return [line for finding in dict.fromkeys(found) for line in _finding(finding, width)]


def _finding(finding: Finding, width: int) -> list[Line]:
    text = f"{finding.message} {finding.hint}".strip()
    role = {Severity.ERROR: "bad", Severity.WARNING: "text", Severity.NOTE: "label"}[finding.severity]
    mark = (f"{OF_SEVERITY[finding.severity]} ", _SEVERITY_ROLES[finding.severity])
    return hanging((mark,), text, role, width)


def _reasons(probe: Probe, width: int) -> list[Line]:
    reasons = [("way", probe.way)] if probe.way else []
    reasons += [("login", f"{probe.login.words.rstrip('.')}. {probe.login.hint}".strip())]
    by_evidence: dict[str, list[str]] = {}
    for each in probe.actions:
        by_evidence.setdefault(each.evidence, []).append(each.asked)
    reasons += [(", ".join(asked), evidence) for evidence, asked in by_evidence.items()]
    reasons += [(f"pull {each.repository}", each.evidence) for each in probe.others]
    lines: list[Line] = []
    longest = max(NAMES, *(cells(title) + 1 for title, _ in reasons))
    for title, words in reasons:
        lines += hanging(((cell(title, min(longest, width // 3)), "text"),), words, "label", width)
    return lines


CARRIED_LEGEND = "login means user name and password, token what the token server issued for them"


def _request_columns(width: int) -> tuple[int, int, bool]:
    """Return the cells of the address and of the answer, and whether there is room for the method."""
    wide = width >= WIDE - 6
    room = max(width - 30, 24) if wide else max(width - 22, 24)
    left = room * 3 // 5 if wide else room * 13 // 20
    return left, room - left, wide


def _request_head(width: int) -> Line:
    left, right, wide = _request_columns(width)
    method = cell("", 5) if wide else ""
    head = f"{'#':>2} {method}{cell('request', left)}http {cell('sent', 6)}{cell('answer', right)}{'time':>8}"
    return ((head, "heading"),)


def _request(number: int, request: ProbeRequest, width: int) -> Line:
    """Return one request; on a narrow screen without the method, which is GET but for identity tokens."""
    left, right, wide = _request_columns(width)
    status = str(request.status) if request.status else "none"
    address = end_of(_address(request, wide=wide), left - 1)
    return (
        (f"{number:>2} ", "absent"),
        (cell(request.method, 5) if wide else "", "text"),
        (cell(address, left), "text"),
        (f"{status:<5}", _status_role(request)),
        (cell("" if request.carried == "nothing" else request.carried, 6), "label"),
        (cell(fitted(request.words, right - 1), right), "label"),
        (f"{duration(request.took):>8}", "absent"),
    )


def _address(request: ProbeRequest, *, wide: bool) -> str:
    """Return where a request went; a scope says more than the realm, which the first token request names."""
    address = request.url.partition("://")[2]
    if request.scope:
        scope = request.scope.removeprefix("repository:")
        realm = f"…/{address.partition('/')[2]}"[-24:]
        return f"{realm}  scope {scope}" if wide else f"scope {scope}"
    return request.url if request.words.startswith("no TLS") else address


def _status_role(request: ProbeRequest) -> str:
    if request.status == 0:
        return "look" if request.words.startswith("no TLS") else "bad"
    if 200 <= request.status < 300:
        return "look" if request.words == "nothing" else "good"
    return "bad" if request.carried != "nothing" and request.status != 404 else "look"


def summary(probes: Probes) -> str:
    """Return `7 requests made · none with side effects`."""
    count = sum(len(probe.requests) for probe in probes.values())
    if not count:
        return ""
    side = any(probe.has_side_effects for probe in probes.values())
    told = "one may have created the repository" if side else "none with side effects"
    return f"{plural(count, 'request')} made · {told}"
