"""Checkpoints, moving averages and logs that the stages of starter-image share.

A checkpoint is one file, replaced atomically, so that training can be killed at any
moment. Random choices depend on (seed, step) only: no generator state needs saving.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from torch import nn

from studio.train.starter.checkpoint import load_checkpoint, save_checkpoint

Component: TypeAlias = Any
"""A model or pipeline of diffusers: it exports stand-ins that type checkers take for the real classes."""
CHECKPOINT_SECONDS = 90.0
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Average:
    """Exponential moving average of a module's parameters, with a warm-up of its decay."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: value.detach().clone().float() for name, value in module.named_parameters()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Move towards the module's present weights."""
        rate = 1.0 - min(self.decay, (1.0 + step) / (10.0 + step))
        names = list(self.values)
        now = dict(module.named_parameters())
        torch._foreach_lerp_([self.values[n] for n in names], [now[n].detach() for n in names], rate)

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        """Overwrite the module's weights by the average."""
        for name, value in module.named_parameters():
            value.copy_(self.values[name])


@dataclass
class Stage:
    """Everything of one training stage that a checkpoint must hold."""

    module: nn.Module
    optimisers: list[torch.optim.Optimizer]
    average: Average
    step: int = 0
    seconds: float = 0.0
    notes: dict[str, object] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the checkpoint; whoever reads meanwhile sees the old one or the new one."""
        state = {
            "module": self.module.state_dict(),
            "optimisers": [o.state_dict() for o in self.optimisers],
            "average": self.average.values,
            "step": self.step,
            "seconds": self.seconds,
            "notes": self.notes,
        }
        save_checkpoint(path, state)

    def load(self, path: Path) -> bool:
        """Continue from `path` if it is there; says whether it was."""
        saved = cast(dict[str, Any] | None, load_checkpoint(path))
        if saved is None:
            return False
        self.module.load_state_dict(saved["module"])
        for optimiser, state in zip(self.optimisers, saved["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self.average.values = {k: v.to(DEVICE) for k, v in saved["average"].items()}
        self.step, self.seconds = saved["step"], saved["seconds"]
        self.notes = saved["notes"]
        return True


def step_rng(seed: int, step: int) -> np.random.Generator:
    """Random choices of one step, the same whether or not training was interrupted before."""
    return np.random.default_rng((seed, step))


def run_stage(
    stage: Stage,
    checkpoint: Path,
    last_step: int,
    minutes: float | None,
    take_step: Callable[[int], Mapping[str, float]],
) -> None:
    """Train until `last_step` or until the minutes are over, saving as it goes.

    Appends one line of mean losses to `<checkpoint>.jsonl` every 50 steps.
    """
    log = checkpoint.with_suffix(".jsonl")
    begun = saved = mark = time.monotonic()
    sums: dict[str, float] = {}
    counted = 0
    while stage.step < last_step and (minutes is None or mark - begun < minutes * 60):
        for name, value in take_step(stage.step).items():
            sums[name] = sums.get(name, 0.0) + value
        counted += 1
        stage.step += 1
        now = time.monotonic()
        stage.seconds += now - mark
        mark = now
        if stage.step % 50 == 0:
            row = {"step": stage.step, "seconds": round(stage.seconds, 1)}
            with log.open("a", encoding="utf-8") as out:
                out.write(json.dumps(row | {k: round(v / counted, 5) for k, v in sums.items()}) + "\n")
            sums, counted = {}, 0
        if now - saved > CHECKPOINT_SECONDS:
            stage.save(checkpoint)
            saved = now
    stage.save(checkpoint)
