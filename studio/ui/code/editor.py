"""The source editor: line numbers, the current line, indentation as one types."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextCursor,
)
from PySide6.QtWidgets import QFrame, QPlainTextEdit

from studio.documents.code_folder import comment_mark
from studio.documents.units import units
from studio.ui.code.gutter import Gutter
from studio.ui.code.indenting import WIDTH, Style, dedented, next_indent, style_of, toggled_comment
from studio.ui.editing.text_area import TextArea
from studio.ui.theme import Theme

_SIZE = 14
_LEADING = 1.3
_HINT = "Type, or say at the right what should be written here."


class SourceArea(TextArea):
    """An editor for one source file in `language`. `moved` carries line and column (from 1) of the cursor."""

    moved = Signal(int, int)

    def __init__(self, theme: Theme, language: str) -> None:
        super().__init__(_LEADING, _above)
        self.language = language
        self._theme = theme
        self._style = Style()
        self._line = -1
        self._gutter = Gutter(self, theme, self.visible_lines)
        self.setAccessibleName("Code")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.document().setDocumentMargin(4)
        self.blockCountChanged.connect(lambda _count: self.make_room())
        self.updateRequest.connect(self._gutter.follow)
        self.cursorPositionChanged.connect(self._cursor_moved)
        theme.changed.connect(self._dress)
        self._dress()

    def load_source(self, text: str) -> None:
        """Show another text, and indent as it does."""
        self.load(text)
        self._style = style_of(text)

    # commands

    def indent_selection(self) -> None:
        """One level more for all lines of the selection."""
        self._change_lines(lambda lines: [self._style.unit + line if line.strip() else line for line in lines])

    def dedent_selection(self) -> None:
        """One level less."""
        self._change_lines(lambda lines: [dedented(line, self._style) for line in lines])

    def toggle_comment(self) -> None:
        """Comment the selected lines out, or in again."""
        mark = comment_mark(self.language)
        self._change_lines(lambda lines: toggled_comment(lines, mark))

    def move_lines(self, by: int) -> None:
        """Move the selected lines up (-1) or down (1)."""
        first, last = self._lines()
        other = first.previous() if by < 0 else last.next()
        if not other.isValid():
            return
        cursor = self.textCursor()
        anchor, position = cursor.anchor(), cursor.position()
        start, end = first.position(), last.position() + last.length() - 1
        block, moved = self.between(start, end), other.text()
        shift = other.length() * by
        if by < 0:
            self.replace(other.position(), end, f"{block}\n{moved}")
        else:
            self.replace(start, other.position() + other.length() - 1, f"{moved}\n{block}")
        self.select(anchor + shift, position + shift)

    def go_to_line(self, line: int) -> None:
        """Put the cursor at the start of a line, counted from 1; too large is the last."""
        block = self.document().findBlockByNumber(max(0, min(line, self.blockCount()) - 1))
        self.select(block.position(), block.position())
        self.centerCursor()

    def indent_after(self, line: str) -> str:
        """The indentation of a new line behind `line`."""
        return next_indent(line, self._style, self.language)

    def select(self, start: int, end: int) -> None:
        """Select a part of the text, the cursor at `end`."""
        cursor = self.textCursor()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def ensureCursorVisible(self) -> None:
        """Show the cursor, and its line from the start where both fit: Qt stays aside where it once had to go."""
        super().ensureCursorVisible()
        bar = self.horizontalScrollBar()
        if bar.value() and self.cursorRect().right() + bar.value() < self.viewport().width():
            bar.setValue(0)

    # keys

    def takes_key(self, event: QKeyEvent) -> bool:
        """Return, Tab, Backtab and Backspace know about indentation."""
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        shifted = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and (plain or shifted):
            self._return()
        elif key == Qt.Key.Key_Tab and plain:
            self._tab()
        elif key == Qt.Key.Key_Backtab:
            self.dedent_selection()
        elif not (key == Qt.Key.Key_Backspace and plain and self._backspace()):
            return False
        return True

    def _return(self) -> None:
        cursor = self.textCursor()
        start = cursor.selectionStart()
        block = self.document().findBlock(start)
        before = block.text()[: start - block.position()]
        self.replace(start, cursor.selectionEnd(), "\n" + self.indent_after(before))
        self.ensureCursorVisible()

    def _tab(self) -> None:
        cursor = self.textCursor()
        if cursor.hasSelection() and "\u2029" in cursor.selectedText():
            self.indent_selection()
            return
        start = cursor.selectionStart()
        column = start - self.document().findBlock(start).position()
        unit = self._style.unit
        text = unit if unit == "\t" else " " * (len(unit) - column % len(unit))
        self.replace(start, cursor.selectionEnd(), text)
        self.ensureCursorVisible()

    def _backspace(self) -> bool:
        cursor = self.textCursor()
        before = cursor.block().text()[: cursor.positionInBlock()]
        if cursor.hasSelection() or not before or before.strip(" "):
            return False
        self.replace(cursor.position() - len(before), cursor.position(), dedented(before, self._style))
        return True

    def _lines(self) -> tuple[QTextBlock, QTextBlock]:
        cursor = self.textCursor()
        first = self.document().findBlock(cursor.selectionStart())
        last = self.document().findBlock(cursor.selectionEnd())
        if last.position() == cursor.selectionEnd() and last.blockNumber() > first.blockNumber():
            last = last.previous()
        return first, last

    def _change_lines(self, change: Callable[[list[str]], list[str]]) -> None:
        first, last = self._lines()
        cursor = self.textCursor()
        start, end = first.position(), last.position() + last.length() - 1
        old = self.between(start, end).split("\n")
        new = change(old)
        if new == old:
            return
        text = "\n".join(new)
        column = cursor.position() - start + units(new[0]) - units(old[0])
        selected = cursor.hasSelection()
        self.replace(start, end, text)
        if selected:
            self.select(start, start + units(text))
        else:
            place = start + max(0, min(column, units(new[0])))
            self.select(place, place)

    # paint

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The numbers are as tall as the code; a cursor in sight stays so, also when a scroll bar takes its room."""
        seen = self.cursorRect().bottom() <= event.oldSize().height() and self.cursorRect().bottom() > 0
        super().resizeEvent(event)
        self._gutter.fit()
        if seen and self.cursorRect().bottom() > self.viewport().height():
            self.ensureCursorVisible()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The current line's ground first, then the code."""
        painter = QPainter(self.viewport())
        rect = self.blockBoundingGeometry(self.textCursor().block()).translated(self.contentOffset())
        if self.hasFocus():
            ground = QRectF(0, rect.top(), self.viewport().width(), rect.height())
            painter.fillRect(ground, self._theme.color("hover", 0.55))
        painter.end()
        super().paintEvent(event)
        if not self.length and not self.textCursor().block().layout().preeditAreaText():
            self._paint_hint()

    def _paint_hint(self) -> None:
        """What can be done in an empty file, on its first line: Qt's own placeholder knows nothing of our spacing."""
        line = self.cursorRect()
        painter = QPainter(self.viewport())
        painter.setPen(self._theme.color("text_soft"))
        space = QRectF(line.right() + self.cursorWidth() + 1, line.top(), self.viewport().width(), line.height())
        painter.drawText(space, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), _HINT)
        painter.end()

    def visible_lines(self) -> Iterator[tuple[int, QRectF, bool]]:
        """Number, place and whether it is the cursor's, of each line in sight; for the gutter."""
        block = self.firstVisibleBlock()
        number, current = block.blockNumber() + 1, self.textCursor().blockNumber() + 1
        top, end, height = self.contentOffset().y(), self.viewport().height(), self.fontMetrics().height()
        while block.isValid() and top <= end:
            yield number, QRectF(0, top + block.layout().lineAt(0).y(), 0, height), number == current
            top += self.blockBoundingRect(block).height()
            number += 1
            block = block.next()

    def make_room(self) -> None:
        """Keep room for the numbers at the left."""
        width = self._gutter.wanted()
        if self.viewportMargins().left() != width:
            self.setViewportMargins(width, 0, 0, 0)
            self._gutter.fit()

    def place(self) -> tuple[int, int]:
        """Line and column of the cursor, from 1."""
        cursor = self.textCursor()
        return cursor.blockNumber() + 1, cursor.positionInBlock() + 1

    def _cursor_moved(self) -> None:
        cursor = self.textCursor()
        self.moved.emit(*self.place())
        if cursor.blockNumber() != self._line:
            self._line = cursor.blockNumber()
            self.viewport().update()
            self._gutter.update()

    def _dress(self) -> None:
        font = self._theme.mono(_SIZE)
        self.setFont(font)
        self.set_space_below(self.fontMetrics().height() * (_LEADING - 1) / 2)
        self.setTabStopDistance(QFontMetricsF(font).horizontalAdvance(" ") * WIDTH)
        self.dress(self._theme)
        self.make_room()
        self._gutter.update()


def _above(block: QTextBlock) -> float:
    return 8.0 if block.blockNumber() == 0 else 0.0
