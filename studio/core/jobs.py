"""A request on its way to a result."""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec

from studio.core.failure import Failure
from studio.core.references import Asset, Destination
from studio.core.requests import (
    CodeRequest,
    ImageRequest,
    MusicRequest,
    Request,
    SpriteRequest,
    TextRequest,
    UpscaleRequest,
)


class JobState(enum.StrEnum):
    """Where a job is on its way."""

    QUEUED = "queued"
    LOADING = "loading"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to the job by itself."""
        return self in (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)

    @property
    def active(self) -> bool:
        """Whether a worker has the job."""
        return self in (JobState.LOADING, JobState.RUNNING)


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the queue.

    `position` orders the queue (smaller first). A `held` job waits until it is resumed. `interrupted`
    marks a job that was with a worker when the studio ended; it is held and offered again. Times are
    seconds since the epoch. `text` keeps what a text job had written when it ended.
    """

    id: Annotated[str, msgspec.Meta(min_length=1)]
    request: Request
    state: JobState = JobState.QUEUED
    destination: Destination = Destination(room="file")
    title: str = ""
    position: float = 0.0
    held: bool = False
    interrupted: bool = False
    attempt: int = 0
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    failure: Failure | None = None
    assets: tuple[Asset, ...] = ()
    text: str = ""


class Family(enum.StrEnum):
    """An engine family: one kind of worker process, one model library."""

    DIFFUSION = "diffusion"
    LANGUAGE = "language"
    GAN = "gan"


def family_of(request: Request) -> Family:
    """The engine family that runs `request`."""
    match request:
        case ImageRequest():
            return Family.DIFFUSION
        case TextRequest() | CodeRequest() | MusicRequest():
            return Family.LANGUAGE
        case UpscaleRequest() | SpriteRequest():
            return Family.GAN
