"""Pictures with the UNet models (SD 1.5 and SDXL layouts): our own denoising loop.

The same sums as the libraries' pipelines, in the same order, but as a generator: each step can be shown, and
the job can be stopped anywhere. Latents stay in float32 whatever the weights' format: it costs nothing and
rounding does not pile up over the steps. Pictures of a batch are made one after the other, so that each one
can be made again alone, bit for bit, and so that the first one is there early.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch

from studio.core.events import Event, JobNotice, JobPreview, JobProgress, Picture, Stage
from studio.core.requests import ImageRequest, denoising_steps
from studio.engines.diffusion import pictures, prompts, schedulers
from studio.engines.diffusion.denoising import Denoiser, Predictor, Start
from studio.engines.diffusion.failures import invalid, not_a_number, unsupported
from studio.engines.diffusion.gate import Gate
from studio.engines.diffusion.latents import LatentCodec
from studio.engines.diffusion.library import Component
from studio.engines.diffusion.loading import LoadedModel
from studio.engines.diffusion.pictures import Inputs, Pixels
from studio.engines.diffusion.preview import LatentColours, PreviewClock, colours_for, preview

_TEXT_ENCODERS = ("CLIPTextModel", "CLIPTextModelWithProjection")


def fits(model: LoadedModel) -> bool:
    """Whether this loop can run `model`."""
    encoders = [part for name, part in model.parts.items() if name.startswith("text_encoder")]
    return (
        type(model.parts.get("unet")).__name__ == "UNet2DConditionModel"
        and type(model.parts.get("vae")).__name__ in ("AutoencoderKL", "AutoencoderTiny")
        and bool(encoders)
        and all(type(encoder).__name__ in _TEXT_ENCODERS for encoder in encoders)
    )


@dataclass(frozen=True)
class _Encoded:
    """The picture, the picture with a grey hole where the mask is, and the mask at the latents' size."""

    picture: Component | None = None
    covered: Component | None = None
    mask: torch.Tensor | None = None


class UnetRun:
    """One request on one model. `events` may be run again after a failure."""

    def __init__(self, model: LoadedModel, gate: Gate, request: ImageRequest, inputs: Inputs) -> None:
        self._model, self._gate, self._request, self._inputs = model, gate, request, inputs
        self._unet: Component = model.parts["unet"]
        self._codec = LatentCodec(model.parts["vae"], model.device, model.plan.path)
        self._size = pictures.padded_size(request.width, request.height, self._codec.factor)
        self._shape = (
            1,
            self._codec.channels,
            self._size[1] // self._codec.factor,
            self._size[0] // self._codec.factor,
        )
        self._guided = request.guidance_scale > 1 and self._unet.config.time_cond_proj_dim is None
        self._repaints = self._unet.config.in_channels == 2 * self._codec.channels + 1
        self._check()

    def _check(self) -> None:
        name = self._model.plan.path.name
        if not self._repaints and self._unet.config.in_channels != self._codec.channels:
            raise unsupported(f"{name} takes inputs that the studio cannot give.", "Choose another model for pictures.")
        if self._model.plan.options.get("requires_aesthetics_score") and self._inputs.image is None:
            raise invalid(
                f"{name} is a refiner: it improves a picture and makes none.", "Give it a picture to work on."
            )
        if schedulers.is_flow(self._model.scheduler_class, self._model.scheduler_config):
            raise unsupported(f"{name} combines a UNet with a flow scheduler.", "Choose another model for pictures.")

    def events(self, preview_rate: float, memory_budget: int) -> Generator[Event, None, tuple[Picture, ...]]:
        """Make the pictures; yields progress, previews and notices."""
        request = self._request
        yield from self._codec.prepare(*self._size, memory_budget)
        yield JobProgress(stage=Stage.ENCODE, step=0, total=1)
        words = prompts.encode(self._model, request.prompt, request.negative_prompt, guided=self._guided)
        if words.lost:
            yield JobNotice(text=f"The prompt is {words.lost} tokens too long for this model; its end is left out.")
        encoded = self._encode_inputs()
        yield JobProgress(stage=Stage.ENCODE, step=1, total=1)
        predictor = Predictor(
            self._unet,
            self._model.device,
            words,
            guidance=request.guidance_scale,
            size=self._size,
            options=self._model.plan.options,
        )
        colours = self._colours() if preview_rate > 0 else None
        clock = PreviewClock(preview_rate if colours else 0)
        made = []
        for number in range(request.batch_size):
            denoiser = self._denoiser(predictor, encoded, number)
            yield from self._denoise(denoiser, number, clock, colours)
            pixels = yield from self._decode(denoiser.latents, number)
            self._gate.check()
            made.append(pictures.finished(pixels, request, self._inputs, request.seed + number))
            if number + 1 < request.batch_size:
                yield JobPreview(picture=made[-1], finished=number)
        return tuple(made)

    def _colours(self) -> LatentColours | None:
        if "colours" not in self._model.kept:
            self._model.kept["colours"] = colours_for(self._codec, self._model.folder)
        found: LatentColours | None = self._model.kept["colours"]
        return found

    def _encode_inputs(self) -> _Encoded:
        if self._inputs.image is None:
            if not self._repaints:
                return _Encoded()
            # An inpainting model makes a picture from nothing where everything is to be painted.
            whole = torch.ones(1, 1, *self._shape[2:], device=self._model.device.device)
            return _Encoded(None, self._codec.encode(torch.zeros(1, 3, self._size[1], self._size[0])), whole)
        picture = pictures.to_tensor(self._inputs.image, self._size)
        encoded = self._codec.encode(picture)
        if self._inputs.mask is None and not self._repaints:
            return _Encoded(encoded)
        hole = torch.ones(1, 1, self._size[1], self._size[0])
        if self._inputs.mask is not None:
            hole = pictures.mask_tensor(self._inputs.mask, self._size)
        small = torch.nn.functional.interpolate(hole, size=self._shape[2:]).to(self._model.device.device)
        covered = self._codec.encode(picture * (hole < 0.5)) if self._repaints else None
        return _Encoded(encoded, covered, small)

    def _timesteps(self, scheduler: Component) -> torch.Tensor:
        """All timesteps, or with a picture the last ones, as many as the strength says (but at least one)."""
        if self._inputs.image is None:
            found: torch.Tensor = scheduler.timesteps
            return found
        steps = self._request.steps
        skipped = steps - denoising_steps(steps, self._request.strength)
        first = skipped * scheduler.order
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(first)
        rest: torch.Tensor = scheduler.timesteps[first:]
        return rest

    def _denoiser(self, predictor: Predictor, encoded: _Encoded, number: int) -> Denoiser:
        request = self._request
        generator = torch.Generator().manual_seed(request.seed + number)
        scheduler = schedulers.make(request.scheduler, self._model.scheduler_class, self._model.scheduler_config)
        schedulers.set_steps(scheduler, request.steps, self._model.device.device)
        timesteps = self._timesteps(scheduler)
        start = self._start(scheduler, timesteps, generator, encoded)
        return Denoiser(predictor, scheduler, timesteps, start, generator)

    @torch.inference_mode()
    def _start(
        self, scheduler: Component, timesteps: torch.Tensor, generator: torch.Generator, encoded: _Encoded
    ) -> Start:
        """The first latents. The generator is drawn from in the pipelines' own order: picture, noise, covered one."""
        masked = self._inputs.mask is not None
        pure = encoded.picture is None or (masked and self._request.strength == 1.0)
        kept = None
        if encoded.picture is not None and not (pure and self._repaints):
            kept = self._codec.sample(encoded.picture, generator)
        noise = torch.randn(self._shape, generator=generator).to(self._model.device.device)
        if pure or kept is None:
            latents = noise * scheduler.init_noise_sigma
        else:
            latents = scheduler.add_noise(kept, noise, timesteps[:1])
        if encoded.covered is not None and encoded.mask is not None:
            extra = torch.cat([encoded.mask, self._codec.sample(encoded.covered, generator)], dim=1)
            return Start(latents, noise, extra=extra)
        return Start(latents, noise, kept if masked else None, encoded.mask)

    def _denoise(
        self, denoiser: Denoiser, number: int, clock: PreviewClock, colours: LatentColours | None
    ) -> Generator[Event, None, None]:
        steps = len(denoiser.timesteps)
        done, total = number * steps, self._request.batch_size * steps
        yield JobProgress(stage=Stage.DENOISE, step=done, total=total)
        for index in range(steps):
            self._gate.check()
            denoiser.advance(index)
            if not bool(torch.isfinite(denoiser.latents).all()):
                raise not_a_number(self._model.plan.path)
            yield JobProgress(stage=Stage.DENOISE, step=done + index + 1, total=total)
            if colours is not None and clock.due():
                yield preview(colours, denoiser.estimate(index), self._inputs, done + index + 1)

    def _decode(self, latents: torch.Tensor, number: int) -> Generator[Event, None, Pixels]:
        total = self._request.batch_size
        yield JobProgress(stage=Stage.DECODE, step=number, total=total)
        pixels: list[Pixels] = []
        yield from self._codec.decode_safely(latents, pixels)
        yield JobProgress(stage=Stage.DECODE, step=number + 1, total=total)
        return pixels[0]
