"""Starter-image end to end at toy size: captions, training, resuming, export."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoPipelineForImage2Image, DiffusionPipeline
from PIL import Image, ImageDraw

from studio.train.starter.image_captions import vocabulary_lines, write_caption
from studio.train.starter.image_data import BACKGROUNDS, Picture, composite, load_pictures, open_pixels
from studio.train.starter.image_export import assemble, latent_preview, put_in_place, write_pipeline
from studio.train.starter.image_latents import load_shards, write_shard
from studio.train.starter.image_model import ImagePlan, tokenise, train_tokenizer
from studio.train.starter.image_muon import orthogonalise
from studio.train.starter.image_progress import Component, Stage
from studio.train.starter.image_train import Course, Sampler, start_stage, train_denoiser
from studio.train.starter.image_vae import centre_latents, decode, encode, make_vae, to_signal

PLAN = ImagePlan(
    vocabulary=560, text_width=32, text_layers=1, text_heads=2, widths=(16, 16, 32), heads=(1, 2, 2), groups=8,
    pooled_heads=2,
)  # fmt: skip
NOUNS = ("cat", "dog", "apple", "car", "moon", "key", "ship", "leaf")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of eight pictures in the real layout."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "images").mkdir()
    rows = []
    with zipfile.ZipFile(folder / "images" / "images.zip", "w") as bundle:
        for i, noun in enumerate(NOUNS):
            image = Image.new("RGBA", (128, 128))
            ImageDraw.Draw(image).ellipse((20, 20, 60 + 8 * i, 100), fill=(250 - 30 * i, 30 * i, 90, 255))
            stream = io.BytesIO()
            image.save(stream, "PNG")
            bundle.writestr(f"noto/{noun}.png", stream.getvalue())
            rows.append(
                {
                    "file": f"noto/{noun}.png",
                    "caption": noun,
                    "keywords": ["thing"],
                    "group": "objects",
                    "style": "noto emoji",
                    "source": "noto",
                }
            )
    (folder / "images" / "captions.jsonl").write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def vae() -> Component:
    torch.manual_seed(0)
    return make_vae((8, 8, 16, 16), 8).eval()


@pytest.fixture(scope="module")
def work(data: Path, vae: Component, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder with two passes of latents and a tokenizer."""
    folder = tmp_path_factory.mktemp("work")
    pictures = load_pictures(data)
    pixels = open_pixels(data, folder, pictures)
    for number in range(2):
        write_shard(vae, pixels, pictures, folder / "latents", source="noto", number=number)
    train_tokenizer(vocabulary_lines(pictures), folder / "tokenizer", PLAN.vocabulary)
    return folder


def train_to(data: Path, work: Path, checkpoint: Path, last_step: int) -> Stage:
    from transformers import CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(work / "tokenizer")
    stage = start_stage(PLAN, tokenizer, 0.01, 1e-3)
    sampler = Sampler(load_pictures(data), load_shards(work / "latents"), Course(0, {"noto": 1.0}, {"noto": 2}, 1.0))
    stage.load(checkpoint)
    train_denoiser(stage, sampler, tokenizer, checkpoint, minutes=None, last_step=last_step, batch=4)
    return stage


def weights_of(stage: Stage) -> Mapping[str, torch.Tensor]:
    return stage.module.state_dict()


def test_interrupted_training_equals_uninterrupted(data: Path, work: Path, tmp_path: Path) -> None:
    whole = train_to(data, work, tmp_path / "whole.pt", 4)
    train_to(data, work, tmp_path / "parts.pt", 2)
    parts = train_to(data, work, tmp_path / "parts.pt", 4)
    assert parts.step == 4
    for name, value in weights_of(whole).items():
        torch.testing.assert_close(weights_of(parts)[name], value, msg=name)
    for name, value in whole.average.values.items():
        torch.testing.assert_close(parts.average.values[name], value, msg=name)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # the scheduler's own
def test_export_opens_and_draws_the_same_picture_for_the_same_seed(
    data: Path, work: Path, vae: Component, tmp_path: Path
) -> None:
    stage = train_to(data, work, tmp_path / "d.pt", 1)
    from transformers import CLIPTokenizer

    pipeline = assemble(vae, stage.module, CLIPTokenizer.from_pretrained(work / "tokenizer"))
    pictures = load_pictures(data)
    preview = latent_preview(vae, open_pixels(data, work, pictures), pictures)
    assert np.array(preview["weight"]).shape == (8, 3)
    assert np.array(preview["bias"]).shape == (3,)
    write_pipeline(pipeline, preview, tmp_path / "fresh")
    put_in_place(tmp_path / "fresh", tmp_path / "shelf" / "image")
    opened = DiffusionPipeline.from_pretrained(tmp_path / "shelf" / "image", dtype=torch.bfloat16)
    opened.set_progress_bar_config(disable=True)

    def draw(seed: int) -> Image.Image:
        made = opened("a cat, noto emoji", num_inference_steps=3, generator=torch.Generator().manual_seed(seed))
        picture: Image.Image = made.images[0]
        return picture

    first = draw(1)
    assert first.size == (128, 128)
    assert first.tobytes() == draw(1).tobytes()
    assert first.tobytes() != draw(2).tobytes()
    again = AutoPipelineForImage2Image.from_pipe(opened)
    again.set_progress_bar_config(disable=True)
    assert again("a cat", image=first, strength=0.5, num_inference_steps=4).images[0].size == (128, 128)


def test_centring_keeps_the_round_trip(vae: Component) -> None:
    torch.manual_seed(3)
    own = make_vae((8, 8, 16, 16), 8).eval()
    signal = to_signal(np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8))
    before = decode(own, encode(own, signal)).astype(int)
    centre_latents(own, signal)
    latents = encode(own, signal)
    assert latents.mean(dim=(0, 2, 3)).abs().max() < 0.05
    assert (latents.std(dim=(0, 2, 3)) - 1).abs().max() < 0.05
    assert np.abs(decode(own, latents).astype(int) - before).mean() < 1.5  # bf16 rounds differently


def test_caption_always_names_style_and_unusual_background() -> None:
    picture = Picture(0, "noto/1f98a.png", "fox", ("animal",), "animals and nature", "noto emoji", "noto")
    rng = np.random.default_rng(0)
    blue = [write_caption(picture, "blue", rng) for _ in range(60)]
    white = [write_caption(picture, "white", rng) for _ in range(60)]
    assert all("fox" in text and "noto emoji" in text and "blue" in text for text in blue)
    assert len(set(blue)) > 8
    assert 10 < sum("white" in text for text in white) < 50
    assert not any("background" in write_caption(picture, None, rng) for _ in range(20))


def test_tokenizer_keeps_style_and_colour_words_whole(data: Path, tmp_path: Path) -> None:
    tokenizer = train_tokenizer(vocabulary_lines(load_pictures(data)), tmp_path, 900)
    for word in [*BACKGROUNDS, "flat", "emoji", "pixel", "icon", "blob", "background"]:
        assert len(tokenizer.tokenize(word)) == 1, word
    ids = tokenise(tokenizer, ["a Fox", "a fox", "a cat " * 40])
    assert ids.shape == (3, 32)
    assert torch.equal(ids[0], ids[1])
    assert ids[2, -1] == tokenizer.eos_token_id
    assert int(ids.max()) < len(tokenizer)


def test_composite_mixes_by_alpha() -> None:
    rgba = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 128]]], dtype=np.uint8)
    assert composite(rgba, (0, 0, 255)).tolist() == [[[200, 100, 0], [0, 0, 255], [100, 50, 127]]]


def test_orthogonalise_levels_the_singular_values() -> None:
    torch.manual_seed(0)
    for shape in ((24, 96), (96, 24)):
        values = torch.linalg.svdvals(orthogonalise(torch.randn(*shape)))
        assert float(values.min()) > 0.5
        assert float(values.max()) < 1.4
