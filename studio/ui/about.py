"""The About box: version, licence, and to whom thanks are due."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QTextBrowser, QVBoxLayout, QWidget
from shiboken6 import isValid

import studio
from studio.ui.background import Background
from studio.ui.theme import Theme

if TYPE_CHECKING:
    from studio.app.licences import Part
    from studio.models.entry import ShelfEntry
    from studio.models.shelf import Shelf


class AboutBox(QDialog):
    """Opened by a command; closes with Esc. What it lists is read on a background thread."""

    def __init__(self, theme: Theme, shelf: Shelf | None, background: Background, parent: QWidget) -> None:
        super().__init__(parent)
        theme.clothe(self)
        self._theme = theme
        self.setWindowTitle("About Atelier")
        self.setAccessibleName("About Atelier")
        self.resize(theme.pixels(520), theme.pixels(480))
        self.text = QTextBrowser()
        self.text.setProperty("look", "page")
        self.text.setAccessibleName("Licences and attributions")
        self.text.setToolTip("Licences and attributions")
        self.text.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.text.document().setDocumentMargin(theme.space(2))
        self.text.setHtml(f"{_INTRODUCTION}<p style='color:{theme.css('text_soft')}'>Reading what is installed …</p>")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setToolTip("Close (Esc)")
        close.setAccessibleName("Close")
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.space(4),) * 4)
        column.setSpacing(theme.space(3))
        column.addLayout(self._head())
        column.addWidget(self.text, 1)
        column.addWidget(buttons)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        background.run(lambda: _read(shelf), self._show)

    def _head(self) -> QHBoxLayout:
        mark = QLabel()
        self._theme.dress(mark, "logo", "accent", 40)
        name = QLabel("Atelier")
        name.setProperty("look", "title")
        version = QLabel(f"Version {studio.__version__} · Apache License 2.0")
        version.setProperty("look", "soft")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(name)
        words.addWidget(version)
        head = QHBoxLayout()
        head.setSpacing(self._theme.space(3))
        head.addWidget(mark)
        head.addLayout(words)
        head.addStretch(1)
        return head

    def _show(self, found: tuple[Sequence[ShelfEntry], Sequence[Part]]) -> None:
        if isValid(self):  # it may have been closed meanwhile
            self.text.setHtml(_credits(self._theme, *found))


_INTRODUCTION = "<p>An offline creative studio. Models run on this computer; nothing is sent anywhere.</p>"


def _read(shelf: Shelf | None) -> tuple[Sequence[ShelfEntry], Sequence[Part]]:
    from studio.app.licences import parts

    return shelf.entries() if shelf is not None else (), parts()


def _credits(theme: Theme, entries: Sequence[ShelfEntry], parts: Sequence[Part]) -> str:
    soft = theme.css("text_soft")
    lines = [_INTRODUCTION, "<h4>Models on this computer</h4>"]
    if not entries:
        lines.append(f"<p style='color:{soft}'>None yet.</p>")
    for entry in entries:
        thanks = "".join(f"<br>{escape(line)}" for line in entry.attribution)
        name, licence = escape(entry.name), escape(entry.licence_sentence)
        lines.append(f"<p><b>{name}</b> · {licence}<span style='color:{soft}'>{thanks}</span></p>")
    lines.append("<h4>Built with</h4><p>")
    if not parts:
        lines.append(f"<span style='color:{soft}'>The list of packages was not installed with the studio.</span>")
    lines.append("<br>".join(_line(part, soft) for part in parts))
    lines.append("</p>")
    return "".join(lines)


def _line(part: Part, soft: str) -> str:
    """A package and its licence; no line breaks inside its name."""
    return f"{escape(part.name)} {escape(part.version)} <span style='color:{soft}'>{escape(part.licence)}</span>"
