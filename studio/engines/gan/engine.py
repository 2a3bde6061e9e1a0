"""The engine of the `gan` family: enlarges pictures and draws sprites."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import torch

from studio.core.engine import Assignment, Cancel
from studio.core.events import Event, JobCompleted, JobNotice, JobProgress, JobStarted, Picture, RunReport, Stage
from studio.core.failure import InvalidField
from studio.core.requests import SpriteRequest, UpscaleRequest
from studio.engines.diffusion.aside import Asides
from studio.engines.diffusion.device import Device, choose, give_back_memory
from studio.engines.diffusion.failures import in_words
from studio.engines.diffusion.gate import Gate
from studio.engines.gan import library, sprites, upscale
from studio.engines.gan.library import Component

_LIBRARY_ERRORS = (RuntimeError, ValueError, TypeError, KeyError, IndexError, OSError, MemoryError)
_KEPT = 2


class GanEngine:
    """Implements `studio.core.engine.Engine` for `UpscaleRequest` and `SpriteRequest`. Keeps the last two models."""

    def __init__(self) -> None:
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        self._gate = Gate()
        self._models: dict[tuple[str, int, str], Component] = {}
        self._asides = Asides(self._gate)

    def run(self, assignment: Assignment, cancel: Cancel) -> Iterator[Event]:
        """Make the pictures of `assignment`. Raises `Cancelled` and `StudioError`; usable again after both."""
        yield from self._asides.run(self._run(assignment), cancel)

    def unload(self) -> None:
        """Release every model and give the memory back to the system."""
        self._asides.end()
        self._models.clear()
        give_back_memory()

    def loaded_bytes(self) -> int:
        """Bytes of all loaded weights."""
        networks: list[Component] = [getattr(model, "model", model) for model in self._models.values()]
        return sum(value.nbytes for network in networks for value in network.parameters())

    def _run(self, assignment: Assignment) -> Generator[Event, None, None]:
        request = assignment.request
        if not isinstance(request, UpscaleRequest | SpriteRequest):
            raise InvalidField("request", "this worker enlarges pictures and draws sprites, and nothing else")
        device = choose(assignment.placement)
        yield JobStarted(device=device.name, process=os.getpid())
        if device.note:
            yield JobNotice(text=device.note)
        if assignment.placement.threads > 0 and torch.get_num_threads() != assignment.placement.threads:
            torch.set_num_threads(assignment.placement.threads)
        self._gate.check()
        started = time.monotonic()
        path = Path(assignment.model.path)
        yield JobProgress(stage=Stage.LOAD, step=0, total=1)
        try:
            model = self._model(path, request, device)
            loaded = time.monotonic()
            yield JobProgress(stage=Stage.LOAD, step=1, total=1)
            made = yield from self._made(assignment, request, model)
        except _LIBRARY_ERRORS as error:
            raise in_words(error, path, "make this picture") from error
        yield JobCompleted(pictures=tuple(made), report=_report(device, started, loaded))

    def _model(self, path: Path, request: UpscaleRequest | SpriteRequest, device: Device) -> Component:
        key = (str(path), _changed(path), device.name)
        model = self._models.pop(key, None)
        if model is None:
            sprite = isinstance(request, SpriteRequest)
            model = sprites.load(path) if sprite else upscale.load(path, device, self._gate)
        self._models[key] = model
        for old in list(self._models)[:-_KEPT]:
            del self._models[old]
        return model

    def _made(
        self, assignment: Assignment, request: UpscaleRequest | SpriteRequest, model: Component
    ) -> Generator[Event, None, list[Picture]]:
        if isinstance(request, SpriteRequest):
            return (yield from sprites.draw(request, model, self._gate))
        source = assignment.inputs.get(request.image)
        return [(yield from upscale.enlarge(request, model, source, self._gate))]


def _changed(path: Path) -> int:
    """When the model was changed last, 0 where it is not there; a folder changes with its files."""
    files = [path, *path.glob("*")] if path.is_dir() else [path]
    return max((file.stat().st_mtime_ns for file in files if file.exists()), default=0)


def _report(device: Device, started: float, loaded: float) -> RunReport:
    on_card = device.device.type == "cuda"
    return RunReport(
        load_seconds=loaded - started,
        run_seconds=time.monotonic() - loaded,
        peak_memory=int(torch.cuda.max_memory_allocated(device.device)) if on_card else 0,
        library=library.versions(),
        device=device.name,
    )
