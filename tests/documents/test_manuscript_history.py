"""Undo with a passage that streams in while the person types on."""

from __future__ import annotations

import random

import pytest

from studio.documents.text_history import Edit, TextHistory
from studio.documents.units import cut, units


class Text:
    """A text with its history, edited the way an editor does it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.history = TextHistory()

    def put(self, edit: Edit) -> None:
        before, after = cut(self.text, 0, edit.position), cut(self.text, edit.position, units(self.text))
        assert after.startswith(edit.removed), f"{edit} does not fit {self.text!r}"
        self.text = before + edit.inserted + after[len(edit.removed) :]

    def type(self, position: int, removed: int, inserted: str, *, typed: bool = False) -> None:
        edit = Edit(position, cut(self.text, position, position + removed), inserted)
        self.put(edit)
        self.history.record(edit, typed=typed)

    def stream(self, words: str) -> None:
        passage = self.history.passage
        assert passage is not None
        self.put(Edit(passage.end, "", words))
        self.history.grow_passage(units(words))

    def finish(self) -> str:
        passage = self.history.passage
        assert passage is not None
        words = cut(self.text, passage.start, passage.end)
        self.history.end_passage()
        self.history.record_step([Edit(passage.start, "", words)])
        return words

    def undo(self) -> None:
        for edit in self.history.undo():
            self.put(edit)

    def redo(self) -> None:
        for edit in self.history.redo():
            self.put(edit)


def test_typing_makes_one_step_a_word_and_deleting_one_step_a_run() -> None:
    text = Text("")
    for place, letter in enumerate("two words"):
        text.type(place, 0, letter, typed=True)
    text.undo()
    assert text.text == "two "
    text.undo()
    assert text.text == ""
    text.redo()
    text.redo()
    assert text.text == "two words"
    for place in range(8, 5, -1):
        text.type(place, 1, "", typed=True)
    assert text.text == "two wo"
    text.undo()
    assert text.text == "two words"


def test_a_passage_is_one_step_on_top_whatever_was_typed_around_it() -> None:
    text = Text("start end")
    text.history.begin_passage(5)
    text.stream(" one")
    text.type(0, 0, "The ")
    text.stream(" two")
    text.type(units(text.text), 0, "!")
    assert text.finish() == " one two"
    assert text.text == "The start one two end!"
    text.undo()
    assert text.text == "The start end!"
    text.undo()
    assert text.text == "The start end"
    text.undo()
    assert text.text == "start end"
    for _ in range(3):
        text.redo()
    assert text.text == "The start one two end!"


def test_words_typed_at_the_place_before_anything_came_stay_before_it() -> None:
    text = Text("ab")
    text.history.begin_passage(1)
    text.type(1, 0, "x")
    text.stream("1")
    text.type(3, 0, "y")
    text.stream("2")
    assert text.text == "ax12yb"
    assert text.finish() == "12"
    text.undo()
    assert text.text == "axyb"


def test_corrections_inside_the_passage_belong_to_it() -> None:
    text = Text("ab")
    text.history.begin_passage(1)
    text.stream("one two")
    text.type(4, 1, "-")
    assert text.finish() == "one-two"
    text.undo()
    assert text.text == "ab"
    text.redo()
    assert text.text == "aone-twob"


def test_everything_replaced_while_it_streams() -> None:
    text = Text("before after")
    text.history.begin_passage(6)
    text.stream(" middle")
    text.type(0, units(text.text), "new")
    text.stream(" rest")
    assert text.text == "new rest"
    text.finish()
    text.undo()
    text.undo()
    assert text.text == "before after"


@pytest.mark.parametrize("seed", range(60))
def test_any_edits_around_a_passage_can_be_taken_back_one_by_one(seed: int) -> None:
    chance = random.Random(seed)
    text = Text("".join(chance.choice("ab 😀\n") for _ in range(12)))
    original = text.text
    text.history.begin_passage(chance.choice([0, units("".join(original[:4])), units(original)]))
    for _ in range(12):
        if chance.random() < 0.4:
            text.stream(chance.choice(["w ", "😀", "xy"]))
            continue
        places = [units(text.text[:at]) for at in range(len(text.text) + 1)]
        start, end = sorted((chance.choice(places), chance.choice(places)))
        end = end if chance.random() < 0.5 else start
        text.type(start, end - start, chance.choice(["", "q", "zz"]))
    text.finish()
    final = text.text
    steps = 0
    while text.history.can_undo:
        text.undo()
        steps += 1
    assert text.text == original
    for _ in range(steps):
        text.redo()
    assert text.text == final
