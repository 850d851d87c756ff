"""Checks of the place: whose variables these are, and the engine that they name."""

from __future__ import annotations

from dockpass.doctor import sources
from dockpass.doctor.check import Check
from dockpass.doctor.surrounding_looks import in_engine, in_surroundings
from dockpass.findings import Severity

CHECKS: tuple[Check, ...] = (
    Check(
        id="DP-PRE-002",
        names=("contradicting",),
        level=Severity.WARNING,
        look=in_surroundings,
        title="Variables of the pipeline contradict each other.",
        matters="They are from different jobs, or were edited: what holds for one job may not hold for"
        " another.",
        fix="Take the variables of one job.",
        source=sources.PREDEFINED,
    ),
    Check(
        id="DP-PRE-003",
        names=("simulated",),
        level=Severity.NOTE,
        look=in_surroundings,
        title="The variables come from gitlab-ci-local or act.",
        matters="A real job has other values, and tokens that work.",
        fix="Compare with the variables of a real job: dockpass vars diff.",
        source="https://github.com/firecow/gitlab-ci-local",
    ),
    Check(
        id="DP-PRE-005",
        names=("of-a-fork",),
        level=Severity.NOTE,
        look=in_surroundings,
        title="A merge request comes from a fork.",
        matters="Its pipeline runs in the fork, with the fork's variables and registry, or in the project"
        " without protected variables: a login that works on a branch is missing there.",
        fix="Let a member of the project start the pipeline there, or do without the login.",
        source="https://docs.gitlab.com/ci/pipelines/merge_request_pipelines/#use-with-forked-projects",
        symptoms=(
            r"requested access to the resource is denied",
            r"Must provide --username with --password-stdin",
            r"non[- ]TTY device",
        ),
    ),
    Check(
        id="DP-GHA-001",
        names=("github-no-secrets",),
        level=Severity.WARNING,
        look=in_surroundings,
        title="A workflow started by Dependabot or by a pull request from a fork gets no secrets.",
        matters="Every secret is empty there, and a login with it fails.",
        fix="Skip the login in such workflows; for Dependabot, store the secrets for Dependabot.",
        source="https://github.com/docker/login-action/issues/824",
        symptoms=(
            r"Username and password required",
            r"Password required",
            r"denied: installation not allowed to",
            r"permission_denied",
        ),
    ),
    Check(
        id="DP-ENG-001",
        names=("engine-tls",),
        level=Severity.WARNING,
        look=in_engine,
        title="The docker daemon's port does not match its TLS setting.",
        matters="Docker-in-docker listens on 2376 with TLS and on 2375 without; DOCKER_TLS_CERTDIR says"
        " which.",
        fix="Use port 2376 with DOCKER_TLS_CERTDIR=/certs, or 2375 with an empty one.",
        source=sources.DOCKER_IN_DOCKER,
        symptoms=(
            r"lookup docker\b.{0,60}no such host",
            r"tcp://docker:237\d",
            r"Is the docker daemon running",
            r"Cannot connect to the Docker daemon",
            r"client sent an HTTP request to an HTTPS server",
            r"http: server gave HTTP response to HTTPS client",
        ),
    ),
)
