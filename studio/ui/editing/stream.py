"""Generated text on its way into an editor, at the place where it was asked for.

The place follows every edit that the person makes meanwhile. The text arrives in batches, at most
thirty a second; it is marked until it is finished, and then it is one step of undo. A replacement
leaves the original where it is, struck out, until the new text is whole: whatever goes wrong before
that, the original is still there.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

from studio.documents.authorship import Runs
from studio.documents.text_history import Edit
from studio.documents.units import units
from studio.ui.editing.cleaning import Cleaner, Plain
from studio.ui.editing.text_area import TextArea
from studio.ui.theme import Theme

BATCH_MILLISECONDS = 34
_APART = " "
"""Between an original and its replacement while both are shown."""
End = Literal["finished", "stopped", "taken back"]


@dataclasses.dataclass(frozen=True)
class Target:
    """Where the text goes: at `position`, in place of what lies between `position` and `end`."""

    position: int
    end: int

    @property
    def replaces(self) -> bool:
        """Whether there is an original."""
        return self.end > self.position


class Stream(QObject):
    """One generation in one editor. `ended` says how it ended; `grew` comes after each batch."""

    ended = Signal(str)
    grew = Signal()

    def __init__(self, area: TextArea, target: Target, theme: Theme, cleaner: Cleaner | None = None) -> None:
        super().__init__(area)
        self.area = area
        self.open = True
        self.replaces = target.replaces
        self._theme = theme
        self._cleaner = cleaner or Plain()
        self._waiting = ""
        self._start = QTextCursor(area.document())
        self._start.setPosition(target.position)
        self._end = QTextCursor(area.document())
        self._end.setPosition(target.end)
        self._end.setKeepPositionOnInsert(True)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(BATCH_MILLISECONDS)
        self._timer.timeout.connect(self._flush)
        area.history.begin_passage(target.end)
        area.undo_passage = self._undo
        area.snapshot = self._snapshot
        theme.changed.connect(self._mark)
        self._mark()

    @property
    def place(self) -> int:
        """Where the next words go."""
        passage = self.area.history.passage
        return passage.end if passage else self._end.position()

    @property
    def text(self) -> str:
        """What has come so far."""
        passage = self.area.history.passage
        return self.area.between(passage.start, passage.end) if passage else ""

    def add(self, text: str) -> None:
        """More text."""
        if not self.open:
            return
        self._waiting += self._cleaner.feed(text)
        if self._waiting and not self._timer.isActive():
            self._flush()
            self._timer.start()

    def finish(self, *, whole_lines: bool = False) -> None:
        """All text has come: it becomes part of the document, as one step.

        With `whole_lines` a last line that is not the only one is left out.
        """
        if not self.open:
            return
        self._waiting += self._cleaner.finish()
        self._flush()
        if whole_lines:
            self._drop_last_line()
        self._commit() if self.text else self._take_back()
        self._close("finished")

    def stop(self) -> None:
        """End it early: what was inserted stays, a replacement gives way to its original."""
        if not self.open:
            return
        self._flush()
        if self.text and not self.replaces:
            self._commit()
        else:
            self._take_back()
        self._close("stopped")

    def _snapshot(self) -> bytes:
        """The text for the disk, UTF-16: with an unfinished insertion, without an unfinished replacement."""
        data = self.area.copy_of_text()
        passage = self.area.history.passage
        if passage is None or not self.replaces:
            return data
        return data[: 2 * passage.start] + data[2 * passage.end :]

    def _undo(self) -> bool:
        """Undo while it streams: all of it goes, and redo brings back what had come."""
        if not self.open:
            return False
        passage = self.area.history.passage
        position, text = (passage.start if passage else 0), self.text
        self._take_back()
        if text and not self.replaces:
            generated: Runs = ((units(text), "generated"),)
            self.area.history.push_undone([Edit(position, "", text, inserted_by=generated)])
        self._close("taken back")
        return True

    def _flush(self) -> None:
        passage = self.area.history.passage
        if not self._waiting or passage is None:
            return
        text, self._waiting = self._waiting, ""
        if self.replaces and passage.start == passage.end:
            text = _APART + text
        cursor = self.area.textCursor()
        follows = not cursor.hasSelection() and cursor.position() == passage.end
        visible = self.area.viewport().rect().intersects(self.area.cursorRect(cursor))
        self.area.put_streamed(passage.end, passage.end, text)
        self.area.history.grow_passage(units(text))
        self._mark()
        if follows and visible:
            self.area.ensureCursorVisible()
        self.grew.emit()

    def _commit(self) -> None:
        """Put the step that made the passage on top of the history, and remove an original."""
        area = self.area
        passage = area.history.passage
        if passage is None:
            return
        if self.replaces and self.text.startswith(_APART):
            area.history.grow_passage(-len(_APART))
            area.put_streamed(passage.start, passage.start + len(_APART), "")
        text = self.text
        removed = 0
        edits: list[Edit] = []
        first, last = self._start.position(), min(self._end.position(), passage.start)
        inserted_by = area.authorship.between(passage.start, passage.end)
        position = passage.start
        area.history.end_passage()
        if self.replaces and last > first:
            original, authors = area.between(first, last), area.authorship.between(first, last)
            removed = last - first
            edits.append(Edit(first, original, "", removed_by=authors))
            area.put_streamed(first, last, "")
        edits.append(Edit(position - removed, "", text, inserted_by=inserted_by))
        area.history.record_step(edits, generated=True)

    def _drop_last_line(self) -> None:
        passage = self.area.history.passage
        kept, line_end, _ = self.text.rpartition("\n")
        if passage is None or not line_end or not kept.strip():
            return
        end = passage.end
        first = passage.start + units(kept)
        self.area.history.grow_passage(first - end)
        self.area.put_streamed(first, end, "")

    def _take_back(self) -> None:
        passage = self.area.history.passage
        if passage is None:
            return
        self.area.history.end_passage()  # first, for those who look while the text goes
        if passage.end > passage.start:
            self.area.put_streamed(passage.start, passage.end, "")

    def _close(self, how: End) -> None:
        self.open = False
        self._timer.stop()
        self._theme.changed.disconnect(self._mark)
        self.area.undo_passage = lambda: False
        self.area.snapshot = self.area.copy_of_text
        for layer in ("original", "stream"):
            self.area.mark(layer, [])
        if self.area.viewport().rect().intersects(self.area.cursorRect()):
            self.area.ensureCursorVisible()
        self.ended.emit(how)

    def _mark(self) -> None:
        passage = self.area.history.passage
        if passage is None:
            return
        fresh = QTextCharFormat()
        fresh.setBackground(self._theme.color("accent", 0.2))
        start = min(passage.end, passage.start + (len(_APART) if self.replaces else 0))
        self.area.mark("stream", [_selection(self.area, start, passage.end, fresh)])
        if self.replaces:
            old = QTextCharFormat()
            old.setForeground(self._theme.color("text_faint"))
            old.setFontStrikeOut(True)
            self.area.mark("original", [_selection(self.area, self._start.position(), self._end.position(), old)])


def _selection(area: TextArea, start: int, end: int, look: QTextCharFormat) -> QTextEdit.ExtraSelection:
    selection = QTextEdit.ExtraSelection()
    cursor = QTextCursor(area.document())
    cursor.setPosition(start)
    cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
    selection.cursor = cursor
    selection.format = look
    return selection
