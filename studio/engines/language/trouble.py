"""Failures of this engine in few words."""

from __future__ import annotations

from studio.core.failure import Failure, FailureCode, StudioError


def model_trouble(code: FailureCode, message: str, hint: str, detail: str = "") -> StudioError:
    """A `StudioError` about the model."""
    return StudioError(Failure(code, message, hint=hint, detail=detail))


def bad_request(message: str, hint: str, detail: str = "") -> StudioError:
    """A `StudioError` about what was asked for."""
    return StudioError(Failure(FailureCode.INVALID_REQUEST, message, hint=hint, detail=detail))


def gigabytes(size: int) -> str:
    """`size` in bytes, for a person."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def no_memory(name: str, detail: str) -> StudioError:
    """A `StudioError` about a model that can't be loaded for lack of memory."""
    return model_trouble(
        FailureCode.OUT_OF_MEMORY,
        f"There is not enough memory to load {name}.",
        "Close other programs or choose a smaller model.",
        detail,
    )


def writes_nothing() -> StudioError:
    """A `StudioError` about a model that does something else with text."""
    return model_trouble(
        FailureCode.MODEL_UNSUPPORTED,
        "This model does not continue text; it turns text into something else.",
        "Choose a model for writing or for code.",
    )
