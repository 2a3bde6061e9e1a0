"""The frame as a person uses it: first page, rooms, palette, shortcuts, errors, closing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from studio.core.failure import Failure, FailureCode
from studio.core.jobs import JobState
from studio.core.references import Destination, ModelRef
from studio.core.requests import ImageRequest
from studio.launch import Application
from studio.ui.menus import build_menu
from tests.tiny_gguf import make_tiny_gguf
from tests.ui.frame.conftest import Start

IMAGE = ModelRef(repo="starter/image")


def submit(running: Application, prompt: str, title: str = "") -> str:
    """Queue a picture."""
    assert running.studio is not None
    request = ImageRequest(prompt=prompt, model=IMAGE, seed=1, width=64, height=64)
    return running.studio.submit(request, Destination(room="file"), title or prompt).id


def job_state(running: Application, job: str) -> JobState:
    """Where a job stands in the durable queue."""
    assert running.studio is not None
    return running.studio.queue.get(job).state


def test_the_first_start_greets_and_one_click_makes_a_picture(qtbot: QtBot, start: Start, state: Path) -> None:
    (state / "session.json").unlink()
    running = start()
    window = running.window
    greeting = window._greeting
    assert greeting is not None
    assert greeting.isVisible()
    assert window.stage.current == ""
    card = next(card for card in greeting.cards if card.entry.id == "canvas")
    qtbot.waitUntil(card.isEnabled)
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    assert window.stage.current == "canvas"
    assert running.studio is not None
    studio = running.studio
    qtbot.waitUntil(lambda: bool(studio.queue.jobs()), timeout=10000)
    job = studio.queue.jobs()[0]
    assert isinstance(job.request, ImageRequest)
    assert job.request.prompt.startswith(card.entry.sample)
    qtbot.waitUntil(lambda: job_state(running, job.id) is JobState.COMPLETED, timeout=20000)
    again = start()
    assert again.window._greeting is None
    assert again.window.stage.current == "canvas"


def test_the_greeting_comes_back_through_the_palette(qtbot: QtBot, running: Application) -> None:
    window = running.window
    qtbot.keyClick(running.shell, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = window._palette
    assert palette is not None
    qtbot.waitUntil(palette.field.hasFocus)
    qtbot.keyClicks(palette.field, "welcome")
    assert palette.model.rows[0].id == "app.greeting"
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert not palette.isVisible()
    assert window._greeting is not None
    assert window._greeting.isVisible()
    assert running.session.recent == ["app.greeting"]


def test_the_palette_reaches_every_command_and_shows_its_keys(qtbot: QtBot, running: Application) -> None:
    window = running.window
    qtbot.mouseClick(window.top.search, Qt.MouseButton.LeftButton)
    palette = window._palette
    assert palette is not None
    rooms = {command.room for command in window.commands.all()}
    assert {"canvas", "settings"} <= rooms
    for command in window.commands.all():
        palette.field.setText(command.title)
        shown = {row.id: row for row in palette.model.rows}
        if command.when() or (command.room and command.room != "canvas"):
            assert command.id in shown, command.title
            assert bool(shown[command.id].keys) == bool(command.shortcut)
    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_the_palette_closes_beside_it_and_gives_the_focus_back(qtbot: QtBot, running: Application) -> None:
    window = running.window
    before = QApplication.focusWidget()
    assert before is not None
    window.open_palette()
    palette = window._palette
    assert palette is not None
    qtbot.waitUntil(palette.field.hasFocus)
    qtbot.mouseClick(window.strip, Qt.MouseButton.LeftButton)
    assert not palette.isVisible()
    assert QApplication.focusWidget() is before


@pytest.mark.parametrize(
    ("title", "room", "name"),
    [("Open The heron", "write", "The heron"), ("Open lib/heron.py", "code", "heron.py")],
)
def test_the_palette_opens_texts_and_files_by_their_names(
    qtbot: QtBot, running: Application, title: str, room: str, name: str
) -> None:
    window = running.window
    assert running.studio is not None
    folder = running.studio.project.folder
    for file in ("Texts/The heron.md", "Code/lib/heron.py"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("heron\n")
    window.open_palette()
    palette = window._palette
    assert palette is not None
    palette.field.setText("heron")
    qtbot.waitUntil(lambda: any(row.title == title for row in palette.model.rows), timeout=5000)
    row = next(row for row, entry in enumerate(palette.model.rows) if entry.title == title)
    place = palette.list.visualRect(palette.model.index(row, 0)).center()
    qtbot.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.stage.current == room
    qtbot.waitUntil(lambda: name in running.shell.windowTitle(), timeout=5000)


def test_free_text_in_the_palette_is_made_in_a_room(qtbot: QtBot, running: Application) -> None:
    window = running.window
    window.open_room("settings")
    window.open_palette()
    palette = window._palette
    assert palette is not None
    palette.field.setText("a paper boat")
    row = next(row for row, entry in enumerate(palette.model.rows) if entry.title == "Make a picture: “a paper boat”")
    place = palette.list.visualRect(palette.model.index(row, 0)).center()
    qtbot.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.stage.current == "canvas"
    assert running.studio is not None
    studio = running.studio
    qtbot.waitUntil(lambda: any("paper boat" in job.title for job in studio.queue.jobs()), timeout=10000)
    job = studio.queue.jobs()[0]
    qtbot.waitUntil(lambda: job_state(running, job.id) is JobState.COMPLETED, timeout=20000)


def test_shortcuts_go_to_rooms_and_belong_to_rooms(qtbot: QtBot, running: Application) -> None:
    window = running.window
    qtbot.keyClick(running.shell, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    assert window.stage.current == "settings"
    made = window.shortcuts._made
    assert not made["canvas.generate"][0].isEnabled()
    qtbot.keyClick(running.shell, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert window.stage.current == "canvas"
    assert made["canvas.generate"][0].isEnabled()
    assert window.rail.button("canvas").isChecked()


def test_menus_hold_the_commands_of_frame_and_room(running: Application) -> None:
    window = running.window
    menu = build_menu(window.commands, "canvas", window.theme, window)
    shown = {
        action.text().partition("\t")[0]
        for entry in menu.actions()
        for action in (entry.menu().actions())  # type: ignore[attr-defined]
        if not action.isSeparator()
    }
    wanted = {command.title for command in window.commands.all() if command.menu and command.room in ("", "canvas")}
    assert shown == wanted
    menu.deleteLater()


def test_a_failure_is_a_quiet_bar_with_the_next_step(qtbot: QtBot, running: Application) -> None:
    window = running.window
    job = submit(running, "steps=1", "A fox")
    qtbot.waitUntil(lambda: job_state(running, job) is JobState.COMPLETED, timeout=20000)
    failure = Failure(FailureCode.WORKER_DIED, "The picture engine ended.", "Nothing else was lost.", "signal 11")
    window.show_failure(failure, job)
    window.show_failure(failure, job)
    bar = window.bar
    assert bar.isVisible()
    assert "(×2)" in bar.message.text()
    assert "Nothing else was lost." in bar.message.text()
    qtbot.mouseClick(bar.copy, Qt.MouseButton.LeftButton)
    assert "signal 11" in QGuiApplication.clipboard().text()
    assert bar.action.text() == "Try again"
    qtbot.mouseClick(bar.action, Qt.MouseButton.LeftButton)
    assert not bar.isVisible()
    assert running.studio is not None
    studio = running.studio
    qtbot.waitUntil(
        lambda: studio.queue.get(job).attempt == 1 and job_state(running, job) is JobState.COMPLETED, timeout=20000
    )


def test_messages_wait_behind_each_other(qtbot: QtBot, running: Application) -> None:
    bar = running.window.bar
    running.notices.post("one")
    running.notices.post("two", level="warning")
    assert bar.message.text() == "two"
    assert bar.more.text() == "1 more"
    qtbot.mouseClick(bar.close_button, Qt.MouseButton.LeftButton)
    assert bar.message.text() == "one"
    qtbot.mouseClick(bar.close_button, Qt.MouseButton.LeftButton)
    assert not bar.isVisible()


def test_the_strip_shows_what_runs_and_stops_it(qtbot: QtBot, running: Application) -> None:
    strip = running.window.strip
    assert strip.ready.isVisible()
    job = submit(running, "a fox steps=400 pause=0.05")
    line = strip.lines[0]
    qtbot.waitUntil(lambda: line.isVisible() and " of 400" in line.words.text(), timeout=20000)
    fraction = line.bar.fraction()
    assert fraction is not None
    assert 0 < fraction < 1
    qtbot.waitUntil(lambda: "left" in line.words.text(), timeout=10000)
    qtbot.mouseClick(line.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: job_state(running, job) is JobState.CANCELLED, timeout=5000)
    qtbot.waitUntil(lambda: not line.isVisible())
    assert strip.ready.isVisible()


def test_closing_in_the_middle_asks_nothing_and_the_job_is_offered_again(
    qtbot: QtBot, start: Start, state: Path
) -> None:
    running = start()
    window = running.window
    job = submit(running, "steps=60 pause=0.05", "A slow fox")
    qtbot.waitUntil(lambda: job_state(running, job) is JobState.RUNNING, timeout=20000)
    running.shell.close()
    running.stop()
    assert not running.shell.isVisible()
    again = start()
    bar = again.window.bar
    qtbot.waitUntil(lambda: bar.notice is not None, timeout=10000)
    assert "1 job was cut short" in bar.message.text()
    qtbot.mouseClick(bar.action, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: job_state(again, job) is JobState.COMPLETED, timeout=20000)
    assert window is not again.window


def test_the_window_comes_back_as_it_was(qtbot: QtBot, start: Start, state: Path) -> None:
    running = start()
    running.shell.setGeometry(40, 30, 1100, 700)
    window = running.window
    window.stage._splitter.setSizes([600, 300])
    window.stage._panel_resized()
    width = window.stage._side.width()
    qtbot.keyClick(running.shell, Qt.Key.Key_F9)
    window.open_room("settings")
    running.stop()
    kept = json.loads((state / "session.json").read_text())
    assert kept["panel_shown"] is False
    again = start()
    assert again.window.stage.current == "settings"
    stage = again.window.stage
    again.window.open_room("canvas")
    shown = [stage.panel_shown]
    again.window.toggle_panel()
    assert [*shown, stage.panel_shown] == [False, True]
    qtbot.waitUntil(lambda: abs(stage._side.width() - width) <= 2)


def test_an_unforeseen_error_is_shown_and_the_studio_goes_on(running: Application) -> None:
    error = ValueError("surprise")
    running.report(ValueError, error, None)
    notice = running.window.bar.notice
    assert notice is not None
    assert "surprise" in notice.detail
    assert "surprise" not in notice.message
    assert running.window.isVisible()


def test_the_title_says_each_thing_once(qtbot: QtBot, running: Application) -> None:
    window, shell = running.window, running.shell
    window._document_changed("One", "saved")
    assert shell.windowTitle() == "One · Night forest · Atelier"
    assert window.top._project.isVisible()
    window._document_changed("Night forest", "")
    assert shell.windowTitle() == "Night forest · Atelier"
    assert not window.top._project.isVisible()
    window._document_changed("Atelier", "")
    assert shell.windowTitle() == "Atelier · Night forest"


def test_a_folder_with_models_is_chosen_where_one_is_missed(qtbot: QtBot, running: Application, tmp_path: Path) -> None:
    folder = tmp_path / "More"
    folder.mkdir()
    make_tiny_gguf(folder / "other.gguf")
    window = running.window
    window.open_room("write")
    card = window.stage.room("write").request_panel.model  # type: ignore[attr-defined]
    menu = card.menu()
    before = len(menu.actions())
    menu.actions()[-1].trigger()
    menu.deleteLater()
    dialog = window.findChild(QFileDialog, "model-folder")
    assert dialog is not None
    assert window.stage.current == "write"
    dialog.fileSelected.emit(str(folder))
    dialog.close()
    qtbot.waitUntil(lambda: window.bar.message.text().startswith("1 model in “More”"))
    assert running.settings.values.model_folders[-1] == str(folder)
    menu = card.menu()
    assert len(menu.actions()) == before + 1
    menu.deleteLater()
