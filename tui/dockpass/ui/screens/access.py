"""Access: what a registry grants to the logins at hand. Nothing is sent before a key asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from dockpass.auth.command import Method
from dockpass.errors import DockpassError
from dockpass.probe.model import Level, LoginState, Probe, Verdict
from dockpass.probe.plan import AccessPlan, AccessReport, accept_realm, requirements_of
from dockpass.ui.actions import bindings
from dockpass.ui.screens.dialogs import Confirm, Help
from dockpass.ui.session import Session
from dockpass.ui.text import content
from dockpass.ui.views.access import (
    WIDE,
    evidence_lines,
    finding_lines,
    granted_lines,
    need_lines,
    planned_lines,
    status_line,
    summary,
)
from dockpass.ui.views.helping import help_lines
from dockpass.ui.views.words import Line, plain
from dockpass.ui.widgets.keys import Keys
from dockpass.ui.widgets.panel import Panel
from dockpass.ui.widgets.too_small import TooSmall

PANELS = ("granted", "needs", "evidence")


class AccessScreen(Screen[None]):
    """What was granted, what that means for each command, by what evidence?"""

    BINDINGS = [*bindings("access"), *bindings("everywhere")]
    PLACE = "access"
    AUTO_FOCUS = "#granted"

    def __init__(self, session: Session, plan: AccessPlan) -> None:
        super().__init__()
        self.session = session
        self.plan = plan
        self.probes: dict[Method, Probe] = {}
        self.report: AccessReport | None = None
        self._asking: list[Method] = []
        self._agreed: frozenset[str] = frozenset()

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

    def compose(self) -> ComposeResult:
        """Status line, the table, the commands, the evidence, keys."""
        with Horizontal(id="status"):
            yield Static(id="status-left", markup=False)
            yield Static(id="status-right", markup=False)
        yield TooSmall()
        yield Panel("Asked and granted", id="granted")
        yield Panel("What each command needs", id="needs")
        yield Panel("Evidence", id="evidence")
        yield Keys()

    def on_mount(self) -> None:
        """Show what could be asked."""
        self.call_after_refresh(self.refresh_all)

    def on_resize(self) -> None:
        """Columns depend on the width."""
        self.call_after_refresh(self.refresh_all)

    def refresh_all(self) -> None:
        """Show everything anew."""
        plan, probes = self.plan, self.probes
        width = self.size.width - 6
        asking = self._asking[0] if self._asking else None
        sandbox = self.session.sandbox is not None
        left, right = status_line(plan, probes, asking, sandbox=sandbox)
        self.query_one("#status-left", Static).update(content(left))
        self.query_one("#status-right", Static).update(content(right))
        granted = self.query_one("#granted", Panel)
        granted.show(granted_lines(plan, probes, asking, width))
        granted.border_subtitle = summary(probes) or f"▶ is the login of {plan.command}"
        needs = need_lines(requirements_of(plan, probes), bool(probes), width)
        # Where the evidence is behind a key, what is wrong has to stand here.
        alarms = finding_lines(probes, Level.BAD, width) if self.size.width < WIDE else []
        self.query_one("#needs", Panel).show([*alarms, *([()] if alarms else []), *needs])
        evidence = self.query_one("#evidence", Panel)
        lines = evidence_lines(probes, width) if probes else planned_lines(plan, width)
        evidence.show(lines)
        self.refresh_bindings()

    def action_probe(self) -> None:
        """Ask with the login of the command."""
        self._ask((self.plan.chosen,))

    def action_compare(self) -> None:
        """Ask with every login at hand."""
        self._ask(self.plan.comparable)

    def action_ask_push(self) -> None:
        """Ask to push to a repository that is not there."""
        lines: list[Line] = [
            (("Nothing is pushed. But asking for it makes the repository's record on GitLab,", "text"),),
            (("which then shows up in the project, empty.", "text"),),
        ]
        title = f"Ask to push to {self.plan.repository}?"
        self.app.push_screen(
            Confirm(title, lines, yes="ask"),
            lambda yes: self._ask((self.plan.chosen,), push=True) if yes else None,
        )

    def action_accept(self) -> None:
        """Accept a realm that has changed."""
        changed = self.report.changed if self.report else None
        if changed is None:
            self._ask_to_agree(self.report.unagreed if self.report else "")
            return
        lines: list[Line] = [
            (("until now  ", "label"), (changed.before, "text")),
            (("now        ", "label"), (changed.now, "bad")),
            (),
            (("Whoever runs that address gets the login. Ask the registry's operator first.", "text"),),
        ]
        title = f"Trust the new token server of {changed.host}?"
        self.app.push_screen(Confirm(title, lines, yes="trust it", danger=True), self._accepted)

    def _ask_to_agree(self, host: str) -> None:
        """Ask whether a host may get the login that is not plainly the registry's; for this screen only."""
        if not host:
            return
        lines = finding_lines(self.probes, Level.BAD, min(self.size.width - 16, 90))
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
        foreign = self.plan.foreign(methods)
        if not foreign:
            self._start(methods, push, True)
            return
        lines: list[Line] = [((foreign, "bad"),)]
        dialog = Confirm("Send the token to a foreign registry?", lines, yes="send it", danger=True)
        self.app.push_screen(dialog, partial(self._start, methods, push))

    def _start(self, methods: Sequence[Method], push: bool, yes: bool | None) -> None:
        if yes:
            self._asking = list(methods)
            for method in methods:
                self.probes.pop(method, None)
            self.refresh_all()
            self._probe(tuple(methods), push)

    @work(exclusive=True, exit_on_error=False, group="probe")
    async def _probe(self, methods: tuple[Method, ...], push: bool) -> None:
        session = self.session
        try:
            self.report = await session.probe(
                self.plan,
                session.facts,
                session.services,
                methods,
                push=push,
                foreign_allowed=True,
                agreed=self._agreed,
                on_probe=partial(self._arrived, list(methods)),
            )
            self.probes.update(self.report.probes)
            for note in self.report.notes:
                self.app.notify(note, timeout=6)
        except DockpassError as error:
            self.app.notify(f"{error.message} {error.hint}", severity="error", timeout=10)
        finally:
            self._asking = []
            if self.is_mounted:
                self.refresh_all()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A fault in asking is told too; it must not look like an answer that is still to come."""
        if event.state is WorkerState.ERROR:
            fault = type(event.worker.error).__name__
            self.app.notify(f"a fault of dockpass itself ({fault})", severity="error", timeout=10)

    def _arrived(self, methods: list[Method], probe: Probe) -> None:
        """One login is through; show it while the next is asked about."""
        method = next(found for found in methods if found.label == probe.credential_name)
        self.probes[method] = probe
        self._asking = methods[methods.index(method) + 1 :]
        if self.is_mounted:
            self.refresh_all()

    def action_panel(self) -> None:
        """Go to the next panel; on a narrow terminal the evidence takes the place of the others."""
        focused = self.focused.id if self.focused and self.focused.id in PANELS else PANELS[-1]
        following = PANELS[(PANELS.index(str(focused)) + 1) % len(PANELS)]
        self.set_class(following == "evidence", "-evidence")
        self.query_one(f"#{following}").focus()
        self.call_after_refresh(self.refresh_all)

    def action_copy(self) -> None:
        """Copy what is shown, as text."""
        width = 120
        lines = [
            *granted_lines(self.plan, self.probes, None, width),
            (),
            *need_lines(requirements_of(self.plan, self.probes), bool(self.probes), width),
            (),
            *evidence_lines(self.probes, width),
        ]
        self.app.copy_to_clipboard(self.session.services.redactor("\n".join(plain(lines))))
        self.notify("the table and every request, sent to the terminal's clipboard", timeout=4)

    def action_leave(self) -> None:
        """Go back; what is being asked is not waited for."""
        self.workers.cancel_group(self, "probe")
        self.dismiss(None)

    def action_help(self) -> None:
        """Show every key."""
        self.app.push_screen(Help(partial(help_lines, "access", self.session.keys)))
