"""Rooms come to the front within the one window: nothing flashes up beside it, and it keeps the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.frame.conftest import Start


class Windows(QObject):
    """Notes each window that is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.shown.append(type(watched).__name__)
        return False


def test_no_part_of_a_room_is_a_window_for_a_moment(qtbot: QtBot, qapp: QApplication, start: Start) -> None:
    windows = Windows()
    qapp.installEventFilter(windows)
    try:
        running = start()
        for room in ("canvas", "write", "code", "settings"):
            running.window.open_room(room)
            assert running.window.stage.current == room
        running.window.open_queue()
        running.window.open_palette()
    finally:
        qapp.removeEventFilter(windows)
    assert windows.shown == ["Shell"]
    assert running.shell.isActiveWindow()
