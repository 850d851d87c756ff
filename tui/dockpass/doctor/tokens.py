"""Checks of tokens: whether they can log in at all, where, and as whom."""

from __future__ import annotations

from dockpass.doctor import sources
from dockpass.doctor.check import Check, Need
from dockpass.doctor.values import in_facts
from dockpass.findings import Severity

_NEEDS = frozenset({Need.VARIABLES})

CHECKS: tuple[Check, ...] = (
    Check(
        id="DP-TOK-005",
        names=("not-a-job-token",),
        level=Severity.WARNING,
        needs=_NEEDS,
        look=in_facts,
        title="CI_JOB_TOKEN is not a job token.",
        matters="A variable of this name in the settings or the CI file replaces the job's own token; the"
        " automatic login then sends it with the user gitlab-ci-token.",
        fix="Rename that variable: the job sets CI_JOB_TOKEN itself.",
        source=sources.JOB_TOKEN,
        symptoms=(r"HTTP Basic: Access denied",),
    ),
    Check(
        id="DP-TOK-012",
        names=("same-token",),
        level=Severity.WARNING,
        needs=_NEEDS,
        look=in_facts,
        title="WERF_IMAGES_CLEANUP_PASSWORD is the job token.",
        matters="The cleanup then has no more rights than the job, and logs in under another user name than"
        " the one a job token needs.",
        fix="Give it the token of a user who may delete, with the scope api.",
        source=sources.LOGIN_RULES,
        symptoms=(r"HTTP Basic: Access denied",),
    ),
    Check(
        id="DP-TOK-013",
        names=("job-token-dead",),
        level=Severity.ERROR,
        needs=_NEEDS,
        look=in_facts,
        title="The job token has expired with its job.",
        matters="GitLab accepts a job token only while its job runs.",
        fix="Run this in a job, or give the login of a deploy token or a personal access token.",
        source=sources.JOB_TOKEN,
        symptoms=(
            r"HTTP Basic: Access denied",
            r"unauthorized: authentication required",
            r"token has expired",
        ),
    ),
    Check(
        id="DP-TOK-014",
        names=("job-token-old",),
        level=Severity.WARNING,
        needs=_NEEDS,
        look=in_facts,
        title="The job token is probably from a job that has ended.",
        matters="GitLab accepts a job token only while its job runs.",
        fix="Run this in a job, or give the login of a deploy token or a personal access token.",
        source=sources.JOB_TOKEN,
        symptoms=(r"HTTP Basic: Access denied",),
    ),
)
