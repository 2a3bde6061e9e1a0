"""What goes wrong, said so that a person can act on it.

`StudioError` is the root of the one error tree. Code raises a `StudioError` that carries a
`Failure`; processes exchange the `Failure`; the window shows it. A traceback belongs in
`Failure.detail`, never in the message.
"""

from __future__ import annotations

import enum

import msgspec


class FailureCode(enum.StrEnum):
    """The kinds of failure that callers and the window tell apart."""

    INVALID_REQUEST = "invalid-request"
    MODEL_MISSING = "model-missing"
    MODEL_DAMAGED = "model-damaged"
    MODEL_REFUSED = "model-refused"
    MODEL_UNSUPPORTED = "model-unsupported"
    INPUT_MISSING = "input-missing"
    INPUT_DAMAGED = "input-damaged"
    OUT_OF_MEMORY = "out-of-memory"
    DISK_FULL = "disk-full"
    STORAGE = "storage"
    WORKER_DIED = "worker-died"
    WORKER_KILLED = "worker-killed"
    WORKER_SILENT = "worker-silent"
    LIBRARY_MISSING = "library-missing"
    CONTEXT_FULL = "context-full"
    INTERRUPTED = "interrupted"
    INTERNAL = "internal"


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One failure: what happened, what to do next, and the details for a report.

    `message` says what happened and what it means, in one or two sentences. `hint` says what to do
    next. `detail` is for copying into a report: exit codes, library messages, tracebacks.
    """

    code: FailureCode
    message: str
    hint: str = ""
    detail: str = ""


class StudioError(Exception):
    """Root of the studio's errors; always carries a `Failure`."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class InvalidField(StudioError):
    """A value from outside that does not fit the vocabulary; `field` names it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(
            Failure(
                FailureCode.INVALID_REQUEST,
                f"{field}: {reason}" if reason.endswith((".", "!", "?")) else f"{field}: {reason}.",
                hint="Correct this field and try again.",
            )
        )
        self.field = field


class Cancelled(Exception):
    """Raised inside an engine to unwind a job whose cancellation was asked for."""
