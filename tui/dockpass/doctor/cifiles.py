"""Checks of the CI file as it is written."""

from __future__ import annotations

from dockpass.doctor import sources
from dockpass.doctor.check import Check, Need
from dockpass.doctor.jobs import in_config, in_files, in_view
from dockpass.findings import Severity

CHECKS: tuple[Check, ...] = (
    Check(
        id="DP-YML-001",
        names=("changed-by-yaml",),
        level=Severity.WARNING,
        need=Need.FILES,
        look=in_files,
        title="YAML changes an unquoted value.",
        matters="Numbers with leading zeros, underscores or trailing zeros become other numbers.",
        fix="Put the value in quotes.",
        source=sources.YAML,
    ),
    Check(
        id="DP-YML-002",
        names=("refused",),
        level=Severity.ERROR,
        need=Need.JOB,
        look=in_view,
        title="GitLab refuses the configuration.",
        matters="There is no pipeline until it is corrected.",
        fix="Correct it; GitLab's own message says what is wrong.",
        source=sources.YAML,
        symptoms=(
            r"circular variable reference",
            r"config should be",
            r"variable definition must be",
        ),
    ),
    Check(
        id="DP-YML-003",
        names=("merge-loses-variables",),
        level=Severity.WARNING,
        need=Need.FILES,
        look=in_files,
        title="A job with << has its own `variables`, so those of the anchor are lost.",
        matters="A YAML merge is shallow: the job's `variables` replace the anchor's as a whole.",
        fix="Use extends, which merges them.",
        source=sources.YAML,
    ),
    Check(
        id="DP-YML-004",
        names=("compared-unexpanded",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        title="A rule compares a variable whose value has a $.",
        matters="Rules compare values as they are written; the script sees them expanded.",
        fix="Compare the variable that it refers to.",
        source=sources.RULES,
    ),
    Check(
        id="DP-YML-005",
        names=("empty-variables",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_config,
        title="A job has `variables: {}`.",
        matters="This does not remove the global variables.",
        fix="Write inherit:variables: false.",
        source=sources.YAML,
    ),
    Check(
        id="DP-YML-006",
        names=("not-loaded",),
        level=Severity.NOTE,
        need=Need.FILES,
        look=in_files,
        title="An include is not loaded.",
        matters="Jobs and values from it are not known here.",
        fix="Import the merged configuration: dockpass vars import gitlab.",
        source=sources.YAML,
    ),
    Check(
        id="DP-YML-007",
        names=("trigger-variables",),
        level=Severity.NOTE,
        need=Need.JOB,
        look=in_config,
        title="A trigger job has variables.",
        matters="They arrive downstream as pipeline variables, which take precedence over that project's"
        " settings.",
        fix="Write inherit:variables: false to pass on the job's own only.",
        source="https://docs.gitlab.com/ci/pipelines/downstream_pipelines/",
    ),
    Check(
        id="DP-YML-008",
        names=("no-pipeline",),
        level=Severity.NOTE,
        need=Need.JOB,
        look=in_view,
        title="No pipeline runs for this ref.",
        matters="The workflow rules filter it out, so none of its jobs runs.",
        fix="Look at another ref or source, or change the rules: dockpass vars why JOB shows each.",
        source=sources.YAML,
        symptoms=(r"filtered out by workflow rules",),
    ),
)
