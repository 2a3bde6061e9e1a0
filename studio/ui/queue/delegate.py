"""Paints the lines of the queue, and hears the clicks on their small buttons."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QToolTip

from studio.core.jobs import Job, JobState
from studio.ui.pace import job_icon, job_title
from studio.ui.queue.rows import VERB_ICONS, VERB_WORDS, QueueModel, Verb, verbs
from studio.ui.theme import Theme

Index = QModelIndex | QPersistentModelIndex
_BUTTON = 26


class QueueDelegate(QStyledItemDelegate):
    """`acted(verb, job)` when a small button is clicked."""

    acted = Signal(str, str)

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002 - Qt's signature
        """Two lines of words."""
        return QSize(200, self._theme.pixels(50))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One job."""
        job: Job = index.data(QueueModel.JOB)
        area: QRect = option.rect
        state: QStyle.StateFlag = option.state
        theme = self._theme
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            focused = selected and bool(state & QStyle.StateFlag.State_HasFocus)
            painter.setPen(theme.color("accent") if focused else Qt.GlobalColor.transparent)
            painter.setBrush(theme.color("hover"))
            painter.drawRoundedRect(QRectF(area).adjusted(6.5, 1.5, -6.5, -1.5), 6, 6)
        edge = theme.pixels(18)
        painter.drawPixmap(
            area.left() + 18, area.center().y() - edge // 2, theme.pixmap(job_icon(job), _color(job), edge)
        )
        buttons = self._buttons(area, job)
        for verb, place in buttons:
            size = theme.pixels(16)
            icon = theme.pixmap(VERB_ICONS[verb], "text_soft", size)
            painter.drawPixmap(place.center().x() - size // 2, place.center().y() - size // 2, icon)
        left = area.left() + 18 + edge + 12
        right = min((place.left() for _, place in buttons), default=area.right()) - 12
        self._words(painter, QRect(left, area.top(), right - left, area.height()), index, job)
        painter.restore()

    def editorEvent(self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index) -> bool:
        """A click on one of the small buttons."""
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease:
            job: Job = index.data(QueueModel.JOB)
            for verb, place in self._buttons(option.rect, job):
                if place.contains(event.position().toPoint()):
                    self.acted.emit(verb, job.id)
                    return True
        return super().editorEvent(event, model, option, index)

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        """What a small button does."""
        job: Job | None = index.data(QueueModel.JOB)
        if job is not None:
            for verb, place in self._buttons(option.rect, job):
                if place.contains(event.pos()):
                    QToolTip.showText(event.globalPos(), VERB_WORDS[verb], view)
                    return True
        return super().helpEvent(event, view, option, index)

    def _words(self, painter: QPainter, area: QRect, index: Index, job: Job) -> None:
        theme = self._theme
        half = area.height() // 2
        upper = QRect(area.left(), area.top() + 5, area.width(), half - 4)
        lower = QRect(area.left(), area.top() + half, area.width(), half - 6)
        aligned = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.color("text"))
        title = painter.fontMetrics().elidedText(job_title(job), Qt.TextElideMode.ElideRight, upper.width())
        painter.drawText(upper, aligned, title)
        fraction: float | None = index.data(QueueModel.FRACTION)
        if fraction is not None:
            length = min(120, lower.width() // 3)
            groove = QRectF(lower.left(), lower.center().y() - 1, length, 4)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("line_strong"))
            painter.drawRoundedRect(groove, 2, 2)
            painter.setBrush(theme.color("accent"))
            groove.setWidth(groove.width() * fraction)
            painter.drawRoundedRect(groove, 2, 2)
            lower.setLeft(lower.left() + length + 10)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("bad" if job.state is JobState.FAILED else "text_soft"))
        words = str(index.data(QueueModel.WORDS))
        words = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, lower.width())
        painter.drawText(lower, aligned, words)

    def _buttons(self, area: QRect, job: Job) -> list[tuple[Verb, QRect]]:
        edge = self._theme.pixels(_BUTTON)
        right = area.right() - 12
        places: list[tuple[Verb, QRect]] = []
        for verb in reversed(verbs(job)):
            places.append((verb, QRect(right - edge, area.center().y() - edge // 2, edge, edge)))
            right -= edge
        return places


def _color(job: Job) -> str:
    if job.state.active:
        return "accent"
    if job.state is JobState.FAILED:
        return "bad"
    return "good" if job.state is JobState.COMPLETED else "text_soft"
