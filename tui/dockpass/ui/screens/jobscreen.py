"""What the screens about jobs share: the clone, a job of it, and the keys that choose another one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.facts import Edit
from dockpass.keymap import key_for
from dockpass.marks import GLYPH_EDITED, GLYPH_LOOK
from dockpass.session.desk import Desk, Looking, Seen
from dockpass.session.session import Session
from dockpass.text import clean, plural
from dockpass.ui.actions import row_binding
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.pick import Answers, Pick
from dockpass.ui.views import choices
from dockpass.ui.views.commands import CommandState, Decided
from dockpass.ui.views.job import Context, context_line, logins_line
from dockpass.ui.views.words import WIDE, Line, Span, Status, shorten
from dockpass.ui.widgets.panel import Panel, Rows
from dockpass.variables.gitlab.tree import YamlError
from dockpass.variables.gitlab.versions import ref_in
from dockpass.variables.inwords import protection_words

AT_ONCE = 0.04
"""Seconds up to which a resolution is awaited; what takes longer is done in the background."""

CONTEXT = ("job", "ref", "protection", "environment", "pipeline_source")
"""The actions that change what is looked at."""


class WhyRows(Rows):
    """A list whose rows are explained in the next panel."""

    BINDINGS = [row_binding("why", "Go to the panel that explains the row.")]


class JobScreen(PanelScreen):
    """A screen about a job of the clone; `show_seen` is called when a job was resolved.

    Its first panel is a list, the second one explains the selected row. `LAST_HIDDEN_IF` is
    the class under which the style sheet hides the last one.
    """

    LAST_HIDDEN_IF: ClassVar[str] = ""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.reading = True
        self.resolving = False
        self.error: YamlError | None = None
        self.seen: Seen | None = None
        self.before: dict[Command, Decided] | None = None
        """The logins before the last change; None where nothing was changed yet."""
        self.now: dict[Command, Decided] = {}

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Show only the keys that work here and now."""
        if action in {"job", "environment"}:
            return self.seen is not None
        if action in CONTEXT:
            return self.desk.has_something and not self.reading
        return True

    def on_mount(self) -> None:
        """Read the clone, in the background."""
        self.refresh_all()
        self.in_background(self.session.open_desk, self._take_desk)

    @property
    def desk(self) -> Desk:
        """The pipeline and the job that are looked at."""
        return self.session.desk

    def _take_desk(self, desk: Desk) -> None:
        if desk.kept.problem and desk.kept.problem != self.session.desk.kept.problem:
            self.notify(f"{desk.kept.problem}.", severity="warning", timeout=12)
        self.session.desk = desk
        self.reading = False
        self.resolve()

    def resolve(self) -> None:
        """Resolve what is looked at; in the background, if that takes long."""
        desk, edits = self.desk, self.session.all_edits()
        if not desk.has_something:
            self._take(None)
        elif desk.took < AT_ONCE or desk.is_seen(edits, desk.looking):
            self._take(_seen(desk, edits))
        else:
            self.resolving = True
            self.in_background(partial(_seen, desk, edits), self._take)
        self.refresh_all()

    def _take(self, seen: Seen | YamlError | None) -> None:
        self.resolving = False
        self.error = seen if isinstance(seen, YamlError) else None
        self.seen = seen if isinstance(seen, Seen) else None
        if self.error is not None:
            return
        session, view = self.session, self.seen.view if self.seen is not None else None
        facts = session.facts if view is None else session.facts_of_job(view, session.edits)
        self.now = {command: decide(command, facts) for command in Command}
        self.show_seen()

    def show_seen(self) -> None:
        """Take what was resolved; each screen knows what for."""

    def look(self, looking: Looking) -> None:
        """Look at another job or pipeline."""
        if looking != self.desk.looking:
            self.before = dict(self.now)
            self.desk.looking = looking
            self.resolve()

    def changed(self) -> None:
        """Resolve anew: an edit or an import has changed what there is."""
        self.before = dict(self.now)
        self.resolve()

    def action_open(self, place: str) -> None:
        """Open another screen, or go back to it where it is the one below."""
        below = self.app.screen_stack[-2]
        if isinstance(below, JobScreen) and place == below.PLACE:
            self.dismiss(None)
        else:
            self.open_place(place, Command.PUSH)

    def on_screen_resume(self) -> None:
        """Come back from another screen, where another job may have been chosen."""
        if self.is_mounted and not self.reading:
            self.resolve()

    def panels(self) -> tuple[str, ...]:
        """Leave out those that are hidden: all by a notice, the last one where there is no room for it."""
        if self.has_class("-notice"):
            return ()
        return self.PANELS[:-1] if self.has_class(self.LAST_HIDDEN_IF) else self.PANELS

    def on_option_list_option_selected(self) -> None:
        """Go to the panel that explains the row."""
        self.query_one(f"#{self.PANELS[1]}").focus()

    def copy_of_job(self, *words: str, options: Iterable[tuple[str, str | bool]]) -> None:
        """Copy a `dockpass vars` with the same edits, and say what it lacks of this screen."""
        from dockpass.runs.lines import variables_line

        known = self.session.services
        edits = self.session.all_edits()
        line = variables_line(["vars", *words], options, edits, known.environ, known.redactor)
        lacks = [each for each in self.desk.own_imports if not each.option]
        self.copy_line(line, f"without the {plural(len(lacks), 'import')} made here" if lacks else "")

    def failed(self, error: Exception) -> None:
        """Say why nothing was read."""
        self.reading = self.resolving = False
        super().failed(error)

    def status(self) -> Status:
        """Return the job and the ref, the edits, and how much was loaded."""
        return self._status_left(), self._status_right()

    def _status_left(self) -> Line:
        title, desk = self.titled(""), self.desk
        if self.reading or not desk.has_something:
            return (*title, (f"  {clean(self.session.place.label)}", "label"))
        ref = desk.looking.ref
        spans: list[Span] = [*title[:-1], ("  ", "text")]
        path = desk.clone.project.path if desk.clone is not None else None
        if path and self.size.width >= WIDE:
            spans += [(path, "label"), (" › ", "label")]
        spans += [(self.job_words(), "text"), (f"  {clean(ref.name, 200)}", "text")]
        spans.append((f" {protection_words(ref)}", "good" if ref.protected else "look"))
        return tuple(spans)

    def _status_right(self) -> Line:
        spans: list[Span] = []
        if self.resolving:
            spans += [("resolving", "look"), ("   ", "text")]
        if edits := len(self.session.edits):
            spans += [(f"{GLYPH_EDITED} {plural(edits, 'edit')}", "look"), ("   ", "text")]
        if self.seen is not None and self.size.width >= WIDE:
            files = len(self.seen.loaded.config.files) if self.desk.clone is not None else 0
            spans.append((plural(files + len(self.desk.imported), "source"), "label"))
        return tuple(spans)

    def job_words(self) -> str:
        """Return the job that is looked at, with its matrix instance."""
        looking = self.desk.looking
        if not looking.job:
            return "every job"
        job = self.seen.loaded.config.job(looking.job) if self.seen is not None else None
        if job is None:
            return f"{'no job ' if self.seen is not None else ''}{clean(looking.job, 255)}"
        at = looking.instance
        return clean(job.instance_name(at) if at < len(job.instances) else looking.job, 255)

    def notice_lines(self) -> list[Line]:
        """Return what stands in place of everything else: why nothing is shown."""
        if self.error is None:
            return [(("reading the project", "label"),)]
        where = f"{clean(str(self.error.place), 200)}: " if self.error.place.line else ""
        words = "GitLab would refuse this configuration. Fix the YAML, then open this screen again."
        return [((f"{where}{self.error.message}", "bad"),), (), ((words, "text"),)]

    def show_context(self, panel: Panel, more: Line) -> None:
        """Show what is looked at, and the logins; `more` stands there where there is no job to look at."""
        before = self.before or self.now
        states = [CommandState(command, now, before.get(command, now)) for command, now in self.now.items()]
        first: Callable[[int], Line] = lambda _: more  # noqa: E731
        panel.border_title = "Where these come from"
        panel.border_subtitle = shorten(self._settings_words(), self.room)
        if self.desk.has_something:
            panel.border_title = "What the job is"
            keys = {name: key_for(name, self.session.keys) for name in CONTEXT}
            first = partial(context_line, self._looked_at(), keys)

        def lines(width: int) -> list[Line]:
            shown = [first(width)] if self.size.width >= WIDE else []
            if states:
                shown.append(logins_line(states, width, changed=self.before is not None))
            return shown

        panel.show(lines)

    def settings_warnings(self) -> tuple[str, ...]:
        """Return what to know of the project's settings, in sentences."""
        desk = self.desk
        told = [f"{each[:1].upper()}{each[1:]}." for each in desk.kept.warnings(desk.looking.ref)]
        if not desk.imported and desk.kept.snapshot is None:
            told.append("The settings of the project and its groups are not loaded.")
        return tuple(told)

    def _settings_words(self) -> str:
        """Return whose settings are known, and how old they are; or why what is kept is not used."""
        kept = self.desk.kept
        return f"{GLYPH_LOOK} {kept.problem}" if kept.problem else kept.headline()

    def _looked_at(self) -> Context:
        looking = self.desk.looking
        return Context(
            job=self.job_words(),
            ref=ref_in(looking.ref, self.desk.version),
            environment=self.environment_words(),
            source=looking.source,
        )

    def environment_words(self) -> str:
        """Return the environment of the job that is looked at."""
        environment = self.seen.view.environment if self.seen is not None else ""
        if self.desk.looking.environment == "" or environment == "":
            return "none"
        return clean(environment, 100) if isinstance(environment, str) else "not known"

    # What is looked at

    def action_job(self) -> None:
        """Choose the job."""
        if self.seen is None:
            return
        looking = self.desk.looking
        now = choices.job_id(looking.job, looking.instance) if looking.job else choices.EVERY_JOB
        answers = partial(choices.job_answers, self.seen.loaded.config, now)
        words = "The variables are those that it would get."
        self._ask("Which job?", words, answers, now, self._take_job)

    def _take_job(self, answer: str) -> None:
        job, instance = choices.job_of(answer)
        self.session.look_as_job(bool(job))
        self.look(replace(self.desk.looking, job=job, instance=instance))

    def action_ref(self) -> None:
        """Choose the branch, tag or merge request."""
        ref = self.desk.looking.ref
        answers = partial(choices.ref_answers, self.desk.known_refs, ref)
        words = "Protected variables and rules depend on it. Type any name."
        self._ask("Which ref?", words, answers, choices.ref_id(ref), self._take_ref)

    def _take_ref(self, answer: str) -> None:
        ref = choices.ref_of(answer)
        known = ref.name == self.desk.looking.ref.name and ref.type is self.desk.looking.ref.type
        protected = self.desk.looking.ref.protected if known else self.desk.protected(ref)
        self.look(self.desk.looking.on(replace(ref, protected=protected)))

    def action_protection(self) -> None:
        """Treat the ref as protected, or as unprotected."""
        ref = self.desk.looking.ref
        self.look(replace(self.desk.looking, ref=replace(ref, protected=ref.protected is False)))

    def action_environment(self) -> None:
        """Choose the environment."""
        if self.seen is None:
            return
        looking, seen = self.desk.looking, self.seen
        now = {None: choices.OWN_ENVIRONMENT, "": choices.NO_ENVIRONMENT}.get(
            looking.environment, f"name:{looking.environment}"
        )
        job = seen.loaded.config.job(looking.job)
        own = clean(job.environment, 100) if job is not None and job.environment else "none"
        answers = partial(
            choices.environment_answers, seen.loaded.config, seen.loaded.situation.definitions, own, now
        )
        words = "Variables with an environment scope depend on it. Type any name."
        self._ask("Which environment?", words, answers, now, self._take_environment)

    def _take_environment(self, answer: str) -> None:
        names = {choices.OWN_ENVIRONMENT: None, choices.NO_ENVIRONMENT: ""}
        name = names[answer] if answer in names else answer.partition(":")[2]
        self.look(replace(self.desk.looking, environment=name))

    def action_pipeline_source(self) -> None:
        """Choose what starts the pipeline."""
        now = self.desk.looking.source
        answers = partial(choices.source_answers, now)
        words = "Rules often compare CI_PIPELINE_SOURCE."
        self._ask("What starts the pipeline?", words, answers, now, self._take_source)

    def _take_source(self, answer: str) -> None:
        self.look(replace(self.desk.looking, source=answer))

    def _ask(self, title: str, means: str, answers: Answers, now: str, take: Callable[[str], None]) -> None:
        def taken(answer: str | None) -> None:
            if answer is not None:
                take(answer)

        self.app.push_screen(Pick(title, means, answers, now=now), taken)


def _seen(desk: Desk, edits: Sequence[Edit]) -> Seen | YamlError:
    try:
        return desk.seen(edits)
    except YamlError as error:
        return error
