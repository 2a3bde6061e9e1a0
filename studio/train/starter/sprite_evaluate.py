"""Figures of starter-gan: as a crowd near to real sprites, one by one far from each, and fast.

Crowds are compared by the Fréchet distance (Heusel et al. 2017) between features of a small network that is
trained here to tell the kinds apart; its own figures on real sprites stand beside it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from studio.core.references import ModelRef
from studio.core.requests import SpriteRequest
from studio.engines.gan import sprites
from studio.engines.gan.sprite_network import SIDE, SpriteGenerator
from studio.train.starter.checkpoint import load_checkpoint, save_checkpoint
from studio.train.starter.sprite_data import Sprites, load_sprites
from studio.train.starter.sprite_train import disturbed

FEATURES = 64
COPY = 16.0
"""Root mean square difference, in levels of 255, below which two sprites look the same at a glance."""
COUNT = 1000
TRUNCATION = 0.8
_LESSONS, _LESSON = 700, 64


class Teller(nn.Module):
    """Tells the kinds of sprites apart; `features` are what it looks at last."""

    def __init__(self, kinds: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(4, 32, 3, 1, 1), nn.ReLU(), nn.Conv2d(32, 64, 4, 2, 1), nn.ReLU(),
            nn.Conv2d(64, 96, 4, 2, 1), nn.ReLU(), nn.Conv2d(96, 96, 4, 2, 1), nn.ReLU(),
            nn.Flatten(), nn.Linear(96 * 16, FEATURES), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(FEATURES, kinds)

    def forward(self, pictures: Tensor) -> Tensor:
        """(n, 4, 32, 32) to one score for each kind."""
        scores: Tensor = self.head(self.body(pictures))
        return scores

    @torch.inference_mode()
    def features(self, pictures: Tensor) -> Tensor:
        """(n, 4, 32, 32) to (n, features), in double precision."""
        return torch.cat([self.body(part) for part in torch.split(pictures, 256)]).double()

    @torch.inference_mode()
    def right(self, pictures: Tensor, kinds: Tensor) -> float:
        """Share of the pictures whose kind it tells."""
        told = torch.cat([self(part) for part in torch.split(pictures, 256)]).argmax(dim=1)
        return float((told == kinds).double().mean())


def train_teller(known: Sprites, path: Path, lessons: int = _LESSONS) -> Teller:
    """The network of this work folder, trained at first use."""
    torch.manual_seed(8)
    teller = Teller(len(known.names))
    saved = load_checkpoint(path)
    if saved is not None:
        teller.load_state_dict(saved)
        return teller.eval()
    optimiser = torch.optim.AdamW(teller.parameters(), 1e-3, weight_decay=0.05)
    chance = torch.Generator().manual_seed(9)
    signal = known.signal()
    for lesson in range(lessons):
        rows = torch.randint(len(signal), (_LESSON,), generator=chance)
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * (1 - lesson / lessons)
        loss = functional.cross_entropy(teller(disturbed(signal[rows], chance)), known.kinds[rows], label_smoothing=0.1)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships it untyped
        optimiser.step()
    save_checkpoint(path, teller.state_dict())
    return teller.eval()


def frechet(one: Tensor, other: Tensor) -> float:
    """Fréchet distance between two crowds of features (n, f), as if each were normally distributed."""
    means, spreads = zip(*((crowd.mean(dim=0), torch.cov(crowd.T)) for crowd in (one, other)), strict=True)
    # The eigenvalues of a product of two covariances are real and not negative, up to rounding.
    root = torch.linalg.eigvals(spreads[0] @ spreads[1]).real.clamp(min=0).sqrt().sum()
    distance = (means[0] - means[1]).square().sum() + spreads[0].trace() + spreads[1].trace() - 2 * root
    return round(float(distance), 2)


@torch.inference_mode()
def crowd_of(generator: SpriteGenerator, kinds: Tensor, truncation: float) -> Tensor:
    """(n, 4, 32, 32): one drawing for each of the kinds, seeds 0, 1, 2 …"""
    style = [
        sprites.style_of(generator, sprites.latent_of(seed, generator.shape), int(kind), truncation)
        for seed, kind in enumerate(kinds)
    ]
    return torch.cat([generator.draw(part) for part in torch.split(torch.cat(style), 128)])


def by_colour_statistics(known: Sprites, kinds: Tensor) -> Tensor:
    """The baseline: for each kind a normal distribution over its principal components, as many as 24."""
    chance = torch.Generator().manual_seed(10)
    drawn = torch.empty(len(kinds), 4 * SIDE * SIDE)
    for kind in range(len(known.names)):
        places = (kinds == kind).nonzero()[:, 0]
        real = known.signal()[known.kinds == kind].flatten(1)
        if len(places) == 0 or len(real) < 2:
            continue
        mean = real.mean(dim=0)
        _, sizes, parts = torch.linalg.svd(real - mean, full_matrices=False)
        count = min(24, len(real) - 1)
        weights = torch.randn(len(places), count, generator=chance) * sizes[:count] / (len(real) - 1) ** 0.5
        drawn[places] = mean + weights @ parts[:count]
    return drawn.clamp(-1, 1).view(-1, 4, SIDE, SIDE)


def nearest(some: Tensor, known: Tensor) -> Tensor:
    """(n,) root mean square difference, in levels of 255, of each picture to the nearest known one or its mirror."""
    both = torch.cat([known, known.flip(3)]).flatten(1)
    least: Tensor = torch.cdist(some.flatten(1), both).min(dim=1).values
    levels: Tensor = least * (127.5 / some[0].numel() ** 0.5)
    return levels


def milliseconds(generator: SpriteGenerator, runs: int = 60) -> float:
    """Median time of one picture, from seed to pixels."""
    taken = []
    for seed in range(runs):
        begun = time.perf_counter()
        request = SpriteRequest(model=ModelRef(repo="starter/gan"), seed=seed)
        with torch.inference_mode():
            sprites.to_picture(generator.draw(sprites.styles(request, generator))[0], request.enlarge, seed)
        taken.append(time.perf_counter() - begun)
    return round(1000 * float(np.median(taken)), 1)


def evaluate_sprites(
    data: Path, work: Path, model: Path, count: int = COUNT, lessons: int = _LESSONS
) -> Mapping[str, object]:
    """All figures of the exported folder; also kept in the work folder for the card."""
    known, unseen = (load_sprites(data, work, held_out=held_out) for held_out in (False, True))
    teller = train_teller(known, work / "teller.pt", lessons)
    generator = sprites.load(model)
    chance = torch.Generator().manual_seed(11)
    order = torch.randperm(len(known.kinds), generator=chance)
    half, others = order[: len(order) // 2], order[len(order) // 2 :]
    signal, kinds = known.signal(), known.kinds[others][:count]
    truth = teller.features(signal[half])
    drawn = {full: crowd_of(generator, kinds, full) for full in (TRUNCATION, 1.0)}
    noise = torch.rand(len(kinds), 4, SIDE, SIDE, generator=chance) * 2 - 1
    distances = {
        f"this model, truncation {TRUNCATION}": frechet(teller.features(drawn[TRUNCATION]), truth),
        "this model, truncation 1": frechet(teller.features(drawn[1.0]), truth),
        "other real sprites": frechet(teller.features(signal[others]), truth),
        "colour statistics": frechet(teller.features(by_colour_statistics(known, kinds)), truth),
        "noise": frechet(teller.features(noise), truth),
    }
    near, real_near = nearest(drawn[TRUNCATION], signal), nearest(unseen.signal(), signal)
    figures: dict[str, object] = {
        "frechet": distances,
        "kind_told": {
            "this model": round(teller.right(drawn[TRUNCATION], kinds), 3),
            "real sprites held out": round(teller.right(unseen.signal(), unseen.kinds), 3),
        },
        "nearest": {"this model": _summary(near), "real sprites held out": _summary(real_near)},
        "milliseconds": milliseconds(generator),
    }
    _keep_for_card(work / "figures.json", figures, len(kinds), len(known.names))
    return figures


def _summary(distances: Tensor) -> dict[str, float]:
    return {
        "median": round(float(distances.median()), 1),
        "least": round(float(distances.min()), 1),
        "near_copies_percent": round(100 * float((distances < COPY).double().mean()), 1),
    }


def _keep_for_card(path: Path, figures: Mapping[str, object], count: int, kinds: int) -> None:
    distances, told, near = (figures[name] for name in ("frechet", "kind_told", "nearest"))
    if not (isinstance(distances, dict) and isinstance(told, dict) and isinstance(near, dict)):
        raise TypeError("figures must be tables")
    names = list(distances)

    def words(row: Mapping[str, float]) -> str:
        return f"median {row['median']}, least {row['least']}, below {COPY:.0f}: {row['near_copies_percent']} %"

    rows = [
        {
            "measure": f"Fréchet distance of {count} drawings to half of the training sprites",
            "value": "; ".join(f"{name.removeprefix('this model, ')}: {distances[name]}" for name in names[:2]),
            "baseline": "; ".join(f"{name} {distances[name]}" for name in names[2:]),
        },
        {
            "measure": "the kind asked for is told by a small network",
            "value": f"{100 * told['this model']:.0f} %",
            "baseline": f"held-out sprites {100 * told['real sprites held out']:.0f} %; chance {100 / kinds:.0f} %",
        },
        {
            "measure": "nearest training sprite, RMS of 255 over colour and opacity",
            "value": words(near["this model"]),
            "baseline": f"real sprites held out: {words(near['real sprites held out'])}",
        },
        {
            "measure": "one picture, from seed to pixels",
            "value": f"{figures['milliseconds']} ms on this machine's processor",
            "wanted": "≤ 15 ms",
        },
    ]
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
