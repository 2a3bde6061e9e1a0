"""From a checkpoint to the folder that ships: GGUF, card, description, loss curve, samples."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, cast

import torch
from tokenizers import Tokenizer

from studio.train.starter.card import Card, write_card
from studio.train.starter.checkpoint import load_checkpoint
from studio.train.starter.curves import draw_curves
from studio.train.starter.text_corpus import TextCorpus
from studio.train.starter.text_evaluate import Amount, evaluate_text
from studio.train.starter.text_gguf import write_gguf
from studio.train.starter.text_model import TextModel, TextShape
from studio.train.starter.text_notes import NOTES, figures_of
from studio.train.starter.text_play import Player
from studio.train.starter.text_samples import draw_samples, samples_page
from studio.train.starter.text_train import Plan

log = logging.getLogger(__name__)


class Exportable(Protocol):
    """What the export needs to know of a text model's recipe."""

    @property
    def name(self) -> str:
        """What the model is called."""
        ...

    @property
    def shape(self) -> TextShape:
        """Its layers and widths."""
        ...

    @property
    def plan(self) -> Plan:
        """How it was trained."""
        ...

    @property
    def mixture(self) -> Mapping[str, float]:
        """What it was trained on, by share."""
        ...

    @property
    def read(self) -> Callable[[Path], TextCorpus]:
        """How its data is read."""
        ...

    def tokenizer(self, texts: TextCorpus, work: Path) -> Tokenizer:
        """Its tokenizer."""
        ...


def trained_model(recipe: Exportable, work: Path) -> TextModel:
    """The model of the last finished run in ``work``, or where none is finished, of the last checkpoint.

    Raises:
        FileNotFoundError: nothing was trained in ``work`` yet.
    """
    state = load_checkpoint(work / "final.pt") or load_checkpoint(work / "state.pt")
    if state is None:
        raise FileNotFoundError(f"{work} holds no checkpoint. Run the train command with this folder first.")
    model = TextModel(recipe.shape)
    model.load_state_dict(cast(dict[str, torch.Tensor], state["model"]))
    return model


def export_text(recipe: Exportable, data: Path, work: Path, out: Path, amount: Amount | None = None) -> None:
    """Write everything to ``out`` and measure ``amount`` of held-out text."""
    out.mkdir(parents=True, exist_ok=True)
    texts = recipe.read(data)
    model = trained_model(recipe, work)
    path = out / f"starter-{recipe.name}.gguf"
    write_gguf(path, model, recipe.tokenizer(texts, work), f"Starter {recipe.name}", NOTES[recipe.name].description)
    log.info("wrote %s, %d bytes", path, path.stat().st_size)
    entries = read_log(work)
    draw_losses(out / "loss.png", recipe.name, entries)
    player = Player(path)
    samples = draw_samples(player, recipe.name)
    player.close()
    (out / "samples.md").write_text(samples_page(recipe.name, samples), encoding="utf-8")
    figures = evaluate_text(recipe.name, texts, out, amount)
    (work / "figures.json").write_text(json.dumps(figures, indent=2), encoding="utf-8")
    write_card(out, _card(recipe, path, model, figures, entries))


def read_log(work: Path) -> list[dict[str, float]]:
    """The entries of the training log, oldest first."""
    path = work / "log.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    return [cast(dict[str, float], json.loads(line)) for line in lines]


def draw_losses(path: Path, name: str, entries: list[dict[str, float]]) -> None:
    """Training loss and held-out bits per byte over millions of tokens, one line for each run."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for entry in entries:
        for key, label in (("loss", "training loss, nats a token"), ("bits_per_byte", "held-out, bits a byte")):
            if key in entry:
                shown = label if entry["run"] == 0 else f"{label}, run {int(entry['run']) + 1}"
                curves.setdefault(shown, []).append((entry["tokens"] / 1e6, entry[key]))
    draw_curves(path, f"Starter {name}", "million tokens", "loss", curves, log=True)


def _card(
    recipe: Exportable,
    path: Path,
    model: TextModel,
    figures: Mapping[str, object],
    entries: list[dict[str, float]],
) -> Card:
    shape, notes = recipe.shape, NOTES[recipe.name]
    last = entries[-1] if entries else {"tokens": 0.0, "seconds": 0.0}
    tokens, hours = last["tokens"] / 1e6, last["seconds"] / 3600
    return Card(
        id=f"starter-{recipe.name}",
        name=f"Starter {recipe.name}",
        task=notes.task,
        family="llama",
        file=path.name,
        licence="Apache-2.0",
        description=notes.description,
        architecture=(
            f"llama: {shape.layers} layers, width {shape.width}, {shape.heads} heads ({shape.kv_heads} for keys and "
            f"values), feed-forward {shape.hidden}, own byte-level BPE of {shape.vocabulary} tokens, GGUF Q8_0"
        ),
        parameters=model.size(),
        size_bytes=path.stat().st_size,
        memory_mb=notes.memory_mb,
        context_length=shape.context,
        attribution=notes.attribution,
        data=notes.data,
        figures=figures_of(recipe.name, figures),
        limits=notes.limits,
        making=(
            f"{tokens:.1f} million tokens in {hours:.1f} hours on one CPU core, bfloat16, Muon and AdamW, rows of "
            f"{recipe.plan.short} and {recipe.plan.long} tokens; mixture by rows: "
            + ", ".join(f"{kind} {share:.0%}" for kind, share in recipe.mixture.items()),
            f"`python -m studio.train.starter train {recipe.name} --data DATA --work WORK`, then `export`",
            "[samples.md](samples.md) shows what it writes, unpicked",
        ),
        pictures=("loss.png",),
    )
