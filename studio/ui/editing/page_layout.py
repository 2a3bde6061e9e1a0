"""Line spacing and space between paragraphs, which QPlainTextEdit does not have by itself.

Qt's layout breaks the lines; this one then moves them apart. Freshly laid out lines are known by
the first one lying at 0, where this layout never leaves it. Qt asks for a block's rectangle hundreds of
times a key, so the usual way through here is short.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTextBlock, QTextDocument, QTextLayout
from PySide6.QtWidgets import QPlainTextDocumentLayout

Above = Callable[[QTextBlock], float]
_UNTOUCHED = 0.25


def nothing(_block: QTextBlock) -> float:
    """No space above any block."""
    return 0.0


class PageLayout(QPlainTextDocumentLayout):
    """`leading` is the distance between lines as a factor of their height; `above` gives pixels above a block.

    `below` is the space in pixels below each block that has words. `tight` empty lines get neither: in prose
    they are the space between paragraphs. Change `below` before there is text.
    """

    def __init__(self, document: QTextDocument, leading: float, above: Above = nothing, *, tight: bool) -> None:
        super().__init__(document)
        self._leading = leading
        self._above = above
        self._tight = tight
        self.below = 0.0

    def blockBoundingRect(self, block: QTextBlock) -> QRectF:
        """The block's size with its spacing; lays it out where that has not been done."""
        rect = super().blockBoundingRect(block)
        if not block.isValid():
            return rect
        layout = block.layout()
        first = layout.lineAt(0)
        if first.isValid():
            if first.y() < _UNTOUCHED:
                self._move_apart(block, layout)
                rect = super().blockBoundingRect(block)
            if not self._tight or block.length() > 1:
                rect.setHeight(rect.height() + self.below)
        return rect

    def _move_apart(self, block: QTextBlock, layout: QTextLayout) -> None:
        leading = 1.0 if self._tight and block.length() == 1 else self._leading
        top = self._above(block)
        for number in range(layout.lineCount()):
            line = layout.lineAt(number)
            half = max(_UNTOUCHED, line.height() * (leading - 1) / 2)
            line.setPosition(QPointF(line.x(), top + half))
            top += line.height() + 2 * half
