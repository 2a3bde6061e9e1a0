"""The small floating line below the words that are being written: what happens, and how to stop it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel

from studio.ui.editing.generation import Generation
from studio.ui.editing.text_area import TextArea
from studio.ui.theme import Theme

_GAP = 8


class Pill(QFrame):
    """Follows the end of a generation's text; goes with it."""

    def __init__(self, area: TextArea, generation: Generation, theme: Theme) -> None:
        super().__init__(area.viewport())
        self._area = area
        self._generation = generation
        self.setProperty("look", "float")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._words = QLabel(generation.words)
        self._words.setProperty("look", "accent")
        keys = QLabel("Esc stops")
        keys.setProperty("look", "soft")
        line = QHBoxLayout(self)
        line.setContentsMargins(10, 5, 10, 5)
        line.setSpacing(theme.space(2))
        line.addWidget(self._words)
        line.addWidget(keys)
        generation.told.connect(self._tell)
        generation.stream.grew.connect(self.place)
        generation.ended.connect(self._leave)
        area.updateRequest.connect(self.place)
        self.place()
        self.show()

    def place(self) -> None:
        """Move below the last line; hide where that is not in sight."""
        if not self._generation.stream.open:
            return
        cursor = QTextCursor(self._area.document())
        cursor.setPosition(self._generation.stream.place)
        spot = self._area.cursorRect(cursor)
        view = self._area.viewport().rect()
        self.adjustSize()
        top = spot.bottom() + _GAP
        if top + self.height() > view.bottom():
            top = spot.top() - _GAP - self.height()
        self.move(QPoint(max(0, min(spot.left(), view.width() - self.width())), max(0, top)))
        self.setVisible(view.intersects(spot))

    def _tell(self, words: str) -> None:
        self._words.setText(words)
        self.place()

    def _leave(self) -> None:
        self._area.updateRequest.disconnect(self.place)
        self.hide()
        self.deleteLater()
