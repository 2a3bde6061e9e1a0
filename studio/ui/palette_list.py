"""The lines of the command palette: what they are, and how they are painted."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import msgspec
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from studio.ui.theme import Theme

Index = QModelIndex | QPersistentModelIndex


class Row(msgspec.Struct, frozen=True):
    """One line of the palette."""

    title: str
    note: str
    keys: str
    icon: str
    run: Callable[[], None]
    id: str = ""
    places: tuple[int, ...] = ()


class PaletteModel(QAbstractListModel):
    """The rows that fit what was typed."""

    ROW: ClassVar[int] = Qt.ItemDataRole.UserRole + 1

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []

    def show_rows(self, rows: list[Row]) -> None:
        """Replace what is listed."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        """How many rows there are."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The row, or its words for screen readers."""
        row = self.rows[index.row()]
        if role == PaletteModel.ROW:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return " · ".join(part for part in (row.title, row.note, row.keys) if part)
        return None


class PaletteDelegate(QStyledItemDelegate):
    """Icon, title with the matched letters in colour, where it belongs, and its keys."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002 - Qt's signature
        """A line's height."""
        return QSize(200, self._theme.pixels(36))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One row."""
        row: Row = index.data(PaletteModel.ROW)
        theme = self._theme
        area: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("hover"))
            painter.drawRoundedRect(area.adjusted(6, 1, -6, -1), 6, 6)
        edge = theme.pixels(16)
        color = "accent_text" if state & QStyle.StateFlag.State_Selected else "text_soft"
        painter.drawPixmap(area.left() + 18, area.center().y() - edge // 2 + 1, theme.pixmap(row.icon, color, edge))
        right = _draw_keys(painter, theme, area, row.keys)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("text_soft"))
        note_width = painter.fontMetrics().horizontalAdvance(row.note)
        note = QRect(right - note_width - (12 if row.keys else 0), area.top(), note_width, area.height())
        painter.drawText(note, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), row.note)
        left = area.left() + 18 + edge + 12
        self._draw_title(painter, QRect(left, area.top(), note.left() - left - 12, area.height()), row)
        painter.restore()

    def _draw_title(self, painter: QPainter, area: QRect, row: Row) -> None:
        plain, bold = self._theme.font("body"), self._theme.font("body", bold=True)
        painter.setFont(plain)
        title = painter.fontMetrics().elidedText(row.title, Qt.TextElideMode.ElideRight, area.width())
        x = area.left()
        for matched, piece in _pieces(title, row.places):
            font: QFont = bold if matched else plain
            painter.setFont(font)
            painter.setPen(self._theme.color("accent_text" if matched else "text"))
            width = painter.fontMetrics().horizontalAdvance(piece)
            painter.drawText(QRect(x, area.top(), width + 8, area.height()), int(Qt.AlignmentFlag.AlignVCenter), piece)
            x += width


def _pieces(title: str, places: tuple[int, ...]) -> list[tuple[bool, str]]:
    """`title` in runs of matched and unmatched letters."""
    found: list[tuple[bool, str]] = []
    for place, letter in enumerate(title):
        matched = place in places
        if found and found[-1][0] == matched:
            found[-1] = (matched, found[-1][1] + letter)
        else:
            found.append((matched, letter))
    return found


def _draw_keys(painter: QPainter, theme: Theme, area: QRect, keys: str) -> int:
    """Draw the keys as small caps at the right; returns where they begin."""
    right = area.right() - 16
    painter.setFont(theme.font("small"))
    metrics = painter.fontMetrics()
    for key in reversed(keys.split()):
        width = max(metrics.horizontalAdvance(key) + 10, metrics.height() + 4)
        cap = QRect(right - width, area.center().y() - metrics.height() // 2 - 1, width, metrics.height() + 4)
        painter.setPen(theme.color("line_strong"))
        painter.setBrush(theme.color("raised"))
        painter.drawRoundedRect(cap, 4, 4)
        painter.setPen(theme.color("text_soft"))
        painter.drawText(cap, int(Qt.AlignmentFlag.AlignCenter), key)
        right -= width + 4
    return right
