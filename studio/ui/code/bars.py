"""The small bars under the code: going to a line, and where the cursor is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel

from studio.ui.code.editor import SourceArea
from studio.ui.editing.find_bar import BarField
from studio.ui.elided import ElidedLabel
from studio.ui.theme import Theme


class LineBar(QFrame):
    """Asks for a line number. Return goes there, Esc goes back to the code."""

    def __init__(self, area: SourceArea, theme: Theme) -> None:
        super().__init__()
        self._area = area
        self.setProperty("look", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.field = BarField()
        self.field.setPlaceholderText("Go to line")
        self.field.setAccessibleName("Go to line")
        self.field.setToolTip("A line number (Return goes there, Esc goes back)")
        self.field.setValidator(QIntValidator(1, 10_000_000, self.field))
        self.field.setMaximumWidth(theme.pixels(160))
        self.field.asked.connect(self._asked)
        self._range = QLabel()
        self._range.setProperty("look", "soft")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.space(2), 6, theme.space(2), 6)
        row.addWidget(self.field)
        row.addWidget(self._range)
        row.addStretch(1)
        self.hide()

    def open(self) -> None:
        """Show the bar."""
        self._range.setText(f"of {self._area.blockCount():,}")
        self.field.clear()
        self.show()
        self.field.setFocus()

    def _asked(self, what: str) -> None:
        self.hide()
        if what != "close" and self.field.text():
            self._area.go_to_line(int(self.field.text()))
        self._area.setFocus()


class StatusLine(QFrame):
    """Where the cursor is and what the language is; at the right, what the keys do with a suggestion."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("look", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("State of the code")
        self._theme = theme
        theme.changed.connect(self._dress)
        self._dress()
        self._place = QLabel()
        self._hint = ElidedLabel()
        for label in (self._place, self._hint):
            label.setProperty("look", "soft")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.space(2), 3, theme.space(2), 3)
        row.setSpacing(theme.space(2))
        row.addWidget(self._place)
        row.addStretch(1)
        row.addWidget(self._hint)

    def _dress(self) -> None:
        css = self._theme.css
        self.setStyleSheet(f"StatusLine {{ background: {css('surface')}; border-top: 1px solid {css('line')}; }}")

    def show_place(self, line: int, column: int, language: str) -> None:
        """Where the cursor is."""
        self._place.setText(f"Line {line:,}, column {column:,}   ·   {_name(language)}")

    def show_hint(self, words: str) -> None:
        """What can be done just now."""
        self._hint.setText(words)


def _name(language: str) -> str:
    names = {"cpp": "C++", "css": "CSS", "html": "HTML", "json": "JSON", "sql": "SQL", "toml": "TOML", "yaml": "YAML"}
    return names.get(language) or {"text": "Plain text", "javascript": "JavaScript", "typescript": "TypeScript"}.get(
        language, language.capitalize()
    )
