from __future__ import annotations

import numpy as np
import pytest

from studio.train.starter.text_drills import drills
from studio.train.starter.text_streams import MIDDLE_WEIGHT, FillIn, Flow, Mixture, Packed, Shelf, choose_hole
from studio.train.starter.text_tokenizer import Encoder, train_tokenizer
from tests.train.tiny_corpus import function, story


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(train_tokenizer([story(seed) + function(seed) for seed in range(20)], 300))


def test_text_survives_the_tokenizer_byte_for_byte(encoder: Encoder) -> None:
    for text in (function(3), "naïve — “日本” \t\r\n\x00", "        deep\n\n\n  x", "<|im_end|> is only text here"):
        tokens = encoder.plain(text)
        assert b"".join(encoder.text(token) for token in tokens).decode() == text
        assert encoder.turn_end not in tokens


def test_a_hole_and_its_sides_are_the_text(encoder: Encoder) -> None:
    text = function(7)
    rng = np.random.default_rng(1)
    for _ in range(200):
        start, stop = choose_hole(text, rng, 0.5)
        assert 0 <= start <= stop <= len(text)
    lines = [choose_hole(text, rng, 1.0) for _ in range(200)]
    assert all("\n" not in text[start:stop] for start, stop in lines)
    start, stop = lines[0]
    tokens = encoder.fill_in(text[:start], text[stop:], text[start:stop])
    assert tokens[:2] == [encoder.prefix, encoder.suffix]
    assert tokens[-1] == encoder.end
    place = tokens.index(encoder.middle)
    after, before_and_hole = (
        b"".join(encoder.text(token) for token in part).decode() for part in (tokens[:place], tokens[place:])
    )
    assert before_and_hole + after == text


def test_fill_in_rows_are_full_and_padding_does_not_count(encoder: Encoder) -> None:
    row = FillIn([function(seed) for seed in range(9)], encoder, 0.5).row(np.random.default_rng(2), 0, 128)
    assert row.tokens.shape == (128,)
    assert row.tokens[0] == encoder.prefix
    assert not row.tokens[row.weights == 0].any()
    holes = row.tokens[row.weights == MIDDLE_WEIGHT].tolist()
    assert encoder.end in holes  # where to stop belongs to what is learned
    assert not {encoder.prefix, encoder.suffix, encoder.middle} & set(holes)


def test_only_the_assistant_counts_fully(encoder: Encoder) -> None:
    tokens, own = encoder.turns([("user", "Hello."), ("assistant", "Good day.")])
    spoken = [token for token, mine in zip(tokens, own, strict=True) if mine]
    assert spoken == [*encoder.plain("Good day."), encoder.turn_end]


def test_flow_gives_every_document_once_each_time_round() -> None:
    flow = Flow(Shelf.of([[n] * 4 for n in range(8)]))
    rng, cursor, seen = np.random.default_rng(0), 0, list[int]()
    for _ in range(4):
        row = flow.row(rng, cursor, 8)
        cursor, seen = row.cursor, [*seen, *row.tokens.tolist()]
    assert sorted(seen) == sorted([n for n in range(8) for _ in range(4)])


def test_packed_rows_begin_with_a_whole_example() -> None:
    packed = Packed(Shelf.of([[1, n, n] for n in range(2, 12)]))
    rng, cursor = np.random.default_rng(0), 0
    for _ in range(12):
        row = packed.row(rng, cursor, 8)
        assert row.tokens[0] == 1
        assert row.cursor == cursor + min(2, 10 - cursor % 10)
        cursor = row.cursor


def test_a_step_draws_the_same_rows_again() -> None:
    shelf = Shelf.of([list(range(n, n + 20)) for n in range(30)])
    mixtures = [Mixture({"a": (0.5, Flow(shelf)), "b": (0.5, Packed(shelf))}, seed=3) for _ in range(2)]
    first, second = dict[str, int](), dict[str, int]()
    for step in range(5):
        one, _ = mixtures[0].batch(step, 4, 16, first)
        two, _ = mixtures[1].batch(step, 4, 16, second)
        assert (one == two).all()
    assert first == second


def test_drills_can_be_answered_from_the_question_alone() -> None:
    made = drills([story(seed) for seed in range(5)], 100, seed=1)
    assert made == drills([story(seed) for seed in range(5)], 100, seed=1)
    for question, answer in made:
        spoken = set(answer.lower().replace('"', "").rstrip(".").split()) - {"the", "word", "is", "last", "first"}
        assert spoken <= set(question.lower().replace('"', " ").replace("?", " ").replace(".", " ").split())
