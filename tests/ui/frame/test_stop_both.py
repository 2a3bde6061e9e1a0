"""A picture and a text on their way at once, by the real engines: each stop is seen in the same moment, and works."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.core.jobs import Job, JobState
from studio.core.requests import ImageRequest
from studio.jobs.limits import WorkerCommand
from studio.launch import Application
from studio.models.starter import STARTER_FOLDER
from studio.ui.canvas.room import CanvasRoom
from studio.ui.code.room import CodeRoom
from studio.ui.strip import JobLine
from studio.ui.write.room import WriteRoom
from tests.tiny_gguf import TinyModel
from tests.ui.text_stage import real_models

LONG = 100_000
SLOW = TinyModel(never_ends=True, plain=True, layers=4, width=384, feed_forward=1024, context=2048)

pytestmark = [
    pytest.mark.skipif(not (STARTER_FOLDER / "image" / "unet").is_dir(), reason="the starter model is not made yet"),
    pytest.mark.timeout(240),
]


@pytest.fixture
def real(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Application]:
    """The studio with its own workers: the starter's pictures, and a text that takes a while."""
    starter, state = tmp_path / "starter", tmp_path / "state"
    real_models(starter, SLOW)
    shutil.copytree(STARTER_FOLDER / "image", starter / "image")
    state.mkdir()
    (state / "settings.json").write_text(json.dumps({"version": 2, "theme": "dark", "warm_start": False}))
    (state / "session.json").write_text(json.dumps({"greeted": True, "room": "canvas"}))
    application = Application(qapp, state, tmp_path / "Work", worker=WorkerCommand(), starter=starter)
    application.shell.resize(1280, 820)
    application.show()
    qtbot.waitUntil(lambda: application.studio is not None and application.window.studio is not None, timeout=10_000)
    application.shell.activateWindow()
    qtbot.waitUntil(application.shell.isActiveWindow)
    yield application
    application.stop()
    application.shell.deleteLater()
    application.deleteLater()
    qapp.setStyleSheet("")


def begin(real: Application, qtbot: QtBot) -> tuple[CanvasRoom, WriteRoom]:
    """Both on their way: the picture shows its first preview, the text its first words."""
    real.window.open_room("canvas")
    canvas = real.window.stage.room("canvas")
    assert isinstance(canvas, CanvasRoom)
    canvas.request_panel.prompt.set_text("a fox, flat emoji, on a blue background")
    canvas.request_panel.steps.set_value(200)
    canvas.request_panel.pictures.set_value(4)
    canvas.generate()
    qtbot.waitUntil(lambda: any(running.image is not None for running in canvas.scene.running.values()), timeout=LONG)
    real.window.open_room("write")
    write = real.window.stage.room("write")
    assert isinstance(write, WriteRoom)
    write.request_panel.length.set_value(600)
    write.make("It began.")
    qtbot.waitUntil(lambda: length(write) > 20, timeout=LONG)
    return canvas, write


def length(room: WriteRoom) -> int:
    sheet = room.desk.sheet()
    return sheet.page.length if sheet is not None else 0


def jobs(real: Application) -> list[Job]:
    assert real.studio is not None
    return real.studio.queue.jobs()


def stopped(real: Application) -> bool:
    return [job.state for job in jobs(real)] == [JobState.CANCELLED] * 2


def lines(real: Application) -> tuple[JobLine, JobLine]:
    """The strip's lines of the picture and of the text."""
    pictures = {job.id for job in jobs(real) if isinstance(job.request, ImageRequest)}
    one, other = real.window.strip.lines
    return (one, other) if one.job in pictures else (other, one)


def test_both_stop_buttons_answer_at_once(qtbot: QtBot, real: Application) -> None:
    canvas, write = begin(real, qtbot)
    qtbot.waitUntil(lambda: all(line.isVisible() for line in real.window.strip.lines), timeout=LONG)
    for line in lines(real):
        qtbot.mouseClick(line.stop, Qt.MouseButton.LeftButton)
        assert line.words.text() == "stopping…"
    qtbot.waitUntil(lambda: stopped(real), timeout=LONG)
    qtbot.waitUntil(lambda: not any(line.isVisible() for line in real.window.strip.lines))
    qtbot.waitUntil(lambda: not canvas.scene.running and not write.is_generating())
    assert length(write) > 20, "what was written stays"


def test_esc_in_each_room_answers_at_once_and_what_was_written_is_one_step(qtbot: QtBot, real: Application) -> None:
    canvas, write = begin(real, qtbot)
    sheet = write.desk.sheet()
    assert sheet is not None
    QTest.keyClick(sheet.page, Qt.Key.Key_Escape)
    assert not write.is_generating()
    assert "Stop" not in write.request_panel.primary.text()
    kept = sheet.page.text()
    assert len(kept) > 20
    real.window.open_room("canvas")
    QTest.keyClick(canvas.view, Qt.Key.Key_Escape)
    assert [running.label for running in canvas.scene.running.values()] == ["stopping…"]
    qtbot.waitUntil(lambda: stopped(real), timeout=LONG)
    assert sheet.page.text() == kept
    real.window.open_room("write")
    QTest.keyClick(sheet.page, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert sheet.page.text() == "It began."


def test_esc_in_code_keeps_what_was_written_as_one_step(qtbot: QtBot, real: Application) -> None:
    real.window.open_room("code")
    code = real.window.stage.room("code")
    assert isinstance(code, CodeRoom)
    path = code.folder.create("sketch.py", code.folder.folder)
    code.open(path)
    qtbot.waitUntil(lambda: code.sheet() is not None)
    sheet = code.sheet()
    assert sheet is not None
    QTest.keyClicks(sheet.area, "x = ")
    code.request_panel.length.set_value(60)
    code.generate()
    qtbot.waitUntil(lambda: sheet.area.length > 30, timeout=LONG)
    QTest.keyClick(sheet.area, Qt.Key.Key_Escape)
    assert not code.is_generating()
    kept = sheet.area.text()
    qtbot.waitUntil(lambda: [job.state for job in jobs(real)] == [JobState.CANCELLED], timeout=LONG)
    assert sheet.area.text() == kept
    QTest.keyClick(sheet.area, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert sheet.area.text() == "x = "
