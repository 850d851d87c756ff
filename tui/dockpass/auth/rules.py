"""The table of login rules, in order. The first rule that holds decides; nothing else chooses a method.

The rules are those of werf's page on registry authorization, with the gaps closed by what werf's
code did. A variable set to the empty string counts as not set; values are never trimmed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from dockpass.auth.ci import GITLAB
from dockpass.auth.command import Command, Method
from dockpass.auth.decision import RuleId
from dockpass.auth.facts import Facts
from dockpass.auth.login import ConfigEntries, GivenLogin, LoginSource, TokenLogin
from dockpass.errors import UsageError
from dockpass.references.address import host_of_registry, is_google, same_registry
from dockpass.references.reference import parse_reference
from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.unknown import Unknown

EXTERNAL_CONFIG = "WERF_DOCKER_CONFIG"
IGNORE_AUTOLOGIN = "WERF_IGNORE_CI_DOCKER_AUTOLOGIN"
CLEANUP_PASSWORD = "WERF_IMAGES_CLEANUP_PASSWORD"  # noqa: S105
DOCKER_CONFIG = "DOCKER_CONFIG"
REGISTRY, REGISTRY_IMAGE, JOB_TOKEN = GITLAB.registry, GITLAB.image, GITLAB.token
WERF_REPOSITORIES = ("WERF_REPO", "WERF_IMAGES_REPO")
"""Where werf itself takes its repository from; no rule here reads them."""

CLEANUP_USER = "werf-cleanup"


@dataclass(frozen=True, slots=True)
class Case:
    """What is decided: a command, the facts, and the host of its repository.

    The host is empty for a build, and if the repository is not known here.
    """

    command: Command
    facts: Facts
    host: str

    @property
    def base_hosts(self) -> tuple[str, ...]:
        """Hosts of the base images, sorted, each once; what is no reference is pulled from nowhere."""
        images = self.facts.base_images or ()
        return tuple(sorted({host_of_image(image.reference) for image in images} - {""}))

    @property
    def registry_host(self) -> str:
        """`CI_REGISTRY` as a host; empty where it is not set."""
        return host_of_registry(self.facts.text(REGISTRY))

    @property
    def registry_shown(self) -> str:
        """`CI_REGISTRY` for people, who are not shown what looks like a secret."""
        variable = self.facts.variables.get(REGISTRY)
        if variable is not None and isinstance(variable.value, Secret | Unknown):
            return f"the host in {REGISTRY}"
        return clean(self.registry_host) or "no host"

    @property
    def base_in_registry(self) -> bool:
        """Whether some base image belongs to `CI_REGISTRY`, compared as hosts."""
        mine = self.registry_host
        return bool(mine) and any(same_registry(host, mine) for host in self.base_hosts)

    @property
    def knows_base_images(self) -> bool:
        """Whether everything that a build pulls is known."""
        return self.facts.base_images is not None and not self.facts.unknown_images

    @property
    def has_credentials(self) -> bool:
        """Whether user and password are both given."""
        options = self.facts.options
        return bool(options.registry_username) and bool(options.registry_password)


@lru_cache(maxsize=512)
def host_of_image(reference: str) -> str:
    """Return the host that an image is pulled from; empty where the text is no reference."""
    try:
        return parse_reference(reference).host
    except UsageError:
        return ""


class Verdict(NamedTuple):
    """Whether a rule holds, and why (not). `known` is False where an unknown value could change that."""

    holds: bool
    because: str
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table: a method and everything that is known of it, or a switch of the CI rules.

    `commands` are those for which it can hold, `reads` the variables and options that it looks at.
    `holds_when` and `sentence` say the same in a table and in a text. A switch has no method and no login.
    """

    id: RuleId
    reads: tuple[str, ...]
    check: Callable[[Case], Verdict]
    holds_when: str
    sentence: str
    source: str
    name: str = ""
    method: Method | None = None
    login: LoginSource | None = None
    commands: frozenset[Command] = frozenset(Command)

    @property
    def title(self) -> str:
        """The name that a person reads."""
        return self.name if self.method is None else self.method.label

    @property
    def role(self) -> str:
        """The role of its method, which a theme gives a colour."""
        return f"method-{self.method}" if self.method else ""


def _external_config(case: Case) -> Verdict:
    if case.facts.is_set(EXTERNAL_CONFIG):
        return Verdict(True, f"{EXTERNAL_CONFIG} is set to {_value(case, EXTERNAL_CONFIG)}")
    return _unset(case, EXTERNAL_CONFIG)


def _options(case: Case) -> Verdict:
    options = case.facts.options
    if not case.has_credentials:
        if options.registry_username:
            return Verdict(False, "only --registry-username is given; both are needed")
        if options.registry_password:
            return Verdict(False, "only --registry-password is given; both are needed")
        return Verdict(False, "no user name and password are given")
    if case.command is Command.BUILD and not case.base_hosts and not case.knows_base_images:
        return Verdict(
            False,
            "user name and password are given, but which base images the build pulls is not known",
            known=False,
        )
    if case.command is Command.BUILD and not case.base_hosts:
        return Verdict(False, "user name and password are given, but the build pulls nothing")
    return Verdict(True, "--registry-username and --registry-password are both given")


def _google(case: Case) -> Verdict:
    build = case.command is Command.BUILD
    if build and not case.facts.is_set(REGISTRY):
        return _unset(case, REGISTRY)
    name = REGISTRY if build else REGISTRY_IMAGE
    if case.facts.unknown(name) and (build or not case.host):
        return Verdict(False, f"the value of {name} is not known here", known=False)
    shown = case.registry_shown if build else clean(case.host)
    if is_google(case.registry_host if build else case.host):
        return Verdict(True, f"{shown} is Google's, where a CI token is not valid")
    return Verdict(False, f"{shown} is not gcr.io or pkg.dev")


def _ignore(case: Case) -> Verdict:
    if case.facts.is_set(IGNORE_AUTOLOGIN):
        return Verdict(True, f"{IGNORE_AUTOLOGIN} is set to {_value(case, IGNORE_AUTOLOGIN)}")
    return _unset(case, IGNORE_AUTOLOGIN)


def _cleanup_token(case: Case) -> Verdict:
    if case.command is not Command.CLEANUP:
        return Verdict(False, "for cleanup only")
    if case.facts.is_set(CLEANUP_PASSWORD):
        return Verdict(True, f"{CLEANUP_PASSWORD} is set{_unseen(case, CLEANUP_PASSWORD)}")
    return _unset(case, CLEANUP_PASSWORD)


def _autologin(case: Case) -> Verdict:
    missing = [name for name in (REGISTRY, JOB_TOKEN) if not case.facts.is_set(name)]
    if missing:
        return Verdict(False, _missing(case, missing), known=not all(map(case.facts.unknown, missing)))
    if case.command is Command.BUILD and not case.base_in_registry:
        known = case.knows_base_images and not (case.base_hosts and case.facts.unknown(REGISTRY))
        return Verdict(False, _no_base_in_registry(case), known)
    also = ", and a base image is in that registry" if case.command is Command.BUILD else ""
    return Verdict(True, f"{REGISTRY} and {JOB_TOKEN} are set{_unseen(case, REGISTRY, JOB_TOKEN)}{also}")


def _missing(case: Case, names: list[str]) -> str:
    doubtful = [name for name in names if case.facts.unknown(name)]
    unset = [name for name in names if name not in doubtful]
    said = [f"{' and '.join(unset)} {'is' if len(unset) == 1 else 'are'} not set"] if unset else []
    if doubtful:
        said.append(
            f"whether {' and '.join(doubtful)} {'has' if len(doubtful) == 1 else 'have'} a value"
            " is not known here"
        )
    return ", and ".join(said)


def _unseen(case: Case, *names: str) -> str:
    """Return what is to say of those names whose value is not known; empty if all are."""
    unseen = [name for name in names if case.facts.unknown(name)]
    if not unseen:
        return ""
    return f" (the value of {' and '.join(unseen)} is not known here)"


def _no_base_in_registry(case: Case) -> str:
    if case.base_hosts and case.facts.unknown(REGISTRY):
        return f"whether a base image is in {REGISTRY} is not known: its value is not known here"
    if not case.base_hosts:
        return (
            "the build pulls nothing"
            if case.knows_base_images
            else "which base images the build pulls is not known"
        )
    known = ", ".join(map(clean, case.base_hosts))
    if not case.knows_base_images:
        others = " and ".join(image.text for image in case.facts.unknown_images)
        are = "is" if len(case.facts.unknown_images) == 1 else "are"
        return (
            f"none of the known base images is in {case.registry_shown}, they are in {known};"
            f" {others} {are} not known"
        )
    return f"no base image is in {case.registry_shown}; they are in {known}"


def _ambient(case: Case) -> Verdict:  # noqa: ARG001 - every rule is asked the same way
    return Verdict(True, "no other rule holds")


def _value(case: Case, name: str) -> str:
    variable = case.facts.variables[name]
    if isinstance(variable.value, Unknown):
        return f"a value that is {clean(variable.value.in_words(), 200)}"
    if isinstance(variable.value, Secret):
        return "a secret value"
    return f"“{clean(variable.value, 200)}”"


def _unset(case: Case, name: str) -> Verdict:
    """Say of a variable that does not count as set why it does not."""
    if case.facts.unknown(name):
        return Verdict(False, f"whether {name} has a value is not known here", known=False)
    why = "empty, which counts as not set" if name in case.facts.variables else "not set"
    return Verdict(False, f"{name} is {why}")


_PAGE = "werf's page on registry authorization"
_CODE = "werf v1.0.0-alpha.10, docker_authorizer.go"

RULES: tuple[Rule, ...] = (
    Rule(
        id=RuleId.EXTERNAL_CONFIG,
        method=Method.EXTERNAL,
        login=ConfigEntries(EXTERNAL_CONFIG),
        reads=(EXTERNAL_CONFIG,),
        check=_external_config,
        holds_when=f"`{EXTERNAL_CONFIG}` is set",
        sentence=f"If {EXTERNAL_CONFIG} is set, that docker config is used as it is, and no login is made.",
        source=_PAGE,
    ),
    Rule(
        id=RuleId.OPTIONS,
        method=Method.OPTIONS,
        login=GivenLogin(),
        reads=("registry-username", "registry-password"),
        check=_options,
        holds_when="`--registry-username` and `--registry-password` are both given",
        sentence="If a user name and a password are both given, they are used.",
        source=_PAGE,
    ),
    Rule(
        id=RuleId.GOOGLE,
        name="at Google",
        reads=("repo", REGISTRY_IMAGE, REGISTRY),
        check=_google,
        holds_when=f"the repository (for a build, `{REGISTRY}`) is at Google",
        sentence="At Google's registries neither the job token nor the cleanup token is used.",
        source=_PAGE,
    ),
    Rule(
        id=RuleId.IGNORE,
        name="ignored",
        reads=(IGNORE_AUTOLOGIN,),
        check=_ignore,
        holds_when=f"`{IGNORE_AUTOLOGIN}` is set, whatever its value",
        sentence=f"If {IGNORE_AUTOLOGIN} is set, whatever its value, neither token is used.",
        source=f"{_PAGE}; any value: {_CODE}",
    ),
    Rule(
        id=RuleId.CLEANUP_TOKEN,
        method=Method.CLEANUP_TOKEN,
        login=TokenLogin(CLEANUP_USER, CLEANUP_PASSWORD, "the cleanup token"),
        reads=(CLEANUP_PASSWORD,),
        check=_cleanup_token,
        commands=frozenset({Command.CLEANUP}),
        holds_when=f"the command is cleanup, and `{CLEANUP_PASSWORD}` is set",
        sentence=f"Cleanup logs in as {CLEANUP_USER} if {CLEANUP_PASSWORD} is set.",
        source=_PAGE,
    ),
    Rule(
        id=RuleId.AUTOLOGIN,
        method=Method.AUTOLOGIN,
        login=TokenLogin(GITLAB.user, JOB_TOKEN, "the job token"),
        reads=(REGISTRY, JOB_TOKEN, "from"),
        check=_autologin,
        holds_when=f"`{REGISTRY}` and `{JOB_TOKEN}` are set; a build also needs a base image in it",
        sentence=f"If {REGISTRY} and {JOB_TOKEN} are set, the job token is used; for a build only if a base"
        f" image is in {REGISTRY}.",
        source=f"{_PAGE}; both variables: {_CODE}",
    ),
    Rule(
        id=RuleId.AMBIENT,
        method=Method.AMBIENT,
        login=ConfigEntries(DOCKER_CONFIG, below_home=".docker"),
        reads=(DOCKER_CONFIG,),
        check=_ambient,
        holds_when="no other rule holds",
        sentence="Otherwise docker's own config is used, and no login is made.",
        source=_PAGE,
    ),
)

CI_RULES = frozenset({RuleId.CLEANUP_TOKEN, RuleId.AUTOLOGIN})
"""The rules that `google` and `ignore` switch off."""

READ_BY_RULES = frozenset(name for rule in RULES for name in rule.reads if name.isupper())
"""Names of the variables that some rule reads."""


def rule(rule_id: RuleId) -> Rule:
    """Return the rule with this id."""
    return next(row for row in RULES if row.id is rule_id)


def rule_of(method: Method) -> Rule:
    """Return the row of a method."""
    return next(row for row in RULES if row.method is method)


def login_of(method: Method) -> LoginSource:
    """Return where the credentials of a method come from."""
    login = rule_of(method).login
    assert login is not None  # noqa: S101 - each row of a method has one
    return login


def sends_token(method: Method) -> bool:
    """Tell whether a method sends a token of the CI, which must not go to a foreign registry."""
    return isinstance(login_of(method), TokenLogin)
