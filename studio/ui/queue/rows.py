"""One line of the queue: what is asked for, where it stands, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from PySide6.QtCore import (
    QAbstractListModel,
    QByteArray,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from studio.core.jobs import Job, JobState
from studio.ui.measures import duration_words
from studio.ui.pace import Pace, job_title

Index = QModelIndex | QPersistentModelIndex
Verb = Literal["hold", "resume", "cancel", "retry", "remove"]

VERB_WORDS: dict[Verb, str] = {
    "hold": "Hold back",
    "resume": "Let it run",
    "cancel": "Stop",
    "retry": "Try again",
    "remove": "Remove from the list",
}
VERB_ICONS: dict[Verb, str] = {"hold": "pause", "resume": "play", "cancel": "stop", "retry": "retry", "remove": "close"}
_MIME = "application/x-atelier-job"


def verbs(job: Job) -> tuple[Verb, ...]:
    """What can be done with a job, most likely first."""
    if job.state.active:
        return ("cancel",)
    if job.state is JobState.QUEUED:
        return ("resume" if job.held else "hold", "remove" if job.interrupted else "cancel")
    if job.state is JobState.COMPLETED:
        return ("retry", "remove")
    return ("retry", "remove")


def state_words(job: Job, pace: Pace | None) -> str:
    """Where a job stands, in a few words."""
    if job.state.active:
        return pace.words() if pace else "starting"
    if job.state is JobState.QUEUED:
        if job.interrupted:
            return "was cut short when the studio ended"
        return "held back" if job.held else "waiting"
    if job.state is JobState.FAILED:
        return job.failure.message if job.failure else "failed"
    took = duration_words(job.ended - job.started) if job.ended and job.started else ""
    words = "done" if job.state is JobState.COMPLETED else "stopped"
    return f"{words} · {took}" if took else words


class QueueModel(QAbstractListModel):
    """The jobs of the queue. `move_wanted(job, before)` when one is dropped elsewhere; `before` may be empty."""

    JOB: ClassVar[int] = Qt.ItemDataRole.UserRole + 1
    WORDS: ClassVar[int] = Qt.ItemDataRole.UserRole + 2
    FRACTION: ClassVar[int] = Qt.ItemDataRole.UserRole + 3

    move_wanted = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.jobs: tuple[Job, ...] = ()
        self._paces: dict[str, Pace] = {}

    def show_jobs(self, jobs: Sequence[Job], paces: dict[str, Pace]) -> None:
        """List these jobs; the same ones in the same order are only repainted."""
        self._paces = paces
        if [job.id for job in jobs] == [job.id for job in self.jobs]:
            self.jobs = tuple(jobs)
            if jobs:
                self.dataChanged.emit(self.index(0), self.index(len(jobs) - 1))
            return
        self.beginResetModel()
        self.jobs = tuple(jobs)
        self.endResetModel()

    def show_moved(self, job_id: str) -> None:
        """A running job got further."""
        row = self.row_of(job_id)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))

    def row_of(self, job_id: str) -> int:
        """The row of a job, or -1."""
        return next((row for row, job in enumerate(self.jobs) if job.id == job_id), -1)

    def neighbour(self, job_id: str, step: int) -> str | None:
        """The job before which `job_id` comes when it moves by `step`; empty for the end, None for nowhere."""
        waiting = [job.id for job in self.jobs if job.state is JobState.QUEUED]
        if job_id not in waiting:
            return None
        target = waiting.index(job_id) + step
        if not 0 <= target < len(waiting):
            return None
        after = target if step < 0 else target + 1
        return waiting[after] if after < len(waiting) else ""

    def rowCount(self, parent: Index | None = None) -> int:
        """How many jobs are listed."""
        return 0 if parent is not None and parent.isValid() else len(self.jobs)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A job, or words for it."""
        job = self.jobs[index.row()]
        pace = self._paces.get(job.id)
        if role == QueueModel.JOB:
            return job
        if role == QueueModel.WORDS:
            return state_words(job, pace)
        if role == QueueModel.FRACTION:
            return pace.fraction if pace and job.state.active else None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{job_title(job)}: {state_words(job, pace)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            failure = job.failure
            return f"{failure.message} {failure.hint}" if failure else job_title(job)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Waiting jobs can be dragged; the gaps between jobs take them."""
        base = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if not index.isValid():
            return base | Qt.ItemFlag.ItemIsDropEnabled
        if self.jobs[index.row()].state is JobState.QUEUED:
            return base | Qt.ItemFlag.ItemIsDragEnabled
        return base

    def supportedDropActions(self) -> Qt.DropAction:
        """Jobs are moved, never copied."""
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        """Only our own rows."""
        return [_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The id of the dragged job."""
        content = QMimeData()
        content.setData(_MIME, QByteArray(self.jobs[indexes[0].row()].id.encode()))
        return content

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:  # noqa: ARG002 - Qt's signature
        """Ask for the move; the queue's answer changes the list. False, so that Qt removes nothing by itself."""
        if data.hasFormat(_MIME):
            moved = bytes(data.data(_MIME).data()).decode()
            at = row if row >= 0 else parent.row() if parent.isValid() else len(self.jobs)
            waiting = [job.id for job in self.jobs[at:] if job.state is JobState.QUEUED]
            before = waiting[0] if waiting else ""
            if before != moved:
                self.move_wanted.emit(moved, before)
        return False
