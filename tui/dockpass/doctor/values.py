"""Checks of single values: what is in them that does not belong there."""

from __future__ import annotations

from collections.abc import Iterable

from dockpass.doctor import sources
from dockpass.doctor.check import Check, Need, Patient
from dockpass.findings import Finding, Severity
from dockpass.variables.findings import find_findings

_NEEDS = frozenset({Need.VARIABLES})


def in_facts(patient: Patient) -> Iterable[Finding]:
    """Find what the variables and options alone show."""
    return find_findings(patient.facts, patient.here)


CHECKS: tuple[Check, ...] = (
    Check(
        id="DP-SEC-001",
        names=("blanks",),
        level=Severity.WARNING,
        needs=_NEEDS,
        look=in_facts,
        title="A value begins or ends with a space.",
        matters="Docker and the registry take the space as part of the user name or password, so the login"
        " fails. A log does not show it.",
        fix="Store the value without the space.",
        source=sources.DOCKER_LOGIN,
        symptoms=(r"HTTP Basic: Access denied", r"incorrect username or password", r"unauthorized"),
    ),
    Check(
        id="DP-SEC-002",
        names=("line-end",),
        level=Severity.WARNING,
        needs=_NEEDS,
        look=in_facts,
        title="A value ends with a line break.",
        matters="`echo` and many editors add one. Docker's --password-stdin strips one line break; everything"
        " else sends it as part of the password.",
        fix="Store the value again, with `printf %s` in place of `echo`.",
        source="https://github.com/docker/cli/issues/1569",
        symptoms=(r"HTTP Basic: Access denied", r"incorrect username or password", r"unauthorized"),
    ),
    Check(
        id="DP-SEC-003",
        names=("quoted",),
        level=Severity.WARNING,
        needs=_NEEDS,
        look=in_facts,
        title="A value has quotes around it.",
        matters="GitLab and docker's --env-file keep quotes, where a shell removes them: they are sent as"
        " part"
        " of the value.",
        fix="Store the value without the quotes.",
        source=sources.ENV_FILE,
        symptoms=(r"HTTP Basic: Access denied", r"invalid reference format"),
    ),
    Check(
        id="DP-SEC-004",
        names=("placeholder",),
        level=Severity.WARNING,
        needs=_NEEDS,
        look=in_facts,
        title="A secret is a placeholder from a log or from documentation.",
        matters="A log shows [MASKED] in place of a secret; it cannot be used to log in.",
        fix="Give the secret itself.",
        source=sources.VARIABLES,
        symptoms=(r"HTTP Basic: Access denied", r"unauthorized"),
    ),
    Check(
        id="DP-SEC-005",
        names=("not-expanded",),
        level=Severity.ERROR,
        needs=_NEEDS,
        look=in_facts,
        title="A value is an unexpanded reference to another variable.",
        matters="Nothing replaced the reference: the other variable is not defined, expansion is switched"
        " off,"
        " or the value was in single quotes.",
        fix="Define the other variable, or store the value itself.",
        source=sources.WHERE_EXPANDED,
        symptoms=(r"HTTP Basic: Access denied", r"invalid reference format"),
    ),
    Check(
        id="DP-SEC-006",
        names=("empty",),
        level=Severity.WARNING,
        needs=_NEEDS,
        look=in_facts,
        title="A variable is set, but empty.",
        matters="An empty variable counts as not set. `docker login` with an empty password asks for one, and"
        " fails where there is no terminal.",
        fix="Give it a value, or unset it.",
        source=sources.VARIABLES,
        symptoms=(
            r"non[- ]TTY device",
            r"password is empty",
            r"Must provide --username with --password-stdin",
            r"Username and password required",
        ),
    ),
    Check(
        id="DP-SEC-007",
        names=("unseen",),
        level=Severity.WARNING,
        needs=_NEEDS,
        look=in_facts,
        title="A value has an invisible character.",
        matters="Text copied from a web page or a chat can bring non-breaking or zero-width spaces. They are"
        " sent as part of the value.",
        fix="Type the value again, or paste it as plain text.",
        source=sources.VARIABLES,
        symptoms=(r"HTTP Basic: Access denied", r"invalid reference format"),
    ),
    Check(
        id="DP-SEC-008",
        names=("encoded",),
        level=Severity.WARNING,
        needs=_NEEDS,
        look=in_facts,
        title="A secret is a whole header instead of the bare secret.",
        matters="The word Basic or Bearer in front becomes part of the password.",
        fix="Store the secret without the word in front of it.",
        source=sources.DOCKER_LOGIN,
        symptoms=(r"HTTP Basic: Access denied",),
    ),
    Check(
        id="DP-SEC-017",
        names=("weak",),
        level=Severity.WARNING,
        needs=_NEEDS,
        look=in_facts,
        title="A secret has fewer than four characters.",
        matters="No registry issues such secrets, and so short a text cannot be masked reliably.",
        fix="Give the whole secret.",
        source=sources.VARIABLES,
        symptoms=(r"HTTP Basic: Access denied",),
    ),
)
