"""This engine's failures in words: what happened, what it means, what to do next."""

from __future__ import annotations

import errno
from pathlib import Path

import torch

from studio.core.failure import Failure, FailureCode, StudioError

_MEMORY_WORDS = (
    "not enough memory",
    "out of memory",
    "cannot allocate memory",
    "can't allocate memory",
    "os error 12",
    "bad_alloc",
    "bad allocation",
    # oneDNN says no more than this when it gets no memory for its code (seen under an address-space limit).
    "could not create a primitive",
)
_NEW_COPY = "Fetch the model again, or choose another one."


def missing(path: Path, what: str = "") -> StudioError:
    """The model or a part of it is not there."""
    message = what or f"The model {path.name} is not where it was expected."
    return StudioError(
        Failure(
            FailureCode.MODEL_MISSING,
            message,
            hint="Put the model back, or choose another one.",
            detail=str(path),
        )
    )


def damaged(path: Path, what: str, detail: str = "") -> StudioError:
    """The model's files contradict themselves. `what` completes the sentence "NAME is damaged: …"."""
    return StudioError(
        Failure(
            FailureCode.MODEL_DAMAGED,
            f"{path.name} is damaged: {what}.",
            hint=_NEW_COPY,
            detail=f"{path}\n{detail}".strip(),
        )
    )


def refused_pickle(path: Path) -> StudioError:
    """The file is a Python pickle: reading one can run anything."""
    return StudioError(
        Failure(
            FailureCode.MODEL_REFUSED,
            f"{path.name} is a Python pickle. Opening such a file can run hidden programs, so the studio never does.",
            hint="Get the same model as .safetensors.",
            detail=str(path),
        )
    )


def refused_code(what: str) -> StudioError:
    """The model comes with program code of its own, named by `what`."""
    return StudioError(
        Failure(
            FailureCode.MODEL_REFUSED,
            f"This model ({what}) brings program code of its own, which the studio never runs.",
            hint="Use a version of the model that works without custom code.",
        )
    )


def unsupported(message: str, hint: str, detail: str = "") -> StudioError:
    """The model is sound, but not one that this engine can run."""
    return StudioError(Failure(FailureCode.MODEL_UNSUPPORTED, message, hint=hint, detail=detail))


def invalid(message: str, hint: str) -> StudioError:
    """The request asks this model for something that it cannot do."""
    return StudioError(Failure(FailureCode.INVALID_REQUEST, message, hint=hint))


def out_of_memory(doing: str, detail: str = "") -> StudioError:
    """There is not enough memory. `doing` completes "There is not enough memory to …"."""
    return StudioError(
        Failure(
            FailureCode.OUT_OF_MEMORY,
            f"There is not enough memory to {doing}.",
            hint="Make the picture smaller, close other programs, or choose a smaller model.",
            detail=detail,
        )
    )


def not_a_number(path: Path) -> StudioError:
    """The model computed infinities or NaN, of which a decoder makes black pictures."""
    return StudioError(
        Failure(
            FailureCode.MODEL_DAMAGED,
            f"{path.name} computed values that are no numbers, so there is no picture. "
            "Its weights are damaged, or too large for the number format.",
            hint="Try another scheduler or float32 in the settings; if it happens again, fetch the model again.",
            detail=str(path),
        )
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` is one of the many shapes in which the libraries report a lack of memory."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return any(words in str(error).lower() for words in _MEMORY_WORDS)


def in_words(error: Exception, path: Path, doing: str) -> StudioError:
    """The `StudioError` for an exception that a library raised while `doing` something with the model at `path`."""
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, StudioError):
        return error
    if is_out_of_memory(error):
        return out_of_memory(doing, detail)
    if isinstance(error, FileNotFoundError):
        return missing(path, f"A file of the model {path.name} disappeared while it was being read.")
    if isinstance(error, OSError):
        return StudioError(
            Failure(
                FailureCode.STORAGE,
                f"The model {path.name} could not be read from the disk.",
                hint="Check the disk and the permissions, then try again.",
                detail=detail,
            )
        )
    return StudioError(
        Failure(
            FailureCode.INTERNAL,
            f"The model library could not {doing}.",
            hint="Try other settings or another model; the details help when you report this.",
            detail=detail,
        )
    )
