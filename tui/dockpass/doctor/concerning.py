"""Which commands a finding concerns: those whose login would be another one without it. Pure."""

from __future__ import annotations

from pathlib import PurePath

from dockpass.auth.ci import GITLAB
from dockpass.auth.command import Command
from dockpass.auth.decision import Decision, Outcome, Refusal
from dockpass.auth.rules import rule
from dockpass.doctor.check import Need
from dockpass.doctor.examine import Found

PROBED = Command.PUSH
"""The command whose login the registry is asked about."""


def concerned(each: Found) -> tuple[Command, ...]:
    """Return the commands whose login a finding is about; none where it is about no login."""
    if each.check.need.first_lacking(()) is Need.REGISTRY:
        return (PROBED,)
    if each.check.need is Need.BUILD:
        return (Command.BUILD,)
    return tuple(command for command in Command if any(_concerns(single, command) for single in each.each))


def _concerns(each: Found, command: Command) -> bool:
    decided, about = each.patient.decisions[command], each.finding.about.removeprefix("--")
    if isinstance(decided, Refusal):
        return bool(about) and about == decided.about
    if each.check.need is Need.CONFIG:
        return decided.config_dir is not None
    if each.finding in decided.warnings:
        return True
    if decided.config_dir is not None and PurePath(decided.config_dir) in PurePath(about).parents:
        return True
    return about in _read(decided)


def _read(decided: Decision) -> set[str]:
    """Return the variables and options that led to a login, those that are missing too."""
    reached = (
        step
        for step in decided.trace
        if step.outcome is not Outcome.NOT_REACHED and decided.command in rule(step.rule).commands
    )
    read = {name for step in reached for name in step.looked_at}
    repository = {"repo", GITLAB.image}
    return read | repository if decided.command.needs_repo else read - repository
