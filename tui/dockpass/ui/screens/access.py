"""Access: what a registry grants to the logins at hand. Nothing is sent before a key asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual.app import ComposeResult

from dockpass.auth.command import Command, Method
from dockpass.auth.decision import Refusal
from dockpass.errors import UsageError
from dockpass.findings import Severity
from dockpass.marks import GLYPH_NOW
from dockpass.probe.model import LoginState, Probe, Verdict
from dockpass.probe.plan import AccessPlan, AccessReport, accept_realm, requirements_of
from dockpass.readonly import Act
from dockpass.runs.lines import probe_line
from dockpass.session.session import Session
from dockpass.ui.actions import bindings
from dockpass.ui.editor import Editor
from dockpass.ui.host import forbids
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.dialogs import Confirm
from dockpass.ui.views.access import (
    evidence_lines,
    finding_lines,
    granted_lines,
    need_lines,
    planned_lines,
    status_line,
    summary,
)
from dockpass.ui.views.words import WIDE, Line, Status, filter_words, nothing_matches, plain
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.panel import Panel
from dockpass.variables.catalogue import entry_of


class AccessScreen(PanelScreen):
    """What was granted, what that means for each command, by what evidence?"""

    BINDINGS = [*bindings("access"), *bindings("everywhere")]
    PLACE = "access"
    PANELS = ("granted", "needs", "evidence")
    AUTO_FOCUS = "#granted"

    def __init__(self, session: Session, plan: AccessPlan) -> None:
        super().__init__(session)
        self.plan = plan
        self.probes: dict[Method, Probe] = {}
        self.report: AccessReport | None = None
        self._asking: list[Method] = []
        self._agreed: frozenset[str] = frozenset()
        self._editor = Editor(self, session, self.refresh_all)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Show only the keys that work here and now."""
        if action in {"probe", "compare", "ask_push", "accept"} and self._asking:
            return False
        if action == "compare":
            return len(self.plan.comparable) > 1 and not (
                self.report and (self.report.changed or self.report.unagreed)
            )
        if action == "ask_push":
            probe = self.probes.get(self.plan.chosen)
            accepted = probe is not None and probe.login.state is LoginState.ACCEPTED
            return probe is not None and accepted and probe.verdict("push") is Verdict.NOT_PROBED
        if action == "accept":
            return self.report is not None and bool(self.report.changed or self.report.unagreed)
        return True

    @classmethod
    def for_command(cls, session: Session, command: Command) -> AccessScreen:
        """Return the access of a command; raises `DockpassError`. Nothing is sent."""
        return cls(session, session.access(command))

    def compose_panels(self) -> ComposeResult:
        """The table, the commands, the evidence."""
        yield Panel("Asked and granted", id="granted")
        yield Panel("What each command needs", id="needs")
        yield Panel("Evidence", id="evidence")
        yield Filter("a part of a request or a reason", filters="#evidence")

    def on_mount(self) -> None:
        """Show what could be asked."""
        self.call_after_refresh(self.refresh_all)

    @property
    def _now_asking(self) -> Method | None:
        return self._asking[0] if self._asking else None

    def status(self) -> Status:
        """Return what is asked, and how the registry is."""
        return status_line(self.plan, self.probes, self._now_asking, self.session.badges)

    def refresh_all(self) -> None:
        """Show everything anew."""
        plan, probes, asking = self.plan, self.probes, self._now_asking
        granted = self.query_one("#granted", Panel)
        granted.show(partial(granted_lines, plan, probes, asking))
        granted.border_subtitle = summary(probes) or f"{GLYPH_NOW} marks the login of {plan.command}"

        def needs(width: int) -> list[Line]:
            # Where the evidence is behind a key, what is wrong has to stand here.
            alarms = finding_lines(probes, Severity.ERROR, width) if self.size.width < WIDE else []
            lines = need_lines(requirements_of(plan, probes), bool(probes), width)
            return [*alarms, *([()] if alarms else []), *lines]

        self.query_one("#needs", Panel).show(needs)
        self._show_evidence()
        super().refresh_all()

    def _show_evidence(self) -> None:
        panel, text = self.query_one("#evidence", Panel), self.query_one(Filter).text

        def everything(width: int) -> list[Line]:
            return evidence_lines(self.probes, width) if self.probes else planned_lines(self.plan, width)

        def matching(width: int) -> list[Line]:
            return [line for line in everything(width) if text in plain([line])[0].casefold()]

        panel.show(lambda width: matching(width) or nothing_matches(text))
        found, total = len(matching(self.room)), len(everything(self.room))
        panel.border_title = f"Evidence {filter_words(text, found, total)}".rstrip()

    def action_probe(self) -> None:
        """Ask with the login of the command."""
        self._ask((self.plan.chosen,))

    def action_compare(self) -> None:
        """Ask with every login at hand."""
        self._ask(self.plan.comparable)

    def action_ask_push(self) -> None:
        """Ask to push to a repository that does not exist."""
        if forbids(self.app, Act.CREATE):
            return
        lines: list[Line] = [
            (("Nothing is pushed, but GitLab creates the repository on such a request:", "text"),),
            (("an empty repository then appears in the project.", "text"),),
        ]
        title = f"Request push access to {self.plan.repository}?"
        self.app.push_screen(
            Confirm(title, lines, yes="ask"),
            lambda yes: self._ask((self.plan.chosen,), push=True) if yes else None,
        )

    def action_accept(self) -> None:
        """Accept a realm that has changed."""
        if forbids(self.app, Act.TRUST):
            return
        changed = self.report.changed if self.report else None
        if changed is None:
            self._ask_to_agree(self.report.unagreed if self.report else "")
            return
        lines: list[Line] = [
            (("before  ", "label"), (changed.before, "text")),
            (("now     ", "label"), (changed.now, "bad")),
            (),
            (
                (
                    "The new server would receive your login. Ask the registry's administrator first.",
                    "text",
                ),
            ),
        ]
        title = f"Trust the new token server of {changed.host}?"
        self.app.push_screen(Confirm(title, lines, yes="trust it", danger=True), self._accepted)

    def _ask_to_agree(self, host: str) -> None:
        """Ask whether a host may get the login that is not plainly the registry's; for this screen only."""
        if not host:
            return
        lines = finding_lines(self.probes, Severity.ERROR, min(self.size.width - 16, 90))
        dialog = Confirm(f"Send the login to {host}?", lines, yes="send it", danger=True)

        def agree(yes: bool | None) -> None:
            if yes:
                self._agreed |= {host}
                self._ask((self.plan.chosen,))

        self.app.push_screen(dialog, agree)

    def _accepted(self, yes: bool | None) -> None:
        if yes and self.report is not None and self.report.changed is not None:
            accept_realm(self.session.services, self.report.changed)
            self._ask((self.plan.chosen,))

    def _ask(self, methods: Sequence[Method], *, push: bool = False) -> None:
        if self._asking:
            return
        if unknown := next((name for name in map(self._unknown, methods) if name), ""):
            chosen = self.plan.chosen
            self._editor.ask(entry_of(unknown), partial(self._ask_again, chosen, methods, push))
            return
        foreign = self.plan.foreign(methods)
        if not foreign:
            self._start(methods, push, True)
            return
        lines: list[Line] = [((foreign, "bad"),)]
        dialog = Confirm("Send the token to a foreign registry?", lines, yes="send it", danger=True)
        self.app.push_screen(dialog, partial(self._start, methods, push))

    def _unknown(self, method: Method) -> str:
        """Return the variable whose value is needed to ask with a login, and is not known."""
        return self.plan.login(method).unknown

    def _ask_again(self, before: Method, methods: Sequence[Method], push: bool) -> None:
        """Go on with a value that was typed; it may have changed which login the command has."""
        try:
            self.plan = self.session.access(self.plan.command)
        except UsageError as error:
            self.notify(f"{error.message} {error.hint}", severity="warning", timeout=8)
            return
        now = dict.fromkeys(self.plan.chosen if each is before else each for each in methods)
        self._ask(tuple(now), push=push)

    def _start(self, methods: Sequence[Method], push: bool, yes: bool | None) -> None:
        if yes:
            self._asking = list(methods)
            for method in methods:
                self.probes.pop(method, None)
            self.refresh_all()
            self._probe(tuple(methods), push)

    def _probe(self, methods: tuple[Method, ...], push: bool) -> None:
        session = self.session

        def arrived(probe: Probe) -> None:
            self.answer(partial(self._take_probe, list(methods), probe))

        work = session.probe(
            self.plan,
            session.facts,
            session.services,
            methods,
            push=push,
            foreign_allowed=True,
            agreed=self._agreed,
            on_probe=arrived,
        )
        self.in_task(work, self._take_report)

    def _take_report(self, report: AccessReport) -> None:
        self._asking = []
        self.report = report
        self.probes.update(report.probes)
        for note in report.notes:
            self.app.notify(note, timeout=6)

    def failed(self, error: Exception) -> None:
        """Say why nothing more is asked; it must not look like an answer that is still to come."""
        self._asking = []
        super().failed(error)

    def _take_probe(self, methods: list[Method], probe: Probe) -> None:
        """Take the answers to one login, while the next is asked about."""
        method = next(method for method in methods if method.label == probe.credential_name)
        self.probes[method] = probe
        self._asking = methods[methods.index(method) + 1 :]

    def action_panel(self) -> None:
        """Go to the next panel."""
        self.action_switch()

    def before_focus(self, panel: str) -> None:
        """On a narrow terminal the evidence takes the place of the others."""
        self.set_class(panel == "evidence", "-evidence")
        self.call_after_refresh(self.refresh_all)

    def open_filter(self) -> None:
        """Ask for a part of a request or a reason."""
        self.before_focus("evidence")
        super().open_filter()

    def show_filtered(self) -> None:
        """Show what the filter leaves of the evidence."""
        self._show_evidence()

    def action_copy(self) -> None:
        """Copy the command line that asks the same."""
        request = self.session.request(self.plan.command, with_values=False)
        if isinstance(request, Refusal):
            self.notify(request.message, severity="warning", timeout=5)
            return
        line = probe_line(request, self.session.services, compare=len(self.probes) > 1)
        self.copy_run(line, request.decision)

    def action_leave(self) -> None:
        """Clear a filter, else go back; what is being asked is not waited for."""
        self.action_back()
