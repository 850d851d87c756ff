"""What each command needs of a registry, and whether its login has it. Pure.

Joins a decision, which says which login a command uses, with what a probe of that login found out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dockpass.auth.command import Command, Method
from dockpass.auth.decision import Decision, Refusal
from dockpass.auth.rules import CLEANUP_PASSWORD, CLEANUP_USER, JOB_TOKEN
from dockpass.probe.model import (
    DELETE,
    EVERYTHING,
    PULL,
    PUSH,
    ActionResult,
    LoginState,
    Probe,
    Verdict,
    only_when_done,
)
from dockpass.registry.flavour import Flavour

NEEDS: Mapping[Command, tuple[str, ...]] = {
    Command.BUILD: (PULL,),
    Command.PUSH: (PULL, PUSH),
    Command.PULL: (PULL,),
    Command.CLEANUP: (PULL, DELETE),
    Command.DEPLOY: (PULL,),
}


class Ability(StrEnum):
    """Whether a command can do what it does."""

    CAN = "can"
    CANNOT = "cannot"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One command: whether its login has what it needs, in words, and the way out where it has not.

    `judged` tells whether answers were had that can be judged. What no registry shows before it is really
    done is judged too, as long as the registry showed that it takes the login.
    """

    command: Command
    standing: Ability
    needs: tuple[str, ...]
    words: str
    way_out: str = ""
    method: Method | None = None
    judged: bool = True


def requirement_of(
    decided: Decision | Refusal, probes: Mapping[Method, Probe], images: Sequence[str] | None = None
) -> Requirement:
    """Return what a command needs and has.

    `images` are the repositories on the probed host that a build reads; None where that is not known.
    """
    command = decided.command
    needs = NEEDS[command]
    if isinstance(decided, Refusal):
        return Requirement(command, Ability.UNKNOWN, needs, decided.message, decided.hint)
    probe = probes.get(decided.method)
    if probe is None:
        words = f"{_needs(needs)}; its login ({decided.method.label}) was not probed"
        return Requirement(command, Ability.UNKNOWN, needs, words, method=decided.method)
    if not probe.reached or probe.login.state in _LOGIN_WORDS:
        known = probe.reached and probe.login.state in {LoginState.REJECTED, LoginState.WITHHELD}
        standing = Ability.CANNOT if known else Ability.UNKNOWN
        words = f"{_needs(needs)}; {_login_words(probe)}"
        return Requirement(command, standing, needs, words, probe.login.hint, decided.method, known)
    return _joined(decided, probe, probes, images)


def _joined(
    decided: Decision, probe: Probe, probes: Mapping[Method, Probe], images: Sequence[str] | None
) -> Requirement:
    command, needs = decided.command, NEEDS[decided.command]
    results = [_has(action, probe) for action in needs]
    if command is Command.BUILD:
        results = _of_images(images or (), probe)
        if not results:
            where = "it is unknown which" if images is None else "none of them is in this registry"
            words = f"needs pull of its base images; {where}"
            return Requirement(command, Ability.UNKNOWN, needs, words, method=decided.method)
    refused = [found for found in results if found.verdict is Verdict.REFUSED]
    open_ones = [found for found in results if found.verdict is not Verdict.GRANTED]
    if refused:
        asked = refused[0].asked
        way_out = _way_out(decided, probe, asked, probes)
        words = f"{_needs((asked,))}: refused"
        return Requirement(command, Ability.CANNOT, needs, words, way_out, decided.method)
    if open_ones:
        found = open_ones[0]
        words = f"{_needs((found.asked,))}: {_short(found)}"
        judged = not any(_is_open(each, probe, command) for each in open_ones)
        return Requirement(command, Ability.UNKNOWN, needs, words, method=decided.method, judged=judged)
    words = _needs(needs)
    if command is Command.BUILD:
        words += f" of {', '.join(images or ())}"
    token = probe.token
    denied = {Command.CLEANUP: token.deny_delete, Command.PUSH: token.deny_push}.get(command, ())
    if denied:
        words += f"; not of tags like {', '.join(denied[:3])}"
    return Requirement(command, Ability.CAN, needs, words, method=decided.method)


def _has(action: str, probe: Probe) -> ActionResult:
    """Return what is known of an action; `*` is as good as delete."""
    found = probe.result(action)
    everything = probe.result(EVERYTHING)
    if action == DELETE and found.verdict is not Verdict.GRANTED and everything.verdict is Verdict.GRANTED:
        return everything
    return found


def _is_open(found: ActionResult, probe: Probe, command: Command) -> bool:
    """Tell whether the registry was asked, or should have been, and nothing is known all the same.

    That a push comes first to a repository that does not exist is no gap. What is not visible is none where
    the registry answered a request with the login: it listed the tags, or said that there is no repository.
    """
    if found.verdict is Verdict.NOT_VISIBLE:
        seen = probe.verdict(PULL) is Verdict.GRANTED or probe.exists is not None
        return not seen or probe.is_login_unused
    return command is not Command.PUSH or probe.exists is not False


def _of_images(images: Sequence[str], probe: Probe) -> list[ActionResult]:
    known = {found.repository: found for found in probe.others} | {probe.repository: probe.result(PULL)}
    missing = "it was not asked for"
    return [known.get(path) or ActionResult(PULL, Verdict.UNKNOWN, missing, path) for path in images]


def _needs(actions: Sequence[str]) -> str:
    return f"needs {' and '.join(actions)}"


def _short(found: ActionResult) -> str:
    if found.verdict is Verdict.NOT_VISIBLE:
        return f"not visible; {only_when_done(found.asked)}"
    return found.evidence if found.verdict is Verdict.NOT_PROBED else f"unknown; {found.evidence}"


_LOGIN_WORDS = {
    LoginState.REJECTED: "its login was not accepted",
    LoginState.WITHHELD: "its login was not sent",
    LoginState.UNSENT: "its login could not be sent",
    LoginState.NOT_PROBED: "its login was not tried",
    LoginState.UNKNOWN: "its login was sent, and got no usable answer",
}
"""What keeps everything else from being asked."""


def _login_words(probe: Probe) -> str:
    if not probe.reached:
        return f"{probe.host} does not answer as a registry"
    return _LOGIN_WORDS[probe.login.state]


def _way_out(decided: Decision, probe: Probe, action: str, probes: Mapping[Method, Probe]) -> str:
    """Return what would help: a login at hand that has it, else what to set or to ask for."""
    having = [method for method, other in probes.items() if _has(action, other).verdict is Verdict.GRANTED]
    options = "give --registry-username and --registry-password of a login that is allowed to"
    gitlab = probe.flavour == Flavour.GITLAB
    if Method.CLEANUP_TOKEN in having and decided.command is not Command.CLEANUP:
        return f"The cleanup token may: give it with --registry-username {CLEANUP_USER}, or {options}."
    if having:
        return f"The login “{having[0].label}” may: pass it with the options, or see `dockpass explain`."
    if probe.login.state is LoginState.ANONYMOUS:
        return "No login was sent: log in with docker, or " + options + "."
    if action == DELETE:
        return _way_to_delete(decided.method, options, gitlab=gitlab)
    if decided.method is Method.AUTOLOGIN and gitlab and action == PUSH:
        return f"{JOB_TOKEN} may push to the job's own project only: {options}."
    if decided.method is Method.AUTOLOGIN and gitlab:
        return (
            "The other project has to list the job's project in its job token allowlist, and the user has to"
            f" be its member; or {options}."
        )
    if gitlab and action == PUSH:
        return f"Its token needs the scope write_registry, and its user the role Developer; or {options}."
    return f"{options[0].upper()}{options[1:]}, or ask who runs {probe.host}."


def _way_to_delete(method: Method, options: str, *, gitlab: bool) -> str:
    if method is Method.AUTOLOGIN:
        return f"Set {CLEANUP_PASSWORD}, or {options}."
    if gitlab:
        kind = "Only a token with the scope api of a Maintainer may usually delete"
        where = f" (a new value for {CLEANUP_PASSWORD})" if method is Method.CLEANUP_TOKEN else ""
        return f"{kind}{where}; or {options}."
    return f"{options[0].upper()}{options[1:]}."
