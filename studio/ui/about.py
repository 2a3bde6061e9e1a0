"""The About box: version, licence, and to whom thanks are due."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QTextBrowser, QVBoxLayout, QWidget

import studio
from studio.ui.theme import Theme

if TYPE_CHECKING:
    from studio.models.entry import ShelfEntry

_LIBRARIES = (
    ("Qt and PySide6", "LGPL-3.0"),
    ("PyTorch", "BSD-3-Clause"),
    ("diffusers, transformers, safetensors, tokenizers, accelerate, peft", "Apache-2.0"),
    ("llama.cpp and llama-cpp-python", "MIT"),
    ("Pillow", "MIT-CMU"),
    ("msgspec, psutil, NumPy, Jinja2", "BSD-3-Clause"),
    ("platformdirs, typer, markdown-it-py, tree-sitter", "MIT"),
)


class AboutBox(QDialog):
    """Opened by a command; closes with Esc."""

    def __init__(self, theme: Theme, entries: Sequence[ShelfEntry], parent: QWidget) -> None:
        super().__init__(parent)
        theme.clothe(self)
        self.setWindowTitle("About Atelier")
        self.setAccessibleName("About Atelier")
        self.resize(theme.pixels(520), theme.pixels(480))
        mark = QLabel()
        theme.dress(mark, "logo", "accent", 40)
        name = QLabel("Atelier")
        name.setProperty("look", "title")
        version = QLabel(f"Version {studio.__version__} · Apache License 2.0")
        version.setProperty("look", "soft")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(name)
        words.addWidget(version)
        head = QHBoxLayout()
        head.setSpacing(theme.space(3))
        head.addWidget(mark)
        head.addLayout(words)
        head.addStretch(1)
        self.text = QTextBrowser()
        self.text.setProperty("look", "page")
        self.text.setAccessibleName("Licences and attributions")
        self.text.setToolTip("Licences and attributions")
        self.text.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.text.document().setDocumentMargin(theme.space(2))
        self.text.setHtml(_credits(theme, entries))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setToolTip("Close (Esc)")
        close.setAccessibleName("Close")
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.space(4),) * 4)
        column.setSpacing(theme.space(3))
        column.addLayout(head)
        column.addWidget(self.text, 1)
        column.addWidget(buttons)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)


def _credits(theme: Theme, entries: Sequence[ShelfEntry]) -> str:
    soft = theme.css("text_soft")
    parts = [
        "<p>An offline creative studio. Models run on this computer; nothing is sent anywhere.</p>",
        "<h4>Models on this computer</h4>",
    ]
    if not entries:
        parts.append(f"<p style='color:{soft}'>None yet.</p>")
    for entry in entries:
        thanks = "".join(f"<br>{escape(line)}" for line in entry.attribution)
        name, licence = escape(entry.name), escape(entry.licence_sentence)
        parts.append(f"<p><b>{name}</b> · {licence}<span style='color:{soft}'>{thanks}</span></p>")
    parts.append("<h4>Built with</h4><p>")
    parts.append("<br>".join(f"{name} <span style='color:{soft}'>{licence}</span>" for name, licence in _LIBRARIES))
    parts.append("</p>")
    return "".join(parts)
