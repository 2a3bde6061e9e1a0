"""ABC notation: what each mark means for pitch and time, and what becomes of nonsense and of a cut-off end."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from studio.formats.music.abc_tune import read_abc
from studio.formats.music.bars import check_tune
from studio.formats.music.files import SUFFIXES, tune_file
from studio.formats.music.performance import perform
from studio.formats.music.tune import Key, Metre, Tune

HEAD = "X:1\nT:Test\nM:4/4\nL:1/8\nK:{key}\n"


def read(music: str, key: str = "C") -> Tune:
    return read_abc(HEAD.format(key=key) + music)


def pitches(music: str, key: str = "C") -> list[int]:
    return [note.pitch for part in perform(read(music, key)).parts for note in part.notes]


def times(music: str) -> list[tuple[str, str]]:
    """Start and length of each note, in eighths."""
    notes = [note for part in perform(read(music)).parts for note in part.notes]
    return [(str(note.start * 8), str(note.length * 8)) for note in notes]


@pytest.mark.parametrize(
    ("music", "key", "expected"),
    [
        ("C c c' C, C,,|", "C", [60, 72, 84, 48, 36]),
        ("F C B E|", "D", [66, 61, 71, 64]),
        ("B E A D|", "Ab", [70, 63, 68, 61]),
        ("F G|", "F#m", [66, 68]),
        ("F B|", "G dor", [65, 70]),
        ("F B|", "F lydian", [65, 71]),
        ("B|", "Am clef=bass", [71]),
        ("^C C c ^^F _B __B =B|C|", "C", [61, 61, 72, 67, 70, 69, 71, 60]),
        ("=F F|F|", "G", [65, 65, 66]),
        ("[K:Eb]B [K:C] B|", "C", [70, 71]),
        ("^F8-|F4 F4|", "C", [66, 65]),
        ("[CEG]8|", "C", [60, 64, 67]),
    ],
)
def test_pitch(music: str, key: str, expected: list[int]) -> None:
    assert pitches(music, key) == expected


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("C2D/E3/2F//G/4|", [("0", "2"), ("2", "1/2"), ("5/2", "3/2"), ("4", "1/4"), ("17/4", "1/4")]),
        ("C>D E<F|", [("0", "3/2"), ("3/2", "1/2"), ("2", "1/2"), ("5/2", "3/2")]),
        ("C2>>D2|", [("0", "7/2"), ("7/2", "1/2")]),
        ("(3CDE F|", [("0", "2/3"), ("2/3", "2/3"), ("4/3", "2/3"), ("2", "1")]),
        ("(3:2:2C2D E|", [("0", "4/3"), ("4/3", "2/3"), ("2", "1")]),
        ("z2C x D|", [("2", "1"), ("4", "1")]),
        ("C4-C2 D2|", [("0", "6"), ("6", "2")]),
        ("C8-|C4 D4|", [("0", "12"), ("12", "4")]),
        ("C4-D4|", [("0", "4"), ("4", "4")]),
        ("[C-E]4 [CF]4|", [("0", "8"), ("0", "4"), ("4", "4")]),
        ("[C2E2]2 D|", [("0", "4"), ("0", "4"), ("4", "1")]),
        ('"Am"C {gfe}D !trill!E (FG) .A ~B|', [(str(at), "1") for at in range(7)]),
        ("[L:1/16]CD|", [("0", "1/2"), ("1/2", "1/2")]),
    ],
)
def test_time(music: str, expected: list[tuple[str, str]]) -> None:
    assert times(music) == expected


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("|:C8|D8:|E8|]", "CDCDE"),
        ("C8|D8:|E8|F8:|G8|]", "CDCDEFEFG"),
        ("|:C8|D8::E8:|", "CDCDEE"),
        ("|:C8|1D8:|2E8|]", "CDCE"),
        ("|:C8|[1 D8:|[2 E8||F8|]", "CDCEF"),
        ("|:C8|1D8:|2E8|:F8|1G8:|2A8|]", "CDCEFGFA"),
        ("|:C8|1D8|E8:|2F8|G8|]", "CDECFG"),
    ],
)
def test_repeats_are_played_out(music: str, expected: str) -> None:
    letters = {60: "C", 62: "D", 64: "E", 65: "F", 67: "G", 69: "A"}
    assert "".join(letters[pitch] for pitch in pitches(music)) == expected


def test_the_header() -> None:
    tune = read_abc("X:7\nT:A walk\nM:6/8\nL:1/8\nQ:3/8=60\nK:Em\nw:la\n% quiet\nE3 B3|\n")
    assert (tune.title, tune.metre, tune.key, tune.tempo) == ("A walk", Metre(6, 8), Key(1, minor=True), 90.0)
    assert perform(tune).seconds == pytest.approx(2.0)
    assert read_abc("M:C|\nK:none\nC|").metre == Metre(2, 2)
    for wrong in ("0", "1/4=0", "9999", "Allegro", "1/4=7"):
        assert read_abc(f"M:4/4\nQ:{wrong}\nK:C\nC8|").tempo == 100.0


VOICES = "M:2/4\nL:1/8\n%%score [S B]\nV:S clef=treble\nV:B clef=bass\nK:C\n"


def test_voices_sound_together() -> None:
    tune = read_abc(VOICES + "[V:S] c4 | d4 |\n[V:B] C,4 | D,4 |\n[V:S] e4 |]\n[V:B] E,4 |]\n")
    parts = perform(tune).parts
    assert [part.name for part in parts] == ["S", "B"]
    assert [[note.pitch for note in part.notes] for part in parts] == [[72, 74, 76], [48, 50, 52]]
    assert [note.start for note in parts[0].notes] == [note.start for note in parts[1].notes]
    apart = read_abc("M:2/4\nL:1/8\nK:C\nV:1\nc4|d4|\nV:2\nC4|D4|\n")
    assert [len(voice.bars) for voice in apart.voices] == [2, 2]


def test_a_bar_too_long_keeps_the_voices_together() -> None:
    parts = perform(read_abc(VOICES + "[V:S] c4 | d4 |]\n[V:B] C,6 | D,4 |]\n")).parts
    assert parts[0].notes[1].start == parts[1].notes[1].start == Fraction(6, 8)


def test_bars_that_do_not_add_up_are_named() -> None:
    tune = read("C2|C8|C7|(3CDE C6|C9|C6|]")
    assert tune.voices[0].odd_bars == (3, 5)
    assert not tune.dropped
    assert check_tune(HEAD.format(key="C") + "C8|C8|C7|C8|") == check_tune(HEAD.format(key="C") + "C8|\nC8|\nC7|\nC8|")
    changed = read("C8|[M:3/4]C6|C6|[M:4/4]C8|C8|")
    assert changed.voices[0].odd_bars == ()
    assert [str(change.metre.length) for change in perform(changed).changes] == ["1", "3/4", "1"]


def test_an_end_that_was_cut_off_is_said_and_whole_bars_stay() -> None:
    cut = read("C8|D8|E3")
    assert len(cut.voices[0].bars) == 2
    assert "breaks off" in cut.dropped[0]
    assert not read("C8|D8|E8").dropped  # whole, with its bar line only missing
    assert len(read("CDEF").voices[0].bars) == 1  # all there is
    uneven = read_abc(VOICES + "[V:S] c4 | d4 |\n[V:B] C,4 | D,4 |\n[V:S] e4 | f4 |\n[V:B] E,4 | F,")
    assert [len(voice.bars) for voice in uneven.voices] == [3, 3]
    assert len(uneven.dropped) == 2
    assert "last bar" in uneven.dropped[1]
    whole = read_abc(VOICES + "[V:S] c4 | d4 |]\n[V:B] C,4 |]\n")
    assert [len(voice.bars) for voice in whole.voices] == [2, 1]
    assert not whole.dropped


def test_nonsense_does_no_harm() -> None:
    random.seed(5)
    words = 'C ^f, z | :| |: [ ] [CE] (3 (9:9:99 > << - / 999 V: [V:B] K: [K:Q] M:0/0 M:3/4 Q:1/4= \\ % { " ! é [1 X:2'
    marks = [*words.split(), "\n", "\x00", " "]
    for _ in range(400):
        abc = random.choice(["", "M:4/4\nK:C\n"]) + "".join(random.choices(marks, k=random.randrange(60)))
        tune = read_abc(abc)
        check_tune(abc)
        perform(tune)
        if tune.voices:
            assert tune_file(abc, tune, ".mid").startswith(b"MThd")
    for abc in ("[" * 5000, "(" * 5000, "C" * 5000, "|:" * 5000 + "C|", "C:|" * 3000, "[C" * 3000, "^" * 9000):
        tune = read_abc("M:4/4\nK:C\n" + abc)
        perform(tune)
    assert not read_abc("").voices
    assert not check_tune("words and words").parsed
    assert ".abc" in SUFFIXES
