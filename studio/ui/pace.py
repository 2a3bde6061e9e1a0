"""How far a running job is, how fast it goes and how long it will still take, from its events alone.

An engine reports each stage by itself, and a batch goes through the stages once for each picture. Here they
are put together: one bar that never goes back, one time that is left.
"""

from __future__ import annotations

from studio.core.events import Event, JobPreview, JobProgress, JobStarted, Stage, TextDelta
from studio.core.jobs import Job
from studio.core.requests import (
    CodeRequest,
    ImageRequest,
    MusicRequest,
    PictureRequest,
    SpriteRequest,
    TextRequest,
    UpscaleRequest,
)
from studio.ui.batch import batch_step
from studio.ui.measures import duration_words

_WORDS = {
    Stage.LOAD: "loading the model",
    Stage.ENCODE: "reading the prompt",
    Stage.PROMPT: "reading the prompt",
    Stage.DENOISE: "",
    Stage.DECODE: "finishing",
    Stage.GENERATE: "",
    Stage.SAVE: "saving",
}
_WORK = (Stage.DENOISE, Stage.GENERATE)
_FEWEST = 2  # steps from which a speed can be told


class Pace:
    """Follows one job. `hear` takes its events with the time in seconds on any steady clock.

    The bar begins with the first step of the work itself; loading and reading have words only.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.device = ""
        self.stage: Stage | None = None
        self.step = 0
        self.total: int | None = None
        self.stopping = False
        self._now = 0.0
        self._tokens = 0
        self._first_token: float | None = None
        self._done = 0
        self._all = 0
        self._farthest: float | None = None
        self._first: tuple[float, int] | None = None
        self._last = 0.0
        self._decoded = 0
        self._decoding = 0.0

    def hear(self, event: Event, now: float) -> None:
        """Take in one event."""
        self._now = now
        match event:
            case JobStarted(device=device):
                self.device = device
            case JobProgress(stage=stage, step=step, total=total):
                self.stage, self.step, self.total = stage, step, total
                self._progress(event, now)
            case TextDelta(tokens=tokens):
                self._write(tokens, now)
            case JobPreview(step=step) if self.stage is Stage.DENOISE:
                self.step = max(self.step, step)
                if step > self._done and self._all:
                    self._count(min(step, self._all), self._all, now)

    @property
    def fraction(self) -> float | None:
        """How much of the whole work is done, 0 to 1; None until it has begun."""
        return self._farthest

    @property
    def seconds_left(self) -> float | None:
        """What is left of the whole work: of the steps at their speed so far, and of pictures to decode likewise."""
        if self._first is None:
            return None
        began, first = self._first
        done, spent = self._done - first, self._last - began - self._decoding
        if done < _FEWEST or spent <= 0:
            return None
        left = (self._all - self._done) * spent / done
        if self._decoded and isinstance(self.job.request, ImageRequest):
            left += max(0, self.job.request.batch_size - self._decoded) * self._decoding / self._decoded
        return left

    @property
    def tokens_per_second(self) -> float | None:
        """The speed of the writing; the first token only starts the clock."""
        if self._first_token is None or self._tokens < 3 or self._now <= self._first_token:
            return None
        return self._tokens / (self._now - self._first_token)

    def words(self) -> str:
        """The job's state as strip and queue show it."""
        if self.stopping:
            return "stopping…"
        if self.stage is None:
            return "starting"
        if self.tokens_per_second is not None:
            return f"{self.tokens_per_second:.0f} tokens a second"
        if isinstance(self.job.request, ImageRequest) and self._all and self.stage in (Stage.DENOISE, Stage.DECODE):
            return self._with_time(self._picture_words(self.job.request))
        words = _WORDS[self.stage]
        if self.stage in (Stage.LOAD, Stage.PROMPT) and self.total:
            return f"{words} · {min(1.0, self.step / self.total):.0%}"
        if words:
            return words
        counted = f"{self.step} of {self.total}" if self.total else f"step {self.step}"
        return self._with_time(counted) if isinstance(self.job.request, PictureRequest) else counted

    def _picture_words(self, request: ImageRequest) -> str:
        place = batch_step(request, self._done, self._all)
        if self.stage is not Stage.DECODE:
            return place.words()
        return f"{place.lead} · finishing" if place.lead else "finishing"

    def _with_time(self, words: str) -> str:
        left = self.seconds_left
        return f"{words} · {duration_words(left)} left" if left else words

    def _progress(self, event: JobProgress, now: float) -> None:
        if event.stage in _WORK and event.total:
            self._count(event.step, event.total, now)
        elif event.stage is Stage.DECODE and event.step > self._decoded:
            self._decoding += now - self._last
            self._decoded, self._last = event.step, now

    def _write(self, tokens: int, now: float) -> None:
        if self.stage is not Stage.GENERATE:
            self.stage, self.step, self.total = Stage.GENERATE, 0, None
        if self._first_token is None:
            self._first_token = now
        else:
            self._tokens += tokens

    def _count(self, step: int, total: int, now: float) -> None:
        if self._first is None or step < self._done or total != self._all:
            self._first = (now, step)
            self._decoded, self._decoding = 0, 0.0
        self._done, self._all, self._last = step, total, now
        self._farthest = max(self._farthest or 0.0, min(1.0, step / total))


def job_title(job: Job) -> str:
    """What a job is called: its title, else the beginning of what was asked for."""
    request = job.request
    match request:
        case ImageRequest(prompt=prompt):
            text, kind = prompt, "Picture"
        case UpscaleRequest(scale=scale):
            text, kind = "", f"Upscale ×{scale}"
        case SpriteRequest(kind=wanted):
            text, kind = wanted, "Sprite"
        case CodeRequest(instruction=instruction):
            text, kind = instruction, "Code at the cursor"
        case MusicRequest(title=title, kind=wanted):
            text, kind = title, wanted.capitalize()
        case TextRequest(messages=messages, prompt=prompt):
            text, kind = (messages[-1].content if messages else prompt[-80:]), "Text"
    return job.title or " ".join(text.split()) or kind


def job_icon(job: Job) -> str:
    """The icon of the kind of result."""
    match job.request:
        case ImageRequest() | UpscaleRequest() | SpriteRequest():
            return "canvas"
        case CodeRequest():
            return "code"
        case MusicRequest():
            return "sound"
        case TextRequest():
            return "write"
