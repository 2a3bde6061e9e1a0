"""A suggestion in grey at the cursor that is not part of the text.

It lies in the line's layout as pre-edit text, where input methods put theirs: the document, its history
and its modified flag know nothing of it. Therefore an input method always goes first.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QTextBlock, QTextCharFormat, QTextCursor, QTextLayout

from studio.documents.units import units
from studio.ui.editing.text_area import Change, TextArea
from studio.ui.theme import Theme

_LINE = "\u2028"
_WORD = re.compile(r"\s*(?:\w+|[^\w\s]+)|\s+$")


class Ghost(QObject):
    """The suggestion of one editor. `text` is empty while there is none.

    Tab takes all of it, Ctrl+Right the next word, Esc sends it away; typing its letters keeps the rest.
    `accepted` carries what was taken; `gone` comes when there is none any more.
    """

    accepted = Signal(str)
    gone = Signal()

    def __init__(self, area: TextArea, theme: Theme) -> None:
        super().__init__(area)
        self._area = area
        self._theme = theme
        self.text = ""
        self._anchor = QTextCursor(area.document())
        self._block = QTextBlock()
        self._line = ""
        self._before: list[QTextLayout.FormatRange] = []
        area.key_filters.insert(0, self._key)
        area.claims_key = self._claims
        area.edited.connect(self._edited)
        area.cursorPositionChanged.connect(self._moved)
        area.composition.connect(self.hide)
        area.viewport().installEventFilter(self)

    def show(self, text: str) -> None:
        """Show `text` at the cursor in place of what was shown."""
        self._clear()
        if not text or self._area.composing or self._area.textCursor().hasSelection():
            return
        cursor = self._area.textCursor()
        block, offset = cursor.block(), cursor.positionInBlock()
        layout = block.layout()
        self.text, self._anchor = text, QTextCursor(cursor)
        self._block, self._line = block, block.text()
        self._before = list(layout.formats())
        shown = text.replace("\n", _LINE)
        width = units(shown)
        layout.setPreeditArea(offset, shown)
        ranges = [part for old in self._before for part in _parted(old, offset, width)]
        layout.setFormats([*ranges, self._range(offset, width)])
        self._area.document().markContentsDirty(block.position(), block.length())
        self._reveal(text.count("\n"))

    def hide(self) -> None:
        """Send it away."""
        if self.text:
            self._clear()
            self.gone.emit()

    def accept(self) -> None:
        """Take all of it."""
        self._take(self.text)

    def accept_word(self) -> None:
        """Take the next word and keep the rest."""
        found = _WORD.match(self.text)
        self._take(found[0] if found else self.text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A press of the mouse finds its letter in the text without the ghost."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self.hide()
        return super().eventFilter(watched, event)

    def _reveal(self, more_lines: int) -> None:
        """Scroll as far as needed to see all lines of it, but not so far that the cursor leaves."""
        spot, height = self._area.cursorRect(), self._area.viewport().height()
        pitch = max(1, spot.height())
        missing = spot.bottom() + more_lines * pitch * 3 // 2 - height
        if more_lines and missing > 0:
            bar = self._area.verticalScrollBar()
            bar.setValue(bar.value() + min(-(-missing // pitch), spot.top() // pitch))

    def _take(self, part: str) -> None:
        if not part:
            return
        rest, position = self.text[len(part) :], self._anchor.position()
        self._clear()
        self._area.insert_generated(position, part)
        cursor = self._area.textCursor()
        cursor.setPosition(position + units(part))
        self._area.setTextCursor(cursor)
        self._area.ensureCursorVisible()
        self.show(rest)
        self.accepted.emit(part)
        if not rest:
            self.gone.emit()

    def _claims(self, event: QKeyEvent) -> bool:
        return bool(self.text) and (
            event.key() == Qt.Key.Key_Escape or event.matches(QKeySequence.StandardKey.MoveToNextWord)
        )

    def _key(self, event: QKeyEvent) -> bool:
        if not self.text:
            return False
        typed = event.text()
        if event.key() == Qt.Key.Key_Tab and not event.modifiers():
            self.accept()
        elif event.matches(QKeySequence.StandardKey.MoveToNextWord):
            self.accept_word()
        elif event.key() == Qt.Key.Key_Escape:
            self.hide()
        elif typed and typed.isprintable() and self.text.startswith(typed):
            self._type_through(typed)
        else:
            if typed:
                self.hide()
            return False
        return True

    def _type_through(self, typed: str) -> None:
        rest = self.text[len(typed) :]
        self._clear()
        self._area.type_text(typed)
        if rest:
            self.show(rest)
        else:
            self.gone.emit()

    def _edited(self, _change: Change) -> None:
        self.hide()

    def _moved(self) -> None:
        if self.text and self._area.textCursor().position() != self._anchor.position():
            self.hide()

    def _clear(self) -> None:
        """Give the line back as it was."""
        if not self.text:
            return
        self.text = ""
        block = self._block
        if not block.isValid():
            return
        layout = block.layout()
        layout.setPreeditArea(-1, "")
        layout.setFormats(self._before if block.text() == self._line else [])
        self._area.document().markContentsDirty(block.position(), block.length())

    def _range(self, start: int, length: int) -> QTextLayout.FormatRange:
        look = QTextCharFormat()
        look.setForeground(self._theme.color("ghost"))
        return _format_range(start, length, look)


def _parted(old: QTextLayout.FormatRange, offset: int, width: int) -> list[QTextLayout.FormatRange]:
    """A format of the line where `width` units have come in at `offset`."""
    end = old.start + old.length
    if end <= offset:
        return [old]
    if old.start >= offset:
        return [_format_range(old.start + width, old.length, old.format)]
    head = _format_range(old.start, offset - old.start, old.format)
    return [head, _format_range(offset + width, end - offset, old.format)]


def _format_range(start: int, length: int, look: QTextCharFormat) -> QTextLayout.FormatRange:
    found = QTextLayout.FormatRange()
    found.start = start
    found.length = length
    found.format = look
    return found
