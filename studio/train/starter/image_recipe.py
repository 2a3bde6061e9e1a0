"""Recipe of starter-image: VAE, stored latents, text encoder and UNet, export, figures."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path

from diffusers import AutoencoderKL

from studio.train.starter.image_data import load_pictures, open_pixels
from studio.train.starter.image_export import assemble, latent_preview, put_in_place, write_pipeline
from studio.train.starter.image_model import ImagePlan
from studio.train.starter.image_progress import DEVICE, Component
from studio.train.starter.image_train import (
    COURSES,
    Sampler,
    prepare_latents,
    prepare_tokenizer,
    start_stage,
    train_denoiser,
)
from studio.train.starter.image_vae import train_vae

log = logging.getLogger(__name__)

MUON_RATE, ADAM_RATE = 0.015, 1.5e-3
LAST_STEP = 1_000_000  # no fixed end: the rate falls as 1/sqrt(step), minutes decide


class ImageRecipe:
    """Trains the VAE to its end first, then the denoiser for as long as there is time."""

    plan = ImagePlan()

    def train(self, data: Path, work: Path, minutes: float | None) -> None:
        """Continue wherever the work folder stands."""
        begun = time.monotonic()
        vae = self._vae(data, work, minutes)
        if vae is None:
            log.info("The VAE needs more time; run this again.")
            return
        pictures = load_pictures(data)
        tokenizer = prepare_tokenizer(work, pictures, self.plan)
        stage = start_stage(self.plan, tokenizer, MUON_RATE, ADAM_RATE)
        stage.load(work / "denoiser.pt")
        ends = [course.first for course in COURSES[1:]] + [LAST_STEP]
        for course, end in zip(COURSES, ends, strict=True):
            if stage.step >= end:
                continue
            shards = prepare_latents(data, work, vae, course.passes)
            left = None if minutes is None else minutes - (time.monotonic() - begun) / 60
            log.info("Step %d: drawing from %s.", stage.step, ", ".join(course.mix))
            sampler = Sampler(pictures, shards, course)
            train_denoiser(stage, sampler, tokenizer, work / "denoiser.pt", minutes=left, last_step=end)

    def _vae(self, data: Path, work: Path, minutes: float | None) -> Component | None:
        """The finished VAE, or None while it is not finished."""
        folder = work / "vae"
        if not folder.exists():
            vae = train_vae(data, work, minutes)
            if vae is None:
                return None
            vae.save_pretrained(folder.with_suffix(".partial"))
            folder.with_suffix(".partial").rename(folder)
        loaded: Component = AutoencoderKL.from_pretrained(folder)
        return loaded.to(DEVICE)

    def pipeline(self, data: Path, work: Path) -> Component:
        """The pipeline with the averaged weights of the last checkpoint, in float32.

        Raises:
            FileNotFoundError: there is no VAE or no checkpoint in the work folder yet.
        """
        tokenizer = prepare_tokenizer(work, load_pictures(data), self.plan)
        stage = start_stage(self.plan, tokenizer, MUON_RATE, ADAM_RATE)
        if not (work / "vae").exists() or not stage.load(work / "denoiser.pt"):
            raise FileNotFoundError(f"Nothing to export in {work} yet: train first.")
        stage.average.copy_to(stage.module)
        vae: Component = AutoencoderKL.from_pretrained(work / "vae")
        return assemble(vae.to(DEVICE), stage.module, tokenizer)

    def export(self, data: Path, work: Path, out: Path) -> None:
        """Write the complete model folder one level up, out of the shelf's sight, then swap it in."""
        from studio.train.starter.image_card import write_image_card

        pictures = load_pictures(data)
        pixels = open_pixels(data, work, pictures)
        pipeline = self.pipeline(data, work)
        fresh = out.resolve().parent.parent / ".starter-image.new"
        write_pipeline(pipeline, latent_preview(pipeline.vae, pixels, pictures), fresh)
        write_image_card(fresh, work, pipeline)
        put_in_place(fresh, out)

    def evaluate(self, data: Path, work: Path, model: Path) -> Mapping[str, object]:
        """Figures of an exported folder on pictures that training never saw."""
        from studio.train.starter.image_evaluate import evaluate_image

        return evaluate_image(data, work, model)


IMAGE = ImageRecipe()
