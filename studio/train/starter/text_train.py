"""The training loop of the starter text models: Muon and AdamW, steady rate, then a decay to nothing.

The rate stays steady for most of the time and falls in a straight line at the end ("warm-up, stable, decay"). The
state before the fall is kept, so that a later run goes on from there with a longer steady part.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import msgspec
import torch

from studio.train.starter.checkpoint import load_checkpoint, save_checkpoint
from studio.train.starter.text_model import TextModel, TextShape
from studio.train.starter.text_streams import Mixture, Tokens, Weights

log = logging.getLogger(__name__)

SAVE_SECONDS = 60.0
MEASURE_SECONDS = 240.0


class Plan(msgspec.Struct, frozen=True):
    """How to train. Rates are peaks; ``decay`` is the share of the time in which they fall to zero."""

    minutes: float = 50.0
    tokens_per_step: int = 4096
    micro_tokens: int = 1024
    short: int = 256
    long: int = 512
    short_until: int = 7_000_000
    matrix_rate: float = 6e-3
    other_rate: float = 3e-3
    warm_up: int = 60
    decay: float = 0.3
    seed: int = 1
    steps: int | None = None
    """Stop after so many steps in all; for tests."""


class Progress(msgspec.Struct):
    """Where the training stands. ``spent`` counts the seconds of the run ``run``."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    spent: float = 0.0
    run: int = 0
    done: bool = False
    falling: bool = False
    cursors: dict[str, int] = {}


Measure = Callable[[TextModel], dict[str, float]]


class Trainer:
    """Trains one model in one folder.

    It writes ``state.pt`` (now), ``stable.pt`` (before the rate falls), ``final.pt`` and ``log.jsonl``.
    """

    def __init__(self, work: Path, shape: TextShape, plan: Plan, mixtures: Sequence[Mixture], measure: Measure) -> None:
        """Make the model, or take it up where ``work`` left it.

        ``mixtures``: what to learn from at first, and while the rate falls.
        """
        self._work, self._plan, self._measure = work, plan, measure
        self._mixture, self._closing = mixtures
        torch.manual_seed(plan.seed)
        self.model = TextModel(shape)
        matrices = [p for b in self.model.blocks for p in b.parameters() if p.ndim == 2]
        others = [self.model.embedding, self.model.final_norm]
        others += [p for b in self.model.blocks for p in b.parameters() if p.ndim == 1]
        self._muon = torch.optim.Muon(
            matrices, lr=plan.matrix_rate, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw"
        )
        self._adam = torch.optim.AdamW(others, lr=plan.other_rate, betas=(0.9, 0.95), weight_decay=0.0)
        self.progress = Progress()
        self._resume()

    def _resume(self) -> None:
        state = load_checkpoint(self._work / "state.pt")
        if state is None:
            return
        self._take(state)
        if self.progress.done and self._plan.steps is None:
            run, seconds = self.progress.run + 1, self.progress.seconds
            state = load_checkpoint(self._work / "stable.pt")
            if state is not None:
                self._take(state)
            self.progress.run, self.progress.seconds = run, seconds
            self.progress.spent, self.progress.done, self.progress.falling = 0.0, False, False
        self._cut_log()

    def _take(self, state: dict[str, object]) -> None:
        self.model.load_state_dict(cast(dict[str, torch.Tensor], state["model"]))
        self._muon.load_state_dict(cast(dict[str, object], state["muon"]))
        self._adam.load_state_dict(cast(dict[str, object], state["adam"]))
        self.progress = msgspec.json.decode(cast(str, state["progress"]), type=Progress)

    def _save(self, name: str) -> None:
        state = {
            "model": self.model.state_dict(),
            "muon": self._muon.state_dict(),
            "adam": self._adam.state_dict(),
            "progress": msgspec.json.encode(self.progress).decode(),
        }
        save_checkpoint(self._work / name, state)

    def _cut_log(self) -> None:
        """Drop what was logged after the checkpoint: it will be lived through again."""
        path, now = self._work / "log.jsonl", self.progress
        if not path.is_file():
            return
        lines = [line for line in path.read_text().splitlines() if line.endswith("}")]
        kept = [line for line in lines if _before(json.loads(line), now)]
        path.write_text("".join(line + "\n" for line in kept))

    def _note(self, entry: dict[str, float]) -> None:
        now = self.progress
        known = {"run": now.run, "step": now.step, "tokens": now.tokens, "seconds": round(now.seconds, 1)}
        line = {**known, **{key: round(value, 5) for key, value in entry.items()}}
        with (self._work / "log.jsonl").open("a") as stream:
            stream.write(json.dumps(line) + "\n")
        log.info("%s", line)

    def run(self, minutes: float | None) -> None:
        """Train until the time of this run is used up; counted over all restarts of the run."""
        budget = 60.0 * (self._plan.minutes if minutes is None else minutes)
        saved = measured = noted = time.monotonic()
        losses: list[float] = []
        while not self._finished(budget):
            if not self.progress.falling and self._share(budget) > 1 - self._plan.decay:
                self.progress.falling = True
                self._save("stable.pt")
            begin = time.monotonic()
            losses.append(self._step(self._scale(budget)))
            now = time.monotonic()
            self.progress.seconds += now - begin
            self.progress.spent += now - begin
            if now - noted > 20:
                self._note({"loss": sum(losses) / len(losses), "scale": self._scale(budget)})
                noted, losses = now, []
            if now - measured > MEASURE_SECONDS:
                self._note(self._measure(self.model))
                measured = time.monotonic()
            if now - saved > SAVE_SECONDS:
                self._save("state.pt")
                saved = now
        self.progress.done = True
        self._note(self._measure(self.model))
        self._save("final.pt")
        self._save("state.pt")

    def _finished(self, budget: float) -> bool:
        if self._plan.steps is not None:
            return self.progress.step >= self._plan.steps
        return self.progress.spent >= budget

    def _share(self, budget: float) -> float:
        return 0.0 if self._plan.steps is not None else self.progress.spent / budget

    def _scale(self, budget: float) -> float:
        rise = min(1.0, (self.progress.step + 1) / self._plan.warm_up)
        fall = min(1.0, (1 - self._share(budget)) / self._plan.decay)
        return rise * max(0.0, fall)

    def _step(self, scale: float) -> float:
        """One update from ``tokens_per_step`` tokens; returns the mean loss in nats."""
        plan, now = self._plan, self.progress
        length = plan.short if now.tokens < plan.short_until else plan.long
        mixture = self._closing if now.falling else self._mixture
        tokens, weights = mixture.batch(now.step, plan.tokens_per_step // length, length + 1, now.cursors)
        loss = self._gradients(tokens, weights, plan.micro_tokens // length)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        rates: list[tuple[torch.optim.Optimizer, float]] = [
            (self._muon, plan.matrix_rate),
            (self._adam, plan.other_rate),
        ]
        for optimizer, rate in rates:
            for group in optimizer.param_groups:
                group["lr"] = rate * scale
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if not math.isfinite(loss):
            raise FloatingPointError(f"The loss became {loss} at step {now.step}. Lower the rates and start again.")
        now.step += 1
        now.tokens += int(tokens.shape[0]) * length
        return loss

    def _gradients(self, tokens: Tokens, weights: Weights, rows: int) -> float:
        parts = max(1, len(tokens) // rows)
        total = 0.0
        for part in range(parts):
            piece = slice(part * rows, (part + 1) * rows)
            numbers = torch.from_numpy(tokens[piece].astype("int64"))
            loss = self.model.loss(numbers, torch.from_numpy(weights[piece])) / parts
            torch.autograd.backward(loss)
            total += float(loss.detach())
        return total


def _before(entry: dict[str, float], now: Progress) -> bool:
    return entry["run"] != now.run or entry["step"] <= now.step
