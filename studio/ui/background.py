"""The one helper for work that is longer than a frame: operation, success, failure."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal, Slot

from studio.app.notices import Notices
from studio.core.failure import Failure, FailureCode, StudioError

T = TypeVar("T")


class _Task(QRunnable):
    def __init__(self, operation: Callable[[], Any], report: Callable[[object], None]) -> None:
        super().__init__()
        self._operation = operation
        self._report = report

    def run(self) -> None:
        try:
            outcome: object = self._operation()
        except StudioError as error:
            outcome = error.failure
        except Exception:  # noqa: BLE001 - the thread's boundary: whatever was not foreseen is shown with its details
            outcome = Failure(
                FailureCode.INTERNAL,
                "Something in the studio went wrong that was not foreseen. Your work is untouched.",
                hint="Try again; if it happens again, copy the details and report them.",
                detail=traceback.format_exc(),
            )
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

    def stop(self) -> None:
        """Wait for what has begun."""
        self._pool.waitForDone()

    @Slot(object)
    def _finish(self, message: tuple[object, Callable[[object], None] | None, Callable[[Failure], None]]) -> None:
        outcome, success, failure = message
        if isinstance(outcome, Failure):
            failure(outcome)
        elif success is not None:
            success(outcome)
