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


class Gate:
    """Passes while nobody has cancelled. One gate serves all models of an engine; armed for one job at a time."""

    def __init__(self) -> None:
        self._cancel: Cancel | None = None
        self._stopped = threading.Event()

    def arm(self, cancel: Cancel) -> None:
        """From now on, ask `cancel`."""
        self._stopped.clear()
        self._cancel = cancel

    def disarm(self) -> None:
        """The job is over: hold nothing of it any more."""
        self._cancel = None

    def stop(self) -> None:
        """Make the gate raise, whether anybody cancelled or not (the job's consumer has gone)."""
        self._stopped.set()

    def check(self) -> None:
        """Raise `Cancelled` if the job is to end."""
        if self._stopped.is_set():
            raise Cancelled
        if self._cancel is not None:
            self._cancel.check()

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
