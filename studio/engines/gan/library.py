"""The one door to spandrel, which knows the upscaling models that people share by their tensors.

Two of its 42 architectures import torchvision, which is not installed here (its builds do not fit every build of
torch); neither enlarges pictures. For as long as spandrel is imported, an empty stand-in takes torchvision's place.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import torch

from studio.core.failure import Failure, FailureCode, StudioError
from studio.engines.diffusion import weights_file
from studio.engines.diffusion.failures import damaged, unsupported

Component: TypeAlias = Any
"""spandrel's description of a model: its types say more than we need to check against."""

_WANTED = {"InterpolationMode", "rotate", "normalize"}
_NAMES = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")


def open_upscaler(path: Path) -> Component:
    """The model in the safetensors file `path`, in the file's own number format, on the processor.

    Raises `StudioError`: missing, damaged, a pickle, or nothing that enlarges pictures.
    """
    weights_file.header(path)
    spandrel = _spandrel()
    try:
        found: Component = spandrel.ModelLoader(torch.device("cpu")).load_from_file(str(path))
    except spandrel.UnsupportedModelError as error:
        raise unsupported(
            f"{path.name} is no upscaling model that Atelier knows.",
            "Models of the ESRGAN, Real-ESRGAN, SPAN, SwinIR, DAT and similar families work.",
            str(error),
        ) from error
    except (RuntimeError, ValueError, KeyError, AssertionError) as error:
        # What the architectures raise for tensors that look like theirs and do not fit together.
        raise damaged(path, "its tensors do not fit together", f"{type(error).__name__}: {error}") from error
    if not isinstance(found, spandrel.ImageModelDescriptor) or found.input_channels not in (1, 3):
        raise unsupported(
            f"{path.name} ({found.architecture.name}) does not enlarge ordinary pictures.",
            "Choose a model whose purpose is super-resolution.",
        )
    return found


def versions() -> str:
    """The libraries and their versions, for reports."""
    return f"spandrel {importlib.metadata.version('spandrel')}, torch {torch.__version__}"


@functools.cache
def _spandrel() -> Component:
    try:
        with _without_torchvision():
            return importlib.import_module("spandrel")
    except ModuleNotFoundError as error:
        raise StudioError(
            Failure(
                FailureCode.LIBRARY_MISSING,
                "Enlarging needs the package spandrel, which is not installed here.",
                hint="Start Atelier again to repeat the set-up.",
                detail=str(error),
            )
        ) from error


@contextmanager
def _without_torchvision() -> Iterator[None]:
    """Inside it, `torchvision` is a stand-in; outside nobody may take it for the real one."""
    if any(name in sys.modules for name in _NAMES):
        yield
        return
    package, transforms, functional = (types.ModuleType(name) for name in _NAMES)
    vars(package)["transforms"], vars(transforms)["functional"] = transforms, functional
    vars(functional).update(dict.fromkeys(_WANTED, object))
    sys.modules.update(zip(_NAMES, (package, transforms, functional), strict=True))
    try:
        yield
    finally:
        for name in _NAMES:
            del sys.modules[name]
