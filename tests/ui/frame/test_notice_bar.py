"""Plain notes leave by themselves; what matters stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from studio.app.notices import Action, Notice
from studio.launch import Application
from studio.ui import notice_bar
from studio.ui.notice_bar import reading_time


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch, running: Application) -> Application:
    """Notes that go after a twentieth of a second."""
    monkeypatch.setattr(notice_bar, "_SHORTEST", 50)
    monkeypatch.setattr(notice_bar, "_PER_LETTER", 0)
    return running


def counting(running: Application) -> bool:
    return running.window.bar._timer.isActive()


def test_there_is_time_to_read() -> None:
    assert reading_time(Notice(1, "note", "Saved.")) == 8000
    assert reading_time(Notice(1, "note", "word " * 60)) > 15000
    assert reading_time(Notice(1, "warning", "Saved.")) == 0
    assert reading_time(Notice(1, "error", "Saved.")) == 0
    assert reading_time(Notice(1, "note", "Saved.", action=Action("Show", lambda: None))) == 0


def test_a_note_goes_by_itself_and_the_one_behind_it_after_it(qtbot: QtBot, hasty: Application) -> None:
    bar = hasty.window.bar
    hasty.notices.post("one")
    hasty.notices.post("two")
    assert bar.message.text() == "two"
    qtbot.waitUntil(lambda: bar.message.text() == "one")
    qtbot.waitUntil(lambda: not bar.isVisible())
    assert hasty.notices.current() == ()


@pytest.mark.parametrize("level", ["warning", "error"])
def test_what_matters_stays(hasty: Application, level: str) -> None:
    hasty.notices.post("careful", level=level)  # type: ignore[arg-type]
    assert not counting(hasty)
    hasty.notices.clear()
    hasty.notices.post("done", action=Action("Show", lambda: None))
    assert not counting(hasty)


def test_it_stays_under_the_mouse(qtbot: QtBot, hasty: Application) -> None:
    bar = hasty.window.bar
    place = QPointF(5, 5)
    hasty.notices.post("one")
    assert counting(hasty)
    QApplication.sendEvent(bar, QEnterEvent(place, place, place))
    assert not counting(hasty)
    hasty.theme.changed.emit()
    assert not counting(hasty)
    QApplication.sendEvent(bar, QEvent(QEvent.Type.Leave))
    assert counting(hasty)
    qtbot.waitUntil(lambda: not bar.isVisible())


def test_it_waits_for_the_window_to_be_in_use(qtbot: QtBot, hasty: Application) -> None:
    other = QWidget()
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(other.isActiveWindow)
    hasty.notices.post("one")
    assert hasty.window.bar.isVisible()
    assert not counting(hasty)
    hasty.shell.activateWindow()
    qtbot.waitUntil(lambda: not hasty.window.bar.isVisible())


def test_a_note_behind_an_error_gets_its_time_when_it_is_seen(qtbot: QtBot, hasty: Application) -> None:
    bar = hasty.window.bar
    hasty.notices.post("one")
    hasty.notices.post("wrong", level="error")
    assert not counting(hasty)
    qtbot.mouseClick(bar.close_button, Qt.MouseButton.LeftButton)
    assert bar.message.text() == "one"
    hasty.window.bar._under_mouse = False
    bar._time()
    qtbot.waitUntil(lambda: not bar.isVisible())


def test_what_is_about_a_room_is_shown_there_alone(running: Application) -> None:
    bar, window = running.window.bar, running.window
    window.stage.room("canvas").context.notices.post("careful", level="warning")
    assert bar.isVisible()
    window.open_room("settings")
    assert not bar.isVisible()
    running.notices.post("about all", level="warning")
    assert bar.message.text() == "about all"
    assert not bar.more.isVisible()
    window.open_room("canvas")
    assert bar.more.text() == "1 more"
    running.notices.clear()


def test_a_passing_note_moves_neither_picture_nor_panel(qtbot: QtBot, hasty: Application) -> None:
    window = hasty.window
    stage, bar = window.stage, window.bar
    before = stage.geometry()
    window.stage.room("canvas")._saved(Path("/pictures/lamp.png"))  # type: ignore[attr-defined]
    place = QPointF(5, 5)
    QApplication.sendEvent(bar, QEnterEvent(place, place, place))  # it waits meanwhile
    QApplication.processEvents()
    assert bar.isVisible()
    assert stage.geometry() == before
    assert bar.y() == before.y()
    assert bar.width() == stage.page.width() < stage.width()  # no button of the panel is covered
    stage.set_panel_shown(False)
    qtbot.waitUntil(lambda: bar.width() == stage.width())
    stage.set_panel_shown(True)
    QApplication.sendEvent(bar, QEvent(QEvent.Type.Leave))
    assert bar.height() >= bar.sizeHint().height()
    qtbot.waitUntil(lambda: not bar.isVisible())
    assert hasty.notices.current() == ()
    hasty.notices.post("careful", level="warning")
    qtbot.waitUntil(lambda: stage.y() == bar.height())  # what stays has a place of its own
    assert bar.y() == 0
    hasty.notices.clear()
