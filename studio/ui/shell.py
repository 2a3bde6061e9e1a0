"""The top-level window as it is in the very first frame, before anything else of the studio is imported.

It paints the frame's calm areas by itself and is filled with the real one a moment later. The module
imports as little as can be: even the `Qt` namespace costs as much as a bare window's build-up.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QFontMetrics,
    QGuiApplication,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

TOKENS = Path(__file__).resolve().parents[2] / "resources" / "theme" / "tokens.json"
_FIRST_SIZE = (1280, 820)
_SMALLEST = (720, 480)
_TOP, _RAIL, _STRIP = 44, 72, 36


def remembered(path: Path) -> dict[str, Any]:
    """A JSON object from `path`, empty where there is none; only for what the first frame needs at once."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


class Shell(QWidget):
    """`first_painted` after the first frame; `closing` when the user closes the window.

    `look` is `light` or `dark`, `geometry` Qt's own in base 64 or empty, `scale` the text size.
    """

    first_painted = Signal()
    closing = Signal()

    def __init__(self, look: str, geometry: str = "", scale: float = 1.0) -> None:
        super().__init__()
        self._colors: dict[str, str] = json.loads(TOKENS.read_bytes())[look]
        self._scale = scale
        self._painted = False
        self._content: QWidget | None = None
        self.setWindowTitle("Atelier")
        palette = QPalette(self.palette())
        palette.setColor(QPalette.ColorRole.Window, QColor(self._colors["ground"]))
        self.setPalette(palette)
        self.setMinimumSize(*_SMALLEST)
        saved = QByteArray.fromBase64(QByteArray(geometry.encode()))
        if saved.isEmpty() or not self.restoreGeometry(saved):
            free = QGuiApplication.primaryScreen().availableGeometry().size()
            self.resize(min(_FIRST_SIZE[0], free.width()), min(_FIRST_SIZE[1], free.height()))

    def furnish(self, content: QWidget) -> None:
        """Put the real frame in; one that was there before belongs to whoever put it in."""
        self._content = content
        content.setParent(self)
        content.setGeometry(self.rect())
        content.show()

    def come_to_front(self) -> None:
        """Be seen and have the keyboard, whatever was in front or however small the window was."""
        from PySide6.QtCore import Qt

        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def place(self) -> str:
        """Where the window is, for the next start."""
        return bytes(self.saveGeometry().toBase64().data()).decode()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """The areas of the frame, until the real one covers them."""
        if self._content is None:
            painter = QPainter(self)
            self._paint_areas(painter)
            painter.end()
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.first_painted.emit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The content fills the window."""
        super().resizeEvent(event)
        if self._content is not None:
            self._content.setGeometry(self.rect())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nothing is asked: the queue and the documents are durable."""
        self.closing.emit()
        super().closeEvent(event)

    def _paint_areas(self, painter: QPainter) -> None:
        top, rail, strip = (round(length * self._scale) for length in (_TOP, _RAIL, _STRIP))
        width, height = self.width(), self.height()
        surface, line = QColor(self._colors["surface"]), QColor(self._colors["line"])
        painter.fillRect(0, 0, width, height, QColor(self._colors["ground"]))
        painter.fillRect(0, 0, width, top, surface)
        painter.fillRect(0, 0, rail, height, surface)
        painter.fillRect(0, height - strip, width, strip, surface)
        painter.fillRect(0, top, width, 1, line)
        painter.fillRect(rail, top, 1, height - top - strip, line)
        painter.fillRect(0, height - strip - 1, width, 1, line)
        painter.setPen(QColor(self._colors["text_soft"]))
        middle = QFontMetrics(painter.font()).ascent() // 2
        painter.drawText(16, height - strip // 2 + middle - 1, "Starting")
