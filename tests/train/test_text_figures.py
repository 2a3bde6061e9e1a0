from __future__ import annotations

import os

import pytest

from studio.formats.music.bars import check_tune
from studio.train.starter.text_baselines import Memory, ngram_bits_per_byte, xz_bits_per_byte
from studio.train.starter.text_corpus import Task
from studio.train.starter.text_evaluate import function_head, has_dedented, parses, whole_function
from studio.train.starter.text_play import Reply
from studio.train.starter.text_rules import RULES, right_math, shared_words
from tests.train.tiny_corpus import function, story


def test_ngrams_know_what_they_learned_and_nothing_of_noise() -> None:
    learned = " ".join(story(seed) for seed in range(40)).encode()
    known = ngram_bits_per_byte(learned, story(99).encode())
    assert known < xz_bits_per_byte(story(99).encode())
    assert known < 2.0
    assert ngram_bits_per_byte(learned, os.urandom(4000)) > 8


def test_a_single_symbol_costs_almost_nothing() -> None:
    assert ngram_bits_per_byte(b"a" * 5000, b"a" * 100) < 0.2


def test_the_longest_passage_from_training_is_found() -> None:
    memory = Memory([story(1), story(2)])
    passage = story(2)[30:110]
    assert memory.longest_overlap("Quite new words here:\t" + passage + "\t~ and more that is new.") == passage
    assert memory.longest_overlap("nothing like it, zebra xylophone quartz jumble") == ""


@pytest.mark.parametrize(
    ("kind", "asked", "answer", "follows"),
    [
        ("definition", 'What does "brave" mean?', '"Brave" (adjective) means: not afraid of danger.', True),
        ("definition", 'What does "brave" mean?', '"Bread" (noun) means: food made of flour.', False),
        ("synonym", 'Give me a synonym for "happy".', 'Another word for "happy" is "glad".', True),
        ("synonym", 'Give me a synonym for "happy".', 'Another word for "happy" is "happy".', False),
        ("math", "Tom has 3 apples and buys 4. How many?", "3 + 4 = 7.\nThe answer is 7.", True),
        ("math", "Tom has 3 apples and buys 4. How many?", "He has many apples.", False),
        ("story-qa", "What did the crow drop?\n\nThe crow dropped the cheese.", "The cheese.", True),
        ("story-qa", "What did the crow drop?\n\nThe crow dropped the cheese.", "Beautiful golden palaces.", False),
    ],
)
def test_rules_tell_followed_from_not(kind: str, asked: str, answer: str, follows: bool) -> None:
    task = Task(asked, "", "", "s", kind)
    assert RULES[kind](task, Reply(answer, ended=True)) is follows
    assert not RULES[kind](task, Reply(answer, ended=False))


def test_right_answers_are_told_from_wrong_ones() -> None:
    task = Task("3 + 4?", "", "The answer is 7.", "s", "math")
    assert right_math(task, Reply("So.\nThe answer is 7.", ended=True))
    assert not right_math(task, Reply("The answer is 8.", ended=True))
    assert shared_words(task, Reply("The answer is 7.", ended=True)) == 1.0


def test_a_function_is_cut_where_it_ends() -> None:
    source = function(5)
    head = function_head(source)
    assert head.endswith('"""Add 5."""\n')
    body = source[len(head) :]
    assert has_dedented(body + "\nprint(1)\n")
    assert not has_dedented(body)
    assert whole_function(head, body + "print(1", ended=False) == source
    assert parses(whole_function(head, body + "\nprint(1)", ended=True))
    assert not parses("def f(:\n")
    assert not parses("")


TUNE = "X:1\nT:Test\nM:3/4\nL:1/8\nK:G\nG2 | G2 A2 B2 | c3 B A2 | (3GAB c2 d2 | {bars} | G6 |]\n"


def test_bars_are_added_up() -> None:
    good = check_tune(TUNE.format(bars="B2 z4"))
    assert (good.parsed, good.bars, good.fitting) == (True, 4, 4)
    short = check_tune(TUNE.format(bars="B2 z3"))
    assert (short.parsed, short.fitting) == (True, 3)
    assert not check_tune(TUNE.format(bars="?? q")).parsed
    assert not check_tune("no header").parsed


def test_voices_are_counted_apart() -> None:
    tune = "X:1\nM:2/4\nL:1/8\nK:C\n[V:S] c4 | d4 | e4 |]\n[V:B] C,4 | D,2 D,2 | E,4 |]\n"
    result = check_tune(tune)
    assert (result.bars, result.fitting) == (2, 2)
