"""The models in memory, newest last; older ones go when room is needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

import torch

from studio.core.engine import Assignment
from studio.core.events import Event, JobNotice, JobProgress, Stage
from studio.engines.diffusion import loading, plan
from studio.engines.diffusion.device import Device, free_memory, give_back_memory
from studio.engines.diffusion.failures import in_words, out_of_memory
from studio.engines.diffusion.gate import Gate
from studio.engines.diffusion.loading import LoadedModel
from studio.engines.diffusion.plan import ModelPlan

_MEBIBYTE = 1 << 20
_LOOK_SECONDS = 0.01
_REPORT_EVERY = 0.05  # seconds between two progress events
# A model needs this much beside its weights for a picture of its native size (measured with SD 1.5 at 512 pixels).
_WORKING_SPACE = 1.25


class ModelCache:
    """Loaded models by the fingerprint of their files, device and dtype."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._models: dict[tuple[object, ...], LoadedModel] = {}
        self._busy = threading.Lock()

    def size(self) -> int:
        """Bytes of all loaded weights."""
        return sum(model.size() for model in tuple(self._models.values()))

    def clear(self) -> None:
        """Forget every model and give the memory back."""
        self._models.clear()
        give_back_memory()

    def others_than(self, model: LoadedModel) -> int:
        """How many models beside `model` could be put out."""
        return sum(1 for other in self._models.values() if other is not model)

    def keep_only(self, model: LoadedModel) -> None:
        """Put out every model but `model`."""
        self._models = {key: value for key, value in self._models.items() if value is model}
        give_back_memory()

    def get(self, assignment: Assignment, device: Device) -> Generator[Event, None, LoadedModel]:
        """The assignment's model, loaded unless it is here already; yields progress and notices.

        A job that was walked away from may still be on its last stretch here; this one waits for it.
        Raises `Cancelled` and `StudioError`.
        """
        while not self._busy.acquire(timeout=_LOOK_SECONDS):
            self._gate.check()
        try:
            return (yield from self._get(assignment, device))
        finally:
            self._busy.release()

    def _get(self, assignment: Assignment, device: Device) -> Generator[Event, None, LoadedModel]:
        model_plan = plan.make(assignment.model)
        key = (*model_plan.fingerprint, device.name, device.dtype)
        # The same path with other contents: the old weights are of no use any more.
        self._models = {k: m for k, m in self._models.items() if m.plan.path != model_plan.path or k == key}
        model = self._models.pop(key, None)
        if model is None:
            yield from self._make_room(model_plan, device, assignment.placement.memory_budget)
            model = yield from self._load(model_plan, device)
        self._models[key] = model
        return model

    def _make_room(self, model_plan: ModelPlan, device: Device, budget: int) -> Generator[Event, None, None]:
        coming = int(model_plan.size * _WORKING_SPACE)
        evicted = []
        while self._models and not self._fits(coming, device, budget):
            oldest = next(iter(self._models))
            evicted.append(self._models.pop(oldest).plan.path.name)
            give_back_memory()
        if evicted:
            yield JobNotice(text=f"Put {', '.join(evicted)} out of memory to make room.")
        if model_plan.size > free_memory(device.device):
            raise out_of_memory(
                f"load {model_plan.path.name}",
                f"{model_plan.size} bytes are needed, {free_memory(device.device)} are free",
            )

    def _fits(self, coming: int, device: Device, budget: int) -> bool:
        if budget and self.size() + coming > budget:
            return False
        return coming <= free_memory(device.device)

    def _load(self, model_plan: ModelPlan, device: Device) -> Generator[Event, None, LoadedModel]:
        total = max(1, model_plan.size // _MEBIBYTE)
        done, reported = 0, time.monotonic()
        yield JobProgress(stage=Stage.LOAD, step=0, total=total)
        parts = loading.load(model_plan, device, self._gate)
        try:
            while True:
                try:
                    done += next(parts)
                except StopIteration as finished:
                    model: LoadedModel = finished.value
                    break
                if time.monotonic() - reported > _REPORT_EVERY:
                    reported = time.monotonic()
                    yield JobProgress(stage=Stage.LOAD, step=min(done // _MEBIBYTE, total), total=total)
        except (RuntimeError, OSError, MemoryError, ValueError, torch.OutOfMemoryError) as error:
            raise in_words(error, model_plan.path, f"load {model_plan.path.name}") from error
        yield JobProgress(stage=Stage.LOAD, step=total, total=total)
        return model
