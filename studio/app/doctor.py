"""What this installation is and has, what is missing, and how to get it."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
from pathlib import Path

import msgspec

import studio
from studio.core.failure import StudioError
from studio.environment.native_build import compiler_advice
from studio.models.machine import Device, accelerators, processor
from studio.models.shelf import Shelf

_LIBRARIES = {
    "torch": "pictures",
    "diffusers": "pictures",
    "transformers": "pictures",
    "spandrel": "enlarging pictures",
    "llama-cpp-python": "writing and code",
    "pyside6-essentials": "the window",
    "pillow": "reading and writing pictures",
}
_LOW_DISK = 5_000_000_000


class Examination(msgspec.Struct, frozen=True):
    """The findings. `versions` maps a library to its version or None; `missing` are sentences to act on."""

    version: str
    system: str
    python: str
    versions: dict[str, str | None]
    devices: tuple[Device, ...]
    disk_free: int
    project: str
    models: tuple[str, ...]
    missing: tuple[str, ...]


def examine(shelf: Shelf, project: Path) -> Examination:
    """Look at this machine; imports no model library and touches no network."""
    versions = {name: _version(name) for name in _LIBRARIES}
    existing = next((folder for folder in (project, *project.parents) if folder.exists()), Path.home())
    free = shutil.disk_usage(existing).free
    missing = [_missing_library(name) for name, version in versions.items() if version is None]
    models: tuple[str, ...] = ()
    try:
        entries = shelf.entries()
        models = tuple(f"{entry.name} ({entry.task}, {entry.size / 1e6:.1f} MB, {entry.licence})" for entry in entries)
        tasks = {entry.task for entry in entries}
        missing += [f"No model for {task} was found." for task in ("image", "text", "code") if task not in tasks]
    except StudioError as error:
        missing.append(f"{error.failure.message} {error.failure.hint}")
    missing += [f"{failure.message} {failure.hint}" for failure in shelf.unreadable()]
    if free < _LOW_DISK:
        missing.append(f"Only {free / 1e9:.1f} GB are free on the disk that holds {existing}.")
    return Examination(
        version=studio.__version__,
        system=f"{platform.system()} {platform.release()} ({platform.machine()})",
        python=sys.version.split()[0],
        versions=versions,
        devices=(processor(), *accelerators()),
        disk_free=free,
        project=str(project),
        models=models,
        missing=tuple(missing),
    )


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _missing_library(name: str) -> str:
    if name == "llama-cpp-python":
        return f"{name} is not installed, so {_LIBRARIES[name]} won't work. {compiler_advice()}"
    return f"{name} is not installed, so {_LIBRARIES[name]} won't work. Start Atelier again to repeat the set-up."
