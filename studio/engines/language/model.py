"""A model in memory: loaded with progress, stoppable while it loads."""

from __future__ import annotations

import ctypes
import os
import queue
import threading
from collections.abc import Generator
from pathlib import Path

from studio.core.engine import Cancel
from studio.core.events import JobProgress, Stage
from studio.core.failure import Cancelled, FailureCode, StudioError
from studio.engines.language.devices import Seat
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
    library: Library, path: Path, header: Header, seat: Seat, cancel: Cancel
) -> Generator[JobProgress, None, Model]:
    """Load the GGUF at `path`, yielding progress; returns the model.

    The library blocks while it loads, so that a thread waits for it and this generator can go on
    reporting. Raises `Cancelled`, and `StudioError` (`MODEL_DAMAGED`, `MODEL_UNSUPPORTED`, `OUT_OF_MEMORY`).
    """
    library.forget_log()
    loading = _Loading(library, path, seat, cancel)
    finished = False
    try:
        yield from _reported(loading.steps)
        finished = True
    finally:
        handle = loading.join()
        cancelled = cancel.is_set()
        if handle and (cancelled or not finished):
            library.c.llama_model_free(handle)
    if cancelled:
        raise Cancelled
    if not handle:
        raise _load_failure(library, path)
    try:
        return Model(library, handle, header)
    except StudioError:
        library.c.llama_model_free(handle)
        raise


class _Loading:
    """The thread that waits for the library; `steps` tells of its progress and ends with None."""

    def __init__(self, library: Library, path: Path, seat: Seat, cancel: Cancel) -> None:
        self.steps: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._library = library
        self._path = path
        self._seat = seat
        self._cancel = cancel
        self._unwanted = threading.Event()
        self._handle = 0
        self._callback = library.c.llama_progress_callback(self._progress)
        self._thread = threading.Thread(target=self._load, name="load-model")
        self._thread.start()

    def join(self) -> int:
        """Stop loading, if it goes on; the model's handle, or 0."""
        self._unwanted.set()
        self._thread.join()
        return self._handle

    def _load(self) -> None:
        try:
            parameters = _parameters(self._library, self._seat, self._callback)
            self._handle = self._library.c.llama_model_load_from_file(os.fsencode(self._path), parameters) or 0
        finally:
            self.steps.put(None)

    def _progress(self, done: float, _: object) -> bool:
        """What the library calls after each tensor; False ends the load."""
        self.steps.put(int(done * _PROGRESS_STEPS))
        return not (self._unwanted.is_set() or self._cancel.is_set())


def _reported(steps: queue.SimpleQueue[int | None]) -> Generator[JobProgress, None, None]:
    """Progress, each step once, until the end is announced."""
    last = -1
    while (step := steps.get()) is not None:
        if step > last:
            last = step
            yield JobProgress(stage=Stage.LOAD, step=step, total=_PROGRESS_STEPS)


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
