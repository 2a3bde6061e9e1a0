"""Prompts for pictures: what it is, its style by word, its background by colour.

The same picture gets many wordings, so that people need not guess the trained one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from studio.train.starter.image_data import BACKGROUNDS, Picture

STYLES: tuple[str, ...] = (
    "flat emoji",
    "noto emoji",
    "pixel art",
    "white on black icon",
    "3d emoji",
    "blob emoji",
    "firefox emoji",
)
NOUNS = 200
STYLES_JUDGED: Mapping[str, str] = {"noto": "noto emoji", "fluentflat": "flat emoji", "fluent3d": "3d emoji"}
_NOUN_GROUPS = ("animals and nature", "food and drink", "objects", "travel and places", "activities")
_LETTERS = ("keycap", "button", "sign", "letters", "mark")
_MIRROR_GROUPS = frozenset({"symbols", "flags", "wall tile", "book", "altar"})
_COMMON_GROUPS = {
    "animals and nature": 1.6,
    "food and drink": 1.6,
    "objects": 1.0,
    "travel and places": 0.8,
    "activities": 1.0,
    "smileys and emotion": 0.6,
    "people and body": 0.1,
    "symbols": 0.1,
    "flags": 0.1,
}


def may_mirror(picture: Picture) -> bool:
    """Whether the mirrored picture still shows the same thing (writing would not)."""
    return picture.group not in _MIRROR_GROUPS and not any(w in picture.caption for w in _LETTERS)


def weight(picture: Picture) -> float:
    """How often to draw a picture within its source: plain nouns come first."""
    base = _COMMON_GROUPS.get(picture.group, 1.0)
    words = len(picture.caption.replace(",", " ").replace(":", " ").split())
    if "o'clock" in picture.caption or "thirty" in picture.caption:
        return 0.1
    return base * {1: 1.5, 2: 0.8}.get(words, 0.3)


def common_nouns(pictures: Sequence[Picture], count: int = NOUNS) -> list[str]:
    """Captions of one or two words that all judged styles draw; those of older sets come first."""
    sources: dict[str, set[str]] = {}
    for p in pictures:
        plain = p.group in _NOUN_GROUPS and len(p.caption.split()) <= 2 and p.caption.replace(" ", "").isalpha()
        if plain and not p.held_out and not p.caption.endswith(" face"):
            sources.setdefault(p.caption, set()).add(p.source)
    fit = {noun: s for noun, s in sources.items() if s.issuperset(STYLES_JUDGED)}
    return sorted(sorted(fit, key=lambda noun: (len(noun.split()), -len(fit[noun]), noun))[:count])


def subject(picture: Picture, rng: np.random.Generator) -> str:
    """The thing drawn, sometimes with an article or with the group that explains a tile."""
    noun = picture.caption.lower()
    if picture.source == "dcss" and picture.group not in noun and rng.random() < 0.3:
        noun = f"{noun} {picture.group}"
    choice = rng.random()
    if choice < 0.35 and not noun.endswith("s"):
        return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
    return f"the {noun}" if choice > 0.95 else noun


def write_caption(picture: Picture, background: str | None, rng: np.random.Generator) -> str:
    """One wording; `background` is a colour name, or None where the picture fills its square.

    A white background is named only half the time, so that it is what you get unasked;
    the icons have black for that.
    """
    noun = subject(picture, rng)
    usual = "black" if picture.source == "gameicons" else "white"
    named = background is not None and (background != usual or rng.random() < 0.5)
    behind = f"{background} background"
    if rng.random() < 0.25:
        text = f"{picture.style} of {noun}"
        if named:
            text += f", {behind}" if rng.random() < 0.5 else f" on {behind}"
    else:
        text = f"{noun}, {picture.style}"
        if named:
            text += (f", on a {behind}", f", {behind}", f" on {background}")[int(rng.integers(3))]
    if picture.keywords and rng.random() < 0.2:
        count = min(len(picture.keywords), int(rng.integers(1, 4)))
        chosen = rng.choice(len(picture.keywords), size=count, replace=False)
        text += ", " + ", ".join(picture.keywords[int(i)].lower() for i in chosen)
    return text


def vocabulary_lines(pictures: Sequence[Picture]) -> Iterator[str]:
    """Text for the tokenizer: captions count most, then keywords, styles and colours."""
    for picture in pictures:
        for _ in range(3):
            yield picture.caption.lower()
        yield " ".join(picture.keywords).lower()
        yield picture.group
    for style in STYLES:
        for colour in BACKGROUNDS:
            yield from (f"a the an, {style} of on a {colour} background",) * 20
