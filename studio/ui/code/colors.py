"""Colours the lines in sight of a source file from a tree that is parsed in the background."""

from __future__ import annotations

import functools
import time

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QFont, QKeyEvent, QTextBlock, QTextCharFormat, QTextLayout

from studio.documents.units import units
from studio.ui.background import Background
from studio.ui.code.parsing import COLORS, Segment, Syntax, TreeEdit
from studio.ui.editing.alive import while_alive
from studio.ui.editing.text_area import Change, TextArea
from studio.ui.theme import Theme

_PAUSE = 30
_LATEST = 0.15
_SCROLL_PAUSE = 16
_LINES_AROUND = 60
_SLANTED = "comment"
Ranges = tuple[tuple[int, int, int], ...]


class Colors(QObject):
    """One per open file. Between a key and the next tree, colours move along with the letters."""

    def __init__(self, area: TextArea, theme: Theme, background: Background, language: str) -> None:
        super().__init__(area)
        self._area = area
        self._theme = theme
        self._background = background
        self._syntax = Syntax(language)
        self._edits: list[TreeEdit] = []
        self._revision = 0
        self._busy = False
        self._stop = False
        self._parsed = -1
        self._since = 0.0
        self._shown: dict[int, Ranges] = {}
        self._formats: list[QTextCharFormat] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._parse)
        area.edited.connect(self._edited)
        area.key_filters.append(self._give_way)
        area.verticalScrollBar().valueChanged.connect(self._scrolled)
        theme.changed.connect(self._dress)
        self._dress()

    @property
    def settled(self) -> bool:
        """Whether the lines in sight have the colours of the newest text."""
        return not self._busy and not self._timer.isActive() and self._parsed == self._revision

    def stop(self) -> None:
        """Leave a parse that is going on; for closing the file."""
        self._stop = True
        self._timer.stop()
        self._area.edited.disconnect(self._edited)
        self._area.verticalScrollBar().valueChanged.disconnect(self._scrolled)
        self._area.key_filters.remove(self._give_way)
        self._theme.changed.disconnect(self._dress)

    def _give_way(self, _event: QKeyEvent) -> bool:
        """A key is more urgent than a parse that it outdates anyway."""
        self._stop = True
        return False

    def clear(self) -> None:
        """Everything plain again, before another language takes over."""
        for line in self._shown:
            block = self._area.document().findBlockByNumber(line)
            block.layout().setFormats([])
            self._area.document().markContentsDirty(block.position(), block.length())
        self._shown.clear()

    def _edited(self, change: Change) -> None:
        self._revision += 1
        block = self._area.document().findBlock(change.position)
        self._edits.append(_tree_edit(change, block))
        self._move_along(change, block)
        self._stop = True
        self._soon(_PAUSE)

    def _scrolled(self, _value: int) -> None:
        self._soon(_SCROLL_PAUSE)

    def _soon(self, pause: int) -> None:
        """After a pause in the typing, but not later than `_LATEST`: a stream of words makes no pause."""
        now = time.monotonic()
        if not self._timer.isActive():
            self._since = now
        elif pause == _SCROLL_PAUSE or now - self._since > _LATEST:
            return
        self._timer.start(pause)

    def _parse(self) -> None:
        if self._busy:
            return
        area = self._area
        first, last = self._in_sight()
        document = area.document()
        start = document.findBlockByNumber(first).position()
        last_block = document.findBlockByNumber(last)
        end = last_block.position() + last_block.length() - 1
        text, edits, revision = area.copy_of_text(), self._edits, self._revision
        self._edits, self._busy, self._stop = [], True, False
        fresh = self._parsed == revision
        syntax = self._syntax

        def work() -> list[Segment] | None:
            if not fresh and not syntax.update(text, edits, lambda: self._stop):
                return None
            return syntax.segments(start, end)

        shown = functools.partial(self._parsed_now, revision, first, last)
        self._background.run(work, while_alive(self, shown))

    def _parsed_now(self, revision: int, first: int, last: int, segments: list[Segment] | None) -> None:
        self._busy = False
        if segments is None or revision != self._revision:
            self._soon(_PAUSE)
            return
        self._parsed = revision
        self._show(first, last, segments)

    def _show(self, first: int, last: int, segments: list[Segment]) -> None:
        block = self._area.document().findBlockByNumber(first)
        at = 0
        while block.isValid() and block.blockNumber() <= last:
            start, end = block.position(), block.position() + block.length() - 1
            while at < len(segments) and segments[at].end <= start:
                at += 1
            ranges: list[tuple[int, int, int]] = []
            place = at
            while place < len(segments) and segments[place].start < end:
                begin, finish = max(segments[place].start, start), min(segments[place].end, end)
                ranges.append((begin - start, finish - begin, segments[place].color))
                place += 1
            self._put(block, tuple(ranges))
            block = block.next()
        if len(self._shown) > 40 * _LINES_AROUND:
            self._shown = {line: self._shown[line] for line in self._shown if first <= line <= last}

    def _put(self, block: QTextBlock, ranges: Ranges) -> None:
        number = block.blockNumber()
        layout = block.layout()
        if self._shown.get(number, ()) == ranges or layout.preeditAreaText():
            return
        self._dress_block(block, ranges)
        self._area.document().markContentsDirty(block.position(), block.length())

    def _range(self, start: int, length: int, color: int) -> QTextLayout.FormatRange:
        found = QTextLayout.FormatRange()
        found.start = start
        found.length = length
        found.format = self._formats[color]
        return found

    def _move_along(self, change: Change, block: QTextBlock) -> None:
        """Shift what is remembered of the lines below, and the colours behind the cursor in its own line."""
        number = block.blockNumber()
        offset = change.position - block.position()
        gone_lines, come_lines = change.removed.count("\n"), change.inserted.count("\n")
        ranges = self._shown.get(number, ())
        if gone_lines or come_lines:
            self._shown = {
                line + (come_lines - gone_lines if line > number else 0): known
                for line, known in self._shown.items()
                if line < number or line > number + gone_lines
            }
        if gone_lines or block.layout().preeditAreaText():
            self._shown.pop(number, None)
            return
        gone = units(change.removed)
        if come_lines:
            self._split(block, ranges, offset, gone, change.inserted)
            return
        moved = tuple(_shifted(ranges, offset, gone, units(change.inserted), change.inserted.isalnum()))
        if moved != ranges:
            self._dress_block(block, moved)

    def _split(self, block: QTextBlock, ranges: Ranges, offset: int, gone: int, inserted: str) -> None:
        """The line became several: what stood behind the cursor is at the end of the last of them now."""
        last = self._area.document().findBlockByNumber(block.blockNumber() + inserted.count("\n"))
        by = units(inserted.rpartition("\n")[2]) - offset - gone
        head = tuple((start, min(length, offset - start), color) for start, length, color in ranges if start < offset)
        tail = tuple(
            (max(start, offset + gone) + by, start + length - max(start, offset + gone), color)
            for start, length, color in ranges
            if start + length > offset + gone
        )
        self._dress_block(block, head)
        self._dress_block(last, tail)

    def _dress_block(self, block: QTextBlock, ranges: Ranges) -> None:
        self._shown[block.blockNumber()] = ranges
        block.layout().setFormats([self._range(*each) for each in ranges])

    def _in_sight(self) -> tuple[int, int]:
        area = self._area
        first = area.firstVisibleBlock().blockNumber()
        height = max(1, area.fontMetrics().lineSpacing())
        lines = area.viewport().height() // height + 1
        last = min(area.blockCount() - 1, first + lines + _LINES_AROUND)
        return max(0, first - _LINES_AROUND), last

    def _dress(self) -> None:
        self._formats = []
        for name in COLORS:
            look = QTextCharFormat()
            if name:
                look.setForeground(self._theme.color(f"syntax_{name}"))
            if name == _SLANTED:
                look.setFontItalic(True)
            if name == "keyword":
                look.setFontWeight(QFont.Weight.Medium)
            self._formats.append(look)
        self._shown.clear()
        self._soon(_SCROLL_PAUSE)


def _shifted(ranges: Ranges, offset: int, gone: int, come: int, word: bool) -> list[tuple[int, int, int]]:
    """Colour ranges of a line after `gone` units at `offset` became `come` units (letters, if `word`)."""
    found = []
    for start, length, color in ranges:
        begin, end = _moved(start, offset, gone, come), _moved(start + length, offset, gone, come)
        if start + length == offset and (word or COLORS[color] == "comment"):
            end += come
        if end > begin:
            found.append((begin, end - begin, color))
    return found


def _moved(place: int, offset: int, gone: int, come: int) -> int:
    """A place in the line after the edit."""
    if place >= offset + gone and (place > offset or gone):
        return place + come - gone
    if place > offset:
        return offset
    return place


def _tree_edit(change: Change, block: QTextBlock) -> TreeEdit:
    row, column = block.blockNumber(), 2 * (change.position - block.position())
    start, removed, inserted = 2 * change.position, 2 * units(change.removed), 2 * units(change.inserted)
    return TreeEdit(
        start,
        start + removed,
        start + inserted,
        (row, column),
        _place_after(row, column, change.removed),
        _place_after(row, column, change.inserted),
    )


def _place_after(row: int, column: int, text: str) -> tuple[int, int]:
    lines = text.count("\n")
    if not lines:
        return row, column + 2 * units(text)
    return row + lines, 2 * units(text.rpartition("\n")[2])
