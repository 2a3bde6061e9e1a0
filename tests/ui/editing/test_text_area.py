"""The editor under both text rooms, with real key presses."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QInputMethodEvent, QKeySequence, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.app.settings import Settings
from studio.documents.units import units
from studio.ui.editing.stream import Stream, Target
from studio.ui.editing.text_area import TextArea
from studio.ui.theme import Theme


@pytest.fixture
def theme(qapp: QApplication, tmp_path: Path) -> Iterator[Theme]:
    theme = Theme(Settings(tmp_path / "settings.json"), qapp)
    yield theme
    theme.stop()


@pytest.fixture
def area(qtbot: QtBot) -> TextArea:
    area = TextArea(1.4)
    qtbot.addWidget(area)
    area.resize(500, 300)
    with qtbot.waitExposed(area):
        area.show()
    area.setFocus()
    return area


def place(area: TextArea, start: int, end: int | None = None) -> None:
    cursor = area.textCursor()
    cursor.setPosition(start)
    cursor.setPosition(start if end is None else end, QTextCursor.MoveMode.KeepAnchor)
    area.setTextCursor(cursor)


def runs(area: TextArea) -> list[tuple[int, str]]:
    return list(area.authorship.runs)


def press(area: TextArea, keys: QKeySequence.StandardKey) -> None:
    QTest.keySequence(area, QKeySequence(keys))


def undo(area: TextArea) -> None:
    press(area, QKeySequence.StandardKey.Undo)


def test_typing_undo_and_redo_by_keys(area: TextArea) -> None:
    QTest.keyClicks(area, "one two")
    QTest.keyClick(area, Qt.Key.Key_Return)
    QTest.keyClicks(area, "three")
    assert area.text() == "one two\nthree"
    undo(area)
    assert area.text() == "one two\n"
    undo(area)
    undo(area)
    assert area.text() == "one "
    for _ in range(3):
        press(area, QKeySequence.StandardKey.Redo)
    assert area.text() == "one two\nthree" == area.toPlainText()
    assert area.textCursor().position() == 13


def test_undo_brings_the_selection_that_was_typed_over_back(area: TextArea) -> None:
    area.load("keep 😀 this")
    place(area, 5, 7)
    QTest.keyClicks(area, "x")
    assert area.text() == "keep x this"
    undo(area)
    assert area.text() == "keep 😀 this"


def test_an_input_method_composes_without_touching_the_text(area: TextArea) -> None:
    area.load("ab")
    place(area, 1)
    QApplication.sendEvent(area, QInputMethodEvent("にほ", []))
    assert (area.composing, area.text(), area.history.can_undo) == (True, "ab", False)
    event = QInputMethodEvent("", [])
    event.setCommitString("日本")
    QApplication.sendEvent(area, event)
    assert (area.composing, area.text()) == (False, "a日本b")
    undo(area)
    assert area.text() == "ab"


def test_pasted_generated_text_stays_generated(area: TextArea) -> None:
    area.load("mine ")
    area.insert_generated(5, "made")
    place(area, 2, 9)
    press(area, QKeySequence.StandardKey.Copy)
    place(area, 9)
    press(area, QKeySequence.StandardKey.Paste)
    assert area.text() == "mine madene made"
    assert runs(area) == [(5, "you"), (4, "generated"), (3, "you"), (4, "generated")]
    undo(area)
    undo(area)
    press(area, QKeySequence.StandardKey.Redo)
    assert runs(area) == [(5, "you"), (4, "generated")]
    QGuiApplication.clipboard().clear()


def test_a_replacement_by_program_touches_only_what_differs(area: TextArea) -> None:
    area.load("one\ntwo\nthree 😀\n")
    place(area, 10)
    area.replace_text("one\n2\nthree 😀!\n")
    assert area.text() == "one\n2\nthree 😀!\n"
    undo(area)
    assert area.text() == "one\ntwo\nthree 😀\n"


@pytest.mark.parametrize("seed", range(6))
def test_the_copy_of_the_text_never_differs_from_the_document(area: TextArea, theme: Theme, seed: int) -> None:
    chance = random.Random(seed)
    area.load("".join(chance.choice("ab \n😀é") for _ in range(60)))
    original = area.text()
    stream: Stream | None = None
    keys = (Qt.Key.Key_Return, Qt.Key.Key_Backspace, Qt.Key.Key_Delete, Qt.Key.Key_X, Qt.Key.Key_Space, Qt.Key.Key_Left)
    for _ in range(60):
        turn = chance.random()
        if turn < 0.15 and stream is None:
            places = sorted(units(area.text()[: chance.randrange(len(area.text()) + 1)]) for _ in range(2))
            stream = Stream(area, Target(*places) if chance.random() < 0.5 else Target(places[0], places[0]), theme)
        elif turn < 0.4 and stream is not None:
            stream.add(chance.choice(["word ", "😀", "line\n"]))
            if chance.random() < 0.2:
                chance.choice([stream.finish, stream.stop, area.undo])()
                stream = None
        elif turn < 0.5:
            places = sorted(units(area.text()[: chance.randrange(len(area.text()) + 1)]) for _ in range(2))
            place(area, *places)
        elif turn < 0.6 and stream is None:
            area.undo()
        else:
            QTest.keyClick(area, chance.choice(keys))
        assert area.text() == area.toPlainText()
        assert sum(length for length, _ in area.authorship.runs) == area.length
    if stream is not None:
        stream.finish()
    while area.history.can_undo:
        area.undo()
    assert area.text() == original == area.toPlainText()


def test_a_replacement_keeps_its_original_until_it_is_whole(area: TextArea, theme: Theme) -> None:
    area.load("Say this better. And more.")
    stream = Stream(area, Target(0, 16), theme)
    stream.add("Said")
    assert area.text() == "Say this better. Said And more."
    assert area.snapshot().decode("utf-16-le") == "Say this better. And more."
    stream.add(" better.")
    stream.finish()
    assert area.text() == "Said better. And more."
    assert runs(area) == [(12, "generated"), (10, "you")]
    undo(area)
    assert area.text() == "Say this better. And more."
    assert runs(area) == [(26, "you")]
    press(area, QKeySequence.StandardKey.Redo)
    assert area.text() == "Said better. And more."


def test_a_stopped_replacement_gives_the_original_back(area: TextArea, theme: Theme) -> None:
    area.load("Say this better.")
    stream = Stream(area, Target(0, 16), theme)
    stream.add("Nonsense")
    stream.stop()
    assert (area.text(), area.history.can_undo) == ("Say this better.", False)


def test_undo_while_it_streams_takes_all_of_it_and_redo_brings_it_back(area: TextArea, theme: Theme) -> None:
    area.load("Start.")
    stream = Stream(area, Target(6, 6), theme)
    ended: list[str] = []
    stream.ended.connect(ended.append)
    stream.add(" One two")
    place(area, 0)
    QTest.keyClicks(area, "x")
    undo(area)
    assert (area.text(), ended) == ("xStart.", ["taken back"])
    press(area, QKeySequence.StandardKey.Redo)
    assert area.text() == "xStart. One two"


def test_batches_come_at_most_thirty_times_a_second(area: TextArea, theme: Theme, qtbot: QtBot) -> None:
    stream = Stream(area, Target(0, 0), theme)
    grown: list[int] = []
    stream.grew.connect(lambda: grown.append(area.length))
    for _ in range(200):
        stream.add("w ")
    assert len(grown) == 1
    qtbot.waitUntil(lambda: area.length == 400)
    assert len(grown) == 2
    stream.finish()
