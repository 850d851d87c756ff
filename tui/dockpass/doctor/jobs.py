"""Checks of a job's variables: what it does not get, what arrives changed, and what the CI file says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dockpass.doctor import job_mends, mends, sources
from dockpass.doctor.check import Check, Need, Patient
from dockpass.findings import Finding, Severity
from dockpass.text import clean
from dockpass.variables.gitlab.tree import YamlError
from dockpass.variables.job_findings import find_in_config, find_in_view
from dockpass.variables.yaml_findings import find_in_yaml


def in_view(patient: Patient) -> Iterable[Finding]:
    """Find what is wrong with the variables of the job."""
    return find_in_view(patient.view) if patient.view else ()


def in_config(patient: Patient) -> Iterable[Finding]:
    """Find what is wrong with the job as it is written."""
    if patient.loaded is None or patient.view is None:
        return ()
    loaded = patient.loaded
    return find_in_config(loaded.config, loaded.job(patient.view.name), loaded.situation.definitions)


def in_files(patient: Patient) -> Iterator[Finding]:
    """Yield what is wrong in the text of the CI files, and which of them are not loaded."""
    if patient.loaded is None or patient.files is None:
        return
    for path in dict.fromkeys(patient.loaded.config.files):
        try:
            text = patient.files.read(path)
        except YamlError:
            continue
        yield from find_in_yaml(text or "", path)
    for each in patient.loaded.config.not_loaded:
        yield Finding(
            "not-loaded",
            clean(str(each.place), 200),
            f"includes {each.kind} {each.text}, which is not loaded here: values may differ",
            hint="dockpass vars show --from-gitlab reads the merged configuration.",
            severity=Severity.NOTE,
        )


CHECKS: tuple[Check, ...] = (
    Check(
        id="DP-SCP-001",
        names=("absent-protected",),
        level=Severity.ERROR,
        need=Need.JOB,
        look=in_view,
        mend=job_mends.brought,
        mend_all=job_mends.all_brought,
        title="A protected variable is missing, because the ref is not protected.",
        matters="GitLab does not say that it leaves the variable out: the script sees it as empty.",
        fix="Protect the branch or tag, or unprotect the variable.",
        many="are missing, because they are protected and the ref is not",
        source=sources.VARIABLES,
        symptoms=(
            r"non[- ]TTY device",
            r"password is empty",
            r"Must provide --username with --password-stdin",
            r"HTTP Basic: Access denied",
        ),
    ),
    Check(
        id="DP-SCP-002",
        names=("weaker-used",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        title="A weaker variable is used, because the stronger one is protected and the ref is not.",
        matters="The job silently gets a different value than on a protected ref.",
        fix="Give both the same flags.",
        many="come from a weaker level, because the stronger ones are protected and the ref is not",
        source=sources.VARIABLES,
        symptoms=(r"HTTP Basic: Access denied",),
    ),
    Check(
        id="DP-SCP-003",
        names=("absent-scope",),
        level=Severity.ERROR,
        need=Need.JOB,
        look=in_view,
        mend=job_mends.brought,
        mend_all=job_mends.all_brought,
        title="A variable is missing, because its environment scope does not match the job.",
        matters="GitLab does not say that it leaves the variable out: the script sees it as empty.",
        fix="Give the job that environment, or set the variable's scope to *.",
        many="are missing, because their environment scope does not match the job",
        source=sources.ENVIRONMENTS,
        symptoms=(r"non[- ]TTY device", r"password is empty", r"HTTP Basic: Access denied"),
    ),
    Check(
        id="DP-SCP-004",
        names=("rule-on-protected", "rule-on-job-only"),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        title="A rule tests a variable that does not exist when rules are evaluated.",
        matters="The rule never matches, and the job silently disappears from the pipeline.",
        fix="Test something that every ref has, such as CI_COMMIT_REF_PROTECTED.",
        many="are used in rules, but do not exist when the rules are evaluated",
        source=sources.RULES,
    ),
    Check(
        id="DP-SCP-005",
        names=("scopes-of-equal-rank",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        title="Two environment scopes match equally well.",
        matters="GitLab does not define which of the two values the job gets.",
        fix="Write the environment's whole name in one of them.",
        many="have two environment scopes that match equally well",
        source=sources.ENVIRONMENTS,
    ),
    Check(
        id="DP-SCP-006",
        names=("scope-of-no-job",),
        level=Severity.NOTE,
        need=Need.JOB,
        look=in_config,
        title="An environment scope matches no environment of the CI file.",
        matters="The variable is never used by these jobs.",
        fix="Check the spelling; upper and lower case differ.",
        many="have an environment scope that matches no environment of the CI file",
        source=sources.ENVIRONMENTS,
    ),
    Check(
        id="DP-SEC-009",
        names=("not-maskable",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        title="A variable is marked as masked, but its value cannot be masked.",
        matters="GitLab refuses to save such a value as masked.",
        fix="Use a value of at least 8 characters, without spaces or line breaks.",
        many="are marked as masked, but their values cannot be masked",
        source=sources.VARIABLES,
    ),
    Check(
        id="DP-SEC-010",
        names=("not-masked",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        title="A secret in the settings is not masked.",
        matters="A job that prints it shows it in its log.",
        fix="Mark it as masked.",
        many="look like secrets and are not masked",
        source=sources.VARIABLES,
    ),
    Check(
        id="DP-SEC-011",
        names=("secret-in-yaml",),
        level=Severity.ERROR,
        need=Need.JOB,
        look=in_view,
        title="A secret is in the CI file.",
        matters="Everybody who can read the repository can read it, in every commit since then.",
        fix="Revoke it, and store a new one in the settings.",
        many="are secrets in plain text in the CI file",
        source=sources.VARIABLES,
    ),
    Check(
        id="DP-SEC-013",
        names=("debugging-on",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        title="Debug logging is on.",
        matters="The job's log then shows every variable.",
        fix="Remove CI_DEBUG_TRACE or CI_DEBUG_SERVICES after use.",
        many="show every variable in the job's log",
        source=sources.VARIABLES,
    ),
    Check(
        id="DP-PRE-001",
        names=("predefined-overridden",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        mend=mends.without_override,
        title="A predefined variable is overridden.",
        matters="Predefined variables have the lowest precedence: any other variable of the same name"
        " replaces them.",
        fix="Rename the other variable.",
        many="are predefined by GitLab, and are overridden",
        source=sources.PREDEFINED,
        symptoms=(
            r"HTTP Basic: Access denied",
            r"requested access to the resource is denied",
            r"access forbidden",
        ),
    ),
    Check(
        id="DP-PRE-004",
        names=("yaml-never-used",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        title="A variable of the CI file is never used, because the settings define it too.",
        matters="Settings take precedence over the CI file in every job.",
        fix="Rename one of them.",
        many="are defined in the CI file and never used, because the settings define them too",
        source=sources.VARIABLES,
    ),
)
