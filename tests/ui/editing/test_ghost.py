"""A suggestion is seen, not written: the document knows nothing of it until it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent, QTextBlock, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.app.settings import Settings
from studio.ui.editing.ghost import Ghost
from studio.ui.editing.text_area import TextArea
from studio.ui.theme import Theme


@pytest.fixture
def theme(qapp: QApplication, tmp_path: Path) -> Iterator[Theme]:
    theme = Theme(Settings(tmp_path / "settings.json"), qapp)
    yield theme
    theme.stop()


@pytest.fixture
def area(qtbot: QtBot) -> TextArea:
    area = TextArea(1.3)
    qtbot.addWidget(area)
    area.resize(500, 300)
    with qtbot.waitExposed(area):
        area.show()
    area.setFocus()
    area.load("x = \nrest")
    area.moveCursor(QTextCursor.MoveOperation.EndOfLine)
    return area


@pytest.fixture
def ghost(area: TextArea, theme: Theme) -> Ghost:
    return Ghost(area, theme)


def untouched(area: TextArea) -> bool:
    return not area.document().isModified() and area.text() == area.toPlainText() and not area.history.can_undo


def test_it_is_painted_and_leaves_the_document_alone(area: TextArea, ghost: Ghost, theme: Theme) -> None:
    before = area.grab().toImage()
    height = area.blockBoundingRect(area.document().firstBlock()).height()
    ghost.show("sum(\n    1, 2)")
    assert untouched(area)
    assert area.grab().toImage() != before
    assert area.blockBoundingRect(area.document().firstBlock()).height() > height * 1.5
    ghost.hide()
    assert untouched(area)
    assert area.blockBoundingRect(area.document().firstBlock()).height() == height


def test_tab_takes_all_of_it_as_one_generated_step(area: TextArea, ghost: Ghost) -> None:
    ghost.show("sum(\n    1)")
    QTest.keyClick(area, Qt.Key.Key_Tab)
    assert area.text() == "x = sum(\n    1)\nrest" == area.toPlainText()
    assert (area.textCursor().position(), ghost.text) == (15, "")
    assert area.authorship.runs == ((4, "you"), (11, "generated"), (5, "you"))
    area.undo()
    assert area.text() == "x = \nrest"


def test_words_can_be_taken_one_by_one(area: TextArea, ghost: Ghost) -> None:
    ghost.show("one + two")
    QTest.keyClick(area, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert (area.text(), ghost.text) == ("x = one\nrest", " + two")
    QTest.keyClick(area, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert (area.text(), ghost.text) == ("x = one +\nrest", " two")


def test_typing_its_letters_keeps_the_rest(area: TextArea, ghost: Ghost) -> None:
    ghost.show("sum")
    QTest.keyClicks(area, "s")
    assert (area.text(), ghost.text) == ("x = s\nrest", "um")
    QTest.keyClicks(area, "o")
    assert (area.text(), ghost.text) == ("x = so\nrest", "")
    area.undo()
    assert area.text() == "x = \nrest"


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Left, Qt.Key.Key_Down, Qt.Key.Key_Backspace])
def test_esc_moves_and_other_edits_send_it_away(area: TextArea, ghost: Ghost, key: Qt.Key) -> None:
    gone: list[bool] = []
    ghost.gone.connect(lambda: gone.append(True))
    ghost.show("sum")
    QTest.keyClick(area, key)
    assert (ghost.text, gone) == ("", [True])
    assert not any(block.layout().preeditAreaText() for block in blocks(area))


def test_an_input_method_goes_first(area: TextArea, ghost: Ghost) -> None:
    ghost.show("sum")
    QApplication.sendEvent(area, QInputMethodEvent("に", []))
    assert ghost.text == ""
    ghost.show("sum")
    assert ghost.text == ""


def blocks(area: TextArea) -> Iterator[QTextBlock]:
    block = area.document().firstBlock()
    while block.isValid():
        yield block
        block = block.next()
