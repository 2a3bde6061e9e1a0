from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from studio.train.starter.text_gguf import interleave, write_gguf
from studio.train.starter.text_model import TextModel, TextShape
from studio.train.starter.text_play import Player, draw
from studio.train.starter.text_tokenizer import Encoder, train_tokenizer
from tests.train.tiny_corpus import function, story


class Exported:
    """A random model, in torch and in llama.cpp."""

    def __init__(self, folder: Path) -> None:
        tokenizer = train_tokenizer([story(seed) + function(seed) for seed in range(30)], 384)
        shape = TextShape(tokenizer.get_vocab_size(), width=64, layers=2, heads=4, kv_heads=2, hidden=96, context=256)
        torch.manual_seed(5)
        self.model = TextModel(shape)
        with torch.no_grad():
            self.model.embedding.mul_(20)
        write_gguf(folder / "tiny.gguf", self.model, tokenizer, "Tiny", "For a test.")
        self.encoder = Encoder(tokenizer)
        self.player = Player(folder / "tiny.gguf")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    made = Exported(tmp_path_factory.mktemp("gguf"))
    yield made
    made.player.close()


def test_llama_cpp_cuts_text_as_the_trainer_does(exported: Exported) -> None:
    texts = [story(seed) for seed in range(90, 95)] + [function(seed) for seed in range(90, 95)]
    texts += [
        "\tx\r\n\r\n   y  ",
        "don't we'll I'M 3.14159 1,000",
        "日本語 — “naïve”",
        "<|im_end|>",
        "a\n\n\n\n        b",
    ]
    for text in texts:
        assert exported.player.tokens(text) == exported.encoder.plain(text)
        assert exported.player.bytes_of(exported.encoder.plain(text)).decode() == text


def test_llama_cpp_agrees_with_torch(exported: Exported) -> None:
    tokens = [exported.encoder.end, *exported.encoder.plain(story(77) + function(77))][:200]
    with torch.no_grad():
        ours = exported.model(torch.tensor([tokens]))[0].numpy()
    theirs = exported.player.scores(tokens)
    # Rounding to 8 bits moves the scores by a percent of their spread; a wrong rotation moves them by all of it.
    assert np.abs(ours - theirs).mean() < 0.03 * ours.std()
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.998


def test_interleaving_keeps_every_row() -> None:
    matrix = np.arange(16, dtype=np.float32).reshape(8, 2)
    mixed = interleave(matrix, heads=2)
    assert mixed[:4, 0].tolist() == [0, 4, 2, 6]
    assert sorted(mixed.ravel().tolist()) == matrix.ravel().tolist()


def test_the_same_seed_writes_the_same(exported: Exported) -> None:
    prompt = exported.encoder.plain("the old fox")
    texts = [exported.player.write(prompt, 20, temperature=1.0, seed=seed).text for seed in (4, 4, 5)]
    assert texts[0] == texts[1] != texts[2]


def test_low_temperature_takes_the_likeliest() -> None:
    scores = np.array([0.0, 5.0, 1.0])
    assert {draw(scores, 0.05, np.random.default_rng(seed)) for seed in range(20)} == {1}
