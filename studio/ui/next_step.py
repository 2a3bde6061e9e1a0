"""From a failure to the button beside it."""

from __future__ import annotations

from collections.abc import Callable

from studio.app.notices import Action
from studio.core.failure import Failure, FailureCode

_SETTINGS = {
    FailureCode.MODEL_MISSING: "Choose folders with models",
    FailureCode.LIBRARY_MISSING: "Open Settings",
    FailureCode.OUT_OF_MEMORY: "Memory settings",
}
_AGAIN = {
    FailureCode.WORKER_DIED,
    FailureCode.WORKER_KILLED,
    FailureCode.WORKER_SILENT,
    FailureCode.DISK_FULL,
    FailureCode.STORAGE,
    FailureCode.INTERRUPTED,
    FailureCode.INTERNAL,
}


def next_step(failure: Failure, again: Callable[[], None] | None, settings: Callable[[], None]) -> Action | None:
    """The most useful next step for `failure`; None where only the user can know (a prompt to correct)."""
    if failure.code in _SETTINGS:
        return Action(_SETTINGS[failure.code], settings)
    if failure.code in _AGAIN and again is not None:
        return Action("Try again", again)
    return None
