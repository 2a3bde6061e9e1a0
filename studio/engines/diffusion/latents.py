"""Between pixels and latents: the autoencoder with its scaling, in tiles where memory is short."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from studio.core.events import Event, JobNotice
from studio.engines.diffusion.device import Device, free_memory, give_back_memory
from studio.engines.diffusion.failures import is_out_of_memory, not_a_number, out_of_memory
from studio.engines.diffusion.library import Component
from studio.engines.diffusion.pictures import Pixels, to_pixels

_LIVE_ACTIVATIONS = 4  # tensors of full size and widest width that a decoder holds at once (measured, rounded up)


class LatentCodec:
    """One model's autoencoder. `factor` is the number of pixels a latent is wide, `channels` its depth."""

    def __init__(self, vae: Component, device: Device, path: Path) -> None:
        self._vae, self._device, self._path = vae, device, path
        config = vae.config
        self.channels = int(config.get("latent_channels", 4))
        self.factor = 2 ** (len(config.get("block_out_channels", (1, 1, 1, 1))) - 1)
        self._scale = float(config.get("scaling_factor") or 1.0)
        self._shift = float(config.get("shift_factor") or 0.0)
        self._mean, self._deviation = config.get("latents_mean"), config.get("latents_std")

    @property
    def scale(self) -> float:
        """The autoencoder's scaling factor, which tells families apart."""
        return self._scale

    @torch.inference_mode()
    def encode(self, pixels: torch.Tensor) -> Component:
        """What `sample` draws from, for `pixels` (1, 3, H, W) in −1..1."""
        return self._vae.encode(self._placed(pixels))

    @torch.inference_mode()
    def sample(self, encoded: Component, generator: torch.Generator | None) -> torch.Tensor:
        """Scaled latents (1, channels, h, w) in float32; the likeliest ones without a generator."""
        spread = getattr(encoded, "latent_dist", None)
        if spread is None:
            latents: torch.Tensor = encoded.latents.float()
        else:
            latents = (spread.mode() if generator is None else spread.sample(generator)).float()
        if self._mean and self._deviation:
            return (latents - self._column(self._mean)) * self._scale / self._column(self._deviation)
        return (latents - self._shift) * self._scale

    @torch.inference_mode()
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pixels (1, 3, H, W) in −1..1 of scaled `latents`, in the autoencoder's dtype."""
        if self._mean and self._deviation:
            raw = latents * self._column(self._deviation) / self._scale + self._column(self._mean)
        else:
            raw = latents / self._scale + self._shift
        decoded: torch.Tensor = self._vae.decode(self._placed(raw), return_dict=False)[0]
        return decoded

    def _placed(self, values: torch.Tensor) -> torch.Tensor:
        """In the layout in which convolutions are fastest; they pass it on."""
        return values.to(self._device.device, self._vae.dtype).contiguous(memory_format=torch.channels_last)

    def _column(self, values: list[float]) -> torch.Tensor:
        return torch.tensor(values, device=self._device.device).view(1, -1, 1, 1)

    def prepare(self, width: int, height: int, budget: int) -> Iterator[Event]:
        """Choose between the whole picture at once and tiles, before memory runs out."""
        widths = self._vae.config.get("block_out_channels", (128,))
        widest = widths[min(1, len(widths) - 1)]
        needed = width * height * widest * self._vae.dtype.itemsize * _LIVE_ACTIVATIONS
        room = free_memory(self._device.device)
        self._tile(on=needed > (min(room, budget) if budget else room))
        if self.tiled:
            yield JobNotice(text="The picture is large for the free memory: it is decoded in tiles.")

    @property
    def tiled(self) -> bool:
        """Whether the autoencoder works tile by tile."""
        return bool(getattr(self._vae, "use_tiling", False))

    def _tile(self, *, on: bool) -> None:
        switch = getattr(self._vae, "enable_tiling" if on else "disable_tiling", None)
        if switch is not None:
            switch()

    def decode_safely(self, latents: torch.Tensor, result: list[Pixels]) -> Iterator[Event]:
        """Decode into `result`, stepping down where memory or number format give out; tells each step as a notice.

        Raises `StudioError` when nothing is left to try.
        """
        while True:
            try:
                decoded = self.decode(latents)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if self.tiled or not hasattr(self._vae, "enable_tiling"):
                    raise out_of_memory("decode the picture", str(error)) from error
                give_back_memory()
                self._tile(on=True)
                yield JobNotice(text="Memory ran out while decoding: trying again in tiles.")
                continue
            if bool(torch.isfinite(decoded).all()):
                result.append(to_pixels(decoded.float() * 0.5 + 0.5))
                return
            if self._vae.dtype is torch.float32:
                raise not_a_number(self._path)
            yield JobNotice(text="The decoder ran out of its number range: decoding again in float32.")
            self._vae.to(torch.float32)
