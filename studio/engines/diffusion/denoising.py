"""The sums of one denoising step with a UNet: guidance, scheduler, and what a mask protects.

No events, no loop: `studio.engines.diffusion.unet_run` drives it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from studio.engines.diffusion import schedulers
from studio.engines.diffusion.device import Device
from studio.engines.diffusion.library import Component
from studio.engines.diffusion.prompts import Conditioning

# The score that SDXL's refiner was trained with for good pictures, and the one to stay away from (Podell et al. 2023).
_AESTHETIC_SCORE, _NEGATIVE_AESTHETIC_SCORE = 6.0, 2.5


@dataclass(frozen=True)
class Start:
    """Where one picture's denoising begins. `kept` and `noise` restore what `mask` protects; `extra` are the
    additional input channels of inpainting models.
    """

    latents: torch.Tensor
    noise: torch.Tensor
    kept: torch.Tensor | None = None
    mask: torch.Tensor | None = None
    extra: torch.Tensor | None = None


class Predictor:
    """A UNet that listens to one prompt: from noisy latents to its guided prediction."""

    def __init__(
        self,
        unet: Component,
        device: Device,
        words: Conditioning,
        *,
        guidance: float,
        size: tuple[int, int],
        options: dict[str, Any],
    ) -> None:
        self._unet, self._device, self._guidance = unet, device, guidance
        self._guided = words.negative is not None
        self._words = _joined(words.negative, words.positive).to(device.device, device.dtype)
        self._added = self._sizes_and_pooled(words, size, options)
        width = unet.config.time_cond_proj_dim
        self._condition = None if width is None else self._embedded_guidance(int(width))

    def _sizes_and_pooled(
        self, words: Conditioning, size: tuple[int, int], options: dict[str, Any]
    ) -> dict[str, torch.Tensor] | None:
        """SDXL's second way in: the pooled prompt, and the size (width, height) that the picture is to look like."""
        if words.pooled is None:
            return None
        width, height = size
        original_and_crop = [height, width, 0, 0]
        if options.get("requires_aesthetics_score"):
            rows = [[*original_and_crop, _NEGATIVE_AESTHETIC_SCORE], [*original_and_crop, _AESTHETIC_SCORE]]
        else:
            rows = [[*original_and_crop, height, width]] * 2
        ids = torch.tensor(rows if self._guided else rows[1:], dtype=torch.float32, device=self._device.device)
        pooled = _joined(words.negative_pooled, words.pooled)
        return {"text_embeds": pooled.to(self._device.device, self._device.dtype), "time_ids": ids}

    def _embedded_guidance(self, width: int) -> torch.Tensor:
        """The guidance scale as sines and cosines, for models distilled to take it as an input (Meng et al. 2023)."""
        half = width // 2
        frequencies = torch.exp(torch.arange(half) * (-torch.log(torch.tensor(10000.0)) / (half - 1)))
        angles = (self._guidance - 1) * 1000.0 * frequencies[None]
        waves = torch.cat([angles.sin(), angles.cos()], dim=1)
        return torch.nn.functional.pad(waves, (0, width % 2)).to(self._device.device, self._device.dtype)

    def predict(self, latents: torch.Tensor, timestep: torch.Tensor, extra: torch.Tensor | None) -> torch.Tensor:
        """The prediction for scaled noisy `latents` (1, channels, h, w), in float32."""
        taken = latents if extra is None else torch.cat([latents, extra], dim=1)
        if self._guided:
            taken = torch.cat([taken, taken])
        # Convolutions follow their input's layout; the weights may stay as they lie in the file.
        taken = taken.to(self._device.dtype).contiguous(memory_format=torch.channels_last)
        predicted: torch.Tensor = self._unet(
            taken,
            timestep,
            encoder_hidden_states=self._words,
            timestep_cond=self._condition,
            added_cond_kwargs=self._added,
            return_dict=False,
        )[0].float()
        if not self._guided:
            return predicted
        against, towards = predicted.chunk(2)
        return against + self._guidance * (towards - against)


class Denoiser:
    """One picture on its way: `advance` once for each index of `timesteps`."""

    def __init__(
        self,
        predictor: Predictor,
        scheduler: Component,
        timesteps: torch.Tensor,
        start: Start,
        generator: torch.Generator,
    ) -> None:
        self._predictor, self._scheduler, self._start = predictor, scheduler, start
        self.timesteps = timesteps
        self.latents = start.latents
        self._arguments = schedulers.step_arguments(scheduler, generator)
        self._seen: tuple[torch.Tensor, torch.Tensor, int] | None = None

    @torch.inference_mode()
    def advance(self, index: int) -> None:
        """From the noise level of `timesteps[index]` to the next."""
        timestep, start, sample = self.timesteps[index], self._start, self.latents
        scaled = self._scheduler.scale_model_input(sample, timestep)
        output = self._predictor.predict(scaled, timestep, start.extra)
        self.latents = self._scheduler.step(output, timestep, sample, **self._arguments, return_dict=False)[0]
        # Where the scheduler counts its steps itself, its count is the one that its noise levels go by.
        counted = getattr(self._scheduler, "step_index", None)
        self._seen = (output, sample, index if counted is None else counted - 1)
        if start.kept is not None and start.mask is not None:
            kept = start.kept
            if index + 1 < len(self.timesteps):
                kept = self._scheduler.add_noise(kept, start.noise, self.timesteps[index + 1 : index + 2])
            self.latents = (1 - start.mask) * kept + start.mask * self.latents

    @torch.inference_mode()
    def estimate(self, index: int) -> torch.Tensor:
        """The finished latents as they look after `advance(index)`."""
        if self._seen is None:
            return self.latents
        output, sample, counted = self._seen
        return schedulers.estimate(self._scheduler, output, self.timesteps[index], counted, sample)


def _joined(first: torch.Tensor | None, second: torch.Tensor) -> torch.Tensor:
    return second if first is None else torch.cat([first, second])
