"""A small image-text matcher, trained on real pairs, that judges what starter-image draws.

Two encoders into one space of 96 dimensions: a convolutional one for 64 x 64 pictures and a
bag of words for captions, with a contrastive loss (Radford et al. 2021, "Learning
transferable visual models from natural language supervision", equation in figure 3).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from studio.train.starter.image_data import BACKGROUNDS, Picture, Pixels, composite
from studio.train.starter.image_muon import make_optimisers, scale_rates
from studio.train.starter.image_progress import Average, Stage, run_stage, step_rng

WORDS = 8192
SPACE = 96
SIDE = 64


def hash_words(text: str) -> list[int]:
    """Word numbers of a caption, by a stable hash; never empty."""
    words = [w.strip(",.:!()’'") for w in text.lower().split()]
    return [zlib.crc32(w.encode()) % WORDS for w in words if w] or [0]


class Matcher(nn.Module):
    """Maps pictures and captions to unit vectors; matching pairs have a large product."""

    def __init__(self) -> None:
        super().__init__()
        widths = (32, 64, 128, 192)
        layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 4, stride=4)]
        before = widths[0]
        for width in widths:
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.GroupNorm(8, width), nn.SiLU()]
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.GroupNorm(8, width), nn.SiLU()]
            if width != widths[-1]:
                layers.append(nn.MaxPool2d(2))
            before = width
        self.trunk = nn.Sequential(*layers)
        self.to_space = nn.Linear(widths[-1] * 4, SPACE)
        self.words = nn.EmbeddingBag(WORDS, SPACE, mode="sum")
        self.sharpness = nn.Parameter(torch.tensor(2.3))

    def image_vectors(self, signal: Tensor) -> Tensor:
        """(n, 3, 64, 64) pictures in -1..1 to (n, 96)."""
        with torch.autocast(signal.device.type, dtype=torch.bfloat16):
            hidden = self.trunk(signal)
        return functional.normalize(self.to_space(hidden.float().flatten(1)), dim=1)

    def text_vectors(self, captions: Sequence[str]) -> Tensor:
        """(n, 96) vectors of captions."""
        numbers = [hash_words(text) for text in captions]
        starts = np.cumsum([0] + [len(n) for n in numbers[:-1]])
        flat = torch.tensor([n for row in numbers for n in row])
        return functional.normalize(self.words(flat, torch.from_numpy(starts)), dim=1)


def shrink(pixels: Pixels) -> Tensor:
    """(n, 128, 128, 3) bytes to the (n, 3, 64, 64) signal that the matcher reads."""
    full = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1.0
    return functional.avg_pool2d(full, 2)


def disturbed(rgba: Pixels, rng: np.random.Generator) -> Pixels:
    """A picture on a random named background, shifted by up to 10 pixels."""
    colours = list(BACKGROUNDS.values())
    colour = colours[0] if rng.random() < 0.4 else colours[int(rng.integers(len(colours)))]
    flat = composite(rgba, colour)
    moved = np.full_like(flat, colour if rgba[..., 3].min() < 128 else 0)
    dy, dx = (int(v) for v in rng.integers(-10, 11, 2))
    side = flat.shape[0]
    moved[max(dy, 0) : side + min(dy, 0), max(dx, 0) : side + min(dx, 0)] = flat[
        max(-dy, 0) : side - max(dy, 0), max(-dx, 0) : side - max(dx, 0)
    ]
    return moved


def contrastive_loss(matcher: Matcher, signal: Tensor, captions: Sequence[str]) -> Tensor:
    """Symmetric cross-entropy; equal captions in the batch all count as right."""
    logits = matcher.image_vectors(signal) @ matcher.text_vectors(captions).T
    logits = logits * matcher.sharpness.clamp(max=4.0).exp()
    same = torch.tensor([[float(a == b) for b in captions] for a in captions])
    right = same / same.sum(dim=1, keepdim=True)
    rows = functional.cross_entropy(logits, right)
    return 0.5 * (rows + functional.cross_entropy(logits.T, right))


def train_matcher(
    pixels: Pixels,
    pictures: Sequence[Picture],
    checkpoint: Path,
    *,
    minutes: float | None = None,
    steps: int = 4000,
    batch: int = 96,
) -> Matcher:
    """Train or continue the matcher on real pairs; returns it with averaged weights."""
    torch.manual_seed(4)
    matcher = Matcher()
    by_adam = ("words", "trunk.0", "to_space")
    stage = Stage(matcher, make_optimisers(matcher, 0.01, 2e-3, by_adam), Average(matcher, 0.998))
    stage.load(checkpoint)
    train = [p for p in pictures if not p.held_out]

    def take_step(step: int) -> Mapping[str, float]:
        rng = step_rng(31, step)
        scale_rates(stage.optimisers, min(1.0, (step + 1) / 100) * max(0.02, 1 - step / steps))
        chosen = [train[int(i)] for i in rng.integers(0, len(train), batch)]
        drawn = np.stack([disturbed(pixels[p.index], rng) for p in chosen])
        mirror = rng.random() < 0.5
        signal = shrink(drawn[:, :, ::-1] if mirror else drawn)
        loss = contrastive_loss(matcher, signal, [p.caption.lower() for p in chosen])
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships it untyped
        for optimiser in stage.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        stage.average.update(matcher, step)
        return {"loss": float(loss.detach())}

    run_stage(stage, checkpoint, steps, minutes, take_step)
    stage.average.copy_to(matcher)
    return matcher.eval()


@torch.no_grad()
def ranks(matcher: Matcher, pictures: Pixels, truth: Sequence[int], nouns: Sequence[str]) -> list[int]:
    """Place (0 = first) of each picture's noun, `nouns[truth[i]]`, among all nouns."""
    scores = matcher.image_vectors(shrink(pictures)) @ matcher.text_vectors(nouns).T
    own = scores[torch.arange(len(truth)), torch.tensor(truth)]
    return [int(place) for place in (scores > own[:, None]).sum(dim=1)]
