"""What the dispatcher is told once: how workers are started, and how much they may take."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from studio.core.jobs import Family

GIBIBYTE = 1 << 30


class Limits(msgspec.Struct, frozen=True):
    """Times in seconds, memory in bytes.

    `idle_unload_seconds` after its last job a worker gives its model back; 0 means never.
    `memory_budget_bytes` bounds what idle families may keep loaded beside a running one; 0 means no bound.
    `force_kill_after` is how long a cancelled job may take to say so. `silent_after` without any sign of
    life a worker counts as hung. `close_grace` and `terminate_grace` are the steps of the closing ladder.
    `spare` keeps a second, warm process per family, made once the first has rested for
    `spare_after_seconds` and `spare_memory_floor` of memory are available. `load_deaths` in a row during
    loading put the family's other jobs on hold.
    """

    idle_unload_seconds: float = 600.0
    memory_budget_bytes: int = 0
    force_kill_after: float = 0.25
    silent_after: float = 30.0
    close_grace: float = 3.0
    terminate_grace: float = 0.5
    spare: bool = True
    spare_after_seconds: float = 5.0
    spare_memory_floor: int = 3 * GIBIBYTE
    load_deaths: int = 3


def _source_folder() -> str:
    return str(Path(__file__).resolve().parents[2])


class WorkerCommand(msgspec.Struct, frozen=True):
    """How to start a worker process.

    `arguments` begin with the program; the dispatcher adds `--family`, `--address` and `--memory`.
    `engines` replaces the engine of a family by another `module:class`. `environment` is added to
    the studio's own. `folder` is the working folder, from where `studio` can be imported.
    """

    arguments: tuple[str, ...] = (sys.executable, "-m", "studio.worker")
    engines: dict[Family, str] = {}
    environment: dict[str, str] = {}
    folder: str = msgspec.field(default_factory=_source_folder)


class WorkerState(msgspec.Struct, frozen=True):
    """One family's worker for the status strip.

    `state` is `stopped`, `starting`, `idle` or `busy`; `resident_bytes` is the process's resident memory and
    `loaded_bytes` what its models hold of it. `process` is 0 while there is none.
    """

    family: Family
    process: int
    state: str
    loaded_bytes: int
    resident_bytes: int
    idle_seconds: float
    has_spare: bool


class DeviceMemory(msgspec.Struct, frozen=True):
    """The machine's memory in bytes; `workers` is what the worker processes hold."""

    total: int
    available: int
    workers: int
