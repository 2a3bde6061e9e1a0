"""The boundary at which whatever was raised becomes a `Failure`, in the worker and beside it."""

from __future__ import annotations

import errno
import re
import traceback
from collections.abc import Callable
from typing import TypeVar

from studio.core.failure import Failure, FailureCode, StudioError

T = TypeVar("T")

_OUT_OF_MEMORY = re.compile(
    r"out of memory|can't allocate memory|cannot allocate memory|not enough memory|bad_alloc|failed to allocate"
    r"|unable to allocate|memory allocation .*failed",
    re.IGNORECASE,
)


def speaks_of_memory(text: str) -> bool:
    """Whether a library's message says that memory ran out."""
    return _OUT_OF_MEMORY.search(text) is not None


def failure_of(error: BaseException) -> Failure:
    """What to tell about `error`; its traceback goes into the detail."""
    if isinstance(error, StudioError):
        return error.failure
    detail = "".join(traceback.format_exception(error))
    if isinstance(error, ImportError):
        return _missing_library(error, detail)
    if isinstance(error, MemoryError) or speaks_of_memory(str(error)):
        return Failure(
            FailureCode.OUT_OF_MEMORY,
            "There was not enough memory for this job.",
            hint="Close other programs, choose a smaller model or a smaller picture, and try again.",
            detail=detail,
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failure(FailureCode.DISK_FULL, "The disk is full.", hint="Free some space and try again.", detail=detail)
    return Failure(
        FailureCode.INTERNAL,
        f"Something went wrong that was not foreseen ({type(error).__name__}).",
        hint="Try again; if it happens each time, report it with the details.",
        detail=detail,
    )


def attempt(action: Callable[[], T], let_through: tuple[type[Exception], ...] = ()) -> T | Failure:
    """Call something that may raise anything (a library, a callback); what it raises comes back as a `Failure`.

    Only for the boundaries of processes and threads, where an error of one job must not end the others.
    """
    try:
        return action()
    except let_through:
        raise
    except Exception as error:  # noqa: BLE001 - the one place where that is the purpose
        return failure_of(error)


def _missing_library(error: ImportError, detail: str) -> Failure:
    return Failure(
        FailureCode.LIBRARY_MISSING,
        f"{error.name or 'A library'} could not be loaded, so this kind of job can't run here.",
        hint="Start the studio through main.py to complete its installation.",
        detail=detail,
    )
