"""The Code room with the real language engine and a real, tiny model file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.ui.code.room import CodeRoom
from tests.tiny_gguf import TinyModel
from tests.ui.text_stage import show, surroundings

CODE = TinyModel(script=("return", " a", " + b"), context=256)
LONG = 60_000


def test_a_gap_is_filled_in_grey_and_code_is_written(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    with surroundings(qapp, tmp_path, model=CODE) as around:
        room = CodeRoom(around.context)
        show(room, qtbot)
        room.make("def add(a, b):")
        qtbot.waitUntil(lambda: room.sheet() is not None, timeout=LONG)
        sheet = room.sheet()
        assert sheet is not None
        area, ghost = sheet.area, sheet.suggestions.ghost
        qtbot.waitUntil(lambda: ghost.text == "return a + b", timeout=LONG)
        assert area.text() == "def add(a, b):\n    "
        QTest.keyClick(area, Qt.Key.Key_Tab)
        assert area.text() == "def add(a, b):\n    return a + b"
        room.request_panel.instruction.set_text("Add them again.")
        QTest.keyClick(area, Qt.Key.Key_Return)
        room.generate()
        qtbot.waitUntil(lambda: not room.is_generating(), timeout=LONG)
        assert area.text() == "def add(a, b):\n    return a + b\nreturn a + b"
        area.undo()
        assert area.text() == "def add(a, b):\n    return a + b\n"
        room.flush()
