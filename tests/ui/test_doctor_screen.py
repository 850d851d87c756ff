"""The doctor's screen: what is wrong first, why, the fix, what the fix changes, and where each key leads."""

from __future__ import annotations

import tomllib
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from screens import method, press, shown
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Input, Static

import ciworlds
from dockpass.auth.command import Command, Method
from dockpass.auth.facts import Edit, EditKind
from dockpass.doctor.check import Need
from dockpass.doctor.table import TABLE
from dockpass.doctor.trying import tried_fixes
from dockpass.doctor.visit import Visit
from dockpass.secrets import Secret
from dockpass.session.checkup import checkup
from dockpass.session.session import Session
from dockpass.text import clean
from dockpass.ui.screens.dialogs import EditValue
from dockpass.ui.screens.doctor import DoctorScreen
from dockpass.ui.screens.explaining import AskError
from dockpass.ui.screens.overview import Overview
from dockpass.ui.screens.readers import ReadersScreen
from dockpass.ui.screens.variables import VariablesScreen
from dockpass.ui.views.doctor import detail_lines, finding_row, items_of
from dockpass.ui.views.words import plain
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.panel import Panel, Rows
from scenes import JOB, session, with_project

HARBOR = "HARBOR_PASSWORD"
CLEANUP = "WERF_IMAGES_CLEANUP_PASSWORD"
IGNORING = {**JOB, "WERF_IGNORE_CI_DOCKER_AUTOLOGIN": "0"}
HOSTILE = "\x1b]0;owned\x07\u202e[@click=app.quit]x[/foo]"


def of_job(job: str = "publish", **more: object) -> Session:
    """The view of a job of the project."""
    made = with_project(job=job, **more)  # type: ignore[arg-type]
    made.as_job = True
    return made


def screen(pilot: Pilot[int]) -> DoctorScreen:
    found = pilot.app.screen
    assert isinstance(found, DoctorScreen)
    return found


async def pump(pilot: Pilot[int]) -> None:
    """Have the screen take what came, which may start more work, and take that."""
    for _ in range(2):
        if take := getattr(pilot.app.screen, "pump", None):
            take()
    await pilot.pause()


async def do(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await press(pilot, key)
        await pump(pilot)


async def open_doctor(pilot: Pilot[int], about: str = "") -> DoctorScreen:
    """Open the screen, with the first finding that is about something selected."""
    await do(pilot, "H")
    found = screen(pilot)
    if about:
        await select(pilot, about)
    return found


async def select(pilot: Pilot[int], about: str) -> None:
    rows = screen(pilot).query_one("#findings", Rows)
    rows.highlighted = next(at for at, key in enumerate(rows.ids) if key and about in key)
    await pump(pilot)


def visit(pilot: Pilot[int]) -> Visit:
    found = screen(pilot).visit
    assert found is not None
    return found


def ids(pilot: Pilot[int]) -> list[str]:
    return [each.finding.id for each in visit(pilot).found]


def rows(pilot: Pilot[int]) -> list[str]:
    return [str(option.prompt) for option in screen(pilot).query_one("#findings", Rows).options]


def text(pilot: Pilot[int], selector: str = "#finding") -> str:
    return str(screen(pilot).query_one(f"{selector} Static", Static).render())


async def test_findings_come_by_weight_with_the_commands_and_the_place() -> None:
    async with shown(of_job()) as pilot:
        await open_doctor(pilot)
        severities = [each.finding.severity for each in visit(pilot).found]
        assert severities == sorted(severities, key=["error", "warning", "note"].index)
        told = "\n".join(rows(pilot))
        assert "✗ HARBOR_PASSWORD loses characters" in told
        assert ".gitlab-ci.yml:18" in told
        assert "group web" in told
        (cleanup,) = [row for row in rows(pilot) if CLEANUP in row]
        assert "cleanup  " in cleanup
        assert "checks found nothing" in told
        assert "need the registry: a asks it" in told
        status = pilot.app.screen.query_one("#status-right", Static)
        assert "3 errors" in str(status.render())


async def test_one_finding_says_what_was_seen_why_it_matters_and_what_to_do() -> None:
    async with shown(of_job()) as pilot:
        await open_doctor(pilot, "image-elsewhere")
        shown_text = text(pilot)
        assert "CI_REGISTRY_IMAGE   registry.myhost.com/web/backend  GitLab" in shown_text
        assert "mirror.myhost.com  .gitlab-ci.yml:18" in shown_text
        assert "logs in to one registry and pushes to another" in shown_text
        assert "remove CI_REGISTRY from the job's variables" in shown_text
        assert "build: docker's own → autologin as gitlab-ci-token at registry.myhost.com" in shown_text
        assert "DP-REG-005" in shown_text


def test_no_value_of_a_secret_is_shown() -> None:
    found = checkup(of_job().as_of_now())
    keys = {"try": "t"}
    for item in items_of(found):
        tried = tried_fixes(item.found, TABLE) if item.found else ()
        shown_text = "\n".join(plain(detail_lines(item, tried, keys, "/home/dev", 90)))
        assert "canary" not in shown_text
        assert "canary" not in "".join(plain([finding_row(item, 200, "/home/dev")]))
        if HARBOR in item.key:
            assert "••••" in shown_text


async def test_a_fix_is_tried_as_an_edit_and_undone() -> None:
    made = session(IGNORING)
    async with shown(made) as pilot:
        await open_doctor(pilot, "ignore-value-looks-false")
        assert method(made, Command.PUSH) is Method.AMBIENT
        await do(pilot, "t")
        assert method(made, Command.PUSH) is Method.AUTOLOGIN
        assert "ignore-value-looks-false" not in ids(pilot)
        panel = screen(pilot).query_one("#doctor-tried", Panel)
        assert panel.display
        assert "unset WERF_IGNORE_CI_DOCKER_AUTOLOGIN" in str(panel.border_title)
        assert "docker's own → autologin" in text(pilot, "#doctor-tried")
        await do(pilot, "backspace")
        assert made.edits == []
        assert "ignore-value-looks-false" in ids(pilot)
        assert not panel.display


async def test_a_change_of_the_yaml_is_tried_as_the_value_that_it_comes_to() -> None:
    """What the job would get without the line is the edit; the file stays as it is."""
    made = of_job()
    async with shown(made) as pilot:
        await open_doctor(pilot, "image-elsewhere")
        await do(pilot, "t")
        assert [(each.name, each.value) for each in made.edits] == [("CI_REGISTRY", "registry.myhost.com")]
        assert "image-elsewhere" not in ids(pilot)
        assert method(made, Command.BUILD) is Method.AUTOLOGIN
        await do(pilot, "escape", "v")
        assert pilot.app.screen.PLACE == "variables"  # type: ignore[attr-defined]
        assert made.facts.text("CI_REGISTRY") == "registry.myhost.com"


async def test_a_secret_that_a_fix_changes_stays_one() -> None:
    made = of_job()
    async with shown(made) as pilot:
        await open_doctor(pilot, "DP-EXP-001")
        await do(pilot, "t")
        (edit,) = made.edits
        assert edit.name == HARBOR
        assert isinstance(edit.value, Secret)
        assert edit.value.reveal() == "canary$ecret"
        panel = screen(pilot).query_one("#doctor-tried", Panel)
        assert str(panel.border_title) == "Tried: set HARBOR_PASSWORD"


async def test_what_needs_a_value_that_is_not_known_is_not_tried_but_the_next_fix_is() -> None:
    made = of_job("cleanup")
    async with shown(made) as pilot:
        await open_doctor(pilot, f"absent-protected {CLEANUP}")
        assert "protect the branch feature/login" in text(pilot)
        await do(pilot, "t")
        assert made.facts.is_set(CLEANUP)
        assert method(made, Command.CLEANUP) is Method.CLEANUP_TOKEN


async def test_the_fix_is_copied() -> None:
    async with shown(session(IGNORING)) as pilot:
        await open_doctor(pilot, "ignore-value-looks-false")
        await do(pilot, "y")
        assert pilot.app.clipboard == "unset WERF_IGNORE_CI_DOCKER_AUTOLOGIN"


async def test_an_error_message_puts_what_explains_it_first() -> None:
    async with shown(of_job()) as pilot:
        await open_doctor(pilot)
        before = rows(pilot)
        await do(pilot, "e")
        assert isinstance(pilot.app.screen, AskError)
        pilot.app.screen.query_one(Input).value = "denied: access forbidden"
        await do(pilot, "enter")
        told = rows(pilot)
        assert told[0] == "What was found that explains “denied: access forbidden”"
        assert "CI_REGISTRY_IMAGE is not in CI_REGISTRY" in told[1]
        assert "It can also mean" in told
        assert "Everything else that was found" in told
        assert len([row for row in told if HARBOR in row]) == len([row for row in before if HARBOR in row])
        await do(pilot, "escape")
        assert rows(pilot) == before
        assert screen(pilot).is_current


async def test_a_paste_into_the_list_is_an_error_message() -> None:
    async with shown(of_job()) as pilot:
        found = await open_doctor(pilot)
        pasted = "$ docker push r/x\nerror parsing HTTP 403\ndenied: access forbidden\n"
        found.query_one("#findings").post_message(Paste(pasted))
        await pump(pilot)
        assert rows(pilot)[0].startswith("What was found that explains “$ docker push r/x”")


async def test_several_lines_are_pasted_into_the_dialog_at_once() -> None:
    async with shown(of_job()) as pilot:
        await open_doctor(pilot)
        await do(pilot, "e")
        pilot.app.screen.query_one(Input).post_message(Paste("pushing\nno basic auth credentials\n"))
        await pump(pilot)
        assert any("explains “pushing”" in row for row in rows(pilot)) or "It can mean" in rows(pilot)[0]


async def test_an_unknown_error_message_changes_nothing() -> None:
    async with shown(of_job()) as pilot:
        await open_doctor(pilot)
        before = rows(pilot)
        await do(pilot, "e")
        pilot.app.screen.query_one(Input).value = "the cat sat on the keyboard"
        await pilot.pause()
        assert "No check knows this." in str(pilot.app.screen.query_one("#body Static", Static).render())
        await do(pilot, "enter")
        assert rows(pilot) == before


async def test_a_hostile_error_message_is_text() -> None:
    async with shown(of_job()) as pilot:
        found = await open_doctor(pilot)
        found.query_one("#findings").post_message(Paste(f"{HOSTILE} access forbidden"))
        await pump(pilot)
        assert "\x1b" not in rows(pilot)[0]
        assert "[@click=app.quit]" in rows(pilot)[0]


async def test_what_is_told_as_one_is_shown_one_by_one_and_each_is_tried_and_muted_by_itself(
    tmp_path: Path,
) -> None:
    made = session({**JOB, "CI_REGISTRY": "registry.myhost.com\n", "CI_JOB_TOKEN": "canary-word-42\n"})
    made.paths = replace(made.paths, settings=tmp_path / "config.toml")
    async with shown(made) as pilot:
        await open_doctor(pilot, "line-end")
        assert next(row for row in rows(pilot) if "line break" in row).startswith(
            "▲ CI_JOB_TOKEN and CI_REGISTRY end with a line break"
        )
        told = text(pilot)
        assert "CI_JOB_TOKEN ends with a line break" in told
        assert "store CI_JOB_TOKEN without what does not belong to it and store CI_REGISTRY" in told
        await do(pilot, "enter", "down", "down")
        assert len([row for row in rows(pilot) if "line break" in row]) == 3
        assert "Tried           store CI_REGISTRY without what does not belong to it" in text(pilot)
        await do(pilot, "m")
        pilot.app.screen.query_one(Input).value = "a test"
        await do(pilot, "enter")
        assert ids(pilot).count("line-end") == 1
        assert tomllib.loads((tmp_path / "config.toml").read_text())["muted"][0]["about"] == "CI_REGISTRY"
        await do(pilot, "backspace", "g")
        await select(pilot, "line-end CI_JOB_TOKEN")
        await do(pilot, "t")
        assert [each.name for each in made.edits] == ["CI_JOB_TOKEN"]


async def test_enter_goes_to_the_variable_of_the_job() -> None:
    async with shown(of_job()) as pilot:
        await open_doctor(pilot, "DP-EXP-001")
        await do(pilot, "enter")
        found = pilot.app.screen
        assert isinstance(found, VariablesScreen)
        assert found.selected is not None
        assert found.selected.name == HARBOR


async def test_enter_goes_to_the_variable_of_this_process() -> None:
    async with shown(session(IGNORING)) as pilot:
        await open_doctor(pilot, "ignore-value-looks-false")
        screen(pilot)._guide.show_variable("WERF_IGNORE_CI_DOCKER_AUTOLOGIN", of_job=False)
        await pilot.pause()
        assert isinstance(pilot.app.screen, Overview)
        selected = pilot.app.screen.selected_entry
        assert selected is not None
        assert selected.name == "WERF_IGNORE_CI_DOCKER_AUTOLOGIN"


def on_disk(tmp_path: Path) -> Session:
    """The project in files of this machine."""
    for name, content in ciworlds.FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    made = of_job()
    clone = replace(ciworlds.clone(), root=tmp_path)
    made.find_clone = lambda: clone
    return made


def editor(tmp_path: Path) -> Path:
    """An editor that writes down what it was started with."""
    program = tmp_path / "my-editor"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/opened\n')
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(("named", "words"), [("", "Set EDITOR"), ("nosuch-editor-4711", "cannot be")])
async def test_without_an_editor_the_line_is_told(named: str, words: str, tmp_path: Path) -> None:
    made = on_disk(tmp_path)
    made.services = replace(made.services, environ={"EDITOR": named} if named else {})
    async with shown(made) as pilot:
        await open_doctor(pilot, "predefined-overridden")
        await do(pilot, "enter")
        assert screen(pilot).is_current
        told = " ".join(str(note.message) for note in pilot.app._notifications)
        assert f"{tmp_path}/.gitlab-ci.yml:18" in told
        assert words in told


async def test_enter_opens_the_line_in_the_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = on_disk(tmp_path)
    made.services = replace(made.services, environ={"EDITOR": f"{editor(tmp_path)} --wait"})
    async with shown(made) as pilot:
        monkeypatch.setattr(pilot.app, "suspend", nullcontext)
        await open_doctor(pilot, "predefined-overridden")
        await do(pilot, "enter")
        assert (tmp_path / "opened").read_text().split() == ["--wait", "+18", f"{tmp_path}/.gitlab-ci.yml"]
        assert screen(pilot).is_current


async def test_a_config_is_looked_at_in_the_screen_of_configs(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(
        '{"auths": {"r.example.com": {"auth": "bm9jb2xvbg=="}}}'
    )
    made = session({"PATH": "/usr/bin"}, base=None)
    made.found = replace(made.found, home=str(tmp_path))
    async with shown(made) as pilot:
        await open_doctor(pilot)
        await select(pilot, "config-entry")
        (row,) = [row for row in rows(pilot) if "the entry" in row or "config.json" in row]
        assert row.rstrip().endswith("~/.docker/config…") or "~/.docker" in row
        await do(pilot, "enter")
        assert isinstance(pilot.app.screen, ReadersScreen)


async def test_a_finding_is_muted_with_a_reason_and_counts_again(tmp_path: Path) -> None:
    made = session(IGNORING)
    made.paths = replace(made.paths, settings=tmp_path / "config.toml")
    async with shown(made) as pilot:
        await open_doctor(pilot, "ignore-value-looks-false")
        await do(pilot, "m")
        assert isinstance(pilot.app.screen, EditValue)
        pilot.app.screen.query_one(Input).value = "the runner wants it"
        await do(pilot, "enter")
        assert "ignore-value-looks-false" not in ids(pilot)
        kept = tomllib.loads((tmp_path / "config.toml").read_text())["muted"]
        assert kept[0]["because"] == "the runner wants it"
        assert kept[0]["check"] == "ignore-value-looks-false"
        assert [row for row in rows(pilot) if row.startswith("· muted:")]
        await select(pilot, "ignore-value-looks-false")
        assert "the runner wants it" in text(pilot)
        await do(pilot, "m")
        assert "ignore-value-looks-false" in ids(pilot)
        assert "muted" not in tomllib.loads((tmp_path / "config.toml").read_text())


async def test_no_reason_mutes_nothing(tmp_path: Path) -> None:
    made = session(IGNORING)
    made.paths = replace(made.paths, settings=tmp_path / "config.toml")
    async with shown(made) as pilot:
        await open_doctor(pilot, "ignore-value-looks-false")
        await do(pilot, "m")
        pilot.app.screen.query_one(Input).value = "   "
        await do(pilot, "enter")
        assert "ignore-value-looks-false" in ids(pilot)
        assert not (tmp_path / "config.toml").exists()


async def test_the_view_goes_from_the_job_to_this_process_and_back() -> None:
    async with shown(of_job()) as pilot:
        await open_doctor(pilot)
        assert "image-elsewhere" in ids(pilot)
        await do(pilot, "o")
        assert "image-elsewhere" not in ids(pilot)
        assert "shell" in str(pilot.app.screen.query_one("#status-left", Static).render())
        await do(pilot, "o")
        assert "image-elsewhere" in ids(pilot)


async def test_nothing_wrong_says_so() -> None:
    async with shown(session({"PATH": "/usr/bin"}, base=None)) as pilot:
        await open_doctor(pilot)
        assert visit(pilot).found == ()
        assert rows(pilot)[0] == "✓ No problem found in what could be checked here."
        await do(pilot, "enter", "t", "y", "m")
        assert screen(pilot).is_current


async def test_the_registry_is_asked_by_its_key_only() -> None:
    async with shown(session(JOB)) as pilot:
        await open_doctor(pilot)
        before = visit(pilot)
        assert before.not_run
        await do(pilot, "a")
        await pilot.app.workers.wait_for_complete()
        await pump(pilot)
        assert sum(visit(pilot).not_run.values()) < sum(before.not_run.values())
        assert any("push" in row and "registry.myhost.com" in row for row in rows(pilot))


async def test_an_answer_of_the_registry_does_not_outlive_an_edit() -> None:
    made = session(JOB)
    async with shown(made) as pilot:
        found = await open_doctor(pilot)
        before = visit(pilot).not_run[Need.REGISTRY]
        await do(pilot, "a")
        await pilot.app.workers.wait_for_complete()
        await pump(pilot)
        assert Need.REGISTRY not in visit(pilot).not_run
        made.edit(Edit(EditKind.SET, "CI_REGISTRY_IMAGE", "registry.myhost.com/web/other"))
        found.examine()
        await pump(pilot)
        assert visit(pilot).not_run[Need.REGISTRY] == before


async def test_without_a_repository_there_is_nobody_to_ask() -> None:
    async with shown(session({"PATH": "/usr/bin"}, base=None)) as pilot:
        await open_doctor(pilot)
        await do(pilot, "a")
        await pilot.app.workers.wait_for_complete()
        await pump(pilot)
        told = " ".join(str(note.message) for note in pilot.app._notifications)
        assert "repository" in told


async def test_a_configuration_that_gitlab_refuses_is_told_and_this_process_is_checked() -> None:
    made = with_project(IGNORING, files={".gitlab-ci.yml": "a: [\n"})
    async with shown(made) as pilot:
        await open_doctor(pilot)
        assert any("the jobs of this clone were not checked" in row for row in rows(pilot))
        assert "ignore-value-looks-false" in ids(pilot)


async def test_the_filter_finds_by_word_id_and_place() -> None:
    async with shown(of_job()) as pilot:
        await open_doctor(pilot)
        await do(pilot, "slash")
        pilot.app.screen.query_one(Filter).value = "dp-reg-005"
        await pump(pilot)
        assert len(rows(pilot)) == 1
        assert "CI_REGISTRY_IMAGE" in rows(pilot)[0]
        pilot.app.screen.query_one(Filter).value = "zzz"
        await pump(pilot)
        assert "no match" in rows(pilot)[0]
        await do(pilot, "escape")
        assert len(rows(pilot)) > 3


@pytest.mark.parametrize("opened_from", ["v", "w"])
async def test_it_opens_from_the_screens_of_jobs(opened_from: str) -> None:
    async with shown(of_job()) as pilot:
        await do(pilot, opened_from, "H")
        assert isinstance(pilot.app.screen, DoctorScreen)
        await do(pilot, "escape")
        assert not isinstance(pilot.app.screen, DoctorScreen)


def test_what_a_project_writes_is_plain_text() -> None:
    yaml = "publish:\n  variables:\n    CI_REGISTRY: '[/foo]\\e[31m'\n  script: [make]\n"
    found = checkup(of_job(files={".gitlab-ci.yml": yaml}).as_of_now())
    assert found.found
    for item in items_of(found):
        lines = [finding_row(item, 120, "/"), *detail_lines(item, (), {"try": "t"}, "/", 80)]
        assert all(text == clean(text) for line in lines for text, _ in line)
