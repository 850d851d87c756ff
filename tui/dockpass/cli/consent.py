"""What may not be done unasked: a question on the terminal, or an option that says yes to it."""

from __future__ import annotations

from dataclasses import replace

from dockpass.auth.warnings import foreign_refused
from dockpass.cli.output import Output, is_terminal
from dockpass.runs.foreign import foreign_question
from dockpass.runs.request import RunRequest


def with_the_persons_word(request: RunRequest, output: Output) -> RunRequest:
    """Ask before a token goes to a foreign registry; without a terminal, an option has to allow it."""
    question = foreign_question(request)
    if question is None or request.foreign_allowed:
        return request
    if is_terminal() and output.ask(f"{question} Send it anyway?"):
        return replace(request, foreign_allowed=True)
    raise foreign_refused(question)
