"""The one helper for work that is longer than a frame: operation, success, failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal, Slot

from studio.app.notices import Notices
from studio.core.boundary import attempt
from studio.core.failure import Failure

T = TypeVar("T")


class _Task(QRunnable):
    def __init__(self, operation: Callable[[], Any], report: Callable[[object], None]) -> None:
        super().__init__()
        self._operation = operation
        self._report = report

    def run(self) -> None:
        outcome: object = attempt(self._operation)
        self._report(outcome)


class Background(QObject):
    """Runs operations on a few threads and reports on the main thread."""

    _done = Signal(object)

    def __init__(self, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices = notices
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(2)
        self._done.connect(self._finish, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        operation: Callable[[], T],
        success: Callable[[T], None] | None = None,
        failure: Callable[[Failure], None] | None = None,
    ) -> None:
        """Call `operation` on a thread, then `success` with its value or `failure`, on the main thread.

        Without `failure`, a failure is shown in the window's bar.
        """
        told = failure or (lambda problem: self._notices.fail(problem) and None)

        def report(outcome: object) -> None:
            self._done.emit((outcome, success, told))

        self._pool.start(_Task(operation, report))

    def mute(self) -> None:
        """Report nothing more: who asked is about to go."""
        self._done.disconnect(self._finish)

    def stop(self) -> None:
        """Wait for what has begun. May be called from another thread."""
        self._pool.waitForDone()

    @Slot(object)
    def _finish(self, message: tuple[object, Callable[[object], None] | None, Callable[[Failure], None]]) -> None:
        outcome, success, failure = message
        if isinstance(outcome, Failure):
            failure(outcome)
        elif success is not None:
            success(outcome)
