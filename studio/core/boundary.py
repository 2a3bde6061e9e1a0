"""The boundary at which whatever was raised becomes a `Failure`, in the worker and beside it."""

from __future__ import annotations

import errno
import re
import traceback

from studio.core.failure import Failure, FailureCode, StudioError

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


def missing_library(error: ImportError) -> Failure:
    """What to tell where an engine or its library can't be imported."""
    name = error.name or "A library"
    return Failure(
        FailureCode.LIBRARY_MISSING,
        f"{name} could not be loaded, so this kind of job can't run here.",
        hint="Start the studio through main.py to complete its installation.",
        detail="".join(traceback.format_exception(error)),
    )
