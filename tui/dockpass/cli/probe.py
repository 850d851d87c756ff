"""`dockpass probe`: what a login may do, as text for people and as one JSON object for programs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from dockpass.auth.command import Command
from dockpass.cli.context import Given, assembled
from dockpass.cli.explain import error_json, finding_lines
from dockpass.cli.output import Output, is_terminal
from dockpass.cli.services import services_of
from dockpass.cli.table import columns
from dockpass.cli.world import World
from dockpass.errors import DockpassError, ExitCode
from dockpass.findings import Severity
from dockpass.marks import GLYPH_FAILED, OF_SEVERITY
from dockpass.probe.model import ACTIONS, LoginState, Probe
from dockpass.probe.plan import AccessReport, plan_access, probe_access
from dockpass.probe.requirements import Ability, Requirement
from dockpass.probe.words import ABILITIES, LOGINS, VERDICTS
from dockpass.registry.policy import Policy
from dockpass.runs.request import BuildOptions
from dockpass.text import clean, plural

_NAMES = {"*": "everything (*)"}


def run_probe(
    world: World,
    command: Command,
    given: Given,
    build: BuildOptions,
    *,
    policy: Policy,
    compare: bool,
    push: bool,
    foreign_allowed: bool,
    accept_realm: bool,
    as_json: bool,
) -> int:
    """Probe and print; return the exit status."""
    output = Output(world.redactor)
    services = services_of(world, policy)
    try:
        start = assembled(world, _files_for(command), given, build)
        facts = start.facts
        plan = plan_access(command, facts)
        methods = plan.comparable if compare else (plan.chosen,)
        if not as_json:
            output.say(line for found in start.findings for line in finding_lines(found))
            decided = next(found for found in plan.decided if found.command is command)
            output.say([getattr(decided, "sentence", "")])
            foreign_allowed = foreign_allowed or _allowed(plan.foreign(methods), output)

        def allow(host: str, before: str, now: str) -> bool:
            return accept_realm or (not as_json and _may_change(output, host, before, now))

        def ask(agreed: frozenset[str]) -> AccessReport:
            return asyncio.run(
                probe_access(
                    plan,
                    facts,
                    services,
                    methods,
                    push=push,
                    foreign_allowed=foreign_allowed,
                    agreed=agreed,
                    allow=allow,
                )
            )

        report = ask(frozenset())
        if report.unagreed and not as_json and _may_send(output, report):
            report = ask(frozenset({report.unagreed}))
    except DockpassError as error:
        if not as_json:
            raise
        output.json(error_json(error.id, error.message, error.hint))
        return int(error.exit_code)
    if as_json:
        output.json(report_json(report))
    else:
        output.say(report.notes)
        output.words(report_lines(report))
    return exit_status(report)


def _files_for(command: Command) -> Command | None:
    """Only for a build the build file has to be right; for the others it adds what a build would need."""
    return command if command is Command.BUILD else None


def _allowed(question: str, output: Output) -> bool:
    return bool(question) and is_terminal() and output.ask(f"{question} Send it anyway?")


def _may_change(output: Output, host: str, before: str, now: str) -> bool:
    before, now = clean(before, 200), clean(now, 200)
    question = f"{clean(host)} sent token requests to {before} until now; it now sends them to {now}."
    return is_terminal() and output.ask(f"{question} Send the login there?")


def _may_send(output: Output, report: AccessReport) -> bool:
    found = [finding for probe in report.probes.values() for finding in probe.findings]
    words = next(finding.message for finding in found if finding.id == "realm-not-agreed")
    return is_terminal() and output.ask(f"{words} Send the login to {report.unagreed}?")


def exit_status(report: AccessReport) -> int:
    """Return 0 where nothing that the command needs is refused and everything could be judged.

    3 for a refused login, 5 for one that waits for the person's word, else 1.
    """
    probe = report.probes.get(report.plan.chosen)
    if probe is None:
        return ExitCode.FAILED
    if probe.login.state is LoginState.REJECTED:
        return ExitCode.LOGIN_REFUSED
    if probe.login.state is LoginState.WITHHELD:
        return ExitCode.NOT_ALLOWED
    need = next(found for found in report.needs if found.command is report.plan.command)
    able = probe.reached and need.judged and need.standing is not Ability.CANNOT
    return ExitCode.DONE if able else ExitCode.FAILED


_LEVELS = {Severity.ERROR: "bad", Severity.WARNING: "look", Severity.NOTE: "note"}
"""How much a finding of a probe matters, in the words of `--json`."""


def _probe_json(probe: Probe) -> dict[str, Any]:
    findings = [
        {"id": found.id, "level": _LEVELS[found.severity], "message": found.message, "hint": found.hint}
        for found in probe.findings
    ]
    parts = {**asdict(replace(probe, findings=())), "findings": findings}
    found: dict[str, Any] = _rounded(parts)
    return found


def report_json(report: AccessReport) -> dict[str, Any]:
    """Return the object of `--json`; no secret is ever in it."""
    plan = report.plan
    return {
        "command": plan.command,
        "repo": str(plan.repository),
        "method": plan.chosen,
        "probes": [
            {"method": method, "source": plan.login(method).source, **_probe_json(probe)}
            for method, probe in report.probes.items()
        ],
        "not_probed": [
            {"method": found.method, "because": found.absent or "not asked for"}
            for found in plan.candidates
            if found.method not in report.probes
        ],
        "needs": [
            {
                "command": need.command,
                "method": need.method,
                "standing": need.standing,
                "needs": list(need.needs),
                "words": need.words,
                "way_out": need.way_out,
                "judged": need.judged,
            }
            for need in report.needs
        ],
        "notes": list(report.notes),
    }


def _rounded(found: dict[str, Any]) -> dict[str, Any]:
    """Return a probe's object with times in whole milliseconds, as seconds."""
    requests = [{**request, "took": round(request["took"], 3)} for request in found["requests"]]
    return {**found, "requests": requests}


def report_lines(report: AccessReport) -> list[str]:
    """Return the report for people: granted, by what evidence, for which command, by which requests."""
    probes = list(report.probes.values())
    lines = [str(report.plan.repository), "", *_table(probes)]
    if len(probes) == 1:
        lines += _block("evidence", _evidence(probes[0]))
    lines += _block("commands", columns([_need(need) for need in report.needs]))
    lines += _block("ways out", _ways_out(report.needs))
    for probe in probes:
        title = "findings" if len(probes) == 1 else f"findings: {probe.credential_name}"
        lines += _block(title, _findings(probe))
    for probe in probes:
        title = "requests" if len(probes) == 1 else f"requests: {probe.credential_name}"
        lines += _block(title, _requests(probe))
    side = any(probe.has_side_effects for probe in probes)
    told = "one may have created the repository" if side else "none with side effects"
    lines += ["", f"{plural(report.requests, 'request')} made, {told}"]
    explain = f"`dockpass explain {report.plan.command}`"
    return [line.replace("`dockpass explain`", explain) for line in lines]


def _table(probes: Sequence[Probe]) -> list[str]:
    rows: list[tuple[str, ...]] = [
        ("login", *(probe.credential_name for probe in probes)),
        ("user", *(probe.username or "none" for probe in probes)),
        ("accepted", *(_accepted(probe) for probe in probes)),
    ]
    rows += [
        (_NAMES.get(asked, asked), *(VERDICTS[probe.verdict(asked)] for probe in probes)) for asked in ACTIONS
    ]
    rows += [
        ("token", *(_token(probe) for probe in probes)),
        ("may not delete", *(", ".join(probe.token.deny_delete[:3]) or "-" for probe in probes)),
    ]
    return columns([row for row in rows if row[0] != "may not delete" or set(row[1:]) != {"-"}])


def _accepted(probe: Probe) -> str:
    return f"{GLYPH_FAILED} {probe.unreached}" if probe.unreached else LOGINS[probe.login.state]


def _token(probe: Probe) -> str:
    token = probe.token
    if token.kind == "none":
        return "none"
    life = f", {token.life / 60:.0f} min" if token.life else ""
    kind = f", {token.auth_type}" if token.auth_type else ""
    return f"{token.kind}{kind}{life}"


def _evidence(probe: Probe) -> list[str]:
    rows = [("way", probe.way)] if probe.way else []
    rows.append(("login", probe.login.words))
    if probe.login.hint:
        rows.append(("", probe.login.hint))
    rows += [(_NAMES.get(found.asked, found.asked), found.evidence) for found in probe.actions]
    rows += [(f"{found.asked} of {found.repository}", found.evidence) for found in probe.others]
    return columns(rows)


def _need(need: Requirement) -> tuple[str, ...]:
    method = need.method.label if need.method else ""
    return str(need.command), ABILITIES[need.standing], method, need.words


def _ways_out(needs: Iterable[Requirement]) -> list[str]:
    """Return each way out once, with the commands that it is for."""
    ways: dict[str, list[str]] = {}
    for need in needs:
        if need.way_out:
            ways.setdefault(need.way_out, []).append(str(need.command))
    return [f"  {', '.join(commands)}: {way}" for way, commands in ways.items()]


def _findings(probe: Probe) -> Iterable[str]:
    for found in probe.findings:
        yield f"  {OF_SEVERITY[found.severity]} {found.message}{f' {found.hint}' if found.hint else ''}"


def _requests(probe: Probe) -> list[str]:
    return columns(
        [
            (
                f"{number:>2} {request.method} {request.url}",
                request.scope,
                str(request.status or "-"),
                {"nothing": "-", "login": "login sent", "token": "token sent"}[request.carried],
                f"{request.took * 1000:.0f} ms",
                request.words,
            )
            for number, request in enumerate(probe.requests, 1)
        ]
    )


def _block(title: str, lines: Iterable[str]) -> list[str]:
    listed = list(lines)
    return ["", title, *listed] if listed else []
