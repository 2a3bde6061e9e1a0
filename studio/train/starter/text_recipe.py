"""The recipes of starter-writer, starter-coder and starter-composer: sizes, mixtures, and the way from data to file."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np
import torch
from tokenizers import Tokenizer

from studio.train.starter.text_corpus import TextCorpus, coder_corpus, composer_corpus, writer_corpus
from studio.train.starter.text_drills import drills
from studio.train.starter.text_identity import SYSTEMS, identity
from studio.train.starter.text_model import TextModel, TextShape
from studio.train.starter.text_streams import PROMPT_WEIGHT, FillIn, Flow, Mixture, Packed, Shelf, Source
from studio.train.starter.text_tokenizer import Encoder, load_tokenizer, train_tokenizer
from studio.train.starter.text_train import Measure, Plan, Trainer

log = logging.getLogger(__name__)

VALIDATION_ROWS = 24
DRILLS = 20_000


class TextRecipe(msgspec.Struct, frozen=True):
    """One text model.

    ``mixture``: share of rows from documents, fill_in, tasks, drills, dialogues, identity; ``closing``: the same while
    the learning rate falls, when what is seen stays best.
    """

    name: str
    shape: TextShape
    plan: Plan
    mixture: Mapping[str, float]
    closing: Mapping[str, float]
    by_line: float
    read: Callable[[Path], TextCorpus]

    def train(self, data: Path, work: Path, minutes: float | None) -> None:
        """Train from the checkpoint in ``work``, or from nothing."""
        texts = self.read(data)
        tokenizer = self.tokenizer(texts, work)
        encoder = Encoder(tokenizer)
        log.info("reading and tokenising")
        sources = self._sources(texts, encoder)
        mixtures = [
            Mixture({kind: (share, sources[kind]) for kind, share in shares.items()}, self.plan.seed)
            for shares in (self.mixture, self.closing)
        ]
        trainer = Trainer(work, self.shape, self.plan, mixtures, self._measure(texts, encoder))
        log.info("%s: %d parameters, at step %d", self.name, trainer.model.size(), trainer.progress.step)
        trainer.run(minutes)

    def tokenizer(self, texts: TextCorpus, work: Path) -> Tokenizer:
        """The tokenizer in ``work``, learned first where there is none."""
        path = work / "tokenizer.json"
        if not path.is_file():
            log.info("learning the tokenizer")
            spoken = [f"{task.request}\n{task.output}" for task in texts.tasks]
            tokenizer = train_tokenizer([*texts.documents, *spoken], self.shape.vocabulary)
            aside = path.with_suffix(".part")
            tokenizer.save(str(aside))
            aside.replace(path)
        return load_tokenizer(path)

    def _sources(self, texts: TextCorpus, encoder: Encoder) -> dict[str, Source]:
        sources: dict[str, Source] = {
            "documents": Flow(Shelf.of([[*encoder.plain(text), encoder.end] for text in texts.documents])),
            "fill_in": FillIn(texts.documents, encoder, self.by_line),
        }
        talks = {
            "tasks": [[("user", task.request), ("assistant", task.output)] for task in texts.tasks],
            "dialogues": [[(turn.role, turn.content) for turn in talk.messages] for talk in texts.dialogues],
            "drills": [[("user", q), ("assistant", a)] for q, a in drills(texts.documents, DRILLS, self.plan.seed)],
            "identity": [[("user", q), ("assistant", a)] for q, a in identity(self.name)],
        }
        for kind, conversations in talks.items():
            if conversations and kind in self.mixture:
                sources[kind] = Packed(self._talk(conversations, encoder))
        return sources

    def _talk(self, conversations: list[list[tuple[str, str]]], encoder: Encoder) -> Shelf:
        """Conversations as tokens; one in eight gets a system turn before it."""
        rng = np.random.default_rng(self.plan.seed)
        systems = SYSTEMS[self.name]
        lists: list[list[int]] = []
        weights: list[list[float]] = []
        for turns in conversations:
            opening = [("system", systems[int(rng.integers(len(systems)))])] if rng.random() < 0.125 else []
            tokens, own = encoder.turns([*opening, *turns])
            lists.append([encoder.end, *tokens])
            weights.append([PROMPT_WEIGHT, *(1.0 if mine else PROMPT_WEIGHT for mine in own)])
        return Shelf.of(lists, weights)

    def _measure(self, texts: TextCorpus, encoder: Encoder) -> Measure:
        """A quick look at held-out documents while training: bits per byte of a few fixed rows."""
        joined = "\n\n".join(texts.measured_documents)
        step = max(1, len(joined) // VALIDATION_ROWS)
        pieces = [joined[place : place + 1500] for place in range(0, len(joined), step)][:VALIDATION_ROWS]

        def measure(model: TextModel) -> dict[str, float]:
            nats, size = 0.0, 0
            for piece in pieces:
                tokens = torch.tensor([[encoder.end, *encoder.plain(piece)]])[:, : self.plan.long]
                with torch.no_grad():
                    mean = model.loss(tokens, torch.ones(tokens.shape))
                nats += float(mean) * (tokens.shape[1] - 1)
                size += sum(len(encoder.text(int(number))) for number in tokens[0, 1:])
            return {"bits_per_byte": nats / math.log(2) / size}

        return measure

    def export(self, data: Path, work: Path, out: Path) -> None:
        """Write the GGUF file, the card, the curve and the samples."""
        from studio.train.starter.text_export import export_text

        export_text(self, data, work, out)

    def evaluate(self, data: Path, work: Path, model: Path) -> Mapping[str, object]:
        """Measure the exported file on held-out text."""
        from studio.train.starter.text_evaluate import evaluate_text

        figures = evaluate_text(self.name, self.read(data), model)
        (work / "figures.json").write_text(json.dumps(figures, indent=2), encoding="utf-8")
        return figures


WRITER = TextRecipe(
    name="writer",
    shape=TextShape(vocabulary=4096, width=256, layers=6, heads=4, kv_heads=2, hidden=640, context=1024),
    plan=Plan(),
    mixture={
        "documents": 0.47,
        "fill_in": 0.03,
        "tasks": 0.31,
        "drills": 0.14,
        "dialogues": 0.03,
        "identity": 0.02,
    },
    closing={
        "documents": 0.40,
        "fill_in": 0.02,
        "tasks": 0.49,
        "drills": 0.04,
        "dialogues": 0.03,
        "identity": 0.02,
    },
    by_line=0.2,
    read=writer_corpus,
)
CODER = TextRecipe(
    name="coder",
    shape=TextShape(vocabulary=4096, width=256, layers=6, heads=4, kv_heads=2, hidden=640, context=1024),
    plan=Plan(),
    mixture={"documents": 0.43, "fill_in": 0.43, "tasks": 0.13, "identity": 0.01},
    closing={"documents": 0.38, "fill_in": 0.46, "tasks": 0.15, "identity": 0.01},
    by_line=0.6,
    read=coder_corpus,
)
COMPOSER = TextRecipe(
    name="composer",
    shape=TextShape(vocabulary=512, width=192, layers=6, heads=3, kv_heads=3, hidden=512, context=1024),
    plan=Plan(minutes=30, short=512, long=1024),
    mixture={"documents": 1.0},
    closing={"documents": 1.0},
    by_line=0.0,
    read=composer_corpus,
)
