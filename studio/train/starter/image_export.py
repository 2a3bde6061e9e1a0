"""Writes starter-image as a diffusers folder that `DiffusionPipeline.from_pretrained` opens."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline
from diffusers.models.attention_processor import AttnProcessor2_0
from torch import nn
from transformers import CLIPTokenizer

from studio.train.starter.image_data import Picture, Pixels
from studio.train.starter.image_model import make_schedule
from studio.train.starter.image_progress import Component
from studio.train.starter.image_vae import draw_whole, encode


def make_scheduler() -> Component:
    """The sampler that ships: second-order DPM-Solver++ on the noise schedule of training."""
    trained = make_schedule().config
    return DPMSolverMultistepScheduler(
        num_train_timesteps=trained.num_train_timesteps,
        beta_start=trained.beta_start,
        beta_end=trained.beta_end,
        beta_schedule=trained.beta_schedule,
        prediction_type=trained.prediction_type,
        rescale_betas_zero_snr=trained.rescale_betas_zero_snr,
        timestep_spacing="trailing",
        final_sigmas_type="zero",
        steps_offset=1,  # the pipeline asks for it; "trailing" does not read it
    )


def assemble(vae: Component, denoiser: nn.Module, tokenizer: CLIPTokenizer) -> Component:
    """The whole pipeline in memory, with the attention that inference uses."""
    parts: Component = denoiser
    parts.unet.set_attn_processor(AttnProcessor2_0())
    parts.text_encoder.set_attn_implementation("sdpa")
    pipeline: Component = StableDiffusionPipeline(
        vae=vae.eval(),
        text_encoder=parts.text_encoder.eval(),
        tokenizer=tokenizer,
        unet=parts.unet.eval(),
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return pipeline


@torch.no_grad()
def latent_preview(
    vae: Component, pixels: Pixels, pictures: Sequence[Picture]
) -> dict[str, list[float] | list[list[float]]]:
    """Least-squares map from scaled latents to RGB in 0..1, for previews during sampling."""
    signal = draw_whole(pixels, pictures, 192)
    latents = encode(vae, signal) * vae.config.scaling_factor
    small = torch.nn.functional.avg_pool2d(signal, 8) / 2 + 0.5
    known = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1]).numpy()
    wanted = small.permute(0, 2, 3, 1).reshape(-1, 3).numpy()
    known = np.concatenate([known, np.ones_like(known[:, :1])], axis=1)
    solution, *_ = np.linalg.lstsq(known, wanted, rcond=None)
    rounded: list[list[float]] = [[round(float(v), 5) for v in row] for row in solution]
    return {"weight": rounded[:-1], "bias": rounded[-1]}


def write_pipeline(pipeline: Component, preview: dict[str, list[float] | list[list[float]]], folder: Path) -> None:
    """Save bf16 weights, configurations and `latent_rgb.json` into `folder`."""
    for part in (pipeline.vae, pipeline.text_encoder, pipeline.unet):
        torch.nn.Module.to(part, torch.bfloat16)  # their own `to` warns about a list that is empty here
    pipeline.save_pretrained(folder, safe_serialization=True)
    (folder / "latent_rgb.json").write_text(json.dumps(preview), encoding="utf-8")


def put_in_place(fresh: Path, out: Path) -> None:
    """Swap the finished folder in; who reads meanwhile sees the old or the new one."""
    out.parent.mkdir(parents=True, exist_ok=True)
    old = fresh.with_name(fresh.name + ".old")
    if old.exists():
        shutil.rmtree(old)
    if out.exists():
        out.rename(old)
    fresh.rename(out)
    if old.exists():
        shutil.rmtree(old)
