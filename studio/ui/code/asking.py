"""What is sent to the model for code at a place. No Qt."""

from __future__ import annotations

import dataclasses

from studio.core.references import ModelRef
from studio.core.requests import CodeRequest, Sampling

_CHARACTERS_PER_TOKEN = 3
_UNKNOWN_CONTEXT = 2048
_GHOST_BEFORE, _GHOST_AFTER = 4000, 1000
GHOST_TOKENS, ASKED_TOKENS = 24, 64


@dataclasses.dataclass(frozen=True)
class Place:
    """The code before and after the cursor (or the selection, which is to be replaced)."""

    before: str
    after: str
    selected: str = ""
    language: str = "python"


@dataclasses.dataclass(frozen=True)
class Wishes:
    """What the panel says. `tokens` and `lines` are the most that is written (0 lines: any number of them), `context`
    is the model's window, 0 unknown.
    """

    model: ModelRef
    seed: int
    instruction: str = ""
    variety: float = 0.4
    tokens: int = 256
    lines: int = 0
    context: int = 0


def instructed(place: Place, wishes: Wishes) -> CodeRequest:
    """Code for the instruction at the place; without an instruction, the code goes on there."""
    room = (wishes.context or _UNKNOWN_CONTEXT) * _CHARACTERS_PER_TOKEN
    wish = wishes.instruction
    if place.selected and wish:
        wish = f"{wish}\n\nThe code to change:\n{place.selected}"
    return CodeRequest(
        model=wishes.model,
        sampling=Sampling(seed=wishes.seed, temperature=wishes.variety),
        prefix=place.before[-room:],
        suffix=place.after[: room // 4] if place.after.strip() else "",
        instruction=wish,
        language=place.language,
        max_tokens=wishes.tokens,
        max_lines=wishes.lines,
    )


def suggested(place: Place, model: ModelRef, seed: int, *, asked: bool, other: bool) -> CodeRequest:
    """A short suggestion: one line while the line has begun, more when `asked` for; `other` draws another one.

    Where something stands behind the cursor on its line, it is one line whatever was asked for.
    """
    line = place.before.rpartition("\n")[2]
    begun = bool(line.strip()) and not line.rstrip().endswith((":", "{", "("))
    inside = bool(place.after.partition("\n")[0].strip())
    return CodeRequest(
        model=model,
        sampling=Sampling(seed=seed, temperature=0.7 if other else 0.0),
        prefix=place.before[-_GHOST_BEFORE:],
        suffix=place.after[:_GHOST_AFTER] if place.after.strip() else "",
        language=place.language,
        max_tokens=ASKED_TOKENS if asked else GHOST_TOKENS,
        single_line=inside or (begun and not asked),
    )
