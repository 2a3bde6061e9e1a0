"""The page: one centred column of comfortable width."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QKeyEvent, QTextBlock, QTextCursor
from PySide6.QtWidgets import QFrame, QPlainTextEdit

from studio.ui.editing.text_area import TextArea
from studio.ui.theme import Theme
from studio.ui.write.highlighter import MarkdownHighlighter, is_heading
from studio.ui.write.lists import continued_mark, is_empty_item

MEASURE = 70
_SAMPLE = "Mara counted the steps as she climbed, the same as every evening."
_SIZE = 17
_LEADING = 1.5
_BELOW = (_LEADING - 1) / 2 + 0.18
_NARROWEST_MARGIN = 28


class Page(TextArea):
    """A Markdown source editor: words as large as in a book, `MEASURE` characters wide."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(_LEADING, self._above, tight=True)
        self._theme = theme
        self.setAccessibleName("Text")
        self.setAccessibleDescription("Markdown source of the open text")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setPlaceholderText("Write here. Ctrl ⏎ lets the model go on from the cursor.")
        self.highlighter = MarkdownHighlighter(self.document(), theme, self._font())
        theme.changed.connect(self._dress)
        self._dress()

    def surround(self, mark: str) -> None:
        """Put `mark` around the selection, or take it away where it is."""
        cursor = self.textCursor()
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        width = len(mark)
        before = self.between(max(0, start - width), start)
        after = self.between(end, min(self.length, end + width))
        if before == mark == after:
            self.replace(start - width, end + width, self.between(start, end))
            self.select(start - width, end - width)
        else:
            self.replace(start, end, mark + self.between(start, end) + mark)
            self.select(start + width, end + width)

    def select(self, start: int, end: int) -> None:
        """Select a part of the text."""
        cursor = self.textCursor()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def paragraph_at(self, position: int) -> tuple[int, int]:
        """Start and end of the line at `position`, without white space around it."""
        block = self.document().findBlock(position)
        text = block.text()
        start = block.position() + len(text) - len(text.lstrip())
        return start, max(start, block.position() + len(text.rstrip()))

    def takes_key(self, event: QKeyEvent) -> bool:
        """Return in a list begins the next item."""
        plain = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers()
        return plain and not self.textCursor().hasSelection() and self._next_item()

    def event(self, event: QEvent) -> bool:
        """Keep the column in the middle.

        Not in `resizeEvent`: that one is the viewport's, and Qt forgets a viewport's size that changes in it.
        """
        if event.type() == QEvent.Type.Resize:
            self._centre()
        return super().event(event)

    def _next_item(self) -> bool:
        cursor = self.textCursor()
        line = cursor.block().text()
        if cursor.positionInBlock() < len(line):
            return False
        mark = continued_mark(line)
        if mark is None:
            return False
        if is_empty_item(line):
            self.replace(cursor.block().position(), cursor.position(), "")
        else:
            self.replace(cursor.position(), cursor.position(), "\n" + mark)
        self.ensureCursorVisible()
        return True

    def _centre(self) -> None:
        measure = QFontMetricsF(self.font()).horizontalAdvance(_SAMPLE) / len(_SAMPLE) * MEASURE
        side = max(_NARROWEST_MARGIN, round((self.width() - measure) / 2))
        if self.viewportMargins().left() != side:
            bar = self.verticalScrollBar().sizeHint().width()
            self.setViewportMargins(side, 0, max(4, side - bar), 0)

    def _above(self, block: QTextBlock) -> float:
        line = self.fontMetrics().height()
        if block.blockNumber() == 0:
            return 1.6 * line
        return 0.6 * line if is_heading(block) else 0.0

    def _font(self) -> QFont:
        font = self._theme.font("large")
        font.setPixelSize(self._theme.pixels(_SIZE))
        return font

    def _dress(self) -> None:
        self.setFont(self._font())
        self.set_space_below(self.fontMetrics().height() * _BELOW)
        self.dress(self._theme)
        lines = self.viewport().height() // max(1, self.fontMetrics().height()) + 1
        self.highlighter.set_base(self._font(), self.firstVisibleBlock(), lines)
        self._centre()
