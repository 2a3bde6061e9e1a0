"""Find and replace in one editor."""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QTextEdit, QToolButton

from studio.documents.units import units
from studio.ui.editing.text_area import TextArea
from studio.ui.measures import tip
from studio.ui.theme import Theme

_MOST_MARKS = 1000


class BarField(QLineEdit):
    """Esc is the bar's, not the window's; Return and Shift+Return go from place to place."""

    asked = Signal(str)

    def event(self, event: QEvent) -> bool:
        """Keep Esc from being a shortcut."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes, Return goes on."""
        if event.key() == Qt.Key.Key_Escape:
            self.asked.emit("close")
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.asked.emit("previous" if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else "next")
        else:
            super().keyPressEvent(event)


class FindBar(QFrame):
    """Hidden until it is asked for. Counts and marks all places; Esc gives the editor back."""

    def __init__(self, area: TextArea, theme: Theme) -> None:
        super().__init__()
        self._area = area
        self._theme = theme
        self._places: list[tuple[int, int]] = []
        self.setProperty("look", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Find and replace")
        self.field = BarField()
        self.field.setPlaceholderText("Find")
        self.field.setAccessibleName("Find")
        self.field.setToolTip("What to look for (Return: next, Shift Return: previous)")
        self.replacement = BarField()
        self.replacement.setPlaceholderText("Replace with")
        self.replacement.setAccessibleName("Replace with")
        self.replacement.setToolTip("What to put in its place (Return: replace this one)")
        self.count = QLabel()
        self.count.setProperty("look", "soft")
        self.count.setMinimumWidth(theme.pixels(76))
        self.case = self._tool("Aa", "Match upper and lower case", checkable=True)
        self.words = self._tool("Word", "Match whole words only", checkable=True)
        self._build()
        self.field.textChanged.connect(lambda: self._search(move=True))
        self.field.asked.connect(self._asked)
        self.replacement.asked.connect(self._replacement_asked)
        self.case.toggled.connect(lambda: self._search(move=True))
        self.words.toggled.connect(lambda: self._search(move=True))
        area.edited.connect(lambda _change: self._search(move=False) if not self.isHidden() else None)
        self.hide()

    def open(self, *, replace: bool = False) -> None:
        """Show the bar with the selection as what to look for."""
        cursor = self._area.textCursor()
        selected = cursor.selectedText()
        for widget in self._replacing:
            widget.setVisible(replace)
        self.show()
        if selected and "\u2029" not in selected:
            self.field.setText(selected)
        self.field.selectAll()
        self.field.setFocus()
        self._search(move=False)

    def close_bar(self) -> None:
        """Give the editor back."""
        self.hide()
        self._area.mark("found", [])
        self._area.setFocus()

    def next(self) -> None:
        """Go to the next place; after the last comes the first."""
        self._go(1)

    def previous(self) -> None:
        """Go to the place before; before the first comes the last."""
        self._go(-1)

    def replace_one(self) -> None:
        """Replace the selected place and go to the next."""
        cursor = self._area.textCursor()
        here = (cursor.selectionStart(), cursor.selectionEnd())
        if here in self._places:
            self._area.replace(*here, self.replacement.text())
        self.next()

    def replace_all(self) -> None:
        """Replace every place, as one step of undo."""
        if not self._places:
            return
        count = len(self._places)
        pattern = self._pattern()
        if pattern is not None:
            words = self.replacement.text()
            self._area.replace_text(pattern.sub(lambda _found: words, self._area.text()))
            self.count.setText(f"{count:,} replaced")

    def _build(self) -> None:
        before = self._icon("chevron-up", tip("Previous", "Shift+F3"), self.previous)
        after = self._icon("chevron-down", tip("Next", "F3"), self.next)
        close = self._icon("close", "Close (Esc)", self.close_bar)
        one = self._tool("Replace", "Replace this place")
        one.clicked.connect(self.replace_one)
        every = self._tool("All", "Replace every place, as one step of undo")
        every.clicked.connect(self.replace_all)
        self._replacing = (self.replacement, one, every)
        grid = QGridLayout(self)
        grid.setContentsMargins(self._theme.space(2), 6, self._theme.space(1), 6)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self.field, 0, 0)
        tools = QHBoxLayout()
        tools.setSpacing(2)
        for widget in (self.case, self.words, self.count, before, after, close):
            tools.addWidget(widget)
        grid.addLayout(tools, 0, 1)
        grid.addWidget(self.replacement, 1, 0)
        replacing = QHBoxLayout()
        replacing.setSpacing(2)
        replacing.addWidget(one)
        replacing.addWidget(every)
        replacing.addStretch(1)
        grid.addLayout(replacing, 1, 1)

    def _asked(self, what: str) -> None:
        {"close": self.close_bar, "next": self.next, "previous": self.previous}[what]()

    def _replacement_asked(self, what: str) -> None:
        {"close": self.close_bar, "next": self.replace_one, "previous": self.previous}[what]()

    def _pattern(self) -> re.Pattern[str] | None:
        text = self.field.text()
        if not text:
            return None
        source = rf"\b{re.escape(text)}\b" if self.words.isChecked() else re.escape(text)
        return re.compile(source, 0 if self.case.isChecked() else re.IGNORECASE)

    def _search(self, *, move: bool) -> None:
        pattern = self._pattern()
        text = self._area.text()
        spans = [found.span() for found in pattern.finditer(text)] if pattern else []
        self._places = spans if text.isascii() else _in_units(text, spans)
        self._mark()
        if move and self._places:
            start = self._area.textCursor().selectionStart()
            self._show(next((place for place in self._places if place[0] >= start), self._places[0]))
        self._count()

    def _go(self, step: int) -> None:
        if not self._places:
            return
        cursor = self._area.textCursor()
        if step > 0:
            found = next((place for place in self._places if place[0] >= cursor.selectionEnd()), self._places[0])
        else:
            before = [place for place in self._places if place[1] <= cursor.selectionStart()]
            found = before[-1] if before else self._places[-1]
        self._show(found)
        self._count()

    def _show(self, place: tuple[int, int]) -> None:
        cursor = self._area.textCursor()
        cursor.setPosition(place[0])
        cursor.setPosition(place[1], QTextCursor.MoveMode.KeepAnchor)
        self._area.setTextCursor(cursor)
        self._area.ensureCursorVisible()

    def _count(self) -> None:
        cursor = self._area.textCursor()
        here = (cursor.selectionStart(), cursor.selectionEnd())
        if not self.field.text():
            words = ""
        elif here in self._places:
            words = f"{self._places.index(here) + 1:,} of {len(self._places):,}"
        else:
            words = f"{len(self._places):,} found" if self._places else "Not found"
        self.count.setText(words)

    def _mark(self) -> None:
        look = QTextCharFormat()
        look.setBackground(self._theme.color("warn", 0.28))
        marks = []
        for start, end in self._places[:_MOST_MARKS]:
            mark = QTextEdit.ExtraSelection()
            cursor = QTextCursor(self._area.document())
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            mark.cursor = cursor
            mark.format = look
            marks.append(mark)
        self._area.mark("found", marks)

    def _tool(self, text: str, tooltip: str, *, checkable: bool = False) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tooltip)
        button.setAccessibleName(tooltip)
        button.setCheckable(checkable)
        return button

    def _icon(self, name: str, tooltip: str, run: object) -> QToolButton:
        button = self._tool("", tooltip)
        self._theme.dress(button, name, "text_soft", 16)
        button.clicked.connect(run)
        return button


def _in_units(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places in characters as places in UTF-16 code units."""
    found, at, position = [], 0, 0
    for start, end in spans:
        position += units(text[at:start])
        width = units(text[start:end])
        found.append((position, position + width))
        position, at = position + width, end
    return found
