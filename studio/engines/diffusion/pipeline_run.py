"""Pictures with every other family (PixArt, SD 3, Flux, Z-Image, …) through diffusers' own pipelines.

A pipeline is one long call, so it runs in a thread of its own, and what its scheduler sees at each step comes
back as events. The thread ends with the generator, whatever ends it.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import queue
import threading
from collections.abc import Callable, Generator
from typing import Any

import torch
from PIL import Image

from studio.core.events import Event, JobNotice, JobPreview, JobProgress, Picture, Stage
from studio.core.requests import ImageRequest
from studio.core.room import room_for_thread
from studio.engines.diffusion import library, pictures, schedulers
from studio.engines.diffusion.failures import not_a_number, unsupported
from studio.engines.diffusion.gate import Gate, Pass
from studio.engines.diffusion.latents import LatentCodec
from studio.engines.diffusion.library import Component
from studio.engines.diffusion.loading import LoadedModel
from studio.engines.diffusion.pictures import Inputs
from studio.engines.diffusion.preview import LatentColours, PreviewClock, colours_for, preview

_TASKS = {
    "text": ("AutoPipelineForText2Image", "makes no pictures from text"),
    "image": ("AutoPipelineForImage2Image", "cannot start from a picture"),
    "mask": ("AutoPipelineForInpainting", "cannot repaint a part of a picture"),
}
# Pipelines that take real guidance under this name, and under the usual one a number for distilled models.
_TRUE_GUIDANCE = ("QwenImage",)

_Step = tuple[torch.Tensor, int, int]  # estimate of the finished latents, steps done, steps in all


class PipelineRun:
    """One request on one model. `events` may be run again after a failure."""

    def __init__(self, model: LoadedModel, gate: Gate, request: ImageRequest, inputs: Inputs) -> None:
        self._model, self._gate, self._request, self._inputs = model, gate, request, inputs
        self._task = "text" if inputs.image is None else "image" if inputs.mask is None else "mask"
        self._pipeline = self._pipeline_for(self._task)
        vae = model.parts.get("vae")
        self._codec = None if vae is None else LatentCodec(vae, model.device, model.plan.path)
        self._size = pictures.padded_size(request.width, request.height, self._multiple())

    def _pipeline_for(self, task: str) -> Component:
        """The pipeline for `task`; all of a model's pipelines share its parts and are built once."""
        if task not in self._model.kept:
            name, cannot = _TASKS[task]
            automatic: Component = getattr(importlib.import_module("diffusers"), name)
            try:
                pipeline = automatic.from_pipe(self._base())
            except ValueError as error:
                raise unsupported(
                    f"{self._model.plan.path.name} {cannot}.", "Choose another model for this.", str(error)
                ) from error
            pipeline.set_progress_bar_config(disable=True)
            self._model.kept[task] = pipeline
        return self._model.kept[task]

    def _base(self) -> Component:
        kind = library.named("diffusers", self._model.plan.pipeline)
        accepted = inspect.signature(kind.__init__).parameters
        scheduler = schedulers.make("default", self._model.scheduler_class, self._model.scheduler_config)
        given = {**self._model.plan.options, **self._model.parts, "scheduler": scheduler}
        needed = {name: None for name, value in accepted.items() if value.default is value.empty and name != "self"}
        return kind(**needed | {name: value for name, value in given.items() if name in accepted})

    def _multiple(self) -> int:
        """Pipelines refuse or change sizes that are no multiple of this: patches are two latents wide."""
        usual = int(getattr(self._pipeline, "vae_scale_factor", 8)) * 2
        processor = getattr(self._pipeline, "image_processor", None)
        return max(usual, int(processor.config.vae_scale_factor)) if processor is not None else usual

    def events(self, preview_rate: float, memory_budget: int) -> Generator[Event, None, tuple[Picture, ...]]:
        """Make the pictures; yields progress, previews and notices."""
        request = self._request
        if self._codec is not None:
            yield from self._codec.prepare(*self._size, memory_budget)
        if request.negative_prompt and "negative_prompt" not in self._accepted():
            yield JobNotice(text="This model takes no negative prompt; it is left out.")
        colours = self._colours() if preview_rate > 0 else None
        clock = PreviewClock(preview_rate if colours else 0)
        yield JobProgress(stage=Stage.ENCODE, step=0, total=1)
        made = []
        for number in range(request.batch_size):
            decoded = yield from self._one(number, clock, colours)
            self._gate.check()
            if not bool(torch.isfinite(decoded).all()):
                raise not_a_number(self._model.plan.path)
            pixels = pictures.to_pixels(decoded)
            if pixels.shape[:2] != (self._size[1], self._size[0]):
                yield JobNotice(text="The model made another size than asked for; the picture was scaled.")
                pixels = pictures.resized(pixels, self._size)
            made.append(pictures.finished(pixels, request, self._inputs, request.seed + number))
            yield JobProgress(stage=Stage.DECODE, step=number + 1, total=request.batch_size)
            if number + 1 < request.batch_size:
                yield JobPreview(picture=made[-1], finished=number)
        return tuple(made)

    def _colours(self) -> LatentColours | None:
        if "colours" not in self._model.kept:
            self._model.kept["colours"] = self._codec and colours_for(self._codec, self._model.folder)
        found: LatentColours | None = self._model.kept["colours"]
        return found

    def _accepted(self) -> dict[str, inspect.Parameter]:
        # dict, because `inspect` hands out a read-only view of a type that has no name.
        return dict(inspect.signature(type(self._pipeline).__call__).parameters)

    def _arguments(self, number: int) -> dict[str, Any]:
        request = self._request
        width, height = self._size
        wanted: dict[str, Any] = {
            "prompt": request.prompt,
            "width": width,
            "height": height,
            "num_inference_steps": request.steps,
            "guidance_scale": request.guidance_scale,
            "generator": torch.Generator().manual_seed(request.seed + number),
            "output_type": "pt",
            # Changes the prompt with packages that are not there, and the size behind our back.
            "clean_caption": False,
            "use_resolution_binning": False,
        }
        if type(self._pipeline).__name__.startswith(_TRUE_GUIDANCE):
            wanted["true_cfg_scale"] = wanted.pop("guidance_scale")
        if request.negative_prompt:
            wanted["negative_prompt"] = request.negative_prompt
        if self._inputs.image is not None:
            wanted["image"] = Image.fromarray(pictures.grown(self._inputs.image, self._size))
            # At least one step; the pipelines round down.
            wanted["strength"] = min(1.0, max(request.strength, 1.001 / request.steps))
        if self._inputs.mask is not None:
            wanted["mask_image"] = Image.fromarray(pictures.grown(self._inputs.mask, self._size))
        accepted = self._accepted()
        return {name: value for name, value in wanted.items() if name in accepted}

    def _one(
        self, number: int, clock: PreviewClock, colours: LatentColours | None
    ) -> Generator[Event, None, torch.Tensor]:
        """One picture (1, 3, height, width) in 0..1."""
        batch = self._request.batch_size
        call = _Call(self._gate, functools.partial(self._run, number))
        try:
            while True:
                message = call.next()
                if isinstance(message, torch.Tensor):
                    return message
                latents, done, total = message
                if done == 1 and number == 0:
                    yield JobProgress(stage=Stage.ENCODE, step=1, total=1)
                yield JobProgress(stage=Stage.DENOISE, step=number * total + done, total=batch * total)
                if colours is not None and clock.due() and (plane := self._unpacked(latents)) is not None:
                    yield preview(colours, plane, self._inputs, number * total + done)
                if done == total:
                    yield JobProgress(stage=Stage.DECODE, step=number, total=batch)
        finally:
            call.end()

    def _run(self, number: int, report: Callable[[_Step], None]) -> torch.Tensor:
        """In the thread: the pipeline's call."""
        scheduler = schedulers.make(self._request.scheduler, self._model.scheduler_class, self._model.scheduler_config)
        _watch_steps(scheduler, self._gate, report)
        self._pipeline.scheduler = scheduler
        result = self._pipeline(**self._arguments(number))
        decoded: torch.Tensor = result.images
        return decoded

    def _unpacked(self, latents: torch.Tensor) -> torch.Tensor | None:
        """Latents as a plane (1, channels, h, w): some families keep them as a row of 2×2 patches."""
        codec = self._codec
        if codec is None:
            return None
        if latents.ndim == 5 and latents.shape[2] == 1:
            latents = latents[:, :, 0]
        if latents.ndim == 4 and latents.shape[1] == codec.channels:
            return latents
        high, wide = self._size[1] // codec.factor // 2, self._size[0] // codec.factor // 2
        if latents.shape[1:] != (high * wide, codec.channels * 4):
            return None
        patches = latents.view(1, high, wide, codec.channels, 2, 2)
        return patches.permute(0, 3, 1, 4, 2, 5).reshape(1, codec.channels, high * 2, wide * 2)


def _watch_steps(scheduler: Component, gate: Gate, report: Callable[[_Step], None]) -> None:
    """Report each step of this one scheduler, which lives as long as one picture's denoising."""
    original = scheduler.step
    done = 0

    @functools.wraps(original)
    def step(output: torch.Tensor, timestep: torch.Tensor, sample: torch.Tensor, *rest: Any, **named: Any) -> Component:  # noqa: ANN401
        nonlocal done
        gate.check()
        result = original(output, timestep, sample, *rest, **named)
        done += 1
        index = (getattr(scheduler, "step_index", None) or done) - 1
        total = len(scheduler.timesteps) - int(getattr(scheduler, "begin_index", None) or 0)
        report((schedulers.estimate(scheduler, output, timestep, index, sample), done, max(done, total)))
        return result

    scheduler.step = step


class _Call:
    """A call in a thread of its own, whose reports are taken one by one."""

    def __init__(self, gate: Gate, work: Callable[[Callable[[_Step], None]], torch.Tensor]) -> None:
        self._gate, self._work = gate, work
        whole = gate.leave()
        # Of its own: the thread may still be alive when its last word has been heard, and the job goes on then.
        self._pass = None if whole is None else Pass(whole)
        self._messages: queue.SimpleQueue[_Step | torch.Tensor | BaseException] = queue.SimpleQueue()
        room_for_thread()
        self._thread = threading.Thread(target=self._body, name="picture-pipeline", daemon=True)
        self._thread.start()

    def _body(self) -> None:
        try:
            with self._gate.admit(self._pass):
                self._messages.put(self._work(self._messages.put))
        except BaseException as error:  # noqa: BLE001 - the thread's boundary: whatever happened is raised in `next`
            self._messages.put(error)

    def next(self) -> _Step | torch.Tensor:
        """The next report, or the result; raises what the call raised."""
        message = self._messages.get()
        if isinstance(message, BaseException):
            self._thread.join()
            raise message
        return message

    def end(self) -> None:
        """Make the call end at its next block, and wait for that."""
        if self._thread.is_alive() and self._pass is not None:
            self._pass.stop()
        self._thread.join()
