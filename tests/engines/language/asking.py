"""Asks a real engine, with real weights, and sorts what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

import pytest
from msgspec.structs import replace

from studio.core.engine import Assignment, LocalModel, Placement
from studio.core.events import ContextUse, Event, JobCompleted, JobNotice, RunReport, TextDelta
from studio.core.failure import Cancelled, Failure, StudioError
from studio.core.references import ModelRef
from studio.core.requests import CodeRequest, Message, MusicRequest, Sampling, TextRequest
from studio.engines.language.engine import LanguageEngine

MODEL = ModelRef("local/tiny")
CPU = Placement(device="cpu", threads=1)
Role = Literal["system", "user", "assistant"]
E = TypeVar("E", bound=Event)


class Flag:
    """A cancel flag that raises itself once it has been asked `after` times, or when told."""

    def __init__(self, after: int | None = None) -> None:
        self.asked = 0
        self.after = after

    def is_set(self) -> bool:
        self.asked += 1
        return self.after is not None and self.asked > self.after

    def check(self) -> None:
        if self.is_set():
            raise Cancelled


@dataclass
class Answer:
    """All events of a job, and what they amount to."""

    events: list[Event] = field(default_factory=list)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def completed(self) -> JobCompleted:
        last = self.events[-1]
        assert isinstance(last, JobCompleted)
        return last

    @property
    def text(self) -> str:
        assert self.completed.text == "".join(delta.text for delta in self.of(TextDelta))
        return self.completed.text

    @property
    def report(self) -> RunReport:
        return self.completed.report

    @property
    def notices(self) -> list[str]:
        return [notice.text for notice in self.of(JobNotice)]

    @property
    def meter(self) -> ContextUse:
        return self.of(ContextUse)[-1]


def sampling(seed: int = 1, **values: float) -> Sampling:
    return replace(Sampling(seed=seed), **values)


def text(prompt: str, *, most: int = 40, seed: int = 1, **values: object) -> TextRequest:
    return replace(TextRequest(MODEL, sampling(seed), prompt=prompt, max_tokens=most), **values)


def chat(*turns: tuple[Role, str], most: int = 40, **values: object) -> TextRequest:
    messages = tuple(Message(role, content) for role, content in turns)
    return replace(TextRequest(MODEL, sampling(), messages=messages, max_tokens=most), **values)


def code(*, most: int = 40, **values: object) -> CodeRequest:
    return replace(CodeRequest(MODEL, sampling(), max_tokens=most), **values)


def music(*, most: int = 60, **values: object) -> MusicRequest:
    return replace(MusicRequest(MODEL, sampling(), max_tokens=most, in_metre=False), **values)


def ask(
    engine: LanguageEngine,
    path: Path,
    request: TextRequest | CodeRequest | MusicRequest,
    *,
    cancel: Flag | None = None,
    placement: Placement = CPU,
    on_event: Callable[[Event], None] | None = None,
) -> Answer:
    """Run to the end."""
    answer = Answer()
    for event in engine.run(Assignment("job", request, LocalModel(str(path)), placement=placement), cancel or Flag()):
        answer.events.append(event)
        if on_event is not None:
            on_event(event)
    return answer


def refused(
    engine: LanguageEngine, path: Path, request: TextRequest | CodeRequest | MusicRequest, placement: Placement = CPU
) -> Failure:
    """The failure that the request ends with; it has a message and a hint."""
    with pytest.raises(StudioError) as caught:
        ask(engine, path, request, placement=placement)
    failure = caught.value.failure
    assert failure.message
    assert failure.hint
    assert "Traceback" not in failure.message
    return failure
