"""A model in memory: loaded with progress, stoppable while it loads."""

from __future__ import annotations

import ctypes
import os
import queue
from collections.abc import Generator
from pathlib import Path

from studio.core.engine import Cancel
from studio.core.events import JobProgress, Stage
from studio.core.failure import Cancelled, FailureCode, StudioError
from studio.engines.language.devices import Seat
from studio.engines.language.errands import Errands
from studio.engines.language.header import Header
from studio.engines.language.library import Library
from studio.engines.language.trouble import model_trouble, no_memory, writes_nothing
from studio.engines.language.vocabulary import Vocabulary

_PROGRESS_STEPS = 100
_SINGLE_DEVICE = 0  # llama_split_mode
_MEMORY_SIGNS = ("cannot allocate", "bad_alloc", "failed to allocate", "out of memory", "unable to allocate")
_UNKNOWN_SIGNS = ("unknown model architecture", "unknown pre-tokenizer", "unsupported")


class Model:
    """One loaded model. Call `free` when done; `bytes` is the size of its weights."""

    def __init__(self, library: Library, handle: int, header: Header) -> None:
        c = library.c
        self.library = library
        self.handle = handle
        self.header = header
        self.vocabulary = Vocabulary(library, handle)
        self.bytes = int(c.llama_model_size(handle))
        self.trained_length = max(int(c.llama_model_n_ctx_train(handle)), 1)
        # Recurrent state, whole or in part, can't be taken back by some tokens.
        self.recurrent = bool(c.llama_model_is_recurrent(handle) or c.llama_model_is_hybrid(handle))
        if c.llama_model_has_encoder(handle) or not c.llama_model_has_decoder(handle):
            raise writes_nothing()

    def chat_template(self) -> str | None:
        """The model's own Jinja template for chats."""
        found: bytes | None = self.library.c.llama_model_chat_template(self.handle, None)
        return found.decode("utf-8", "replace") if found else None

    def free(self) -> None:
        """Give the weights' memory back."""
        if self.handle:
            self.library.c.llama_model_free(self.handle)
            self.handle = 0


def load_model(
    library: Library, path: Path, header: Header, seat: Seat, cancel: Cancel, *, errands: Errands
) -> Generator[JobProgress, None, Model]:
    """Load the GGUF at `path`, yielding progress; returns the model.

    Raises `Cancelled`, and `StudioError` (`MODEL_DAMAGED`, `MODEL_UNSUPPORTED`, `OUT_OF_MEMORY`).
    """
    library.forget_log()
    loading = _Loading(library, path, seat, cancel, errands=errands)
    try:
        yield from loading.reported()
    except GeneratorExit:
        loading.leave()
        raise
    handle = loading.errand.result(cancel)
    if cancel.is_set():
        if handle:
            library.c.llama_model_free(handle)
        raise Cancelled
    if not handle:
        raise _load_failure(library, path)
    try:
        return Model(library, handle, header)
    except StudioError:
        library.c.llama_model_free(handle)
        raise


class _Loading:
    """The library's call that loads a model, and what it says of its progress."""

    def __init__(self, library: Library, path: Path, seat: Seat, cancel: Cancel, *, errands: Errands) -> None:
        c = library.c
        self._steps: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._cancel = cancel
        self._left = False
        callback = c.llama_progress_callback(self._progress)
        parameters = _parameters(library, seat, callback)
        name = os.fsencode(path)
        self.errand = errands.send(lambda: c.llama_model_load_from_file(name, parameters) or 0, c.llama_model_free)

    def leave(self) -> None:
        """Nobody wants the model any more: the load ends after the tensor at hand."""
        self._left = True
        self.errand.leave()

    def reported(self) -> Generator[JobProgress, None, None]:
        """Progress, each step once, until the call has come back or the job is to end."""
        last = -1
        over = False
        while not over and not self._cancel.is_set():
            over = self.errand.finished()
            while not self._steps.empty():
                step = self._steps.get()
                if step > last:
                    last = step
                    yield JobProgress(stage=Stage.LOAD, step=step, total=_PROGRESS_STEPS)

    def _progress(self, done: float, _: object) -> bool:
        """What the library calls after each tensor; False ends the load."""
        self._steps.put(int(done * _PROGRESS_STEPS))
        return not (self._left or self._cancel.is_set())


def _parameters(library: Library, seat: Seat, callback: object) -> ctypes.Structure:
    parameters: ctypes.Structure = library.c.llama_model_default_params()
    values: dict[str, object] = {"n_gpu_layers": seat.layers, "progress_callback": callback}
    if seat.layers:
        values |= {"split_mode": _SINGLE_DEVICE, "main_gpu": seat.index}
    for name, value in values.items():
        setattr(parameters, name, value)
    return parameters


def _load_failure(library: Library, path: Path) -> StudioError:
    detail = library.log_tail()
    lowered = detail.lower()
    if any(sign in lowered for sign in _MEMORY_SIGNS):
        return no_memory(path.name, detail)
    if any(sign in lowered for sign in _UNKNOWN_SIGNS):
        return model_trouble(
            FailureCode.MODEL_UNSUPPORTED,
            f"{path.name} is of a kind that this version of llama.cpp does not know.",
            "Choose another model, or update the studio.",
            detail,
        )
    return model_trouble(
        FailureCode.MODEL_DAMAGED,
        f"{path.name} can't be loaded: its contents do not fit together.",
        "Get this model again or choose another one.",
        detail,
    )
