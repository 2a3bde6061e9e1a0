"""Markdown source that looks like what it means: headings large, emphasis slanted, marks in the background."""

from __future__ import annotations

import re
import time

from PySide6.QtCore import QTimer
from PySide6.QtGui import QFont, QSyntaxHighlighter, QTextBlock, QTextCharFormat, QTextDocument

from studio.ui.theme import Theme

_HEADING = re.compile(r"(#{1,6})[ \t]+")
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_LIST = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t])?")
_QUOTE = re.compile(r"\s{0,3}>+ ?")
_RULE = re.compile(r"\s{0,3}(?:\*[ \t]*){3,}$|\s{0,3}(?:-[ \t]*){3,}$|\s{0,3}(?:_[ \t]*){3,}$")
_INLINE = re.compile(
    r"(?P<code>`+)(?P<code_in>[^`]+)(?P=code)"
    r"|(?P<strong>\*\*|__)(?=\S)(?P<strong_in>.+?)(?<=\S)(?P=strong)"
    r"|(?P<slant>(?<!\w)[*_])(?=[^\s*_])(?P<slant_in>.+?)(?<=[^\s*_])(?P=slant)(?!\w)"
    r"|(?P<struck>~~)(?=\S)(?P<struck_in>.+?)(?<=\S)~~"
    r"|(?P<link>!?\[)(?P<link_in>[^\]\n]*)(?P<target>\]\([^)\n]*\))"
)
_SCALES = (1.5, 1.25, 1.12)
_FENCED = 1
_LONGEST = 4000
_SLICE = 0.006
"""Seconds; a novel takes a tenth of a second and more to dress anew, which would be felt in one go."""


class MarkdownHighlighter(QSyntaxHighlighter):
    """Dresses the document in the theme's colours and in sizes relative to `base`."""

    def __init__(self, document: QTextDocument, theme: Theme, base: QFont) -> None:
        super().__init__(document)
        self._theme = theme
        self._base = base
        self._next = QTextBlock()
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._go_on)
        self._make()

    @property
    def settled(self) -> bool:
        """Whether every line wears the present font and theme."""
        return not self._timer.isActive()

    def set_base(self, base: QFont, first: QTextBlock, lines: int) -> None:
        """Another font or theme: `lines` lines from `first` at once, the rest piece by piece between events."""
        self._base = base
        self._make()
        for _ in range(lines):
            if not first.isValid():
                break
            self.rehighlightBlock(first)
            first = first.next()
        self._next = self.document().begin()
        self._timer.start()

    def _go_on(self) -> None:
        end = time.perf_counter() + _SLICE
        if not self._next.isValid():  # the line where the last slice ended is gone
            self._next = self.document().begin()
        while time.perf_counter() < end:
            self.rehighlightBlock(self._next)
            self._next = self._next.next()
            if not self._next.isValid():
                self._timer.stop()
                return

    def highlightBlock(self, text: str) -> None:
        """One line; block state 1 is inside a fence."""
        inside = self.previousBlockState() == _FENCED
        fence = _FENCE.match(text)
        self.setCurrentBlockState(_FENCED if inside != bool(fence) else 0)
        if inside or fence:
            self.setFormat(0, len(text), self._faint_code if fence else self._code)
            return
        if len(text) > _LONGEST or not text:
            return
        heading = _HEADING.match(text)
        if heading:
            level = min(len(heading[1]), len(_SCALES)) - 1
            self.setFormat(0, len(text), self._headings[level])
            self.setFormat(0, heading.end(), self._heading_marks[level])
            self._inline(text, heading.end())
        elif _RULE.match(text):
            self.setFormat(0, len(text), self._mark)
        else:
            self._paragraph(text)

    def _paragraph(self, text: str) -> None:
        start = 0
        quote = _QUOTE.match(text)
        if quote:
            self.setFormat(0, len(text), self._quote)
            self.setFormat(0, quote.end(), self._mark)
            start = quote.end()
        bullet = _LIST.match(text, start)
        if bullet:
            self.setFormat(bullet.start(), bullet.end() - bullet.start(), self._bullet)
            start = bullet.end()
        self._inline(text, start)

    def _inline(self, text: str, start: int) -> None:
        for found in _INLINE.finditer(text, start):
            kind = next(name for name in ("code", "strong", "slant", "struck", "link") if found[name])
            self._blend(found.start(), found.end(), QTextCharFormat(self._mark))
            self._blend(found.start(f"{kind}_in"), found.end(f"{kind}_in"), self._inside[kind])

    def _blend(self, start: int, end: int, look: QTextCharFormat) -> None:
        """Add `look` to what is there: emphasis in a heading keeps the heading's size."""
        blended = QTextCharFormat(self.format(start))
        blended.merge(look)
        self.setFormat(start, end - start, blended)

    def _make(self) -> None:
        self._mark = _colored(self._theme, "text_faint")
        self._bullet = _colored(self._theme, "accent_text")
        self._quote = _colored(self._theme, "text_soft")
        self._quote.setFontItalic(True)
        self._code = _colored(self._theme, "syntax_string")
        self._code.setFontFamilies(self._theme.mono().families())
        self._faint_code = QTextCharFormat(self._code)
        self._faint_code.setForeground(self._theme.color("text_faint"))
        self._headings = [self._heading(scale, "text") for scale in _SCALES]
        self._heading_marks = [self._heading(scale, "text_faint") for scale in _SCALES]
        strong, slant, struck = QTextCharFormat(), QTextCharFormat(), _colored(self._theme, "text_soft")
        for look in (strong, slant):
            look.setForeground(self._theme.color("text"))
        strong.setFontWeight(QFont.Weight.Bold)
        slant.setFontItalic(True)
        struck.setFontStrikeOut(True)
        link = _colored(self._theme, "accent_text")
        self._inside = {"code": self._code, "strong": strong, "slant": slant, "struck": struck, "link": link}

    def _heading(self, scale: float, color: str) -> QTextCharFormat:
        look = _colored(self._theme, color)
        look.setFontWeight(QFont.Weight.Bold)
        look.setProperty(QTextCharFormat.Property.FontPixelSize, round(self._base.pixelSize() * scale))
        return look


def is_heading(block: QTextBlock) -> bool:
    """Whether the line is a heading; it gets more room above."""
    return block.userState() != _FENCED and bool(_HEADING.match(block.text()))


def _colored(theme: Theme, name: str) -> QTextCharFormat:
    look = QTextCharFormat()
    look.setForeground(theme.color(name))
    return look
