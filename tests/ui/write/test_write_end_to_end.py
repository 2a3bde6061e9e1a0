"""The Write room with the real language engine and a real, tiny model file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.core.jobs import JobState
from studio.ui.write.room import WriteRoom
from tests.tiny_gguf import TinyModel
from tests.ui.text_stage import show, surroundings

STORY = TinyModel(script=(" Once", " upon", " a", " time"), context=256)
ENDLESS = TinyModel(never_ends=True, context=256)
LONG = 60_000


def test_a_story_goes_on_and_is_rewritten(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    with surroundings(qapp, tmp_path, model=STORY) as around:
        room = WriteRoom(around.context)
        show(room, qtbot)
        room.make("It began.")
        qtbot.waitUntil(lambda: room.desk.sheet() is not None and room.is_generating(), timeout=LONG)
        sheet = room.desk.sheet()
        assert sheet is not None
        page = sheet.page
        qtbot.waitUntil(lambda: sheet.generation is None, timeout=LONG)
        assert page.text() == "It began. Once upon a time"
        assert "tokens" in room.request_panel.seen_note()
        page.select(0, 9)
        room.assist("rewrite")
        qtbot.waitUntil(lambda: sheet.generation is None, timeout=LONG)
        assert page.text() == "Once upon a time Once upon a time"
        QTest.keyClick(page, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClick(page, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert page.text() == "It began."
        room.flush()


def test_an_endless_answer_is_stopped_at_once(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    with surroundings(qapp, tmp_path, model=ENDLESS) as around:
        room = WriteRoom(around.context)
        show(room, qtbot)
        room.request_panel.length.set_value(600)
        room.make("It began.")
        qtbot.waitUntil(room.is_generating, timeout=LONG)
        sheet = room.desk.sheet()
        assert sheet is not None
        assert sheet.generation is not None
        job = sheet.generation.job.id
        qtbot.waitUntil(lambda: sheet.page.length > 12, timeout=LONG)
        room.stop()
        kept = sheet.page.text()
        assert not room.is_generating()
        queue = around.studio.queue
        qtbot.waitUntil(lambda: queue.get(job).state is JobState.CANCELLED, timeout=LONG)
        assert sheet.page.text() == kept
        room.flush()


def test_the_forecast_learns_and_follows_the_length(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    with surroundings(qapp, tmp_path, model=STORY) as around:
        room = WriteRoom(around.context)
        show(room, qtbot)
        forecast = room.request_panel.forecast
        room.make("It began.")
        qtbot.waitUntil(lambda: room.desk.sheet() is not None and not room.is_generating(), timeout=LONG)
        qtbot.waitUntil(lambda: "About" in forecast.text(), timeout=LONG)
        before = forecast.text()
        room.request_panel.length.set_value(600)
        qtbot.waitUntil(lambda: forecast.text() != before)
        room.flush()
