"""The engine of the `diffusion` family: from an assignment to pictures, with everything that can happen between."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator

import torch

from studio.core.engine import Assignment, Cancel
from studio.core.events import Event, JobCompleted, JobNotice, JobStarted, Picture, RunReport
from studio.core.failure import InvalidField
from studio.core.requests import ImageRequest
from studio.engines.diffusion import library, pictures, unet_run
from studio.engines.diffusion.aside import Asides
from studio.engines.diffusion.cache import ModelCache
from studio.engines.diffusion.device import Device, choose
from studio.engines.diffusion.failures import in_words, is_out_of_memory
from studio.engines.diffusion.gate import Gate
from studio.engines.diffusion.loading import LoadedModel
from studio.engines.diffusion.pictures import Inputs
from studio.engines.diffusion.pipeline_run import PipelineRun
from studio.engines.diffusion.unet_run import UnetRun

# What the model libraries raise, beside our own failures, for settings or weights that they cannot work with.
_LIBRARY_ERRORS = (RuntimeError, ValueError, TypeError, KeyError, AttributeError, IndexError, OSError, MemoryError)


class DiffusionEngine:
    """Implements `studio.core.engine.Engine` for `ImageRequest`. Building one imports the libraries (seconds)."""

    def __init__(self) -> None:
        library.warm()
        # The same request gives the same pixels; the faster algorithms that CUDA could pick do not promise that.
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        self._gate = Gate()
        self._cache = ModelCache(self._gate)
        self._asides = Asides(self._gate)

    def run(self, assignment: Assignment, cancel: Cancel) -> Iterator[Event]:
        """Make the pictures of `assignment`. Raises `Cancelled` and `StudioError`; usable again after both."""
        yield from self._asides.run(self._run(assignment), cancel)

    def unload(self) -> None:
        """Release every model and give the memory back to the system."""
        self._asides.end()
        self._cache.clear()

    def loaded_bytes(self) -> int:
        """Bytes of all loaded weights."""
        return self._cache.size()

    def _run(self, assignment: Assignment) -> Generator[Event, None, None]:
        request = assignment.request
        if not isinstance(request, ImageRequest):
            raise InvalidField("request", "this worker makes pictures and nothing else")
        device = choose(assignment.placement)
        yield JobStarted(device=device.name, process=os.getpid())
        if device.note:
            yield JobNotice(text=device.note)
        if assignment.placement.threads > 0 and torch.get_num_threads() != assignment.placement.threads:
            torch.set_num_threads(assignment.placement.threads)
        self._gate.check()
        inputs = pictures.read_inputs(request, assignment.inputs)
        started = time.monotonic()
        if made := pictures.unchanged(request, inputs):
            yield JobNotice(text="At a strength of 0 nothing changes: this is the picture that went in.")
            yield JobCompleted(pictures=made, report=_report(device, started, started))
            return
        model = yield from self._cache.get(assignment, device)
        loaded = time.monotonic()
        made = yield from self._pictures(assignment, request, model, inputs)
        if not any(any(picture.pixels) for picture in made):
            yield JobNotice(text="The picture came out entirely black: the model or its settings may not fit.")
        yield JobCompleted(pictures=made, report=_report(device, started, loaded))

    def _pictures(
        self, assignment: Assignment, request: ImageRequest, model: LoadedModel, inputs: Inputs
    ) -> Generator[Event, None, tuple[Picture, ...]]:
        path = model.plan.path
        kind = UnetRun if unet_run.fits(model) else PipelineRun
        while True:
            try:
                run = kind(model, self._gate, request, inputs)
                return (yield from run.events(assignment.preview_rate, assignment.placement.memory_budget))
            except _LIBRARY_ERRORS as error:
                if not (is_out_of_memory(error) and self._cache.others_than(model)):
                    raise in_words(error, path, "make this picture") from error
            # Outside of the handler: the exception's frames would keep the memory that is to be freed.
            self._cache.keep_only(model)
            yield JobNotice(text="Memory ran out: other models were put out of memory, and the picture starts again.")


def _report(device: Device, started: float, loaded: float) -> RunReport:
    # Of a process's own memory the worker knows the true peak, so that is left to it.
    on_card = device.device.type == "cuda"
    peak = int(torch.cuda.max_memory_allocated(device.device)) if on_card else 0
    return RunReport(
        load_seconds=loaded - started,
        run_seconds=time.monotonic() - loaded,
        peak_memory=peak,
        library=library.versions(),
        device=device.name,
    )
