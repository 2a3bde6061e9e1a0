"""Line spacing and space between paragraphs, which QPlainTextEdit does not have by itself.

Qt's layout breaks the lines; this one then moves them apart. Freshly laid out lines are known by
the first one lying at 0, where this layout never leaves it.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTextBlock, QTextDocument, QTextLayout
from PySide6.QtWidgets import QPlainTextDocumentLayout

Gaps = Callable[[QTextBlock], tuple[float, float]]
_UNTOUCHED = 0.25


class PageLayout(QPlainTextDocumentLayout):
    """`leading` is the distance between lines as a factor of their height; `gaps` gives pixels above and below.

    `tight` empty lines get no leading: in prose they are the space between paragraphs.
    """

    def __init__(self, document: QTextDocument, leading: float, gaps: Gaps | None = None, *, tight: bool) -> None:
        super().__init__(document)
        self._tight = tight
        self._leading = leading
        self._gaps = gaps

    def blockBoundingRect(self, block: QTextBlock) -> QRectF:
        """The block's size with its spacing; lays it out where that has not been done."""
        rect = super().blockBoundingRect(block)
        layout = block.layout() if block.isValid() else None
        if layout is None or not layout.lineCount() or not block.isVisible():
            return rect
        above, below = self._gaps(block) if self._gaps else (0.0, 0.0)
        leading = 1.0 if self._tight and block.length() == 1 else self._leading
        if layout.lineAt(0).y() < _UNTOUCHED:
            _move_apart(layout, above, leading)
        last = layout.lineAt(layout.lineCount() - 1)
        height = last.y() + last.height() * (1 + leading) / 2 + below
        rect.setHeight(max(rect.height(), height))
        return rect


def _move_apart(layout: QTextLayout, above: float, leading: float) -> None:
    top = above
    for number in range(layout.lineCount()):
        line = layout.lineAt(number)
        extra = max(2 * _UNTOUCHED, line.height() * (leading - 1))
        line.setPosition(QPointF(line.x(), top + extra / 2))
        top += line.height() + extra
