"""Checks of what expansion makes of a variable's value."""

from __future__ import annotations

from dockpass.doctor import job_mends, sources
from dockpass.doctor.check import Check, Need
from dockpass.doctor.jobs import in_view
from dockpass.findings import Severity

CHECKS: tuple[Check, ...] = (
    Check(
        id="DP-EXP-001",
        names=("cut-by-expansion",),
        level=Severity.ERROR,
        need=Need.JOB,
        look=in_view,
        mend=job_mends.unexpanded,
        title="A value loses characters at a $.",
        matters="GitLab and its runner take the $ and what follows for a reference to another variable, and"
        " replace it with nothing. The job gets a shorter secret than the one that was stored.",
        fix="Switch off “Expand variable reference” for it (`expand: false`), or write $$ for each $.",
        source="https://gitlab.com/gitlab-org/gitlab/-/issues/17844",
        symptoms=(r"HTTP Basic: Access denied", r"incorrect username or password", r"unauthorized"),
    ),
    Check(
        id="DP-EXP-003",
        names=("no-shell-syntax",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        title="A variable uses shell syntax such as ${A:-x} or $(…).",
        matters="Neither GitLab nor its runner knows that syntax in `variables`; it becomes empty.",
        fix="Set the default by rules, or in the script.",
        source=sources.WHERE_EXPANDED,
        symptoms=(r"invalid reference format",),
    ),
    Check(
        id="DP-EXP-004",
        names=("own-name",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        title="A variable of the CI file refers to its own name.",
        matters="The CI file has only one variable of each name, so the reference is kept as written.",
        fix="Give it another name.",
        source="https://gitlab.com/gitlab-org/gitlab/-/issues/433964",
    ),
    Check(
        id="DP-EXP-006",
        names=("open-brace",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        title="A value has a ${ that is not closed, or an empty ${}.",
        matters="The runner removes it.",
        fix="Close the brace, or write $$ for the $.",
        source=sources.WHERE_EXPANDED,
    ),
    Check(
        id="DP-EXP-007",
        names=("file-changed",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        mend=job_mends.unexpanded,
        title="Expansion changes the content of a variable of type File at a $.",
        matters="The content of such a file is expanded like any other value.",
        fix="Switch off “Expand variable reference” for it.",
        source=sources.VARIABLES,
    ),
    Check(
        id="DP-EXP-008",
        names=("undefined-reference",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        title="A variable refers to a name that nothing defines.",
        matters="The reference becomes empty.",
        fix="Define that name, or remove the reference.",
        source=sources.WHERE_EXPANDED,
        symptoms=(r"invalid reference format",),
    ),
    Check(
        id="DP-EXP-009",
        names=("own-name-over-settings",),
        level=Severity.NOTE,
        need=Need.JOB,
        look=in_view,
        title="A variable of the CI file refers to its own name and so wins over the settings.",
        matters="As documented, settings take precedence over the CI file; the reference to its own name"
        " reverses that.",
        fix="Give it another name.",
        source=sources.VARIABLES,
    ),
    Check(
        id="DP-EXP-011",
        names=("too-long-to-expand",),
        level=Severity.WARNING,
        need=Need.JOB,
        look=in_view,
        title="Variables refer to each other so often that they are not expanded here.",
        matters="Each reference multiplies the length. What the job gets is not known here, and GitLab or the"
        " runner may fail on it.",
        fix="Look for variables that refer to each other many times.",
        source=sources.WHERE_EXPANDED,
    ),
)
