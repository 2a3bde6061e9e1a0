"""Stage 1 of starter-image: a small AutoencoderKL, 128 x 128 x 3 to 16 x 16 x 8.

Trained on 64 x 64 cuts where something is drawn: per second of CPU that teaches about
four times as much as whole pictures, most of which are plain background. Afterwards
each latent channel's mean and spread are folded into the two 1 x 1 convolutions, so that
latents have mean 0 and deviation 1 and `scaling_factor` is 1 (the pipeline knows no shift).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from studio.train.starter.image_data import (
    BACKGROUNDS,
    Picture,
    Pixels,
    composite,
    load_pictures,
    open_pixels,
)
from studio.train.starter.image_muon import make_optimisers, scale_rates
from studio.train.starter.image_progress import DEVICE, Average, Component, Stage, run_stage, step_rng

LATENT_CHANNELS = 8
CUT = 64
BATCH = 16
KL_WEIGHT = 3e-4


def make_vae(widths: Sequence[int] = (16, 32, 64, 96), groups: int = 8) -> Component:
    """The untrained autoencoder."""
    levels = len(widths)
    vae: Component = AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=tuple(widths),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=groups,
        mid_block_add_attention=False,
        sample_size=128,
        scaling_factor=1.0,
        force_upcast=False,
    )
    return vae


def to_signal(pixels: Pixels) -> Tensor:
    """(n, h, w, 3) bytes to (n, 3, h, w) floats in -1..1."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1.0


def draw_cuts(pixels: Pixels, rows: Sequence[int], rng: np.random.Generator, count: int) -> Tensor:
    """Random cuts of random pictures on random backgrounds, as a signal batch."""
    names = list(BACKGROUNDS)
    cuts = np.empty((count, CUT, CUT, 3), dtype=np.uint8)
    for i in range(count):
        named = BACKGROUNDS[names[int(rng.integers(len(names)))]]
        anything = rng.integers(0, 256, 3)
        colour = (named, (255, 255, 255), (int(anything[0]), int(anything[1]), int(anything[2])))[int(rng.integers(3))]
        rgba = pixels[rows[int(rng.integers(len(rows)))]]
        for _ in range(4):  # prefer a place where something is drawn
            top, left = rng.integers(0, rgba.shape[0] - CUT + 1, 2)
            cut = composite(rgba[top : top + CUT, left : left + CUT], colour)
            if cut.std(axis=(0, 1)).max() > 20:
                break
        cuts[i] = cut[:, ::-1] if rng.random() < 0.5 else cut
    return to_signal(cuts)


def reconstruction_loss(vae: Component, signal: Tensor, noise: Tensor) -> dict[str, Tensor]:
    """L1, squared and edge error of a round trip, and the divergence of the posterior."""
    with torch.autocast(signal.device.type, dtype=torch.bfloat16):
        posterior = vae.encode(signal).latent_dist
        mean, logvar = posterior.mean.float(), posterior.logvar.float()
        output = vae.decode(mean + torch.exp(0.5 * logvar) * noise).sample
    error = output.float() - signal
    edges = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    kl = 0.5 * (mean.square() + logvar.exp() - 1.0 - logvar).mean()
    return {"l1": error.abs().mean(), "mse": error.square().mean(), "edge": edges, "kl": kl}


def train_vae(
    data: Path, work: Path, minutes: float | None, steps: int = 2500, muon: float = 0.015
) -> Component | None:
    """Train or continue the autoencoder in `work`; None while steps are left to do.

    Returns it with averaged, centred weights.
    """
    pictures = load_pictures(data)
    pixels = open_pixels(data, work, pictures)
    rows = [p.index for p in pictures if not p.held_out]
    torch.manual_seed(1)
    vae = make_vae().to(DEVICE)
    edge = ("conv_in", "decoder.conv_out", "quant_conv")
    stage = Stage(vae, make_optimisers(vae, muon, 2e-3, edge), Average(vae, 0.998))
    stage.load(work / "vae.pt")

    def take_step(step: int) -> Mapping[str, float]:
        rng = step_rng(11, step)
        progress = step / steps
        rate = min(1.0, (step + 1) / 100) * (0.02 + 0.98 * math.cos(0.5 * math.pi * progress) ** 2)
        scale_rates(stage.optimisers, rate)
        signal = draw_cuts(pixels, rows, rng, BATCH)
        shape = (BATCH, LATENT_CHANNELS, CUT // 8, CUT // 8)
        noise = torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
        parts = reconstruction_loss(vae, signal.to(DEVICE), noise.to(DEVICE))
        loss = parts["l1"] + parts["mse"] + 0.5 * parts["edge"] + KL_WEIGHT * parts["kl"]
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships it untyped
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        for optimiser in stage.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        stage.average.update(vae, step)
        return {name: float(part.detach()) for name, part in parts.items()}

    run_stage(stage, work / "vae.pt", steps, minutes, take_step)
    if stage.step < steps:
        return None
    stage.average.copy_to(vae)
    sample = draw_whole(pixels, pictures, 256)
    centre_latents(vae, sample)
    return vae


def draw_whole(pixels: Pixels, pictures: Sequence[Picture], count: int) -> Tensor:
    """Whole training pictures on the backgrounds that training uses, as a signal batch."""
    rng = np.random.default_rng(5)
    rows = [p.index for p in pictures if not p.held_out]
    colours = list(BACKGROUNDS.values())
    chosen = [composite(pixels[rows[int(rng.integers(len(rows)))]], colours[i % len(colours)]) for i in range(count)]
    return to_signal(np.stack(chosen))


@torch.no_grad()
def centre_latents(vae: Component, signal: Tensor) -> None:
    """Fold the latents' mean and deviation on `signal` into the 1 x 1 convolutions, exactly."""
    latents = encode(vae, signal).to(vae.device)
    mean = latents.mean(dim=(0, 2, 3))
    spread = latents.std(dim=(0, 2, 3))
    outward, inward = vae.quant_conv, vae.post_quant_conv
    channels = mean.shape[0]
    outward.weight[:channels] /= spread[:, None, None, None]
    outward.bias[:channels] = (outward.bias[:channels] - mean) / spread
    outward.bias[channels:] -= 2 * spread.log()  # the second half is the log variance
    inward.bias += inward.weight[:, :, 0, 0] @ mean
    inward.weight *= spread[None, :, None, None]


@torch.no_grad()
def encode(vae: Component, signal: Tensor, batch: int = 32) -> Tensor:
    """Posterior means of a signal batch, in float32."""
    parts = []
    for start in range(0, len(signal), batch):
        part = signal[start : start + batch].to(vae.device)
        with torch.autocast(part.device.type, dtype=torch.bfloat16):
            parts.append(vae.encode(part).latent_dist.mean.float().cpu())
    return torch.cat(parts)


@torch.no_grad()
def decode(vae: Component, latents: Tensor, batch: int = 32) -> Pixels:
    """Latents to (n, h, w, 3) bytes."""
    parts = []
    for start in range(0, len(latents), batch):
        part = latents[start : start + batch].to(vae.device)
        with torch.autocast(part.device.type, dtype=torch.bfloat16):
            parts.append(vae.decode(part).sample.float().cpu())
    image = ((torch.cat(parts) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    pixels: Pixels = image.permute(0, 2, 3, 1).contiguous().numpy()
    return pixels


def psnr(vae: Component, pictures: Pixels) -> list[float]:
    """Peak signal-to-noise ratio in dB of the round trip of each (128, 128, 3) picture."""
    back = decode(vae, encode(vae, to_signal(pictures)))
    error = (back.astype(np.float64) - pictures.astype(np.float64)) ** 2
    return [10 * math.log10(255**2 / max(float(e.mean()), 1e-3)) for e in error]
