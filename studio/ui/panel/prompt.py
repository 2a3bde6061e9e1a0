"""The prompt box: several lines of plain words, as tall as they need within limits."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QWidget

from studio.ui.theme import Theme


class PromptBox(QPlainTextEdit):
    """A text field for a prompt. Tab leaves it; Ctrl+Return is left to the room's command.

    `edited` tells of each change, by hand or by program.
    """

    edited = Signal()

    def __init__(
        self, theme: Theme, placeholder: str = "", lines: int = 4, most: int = 9, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._lines = lines
        self._most = most
        self.setProperty("look", "field")
        self.setPlaceholderText(placeholder)
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setToolTip(placeholder or "What you want")
        self.document().setDocumentMargin(3)
        self.textChanged.connect(self.edited)
        # Lines are broken after the text has changed, and again where the box gets another width.
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def text(self) -> str:
        """The prompt, without the white space around it."""
        return self.toPlainText().strip()

    def set_text(self, text: str) -> None:
        """Replace the prompt; can be undone with the field's own undo."""
        cursor = self.textCursor()
        cursor.select(cursor.SelectionType.Document)
        cursor.insertText(text)
        self.setTextCursor(cursor)

    def sizeHint(self) -> QSize:
        """As many lines as the text has."""
        return QSize(200, self._height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave Ctrl+Return to the window."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and event.modifiers() & (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier
        ):
            event.ignore()
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Lines have another height in another size of text."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lines break elsewhere in another width."""
        super().resizeEvent(event)
        self._fit()

    def _height(self) -> int:
        rows = self.document().size().height()
        shown = max(self._lines, min(self._most, int(rows)))
        line = math.ceil(QFontMetricsF(self.font()).lineSpacing())  # lines are laid out at whole pixels, rounded up
        return line * shown + 18

    def _fit(self) -> None:
        height = self._height()
        if self.height() != height or self.minimumHeight() != height:
            self.setFixedHeight(height)
