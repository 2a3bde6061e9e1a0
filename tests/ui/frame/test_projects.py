"""Other projects in the same window: opened, made new, refused, remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from studio.app.opening import open_studio
from studio.app.session import Session
from studio.app.settings import Settings
from studio.core.jobs import JobState
from studio.launch import Application, starting_project
from studio.ui.menus import build_menu
from tests.ui.frame.conftest import WORKER
from tests.ui.frame.test_window import job_state, submit


def here(running: Application, folder: Path) -> bool:
    studio = running.studio
    return studio is not None and running.window.studio is studio and studio.project.folder == folder


def choose(running: Application, qtbot: QtBot, identity: str, folder: Path) -> None:
    """Run a command and choose `folder` in its dialog."""
    assert running.window.commands.run(identity)
    dialog = running.window.findChild(QFileDialog, "project-folder")
    assert isinstance(dialog, QFileDialog)
    dialog.setDirectory(str(folder.parent))
    dialog.selectFile(str(folder))
    dialog.accept()


def titles(running: Application, menu: str) -> list[str]:
    return [command.title for command in running.window.commands.all() if command.menu == menu and not command.room]


def test_another_project_opens_in_the_same_window(qtbot: QtBot, running: Application, tmp_path: Path) -> None:
    first, other = tmp_path / "Night forest", tmp_path / "Sea"
    other.mkdir()
    running.settings.change(theme="light", text_scale=1.1)
    shell = running.shell
    running.window.build_rooms()
    choose(running, qtbot, "app.project.open", other)
    qtbot.waitUntil(lambda: here(running, other), timeout=15000)
    assert running.shell is shell
    assert running.window.isVisible()
    assert running.window.size() == shell.size()
    assert "Sea" in shell.windowTitle()
    assert running.window.top._project.text() == "Sea"
    assert str(other) in running.window.top._project.toolTip()
    assert running.settings.values.text_scale == 1.1
    assert "Open “Night forest”" in titles(running, "File")
    open_studio(first, tmp_path / "elsewhere", Settings(tmp_path / "s.json")).stop()  # the first one is let go
    assert running.window.commands.run("app.project.recent.0")
    qtbot.waitUntil(lambda: here(running, first), timeout=15000)
    assert titles(running, "File")[-1] == "Open “Sea”"
    running.settings.change(theme="dark", threads=5)
    assert running.studio is not None
    assert running.studio._placement().threads == 5
    running.window.open_room("settings")
    assert running.window.bar.notice is None


def test_a_new_project_is_made_where_there_is_nothing(qtbot: QtBot, running: Application, tmp_path: Path) -> None:
    full = tmp_path / "Full"
    full.mkdir()
    (full / "letter.txt").write_text("mine")
    before = running.studio
    running.window.projects.ask(full, fresh=True)
    qtbot.waitUntil(lambda: running.window.bar.notice is not None)
    assert "already something" in running.window.bar.message.text()
    assert running.studio is before
    assert [entry.name for entry in full.iterdir()] == ["letter.txt"]
    choose(running, qtbot, "app.project.new", tmp_path / "Fresh")
    qtbot.waitUntil(lambda: here(running, tmp_path / "Fresh"), timeout=15000)
    assert (tmp_path / "Fresh" / ".atelier").is_dir()


@pytest.mark.parametrize("kind", ["gone", "file", "held", "damaged"])
def test_a_folder_that_cannot_be_opened_leaves_this_project_open(
    qtbot: QtBot, running: Application, tmp_path: Path, kind: str
) -> None:
    target = tmp_path / "Other"
    holder = None
    if kind == "file":
        target.write_text("no folder")
    elif kind == "held":
        holder = open_studio(target, tmp_path / "elsewhere", Settings(tmp_path / "s.json"))
    elif kind == "damaged":
        (target / ".atelier" / "assets.db").mkdir(parents=True)
    before = running.studio
    running.window.projects.ask(target)
    bar = running.window.bar
    qtbot.waitUntil(lambda: bar.notice is not None, timeout=10000)
    assert bar.notice is not None
    assert bar.notice.level == "error"
    assert "not foreseen" not in bar.notice.message
    assert running.studio is before
    job = submit(running, "steps=1")
    qtbot.waitUntil(lambda: job_state(running, job) is JobState.COMPLETED, timeout=20000)
    if kind == "gone":
        assert not target.exists()
    if holder is not None:
        holder.stop()


def test_running_jobs_are_asked_about_in_the_bar(qtbot: QtBot, running: Application, tmp_path: Path) -> None:
    first, other = tmp_path / "Night forest", tmp_path / "Sea"
    other.mkdir()
    job = submit(running, "steps=400 pause=0.05", "A slow fox")
    qtbot.waitUntil(lambda: running.window.projects.running() == 1, timeout=20000)
    before = running.studio
    running.window.projects.ask(other)
    bar = running.window.bar
    assert "1 job is running in “Night forest”" in bar.message.text()
    assert bar.action.text() == "Open “Sea” now"
    assert running.studio is before
    qtbot.mouseClick(bar.action, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: here(running, other), timeout=20000)
    running.window.projects.ask(first)
    qtbot.waitUntil(lambda: here(running, first), timeout=20000)
    qtbot.waitUntil(lambda: running.window.bar.notice is not None, timeout=10000)
    assert "1 job was cut short" in running.window.bar.message.text()
    assert running.studio is not None
    assert running.studio.queue.get(job).interrupted


@pytest.mark.parametrize("far", [False, True])
def test_closing_on_the_way_to_another_project_leaves_nothing_behind(
    qtbot: QtBot, running: Application, tmp_path: Path, far: bool
) -> None:
    other = tmp_path / "Sea"
    other.mkdir()
    before = running.sitting
    running.open_project(other)
    if far:
        qtbot.waitUntil(lambda: running.sitting is not before, timeout=10000)
    running.stop()
    for folder in (tmp_path / "Night forest", other):
        open_studio(folder, tmp_path / "elsewhere", Settings(tmp_path / "s.json")).stop()


def test_the_last_project_opens_at_the_next_start(
    qtbot: QtBot, running: Application, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "Sea"
    other.mkdir()
    running.window.projects.ask(other)
    qtbot.waitUntil(lambda: here(running, other), timeout=15000)
    running.stop()
    monkeypatch.delenv("ATELIER_PROJECT", raising=False)
    assert starting_project(state) == (other, None)
    other.rename(tmp_path / "Ocean")
    project, lost = starting_project(state)
    assert project != other
    assert lost == other
    monkeypatch.setenv("ATELIER_PROJECT", str(tmp_path / "Wanted"))
    assert starting_project(state) == (tmp_path / "Wanted", None)


def test_rooms_remember_each_project_by_itself() -> None:
    session = Session(rooms={"write": {"open": "one.md"}})
    session.enter("/one")
    assert session.rooms == {"write": {"open": "one.md"}}
    session.enter("/two")
    assert session.rooms == {}
    session.rooms = {"write": {"open": "two.md"}}
    session.enter("/one")
    assert session.rooms == {"write": {"open": "one.md"}}
    assert session.projects == ["/one", "/two"]
    for number in range(10):
        session.enter(f"/{number}")
    assert len(session.projects) == 8
    assert set(session.elsewhere) < set(session.projects)
    assert json.loads(json.dumps(session.projects)) == session.projects


def test_the_menu_holds_the_projects(running: Application) -> None:
    menu = build_menu(running.window.commands, "settings", running.theme, running.window)
    first = menu.actions()[0]
    assert first.text() == "File"
    menu.deleteLater()


def test_a_lost_project_is_told_of(
    qtbot: QtBot, running: Application, qapp: QApplication, state: Path, tmp_path: Path
) -> None:
    running.stop()
    other = Application(qapp, state, tmp_path / "Night forest", worker=WORKER, lost=tmp_path / "Sea")
    other.show()
    qtbot.waitUntil(lambda: other.studio is not None, timeout=10000)
    assert "“Sea” is not there any more" in other.window.bar.message.text()
    other.stop()
    other.shell.deleteLater()
    other.deleteLater()
    kept = json.loads((state / "session.json").read_text())
    assert kept["project"] == str(tmp_path / "Night forest")


def test_where_the_first_project_is_refused_another_can_be_opened(
    qtbot: QtBot, qapp: QApplication, state: Path, starter: Path, tmp_path: Path
) -> None:
    held, other = tmp_path / "Held", tmp_path / "Sea"
    other.mkdir()
    holder = open_studio(held, tmp_path / "elsewhere", Settings(tmp_path / "s.json"))
    running = Application(qapp, state, held, worker=WORKER, starter=starter)
    running.show()
    qtbot.waitUntil(lambda: hasattr(running, "sitting") and running.window.bar.notice is not None, timeout=10000)
    assert running.window.bar.action.text() == "Try again"
    running.window.projects.ask(other)
    qtbot.waitUntil(lambda: here(running, other), timeout=15000)
    running.stop()
    running.shell.deleteLater()
    running.deleteLater()
    holder.stop()
    assert json.loads((state / "session.json").read_text())["project"] == str(other)


def test_the_question_goes_when_the_job_has_ended(qtbot: QtBot, running: Application, tmp_path: Path) -> None:
    (tmp_path / "Sea").mkdir()
    submit(running, "steps=40 pause=0.05", "A slow fox")
    projects, bar = running.window.projects, running.window.bar
    qtbot.waitUntil(lambda: projects.running() == 1, timeout=20000)
    projects.ask(tmp_path / "Sea")
    assert "1 job is running" in bar.message.text()
    qtbot.waitUntil(lambda: projects.running() == 0, timeout=20000)
    assert bar.notice is None
