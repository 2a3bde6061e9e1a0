"""Cancelling from inside a model: hooks on its blocks that ask the job's flag before each one runs.

A step of a large model takes seconds on a processor; its blocks take a fraction of a tenth. The hooks cost
about a microsecond each.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from studio.core.engine import Cancel
from studio.core.failure import Cancelled

# Above this many weights a single layer may take longer than somebody wants to wait.
_LARGE = 40_000_000
_BLOCK_NAMES = ("Attention", "FeedForward", "MLP")


class Pass:
    """One job's leave to go on: until its cancel flag is up, or until it is stopped since nobody wants it any more.

    It is a cancel flag itself: a part of a job can have a pass of its own, which ends with the job's or before it.
    """

    def __init__(self, cancel: Cancel) -> None:
        self.cancel = cancel
        self.stopped = False

    def stop(self) -> None:
        """End the job, whether anybody cancelled it or not."""
        self.stopped = True

    def is_set(self) -> bool:
        """Whether the job is to end."""
        return self.stopped or self.cancel.is_set()

    def check(self) -> None:
        """Raise `Cancelled` if the job is to end."""
        if self.stopped:
            raise Cancelled
        self.cancel.check()


class Gate:
    """Lets each thread through while the job that it works for is wanted. One gate serves all models of an engine.

    A thread without a pass goes through freely.
    """

    def __init__(self) -> None:
        self._here = threading.local()

    @contextmanager
    def admit(self, leave: Pass | None) -> Iterator[None]:
        """Inside it, this thread works for the job of `leave`."""
        self._here.leave = leave
        try:
            yield
        finally:
            self._here.leave = None

    def leave(self) -> Pass | None:
        """This thread's pass, for threads that it starts."""
        found: Pass | None = getattr(self._here, "leave", None)
        return found

    def check(self) -> None:
        """Raise `Cancelled` if the job that this thread works for is to end."""
        leave = self.leave()
        if leave is not None:
            leave.check()

    def watch(self, model: torch.nn.Module) -> None:
        """Put the hooks on `model`: itself and its lists of layers, in a large one also convolutions and attention."""
        seen: set[int] = set()
        is_large = sum(value.numel() for value in model.parameters()) > _LARGE
        for module in model.modules():
            chosen = [module] if module is model or (is_large and _is_block(module)) else []
            if isinstance(module, torch.nn.ModuleList):
                # A list may have holes: parts that a configuration leaves out.
                chosen = [part for part in module if isinstance(part, torch.nn.Module)]
            for block in chosen:
                if id(block) not in seen:
                    seen.add(id(block))
                    block.register_forward_pre_hook(self._hook)
        for part in ("encode", "decode"):
            # Autoencoders are entered through these methods, not through `forward`; their parts are modules.
            entered = getattr(model, f"{part}r", None)
            if isinstance(entered, torch.nn.Module) and id(entered) not in seen:
                entered.register_forward_pre_hook(self._hook)

    @contextmanager
    def over_library_loads(self) -> Iterator[None]:
        """Inside it, the library's own loading asks at each weight: its progress bar is the one place to stop it."""
        module: Any = importlib.import_module("transformers.core_model_loading")
        bar = module.tqdm

        def watched(items: Iterable[object], **_looks: object) -> Iterator[object]:
            for item in items:
                self.check()
                yield item

        module.tqdm = watched
        try:
            yield
        finally:
            module.tqdm = bar

    def _hook(self, _module: torch.nn.Module, _inputs: object) -> None:
        self.check()


def _is_block(module: torch.nn.Module) -> bool:
    return isinstance(module, torch.nn.Conv2d) or type(module).__name__.endswith(_BLOCK_NAMES)
