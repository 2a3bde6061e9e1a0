"""How far a running job is, how fast it goes and how long it will still take, from its events alone."""

from __future__ import annotations

from studio.core.events import Event, JobPreview, JobProgress, JobStarted, Stage, TextDelta
from studio.core.jobs import Job
from studio.core.requests import CodeRequest, ImageRequest, PictureRequest, SpriteRequest, TextRequest, UpscaleRequest
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


class Pace:
    """Follows one job. `hear` takes its events with the time in seconds on any steady clock."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.device = ""
        self.stage: Stage | None = None
        self.step = 0
        self.total: int | None = None
        self._began: tuple[float, int] | None = None
        self._now = 0.0
        self._tokens = 0
        self._first_token: float | None = None

    def hear(self, event: Event, now: float) -> None:
        """Take in one event."""
        self._now = now
        match event:
            case JobStarted(device=device):
                self.device = device
            case JobProgress(stage=stage, step=step, total=total):
                if stage != self.stage or step < self.step:
                    self._began = (now, step)
                self.stage, self.step, self.total = stage, step, total
            case TextDelta(tokens=tokens):
                if self.stage is not Stage.GENERATE:
                    self.stage, self.step, self.total = Stage.GENERATE, 0, None
                if self._first_token is None:
                    self._first_token = now
                else:
                    self._tokens += tokens
            case JobPreview(step=step) if self.stage is Stage.DENOISE:
                self.step = max(self.step, step)

    @property
    def fraction(self) -> float | None:
        """How much of the present stage is done, 0 to 1; None where nobody knows."""
        if not self.total:
            return None
        return max(0.0, min(1.0, self.step / self.total))

    @property
    def seconds_left(self) -> float | None:
        """What is left of the present stage at the speed so far."""
        if self._began is None or not self.total:
            return None
        began, first = self._began
        done = self.step - first
        if done < 2 or self._now <= began:
            return None
        return (self.total - self.step) * (self._now - began) / done

    @property
    def tokens_per_second(self) -> float | None:
        """The speed of the writing; the first token only starts the clock."""
        if self._first_token is None or self._tokens < 3 or self._now <= self._first_token:
            return None
        return self._tokens / (self._now - self._first_token)

    def words(self) -> str:
        """The job's state as the status strip shows it."""
        if self.stage is None:
            return "starting"
        if self.tokens_per_second is not None:
            return f"{self.tokens_per_second:.0f} tokens a second"
        words = _WORDS[self.stage]
        if self.stage in (Stage.LOAD, Stage.PROMPT) and self.fraction is not None:
            return f"{words} · {self.fraction:.0%}"
        if words:
            return words
        counted = f"{self.step} of {self.total}" if self.total else f"step {self.step}"
        if isinstance(self.job.request, PictureRequest) and self.seconds_left is not None:
            return f"{counted} · {duration_words(self.seconds_left)} left"
        return counted


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
        case TextRequest():
            return "write"
