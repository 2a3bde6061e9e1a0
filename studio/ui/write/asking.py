"""What is sent to the model for each kind of help with prose. No Qt.

Continuing without a direction is raw completion of what stands before the cursor; everything else is
an instruction followed by the passage, which is the form that small instruction models learn.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

from studio.core.references import ModelRef
from studio.core.requests import Message, Sampling, TextRequest

Task = Literal["continue", "rewrite", "shorten", "expand", "ask"]
TITLES: dict[Task, str] = {
    "continue": "Continue",
    "rewrite": "Rewrite",
    "shorten": "Shorten",
    "expand": "Expand",
    "ask": "Write",
}
_CHARACTERS_PER_TOKEN = 5
_UNKNOWN_CONTEXT = 2048
_SURROUNDINGS = 1200


@dataclasses.dataclass(frozen=True)
class Situation:
    """The document around the place: `before` and `after` it, and the `passage` that is to be changed."""

    before: str
    passage: str = ""
    after: str = ""


@dataclasses.dataclass(frozen=True)
class Wishes:
    """What the panel says. `words` is how many are wanted; `context` is the model's window in tokens, 0 unknown."""

    model: ModelRef
    seed: int
    direction: str = ""
    variety: float = 0.8
    words: int = 120
    context: int = 0


def build(task: Task, situation: Situation, wishes: Wishes) -> TextRequest:
    """The request for `task`."""
    sampling = Sampling(seed=wishes.seed, temperature=wishes.variety, repetition_penalty=1.05)
    room = (wishes.context or _UNKNOWN_CONTEXT) * _CHARACTERS_PER_TOKEN
    tokens = _tokens(task, situation, wishes)
    if task == "continue" and not wishes.direction:
        prompt = _tail(situation.before, room).rstrip(" ")
        return TextRequest(model=wishes.model, sampling=sampling, prompt=prompt, max_tokens=tokens)
    content = _instruction(task, situation, wishes, room)
    messages = (Message(role="user", content=content),)
    return TextRequest(model=wishes.model, sampling=sampling, messages=messages, max_tokens=tokens)


def shown_text(request: TextRequest) -> str:
    """The text that a request shows the model."""
    return request.prompt or "".join(message.content for message in request.messages)


def _tokens(task: Task, situation: Situation, wishes: Wishes) -> int:
    """About 1.5 tokens a word; what replaces a passage is measured by it."""
    long = len(situation.passage.split())
    words = {"rewrite": long * 1.5 + 20, "shorten": long * 0.8 + 20, "expand": long * 3 + 40}
    return max(8, round((words[task] if task in words and long else wishes.words) * 1.5))


def _instruction(task: Task, situation: Situation, wishes: Wishes, room: int) -> str:
    direction = wishes.direction.strip()
    if task == "continue":
        return f"Continue this text. {_sentence(direction)}\n\n{_tail(situation.before, room).rstrip()}"
    if task == "ask" and not situation.passage:
        around = _tail(situation.before, _SURROUNDINGS).strip()
        return f"{direction}\n\n{around}" if around else direction
    orders = {
        "rewrite": "Rewrite this passage in better words, with the same meaning. Answer with the passage only.",
        "shorten": "Make this passage shorter. Keep what matters. Answer with the passage only.",
        "expand": "Make this passage longer, with more detail. Answer with the passage only.",
        "ask": "",
    }
    return f"{orders[task]} {_sentence(direction)}".strip() + f"\n\n{situation.passage}"


def _sentence(text: str) -> str:
    return text if not text or text[-1] in ".!?" else f"{text}."


def _tail(text: str, most: int) -> str:
    """The last `most` characters, from the start of a word."""
    if len(text) <= most:
        return text
    tail = text[-most:]
    return tail.partition(" ")[2] or tail
