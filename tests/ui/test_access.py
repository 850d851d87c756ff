"""The access screen: nothing is sent before a key asks for it, and what comes back is shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from fakerealm import FakeRealm, grants
from fakeregistry import Said
from screens import painted, press, shown
from textual.pilot import Pilot

import probes
from dockpass.auth.command import Command, Method
from dockpass.auth.facts import Facts
from dockpass.errors import DockpassError
from dockpass.findings import Finding, Severity
from dockpass.probe.model import LoginState, Probe, Verdict
from dockpass.probe.plan import AccessPlan, AccessReport, plan_access, probe_access, requirements_of
from dockpass.runs.services import Services
from dockpass.session.session import Session
from dockpass.ui.screens.access import AccessScreen
from dockpass.ui.views.access import evidence_lines, granted_lines, need_lines, planned_lines, status_line
from dockpass.ui.views.words import plain
from dockpass.unknown import Unknown
from scenes import ALICE, CLEANUP_TOKEN, FOREIGN, JOB, session

PAGE = b"<html><title>Sign in</title></html>"
HOSTILE = "[@click=app.quit]x[/][bold"


class Answers:
    """Stands for the registry; remembers what it was asked."""

    def __init__(self, made: Session, found: dict[Method, Probe] | None = None) -> None:
        self.asked: list[tuple[tuple[Method, ...], bool]] = []
        self.agreed: list[object] = []
        self.release: asyncio.Event | None = None
        self.cancelled = False
        self.error: DockpassError | None = None
        self._answer = probes.answering(lambda: found or probes.job_token())
        made.probe = self

    async def __call__(
        self, plan: AccessPlan, facts: Facts, services: Services, methods: Sequence[Method], **more: object
    ) -> AccessReport:
        self.asked.append((tuple(methods), bool(more["push"])))
        self.agreed.append(more["agreed"])
        if self.error is not None:
            raise self.error
        if self.release is not None:
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        return await self._answer(plan, facts, services, methods, **more)


@asynccontextmanager
async def opened(
    made: Session, key: str = "2", size: tuple[int, int] = (120, 36)
) -> AsyncIterator[Pilot[int]]:
    async with shown(made, size) as pilot:
        await press(pilot, key, "a")
        yield pilot


async def test_nothing_is_sent_by_opening_the_screen() -> None:
    made = session(JOB)
    answers = Answers(made)
    async with opened(made) as pilot:
        assert isinstance(pilot.app.screen, AccessScreen)
        assert "Nothing has been sent yet." in painted(pilot.app)
        await press(pilot, "tab", "tab", "tab", "escape")
    assert answers.asked == []


async def test_enter_asks_with_the_login_of_the_command_and_c_with_all_at_hand() -> None:
    made = session(JOB, edits=(CLEANUP_TOKEN,))
    answers = Answers(made)
    async with opened(made, "4") as pilot:
        await press(pilot, "enter", "c")
    assert answers.asked[0] == ((Method.CLEANUP_TOKEN,), False)
    assert answers.asked[1] == ((Method.CLEANUP_TOKEN, Method.AUTOLOGIN, Method.AMBIENT), False)


async def test_a_foreign_registry_gets_no_token_without_a_yes() -> None:
    made = session(JOB, edits=(FOREIGN,))
    answers = Answers(made)
    async with opened(made) as pilot:
        await press(pilot, "enter", "n")
        assert answers.asked == []
        await press(pilot, "enter", "y")
    assert answers.asked == [((Method.AUTOLOGIN,), False)]


async def test_push_is_asked_for_only_where_it_was_left_out_and_after_a_question() -> None:
    made = session(JOB)
    [found] = probes.job_token().values()
    absent = replace(
        found,
        exists=False,
        actions=tuple(
            replace(each, verdict=Verdict.NOT_PROBED) if each.asked == "push" else each
            for each in found.actions
        ),
    )
    answers = Answers(made, {Method.AUTOLOGIN: absent})
    async with opened(made) as pilot:
        await press(pilot, "p", "enter", "p", "n")
        assert [push for _, push in answers.asked] == [False]
        await press(pilot, "p", "y")
    assert [push for _, push in answers.asked] == [False, True]


async def test_a_changed_realm_is_trusted_only_after_a_yes(tmp_path: Path) -> None:
    made = session(JOB, answers=probes.changed_realm)
    made.services = replace(made.services, state=tmp_path)
    async with opened(made) as pilot:
        await press(pilot, "t", "enter", "t", "n")
        assert not (tmp_path / "realms.json").exists()
        await press(pilot, "t", "y")
    assert "https://login.example.net/token" in (tmp_path / "realms.json").read_text()


async def test_a_server_that_nobody_agreed_to_gets_the_login_only_after_a_yes() -> None:
    made = session(JOB)
    [found] = probes.changed_realm().values()
    finding = Finding("realm-not-agreed", "", "It is of another domain.", severity=Severity.ERROR)
    answers = Answers(made, {Method.AUTOLOGIN: replace(found, findings=(finding,))})
    async with opened(made) as pilot:
        await press(pilot, "enter", "t", "n")
        assert answers.agreed == [frozenset()]
        await press(pilot, "t", "y")
    assert answers.agreed == [frozenset(), {"login.example.net"}]


async def test_leaving_stops_asking() -> None:
    made = session(JOB)
    answers = Answers(made)
    answers.release = asyncio.Event()
    async with opened(made) as pilot:
        await press(pilot, "enter")
        assert "asking with autologin" in painted(pilot.app)
        await press(pilot, "enter", "c", "escape")
        assert not isinstance(pilot.app.screen, AccessScreen)
    assert answers.cancelled
    assert len(answers.asked) == 1


async def test_a_failure_is_told_and_the_screen_goes_on() -> None:
    made = session(JOB)
    answers = Answers(made)
    answers.error = DockpassError("asked-for", "It failed as asked.", "Nothing to do.")
    async with opened(made) as pilot:
        await press(pilot, "enter")
        answers.error = None
        await press(pilot, "enter")
        assert "job token" in painted(pilot.app)


async def test_hostile_text_is_shown_as_text() -> None:
    [found] = probes.job_token().values()
    hostile = replace(
        found,
        username=HOSTILE,
        flavour=HOSTILE,
        login=replace(found.login, state=LoginState.REJECTED, words=HOSTILE),
        token=replace(found.token, auth_type=HOSTILE, deny_delete=(HOSTILE,)),
        requests=tuple(replace(each, words=HOSTILE, url=HOSTILE) for each in found.requests),
        findings=(Finding("x", "", HOSTILE, hint=HOSTILE, severity=Severity.ERROR),),
    )
    made = session(JOB)
    Answers(made, {Method.AUTOLOGIN: hostile})
    async with opened(made) as pilot:
        await press(pilot, "enter", "tab", "y")
        assert pilot.app.is_running
        assert "[@click=app.quit]x[/]" in painted(pilot.app)


@pytest.mark.parametrize("size", [(20, 5), (60, 16), (80, 24), (200, 60)])
async def test_every_size_is_drawn(size: tuple[int, int]) -> None:
    made = session(JOB, edits=(CLEANUP_TOKEN,), answers=probes.compared)
    async with opened(made, size=size) as pilot:
        await press(pilot, "c", "tab", "tab", "tab", "y")
        assert pilot.app.is_running


async def test_a_real_answer_is_shown_with_its_requests(tmp_path: Path) -> None:
    token = grants("pull", "push", sub="alice", auth_type="build")
    async with FakeRealm(realm="/jwt/auth", service="container_registry", token=token) as fake:
        job = {**JOB, "CI_REGISTRY": fake.host, "CI_SERVER_HOST": "127.0.0.1"}
        job["CI_REGISTRY_IMAGE"] = f"{fake.host}/web/backend"
        made = session(job, base=None)
        made.probe = probe_access
        made.services = replace(made.services, state=tmp_path)
        async with opened(made, "4") as pilot:
            await press(pilot, "enter")
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()
            shot = painted(pilot.app)
        assert len(fake.asked) == 7
    for words in ("job token", "✗ cannot", "Set WERF_IMAGES_CLEANUP_PASSWORD", "scope web/backend:delete"):
        assert words in shot
    assert JOB["CI_JOB_TOKEN"] not in shot


@pytest.mark.parametrize("width", [54, 74, 94, 114, 194])
def test_no_line_of_the_table_is_wider_than_the_panel(width: int) -> None:
    values = {**JOB, "WERF_DOCKER_CONFIG": "/conf", "WERF_IMAGES_CLEANUP_PASSWORD": "canary"}
    made = session(values, edits=ALICE)
    plan = made.access(Command.CLEANUP)
    found = probes.compared()
    for lines in (
        granted_lines(plan, found, None, width),
        need_lines(requirements_of(plan, found), True, width),
        evidence_lines(found, width),
        planned_lines(plan, width),
    ):
        assert max(len(line) for line in plain(lines)) <= width
    assert "external config" in plain(granted_lines(plan, found, None, width))[0]


@pytest.mark.parametrize("width", [74, 134])
def test_a_value_that_is_not_known_is_told_whole(width: int) -> None:
    made = session({**JOB, "CI_JOB_TOKEN": Unknown("masked in the log", is_set=True)})
    plan = made.access(Command.PUSH)
    assert "value unknown" in plain(granted_lines(plan, {}, None, width))[1]


async def test_without_a_repository_the_screen_does_not_open() -> None:
    async with opened(session({})) as pilot:
        assert not isinstance(pilot.app.screen, AccessScreen)


async def real_report(fake: FakeRealm, tmp_path: Path) -> tuple[AccessPlan, AccessReport]:
    own = {"CI_REGISTRY": fake.host, "CI_REGISTRY_IMAGE": f"{fake.host}/web/backend"}
    server = {"CI_SERVER_HOST": "127.0.0.1", "CI_SERVER_URL": "http://127.0.0.1"}
    made = session(JOB | own | server)
    plan = plan_access(Command.PUSH, made.facts)
    services = Services({}, tmp_path, tmp_path, tmp_path)
    return plan, await probe_access(plan, made.facts, services, (plan.chosen,))


def words_of(lines: Sequence[Sequence[tuple[str, str]]]) -> str:
    return " ".join(" ".join(plain(lines)).split())


@pytest.mark.parametrize("width", [60, 80, 100, 200])
async def test_what_is_no_registry_is_told_on_the_screen_too(tmp_path: Path, width: int) -> None:
    async with FakeRealm(ping=lambda _: Said(200, PAGE), listing=lambda _: Said(200, PAGE)) as fake:
        plan, report = await real_report(fake, tmp_path)
    text = words_of(granted_lines(plan, report.probes, None, width))
    assert "✗ not a registry" in text
    assert "granted" not in text
    _, right = status_line(plan, report.probes, None)
    assert right == (("✗ not a registry", "bad"),)
    assert "does not answer as a registry" in words_of(evidence_lines(report.probes, width))


@pytest.mark.parametrize(("width", "words"), [(60, "▲ "), (80, "▲ "), (100, "▲ sent; no usable answer")])
async def test_a_login_without_a_usable_answer_is_told_as_that(
    tmp_path: Path, width: int, words: str
) -> None:
    async with FakeRealm(token=lambda _: Said(200, PAGE)) as fake:
        plan, report = await real_report(fake, tmp_path)
    text = words_of(granted_lines(plan, report.probes, None, width))
    assert words in text
    assert "usable answer" in text
    assert "sent; no usable answer" in words_of(evidence_lines(report.probes, width))
    assert "not known" in words_of(need_lines(report.needs, True, width))


async def test_y_copies_the_command_line_that_asks_the_same() -> None:
    async with shown(session(JOB, edits=(CLEANUP_TOKEN,), answers=probes.compared)) as pilot:
        await press(pilot, "2", "a", "y")
        line = pilot.app.clipboard
        assert line.startswith("dockpass probe push") or " dockpass probe push" in line
        assert "--compare" not in line
        assert "canary" not in line
        await press(pilot, "c", "y")
        assert "dockpass probe push --compare" in pilot.app.clipboard
