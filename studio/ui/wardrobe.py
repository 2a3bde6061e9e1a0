"""Dresses the window part by part in the style sheet, so that a change of the look never makes it stall.

A style sheet on the application restyles every widget there is in one go, those out of sight too. Here each
part of the window wears the sheet itself: what is in sight changes at once and together, what is not follows
one part at a time between events, or just before it is shown.
"""

from __future__ import annotations

import weakref

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

_PAUSE = 15


class Wardrobe(QObject):
    """The parts that wear the style sheet. A part's content inherits it, its menus and dialogs included."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._sheet = ""
        self._parts: list[weakref.ref[QWidget]] = []
        self._stale: list[weakref.ref[QWidget]] = []
        self._timer = QTimer(self)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._next)

    @property
    def settled(self) -> bool:
        """Whether every part wears the newest sheet."""
        return not self._stale

    def clothe(self, part: QWidget) -> None:
        """Put the sheet on `part`, now and whenever it changes; cheapest while the part is still empty."""
        self._parts = [known for known in self._parts if _alive(known) not in (None, part)]
        self._parts.append(weakref.ref(part))
        part.setStyleSheet(self._sheet)

    def change(self, sheet: str) -> None:
        """Another sheet: at once for all parts in sight, soon for the others."""
        self._sheet = sheet
        self._stale = []
        for reference in self._parts:
            part = _alive(reference)
            if part is not None and part.isVisible():
                part.setStyleSheet(sheet)
            elif part is not None:
                self._stale.append(reference)
        if self._stale:
            self._timer.start()

    def freshen(self, part: QWidget) -> None:
        """Make sure that `part` wears the newest sheet; it is about to be seen."""
        waiting = [known for known in self._stale if known() is not part]
        if len(waiting) < len(self._stale):
            self._stale = waiting
            part.setStyleSheet(self._sheet)

    def stop(self) -> None:
        """Change nothing more."""
        self._timer.stop()
        self._stale.clear()

    def _next(self) -> None:
        while self._stale:
            part = _alive(self._stale.pop(0))
            if part is not None:
                part.setStyleSheet(self._sheet)
                break
        if not self._stale:
            self._timer.stop()


def _alive(reference: weakref.ref[QWidget]) -> QWidget | None:
    """The widget, unless Python or Qt has done away with it."""
    widget = reference()
    return widget if widget is not None and isValid(widget) else None
