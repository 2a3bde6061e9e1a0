"""The smallest window in common use, 960 pixels wide, with the request panel beside the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from studio.launch import Application
from studio.ui.code.room import CodeRoom
from studio.ui.write.room import WriteRoom
from tests.ui.frame.conftest import Start

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def narrow(start: Start, tmp_path: Path) -> Application:
    """The studio in a narrow window, with two texts and two files of code."""
    folder = tmp_path / "Night forest"
    for place, names in (("Texts", ("One.md", "Two.md")), ("Code", ("one.py", "two.py"))):
        (folder / place).mkdir(parents=True)
        for name in names:
            (folder / place / name).write_text(f"{name}\n")
    running = start()
    running.shell.resize(960, 640)
    return running


def press(key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClick(focused, key, modifier)


def write_room(running: Application, qtbot: QtBot) -> WriteRoom:
    running.window.open_room("write")
    room = running.window.stage.room("write")
    assert isinstance(room, WriteRoom)
    room.open("Texts/One.md")
    qtbot.waitUntil(lambda: room.has_text() and len(room.chapters.paths()) == 2)
    assert running.window.stage.panel_shown
    assert room.chapters.isHidden()
    return room


def code_room(running: Application, qtbot: QtBot) -> CodeRoom:
    running.window.open_room("code")
    room = running.window.stage.room("code")
    assert isinstance(room, CodeRoom)
    room.open(room.folder.folder / "one.py")
    qtbot.waitUntil(lambda: room.has_file() and len(room.tree.paths()) == 2)
    return room


def test_a_new_text_is_named_in_sight(qtbot: QtBot, narrow: Application) -> None:
    room = write_room(narrow, qtbot)
    press(Qt.Key.Key_N, CONTROL)
    qtbot.waitUntil(lambda: bool(room.chapters.list.findChildren(QLineEdit)))
    field = room.chapters.list.findChildren(QLineEdit)[0]
    qtbot.waitUntil(field.hasFocus)
    assert not field.visibleRegion().isEmpty()
    QTest.keyClicks(field, "Storm")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: room.desk.name == "Texts/Storm.md")
    qtbot.waitUntil(room.chapters.isHidden)
    sheet = room.desk.sheet()
    assert sheet is not None
    assert sheet.page.hasFocus()


def test_a_name_left_as_it_is_gives_the_text_the_cursor(qtbot: QtBot, narrow: Application) -> None:
    room = write_room(narrow, qtbot)
    press(Qt.Key.Key_N, CONTROL)
    qtbot.waitUntil(lambda: bool(room.chapters.list.findChildren(QLineEdit)))
    QTest.keyClick(room.chapters.list.findChildren(QLineEdit)[0], Qt.Key.Key_Escape)
    qtbot.waitUntil(room.chapters.isHidden)
    sheet = room.desk.sheet()
    assert sheet is not None
    assert sheet.page.hasFocus()


def test_the_list_of_texts_comes_over_the_page_and_goes_again(qtbot: QtBot, narrow: Application) -> None:
    room = write_room(narrow, qtbot)
    width = room.desk.width()
    press(Qt.Key.Key_L, CONTROL | SHIFT)
    QApplication.processEvents()
    assert not room.chapters.list.visibleRegion().isEmpty()
    assert room.chapters.list.hasFocus()
    assert room.desk.width() == width
    press(Qt.Key.Key_Escape)
    assert room.chapters.isHidden()
    press(Qt.Key.Key_L, CONTROL | SHIFT)
    press(Qt.Key.Key_L, CONTROL | SHIFT)
    assert room.chapters.isHidden()
    press(Qt.Key.Key_L, CONTROL | SHIFT)
    other = room.chapters.list.visualItemRect(room.chapters.list.item(1)).center()
    QTest.mouseClick(room.chapters.list.viewport(), Qt.MouseButton.LeftButton, pos=other)
    qtbot.waitUntil(lambda: room.desk.name == "Texts/Two.md")
    assert room.chapters.isHidden()
    press(Qt.Key.Key_L, CONTROL | SHIFT)
    QTest.mouseClick(
        room.desk.sheet().page.viewport(),  # type: ignore[union-attr]
        Qt.MouseButton.LeftButton,
        pos=QPoint(room.desk.width() - 60, 60),
    )
    assert room.chapters.isHidden()
    narrow.shell.resize(1280, 640)
    qtbot.waitUntil(room.chapters.isVisible)  # beside the page, where there is room
    assert room.desk.x() > 0


def test_the_tree_of_files_comes_over_the_code_and_goes_again(qtbot: QtBot, narrow: Application) -> None:
    room = code_room(narrow, qtbot)
    assert room.tree.isHidden()
    press(Qt.Key.Key_L, CONTROL | SHIFT)
    QApplication.processEvents()
    assert not room.tree.tree.visibleRegion().isEmpty()
    assert room.tree.tree.hasFocus()
    press(Qt.Key.Key_Escape)
    assert room.tree.isHidden()
    press(Qt.Key.Key_L, CONTROL | SHIFT)
    press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: room.sheet() is not None and room.sheet().path.name == "two.py")  # type: ignore[union-attr]
    assert room.tree.isHidden()
