"""Checks of a job's scripts, and of the values in its settings."""

from __future__ import annotations

from dockpass.doctor import job_mends, sources
from dockpass.doctor.check import Check, Need
from dockpass.doctor.script_looks import in_scripts, in_settings, in_stored
from dockpass.findings import Severity

CHECKS: tuple[Check, ...] = (
    Check(
        id="DP-SEC-016",
        names=("password-in-arguments",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_scripts,
        title="A script gives `docker login` the password as an argument.",
        matters="Every process on the runner can read it in the process list, and docker warns about it.",
        fix='Pipe it in: printf %s "$PASSWORD" | docker login --username USER --password-stdin HOST',
        source=sources.DOCKER_LOGIN,
        symptoms=(r"Using --password via the CLI is insecure",),
    ),
    Check(
        id="DP-LOG-027",
        names=("login-too-late",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_scripts,
        title="A job logs in to the registry that its own image comes from.",
        matters="The runner pulls the job's image before the script starts, so that login comes too late.",
        fix="Store a login for the runner in DOCKER_AUTH_CONFIG.",
        source=sources.PRIVATE_IMAGES,
        symptoms=(
            r"pull access denied",
            r"access forbidden",
            r"failed to fetch anonymous token",
            r"Job failed .system failure.*failed to pull image",
        ),
    ),
    Check(
        id="DP-LOG-028",
        names=("cleanup-with-job-token",),
        level=Severity.NOTE,
        need=Need.JOB,
        look=in_scripts,
        title="A job deletes images with the job token.",
        matters="Older versions of GitLab do not let a job token delete, and no version lets it delete"
        " protected tags.",
        fix="Set WERF_IMAGES_CLEANUP_PASSWORD to a token with the scope api of a user who may delete.",
        source="https://gitlab.com/gitlab-org/gitlab/-/issues/19606",
        symptoms=(
            r"insufficient_scope",
            r"unauthorized",
        ),
    ),
    Check(
        id="DP-SEC-015",
        names=("mask-ordinary",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_settings,
        title="A masked value is an ordinary word or number.",
        matters="Logs show [MASKED] wherever that word would be, which gives it away.",
        fix="Use a longer secret, or unmask it.",
        source=sources.VARIABLES,
    ),
    Check(
        id="DP-EXP-002",
        names=("robot-user",),
        level=Severity.ERROR,
        need=Need.JOB,
        look=in_settings,
        mend=job_mends.unexpanded,
        title="The name of a Harbor robot account loses what follows its $.",
        matters="Harbor's robot accounts are called robot$NAME, and expansion replaces $NAME.",
        fix="Switch off “Expand variable reference”, or write robot$$NAME.",
        source="https://github.com/goharbor/harbor/issues/9732",
        symptoms=(
            r"unauthorized",
            r"HTTP Basic: Access denied",
        ),
    ),
    Check(
        id="DP-SCP-007",
        names=("values-unknown",),
        level=Severity.NOTE,
        need=Need.JOB,
        look=in_settings,
        title="Some values in the settings are not known here.",
        matters="They are not checked: they may be empty, truncated or wrong.",
        fix="Fetch those that you may read: dockpass vars show --from-gitlab.",
        source=sources.VARIABLES,
    ),
    Check(
        id="DP-TOK-004",
        names=("job-token-stored",),
        level=Severity.ERROR,
        need=Need.JOB,
        look=in_stored,
        title="A job token is stored in the settings or in the CI file.",
        matters="It is valid only while its own job runs.",
        fix="Use the CI_JOB_TOKEN of the job, or store a deploy token.",
        source=sources.JOB_TOKEN,
        symptoms=(r"HTTP Basic: Access denied",),
    ),
    Check(
        id="DP-TOK-010",
        names=("short-lived-stored",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_stored,
        title="A token that expires within hours is stored in the settings or in the CI file.",
        matters="The job works until the token expires, one to twelve hours later.",
        fix="Use a credential helper, or get a new token in the job.",
        source="https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html",
        symptoms=(
            r"authorization token has expired",
            r"no basic auth credentials",
        ),
    ),
    Check(
        id="DP-LOG-029",
        names=("auth-config-file",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_settings,
        title="DOCKER_AUTH_CONFIG is a variable of type File.",
        matters="GitLab Runner reads the file for the job's image and services; docker in the script sees a"
        " path and ignores it.",
        fix="Change its type to Variable.",
        source=sources.PRIVATE_IMAGES,
        symptoms=(r"Failed to create credential store from DOCKER_AUTH_CONFIG",),
    ),
)
