"""The dialog that imports variables: a file or a paste, with a preview first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Input, Static

from dockpass.errors import UsageError
from dockpass.session.desk import Imported
from dockpass.session.importing import LEVELS, Draft, draft_of, formats, read_draft
from dockpass.typedpath import typed_path
from dockpass.ui.screens.dialogs import Dialog, Frame, body_bindings
from dockpass.ui.screens.pick import Pick
from dockpass.ui.views.choices import Answer
from dockpass.ui.views.importing import draft_lines
from dockpass.ui.views.words import Line, cell
from dockpass.ui.widgets.panel import Text
from dockpass.ui.widgets.too_small import TooSmall
from dockpass.ui.widgets.value_input import PlainInput

PASTED = "the paste"
LONGEST_PATH = 4096
_UNREAD = "enter reads it · esc cancels"
_READ = "enter imports them · ctrl+f format · ctrl+l level · esc cancels"
_MEANS = (
    "The path of a file in any format: .env, env, a job's log, GitLab's JSON, … Or paste the text itself"
    " here. Nothing is run, and values stay in memory."
)


class PathOrPaste(PlainInput):
    """A field for a path; a paste of several lines, or with an assignment, is a text of variables."""

    def takes_whole(self, text: str) -> bool:
        """Return whether it is a text of variables."""
        return "\n" in text or "=" in text or len(text) > LONGEST_PATH


class ImportDialog(Dialog[Imported | None]):
    """Asks for variables, and ends with what was imported."""

    BINDINGS = [
        Binding("escape", "leave", "cancel"),
        Binding("ctrl+f", "format", "format", priority=True),
        Binding("ctrl+l", "level", "level", priority=True),
        *body_bindings(
            {"down": "scroll_down", "up": "scroll_up", "pagedown": "page_down", "pageup": "page_up"},
            priority=True,
        ),
    ]
    AUTO_FOCUS = "#typed"

    def __init__(self, cwd: Path, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._cwd = cwd
        self._environ = environ
        self._draft: Draft | None = None
        self._error: UsageError | None = None

    def compose(self) -> ComposeResult:
        """A field, and the preview."""
        yield TooSmall()
        with Frame("Import variables", _UNREAD):
            yield Static(_MEANS, markup=False, classes="means")
            yield PathOrPaste(placeholder="path/to/file", id="typed")
            yield Text(id="body", classes="dialog-body")

    def _show(self) -> None:
        """Show the preview, or what is wrong."""
        lines: list[Line] = []
        if self._error is not None:
            lines = [((self._error.message, "bad"),), ((self._error.hint, "label"),)]
        draft = self._draft
        body = self.query_one("#body", Text)
        if draft is not None:
            body.show(lambda width: draft_lines(draft, width))
        else:
            body.show(lines)
        self.query_one(Frame).border_subtitle = _READ if draft is not None else _UNREAD
        self.call_after_refresh(self.fit)

    def on_input_changed(self) -> None:
        """Another path: another preview."""
        if self._draft is not None and self._draft.label == PASTED:
            return
        self._draft = self._error = None
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Read what is named; the second time, import it."""
        if self._draft is not None:
            self.dismiss(self._draft.imported())
            return
        path = event.value.strip()
        if path:
            self._read(lambda: read_draft(typed_path(self._cwd, path), path, self._environ))

    def on_plain_input_pasted(self, event: PlainInput.Pasted) -> None:
        """Show what a paste holds; its text is never on the screen."""
        self.query_one(PathOrPaste).value = ""
        self._read(lambda: draft_of(event.text, PASTED, self._environ))

    def _read(self, read: Callable[[], Draft]) -> None:
        self._draft = self._error = None
        try:
            self._draft = read()
        except UsageError as error:
            self._error = error
        self._show()

    def action_format(self) -> None:
        """Choose another format."""
        draft = self._draft
        if draft is None:
            return

        def answers(text: str) -> list[Answer]:
            known, wanted = formats(), text.casefold()
            found = [(name, known[name]) for name in known if wanted in f"{name} {known[name]}".casefold()]
            return [(name, ((cell(name, 22), "text"), (words, "label"))) for name, words in found]

        def taken(answer: str | None) -> None:
            if answer is not None:
                self._read(lambda: draft_of(draft.text, draft.label, self._environ, answer, draft.path))

        words = f"It was read as {draft.format}, because {draft.because}."
        self.app.push_screen(Pick("Which format?", words, answers, now=draft.format), taken)

    def action_level(self) -> None:
        """Import it at the next level."""
        if self._draft is not None:
            at = LEVELS.index(self._draft.level)
            self._draft = replace(self._draft, level=LEVELS[(at + 1) % len(LEVELS)])
            self._show()
