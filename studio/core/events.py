"""What a running job says: small typed values, dispatched by type.

A job's events have rising sequence numbers; the last one is exactly one of `JobCompleted`,
`JobFailed` and `JobCancelled`. Engines leave `job` and `sequence` at their defaults: the worker
stamps them.
"""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec

from studio.core.failure import Failure
from studio.core.references import Asset


class Stage(enum.StrEnum):
    """What a job is doing; each stage has a progress of its own."""

    LOAD = "load"
    ENCODE = "encode"
    PROMPT = "prompt"
    DENOISE = "denoise"
    DECODE = "decode"
    GENERATE = "generate"
    SAVE = "save"


class Picture(msgspec.Struct, frozen=True):
    """Pixels: `height` rows of `width` pixels of `channels` bytes (3 RGB, 4 straight RGBA), no padding.

    Between processes the pixels travel in shared memory; the type is the same on both sides.
    """

    width: Annotated[int, msgspec.Meta(ge=1)]
    height: Annotated[int, msgspec.Meta(ge=1)]
    channels: Annotated[int, msgspec.Meta(ge=1, le=4)]
    pixels: bytes
    seed: int | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The root of all events."""

    job: str = ""
    sequence: int = 0


class JobStarted(Event, frozen=True, kw_only=True):
    """The job has reached a worker. `device` is where it runs: `cpu`, `cuda:0`, `mps`."""

    device: str
    process: int = 0


class JobProgress(Event, frozen=True, kw_only=True):
    """`step` of `total` in `stage`; `total` None where it can't be known."""

    stage: Stage
    step: int
    total: int | None = None


class JobPreview(Event, frozen=True, kw_only=True):
    """What the picture looks like so far, possibly smaller than the result.

    `finished` is the number (from 0) of a picture of a batch that is done and is shown as it will be, while the
    next ones are made; such a preview is never left out. None for all others.
    """

    picture: Picture
    step: int = 0
    finished: int | None = None


class TokenLogprob(msgspec.Struct, frozen=True):
    """One token with its natural-log probability and its likeliest alternatives."""

    token: str
    logprob: float
    alternatives: tuple[tuple[str, float], ...] = ()


class TextDelta(Event, frozen=True, kw_only=True):
    """More text. `tokens` is how many tokens it came from."""

    text: str
    tokens: int = 1
    logprobs: tuple[TokenLogprob, ...] = ()


class ContextUse(Event, frozen=True, kw_only=True):
    """The context meter, in tokens: `used` and `left` of the window, `dropped` did not fit."""

    used: int
    left: int
    dropped: int = 0


class JobNotice(Event, frozen=True, kw_only=True):
    """Something that was done on the user's behalf and that they should know."""

    text: str


class RunReport(msgspec.Struct, frozen=True):
    """Measured facts of a finished run; times in seconds, memory in bytes.

    The next forecast learns from them. `finish` is why a text ended: `stop`, `length`, `eos` or `repetition`.
    """

    load_seconds: float = 0.0
    run_seconds: float = 0.0
    peak_memory: int = 0
    prompt_tokens: int = 0
    reused_tokens: int = 0
    output_tokens: int = 0
    finish: str = ""
    library: str = ""
    device: str = ""


class JobCompleted(Event, frozen=True, kw_only=True):
    """The result. `assets` are filled in by the studio once the pictures lie on disk."""

    pictures: tuple[Picture, ...] = ()
    text: str = ""
    assets: tuple[Asset, ...] = ()
    report: RunReport = RunReport()


class JobFailed(Event, frozen=True, kw_only=True):
    """The job ended with a failure."""

    failure: Failure


class JobCancelled(Event, frozen=True, kw_only=True):
    """The job ended because somebody asked for it; `text` is what had been written until then."""

    text: str = ""


AnyEvent = (
    JobStarted | JobProgress | JobPreview | TextDelta | ContextUse | JobNotice | JobCompleted | JobFailed | JobCancelled
)
Terminal = JobCompleted | JobFailed | JobCancelled


def is_terminal(event: Event) -> bool:
    """Whether `event` is a job's last."""
    return isinstance(event, JobCompleted | JobFailed | JobCancelled)
