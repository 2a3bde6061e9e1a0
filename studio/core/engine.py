"""What the worker asks of an engine, and what it hands over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from studio.core.events import Event
from studio.core.requests import Request


class LocalModel(msgspec.Struct, frozen=True):
    """Weights on this machine. `path` is a folder or a single file; `family` is the shelf's word for
    the architecture (`sd15`, `sdxl`, `llama`, …) or empty; `config` is a folder of configuration
    files for single-file checkpoints, or None.
    """

    path: str
    family: str = ""
    config: str | None = None


class Placement(msgspec.Struct, frozen=True):
    """Where and how to run: `device` is `auto`, `cpu`, `cuda:N` or `mps`; `dtype` is `auto`, `float32`,
    `bfloat16` or `float16`; `threads` 0 lets the worker choose. `memory_budget` is in bytes, 0 = no limit.
    """

    device: str = "auto"
    dtype: str = "auto"
    threads: int = 0
    memory_budget: int = 0


class Assignment(msgspec.Struct, frozen=True):
    """A request with everything that a worker needs to run it, all resolved to this machine.

    `inputs` maps asset ids to absolute paths. `preview_rate` is the most previews per second.
    """

    job: str
    request: Request
    model: LocalModel
    inputs: dict[str, str] = {}
    placement: Placement = Placement()
    preview_rate: float = 15.0


class Cancel(Protocol):
    """A flag that somebody else may raise at any time; cheap enough to ask at each layer and token."""

    def is_set(self) -> bool:
        """Whether the job is to end."""
        ...

    def check(self) -> None:
        """Raise `studio.core.failure.Cancelled` if the job is to end."""
        ...


class Engine(Protocol):
    """An adapter to one model library. Lives in a worker process; used from one thread."""

    def run(self, assignment: Assignment, cancel: Cancel) -> Iterator[Event]:
        """Yield the job's events; the last one is a `JobCompleted`.

        Raises `Cancelled` when cancelled and `StudioError` for every foreseen failure. Engines stay
        usable after both. `job` and `sequence` of the events are left at their defaults.
        """
        ...

    def unload(self) -> None:
        """Release every model and give the memory back to the system."""
        ...

    def loaded_bytes(self) -> int:
        """Roughly how much memory the loaded models hold."""
        ...
