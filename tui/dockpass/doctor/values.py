"""Checks of single values: what is in them that does not belong there."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator

from dockpass.auth.facts import SourceKind
from dockpass.doctor import mends, sources
from dockpass.doctor.check import Check, Patient
from dockpass.doctor.pairs import pairs
from dockpass.findings import Finding, Severity
from dockpass.secrets import Secret
from dockpass.text import clean, plural
from dockpass.variables.findings import find_findings


def in_facts(patient: Patient) -> Iterable[Finding]:
    """Find what the variables and options alone show."""
    return find_findings(patient.facts, patient.here)


def in_secrets(patient: Patient) -> Iterator[Finding]:
    """Yield secrets that hold more than one secret does: several lines, or a whole login."""
    for pair in pairs(patient.facts):
        inside = pair.secret.rstrip("\r\n")
        many = inside.lstrip().startswith(("{", "-----BEGIN"))  # a key file is a password at Google
        if not many and ("\n" in inside or "\r" in inside):
            yield Finding(
                "line-break",
                pair.about,
                "has a line break in it, and no registry accepts such a password",
                hint="Store the secret alone, on one line.",
                severity=Severity.ERROR,
            )
        elif pair.user and pair.secret.startswith(f"{pair.user}:"):
            yield Finding(
                "encoded-login",
                pair.about,
                "begins with the user name and a colon; the bare password is expected",
                hint="Store the password alone.",
            )
        elif user := _user_in(pair.secret):
            own = pair.user and user == pair.user
            whose = "the user name and the password" if own else "a user name and a password"
            yield Finding(
                "encoded-login",
                pair.about,
                f"looks like {whose} in Base64, as an `auth` has them; the bare password is expected",
                hint="Store the password alone.",
            )


def _user_in(secret: str) -> str:
    """Return the user of a Base64-encoded `user:password`; empty for any other secret."""
    try:
        padded = secret.rstrip("=") + "=" * (-len(secret.rstrip("=")) % 4)
        user, colon, password = base64.b64decode(padded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return ""
    whole = colon and password and user.isprintable() and password.isprintable()
    return user if whole and re.fullmatch(r"[\w.@+$-]+", user) else ""


def in_exposed(patient: Patient) -> Iterator[Finding]:
    """Yield files with secrets that others may read, or that git keeps."""
    here = patient.here
    if here is None:
        return
    holding: dict[str, int] = {}
    for variable in patient.facts.variables.values():
        if variable.source.kind is SourceKind.ENV_FILE and isinstance(variable.value, Secret):
            file = variable.source.detail.rpartition(":")[0]
            holding[file] = holding.get(file, 0) + 1
    for file, count in holding.items():
        mode = here.mode(file)
        if (
            why := "git tracks it"
            if here.tracked(file)
            else f"its mode is {mode:04o}"
            if mode & 0o077
            else ""
        ):
            yield Finding(
                "file-exposed",
                clean(file, 300),
                f"holds {plural(count, 'secret')}, and {why}",
                hint=f"chmod 600 {clean(file, 300)}, and name it in .gitignore. Replace secrets that others"
                " saw.",
            )


CHECKS: tuple[Check, ...] = (
    Check(
        id="DP-SEC-001",
        names=("blanks",),
        level=Severity.WARNING,
        look=in_facts,
        mend=mends.cleaned,
        title="A value begins or ends with a space.",
        matters="Docker and the registry treat the space as part of the user name or password, so the login"
        " fails. A log does not show it.",
        fix="Store the value without the space.",
        many="begin or end with a space",
        nouns="values",
        source=sources.DOCKER_LOGIN,
        symptoms=(r"HTTP Basic: Access denied", r"incorrect username or password", r"unauthorized"),
    ),
    Check(
        id="DP-SEC-002",
        names=("line-end",),
        level=Severity.WARNING,
        look=in_facts,
        mend=mends.cleaned,
        title="A value ends with a line break.",
        matters="`echo` and many editors add one. Docker's --password-stdin strips one line break; everything"
        " else sends it as part of the password.",
        fix="Store the value again, with `printf %s` in place of `echo`.",
        many="end with a line break",
        nouns="values",
        source="https://github.com/docker/cli/issues/1569",
        symptoms=(r"HTTP Basic: Access denied", r"incorrect username or password", r"unauthorized"),
    ),
    Check(
        id="DP-SEC-003",
        names=("quoted",),
        level=Severity.WARNING,
        look=in_facts,
        mend=mends.cleaned,
        title="A value has quotes around it.",
        matters="GitLab and docker's --env-file keep quotes, where a shell removes them, so they are sent as"
        " part of the value.",
        fix="Store the value without the quotes.",
        many="have quotes around them",
        nouns="values",
        source=sources.ENV_FILE,
        symptoms=(r"HTTP Basic: Access denied", r"invalid reference format"),
    ),
    Check(
        id="DP-SEC-004",
        names=("placeholder",),
        level=Severity.WARNING,
        look=in_facts,
        title="A secret is a placeholder from a log or from documentation.",
        matters="A log shows [MASKED] in place of a secret; it cannot be used to log in.",
        fix="Give the secret itself.",
        many="are placeholders from a log or from documentation",
        nouns="secrets",
        source=sources.VARIABLES,
        symptoms=(r"HTTP Basic: Access denied", r"unauthorized"),
    ),
    Check(
        id="DP-SEC-005",
        names=("not-expanded",),
        level=Severity.ERROR,
        look=in_facts,
        title="A value is an unexpanded reference to another variable.",
        matters="Nothing replaced the reference: the other variable is not defined, expansion is switched"
        " off, or the value was in single quotes.",
        fix="Define the other variable, or store the value itself.",
        many="are unexpanded references to other variables",
        nouns="values",
        source=sources.WHERE_EXPANDED,
        symptoms=(r"HTTP Basic: Access denied", r"invalid reference format"),
    ),
    Check(
        id="DP-SEC-006",
        names=("empty",),
        level=Severity.WARNING,
        look=in_facts,
        mend=mends.without_it,
        title="A variable is set, but empty.",
        matters="An empty variable counts as not set. `docker login` with an empty password asks for one, and"
        " fails where there is no terminal.",
        fix="Give it a value, or unset it.",
        many="are set, but empty",
        source=sources.VARIABLES,
        symptoms=(
            r"reading (?:username|password): EOF",
            r"--password-stdin option requires --username",
            r"provide a username and password",
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
        look=in_facts,
        mend=mends.cleaned,
        title="A value has an invisible character.",
        matters="Text copied from a web page or a chat can bring non-breaking or zero-width spaces. They are"
        " sent as part of the value.",
        fix="Type the value again, or paste it as plain text.",
        many="have an invisible character",
        nouns="values",
        source=sources.VARIABLES,
        symptoms=(r"HTTP Basic: Access denied", r"invalid reference format"),
    ),
    Check(
        id="DP-SEC-008",
        names=("encoded",),
        level=Severity.WARNING,
        look=in_facts,
        mend=mends.cleaned,
        title="A secret is a whole header instead of the bare secret.",
        matters="The word Basic or Bearer in front becomes part of the password.",
        fix="Store the secret without the word in front of it.",
        many="are whole headers instead of bare secrets",
        nouns="secrets",
        source=sources.DOCKER_LOGIN,
        symptoms=(r"HTTP Basic: Access denied",),
    ),
    Check(
        id="DP-SEC-017",
        names=("weak",),
        level=Severity.WARNING,
        look=in_facts,
        title="A secret has fewer than four characters.",
        matters="No registry issues such secrets, and so short a text cannot be masked reliably.",
        fix="Give the whole secret.",
        many="are too short for secrets, and cannot be masked everywhere",
        nouns="secrets",
        source=sources.VARIABLES,
        symptoms=(r"HTTP Basic: Access denied",),
    ),
    Check(
        id="DP-SEC-018",
        names=("line-break", "encoded-login"),
        level=Severity.ERROR,
        look=in_secrets,
        title="A password has a line break in it, or is a whole login.",
        matters="More than the password was stored: several lines, or user:password in Base64. All of it is"
        " sent as the password.",
        fix="Store the password alone, on one line.",
        many="have a line break in them, and no registry accepts such a password",
        nouns="secrets",
        source=sources.DOCKER_LOGIN,
        symptoms=(r"HTTP Basic: Access denied", r"incorrect username or password"),
    ),
    Check(
        id="DP-SEC-012",
        names=("file-exposed",),
        level=Severity.WARNING,
        look=in_exposed,
        title="A file with secrets can be read by others, or is tracked by git.",
        matters="Whoever can read the file has the secrets, and git keeps them in its history.",
        fix="Give it the mode 0600, name it in .gitignore, and replace the secrets if others saw them.",
        many="hold secrets, and others can read them or git tracks them",
        nouns="files",
        source=sources.VARIABLES,
    ),
)
