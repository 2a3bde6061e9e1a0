"""The pace of a job from its first step to its last: one bar that never goes back, one time that is left.

An engine reports each stage by itself, and a batch goes through the stages once for each picture. Here they
are put together.
"""

from __future__ import annotations

from studio.core.events import Event, JobPreview, JobProgress, Stage
from studio.core.jobs import Job
from studio.core.requests import ImageRequest
from studio.ui.measures import duration_words
from studio.ui.pace import Pace
from studio.ui.queue.batch import batch_step

_WORK = (Stage.DENOISE, Stage.GENERATE)
_FEWEST = 2  # steps from which a speed can be told


class JobPace(Pace):
    """Follows one job. Its bar begins with the first step of the work itself; loading and reading have words only."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.stopping = False
        self._done = 0
        self._all = 0
        self._farthest: float | None = None
        self._first: tuple[float, int] | None = None
        self._last = 0.0
        self._decoded = 0
        self._decoding = 0.0

    def hear(self, event: Event, now: float) -> None:
        """Take in one event."""
        super().hear(event, now)
        if isinstance(event, JobProgress) and event.stage in _WORK and event.total:
            self._count(event.step, event.total, now)
        elif isinstance(event, JobProgress) and event.stage is Stage.DECODE and event.step > self._decoded:
            self._decoding += now - self._last
            self._decoded, self._last = event.step, now
        elif isinstance(event, JobPreview) and event.step > self._done and self._all:
            self._count(min(event.step, self._all), self._all, now)

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

    def words(self) -> str:
        """The job's state as strip and queue show it."""
        if self.stopping:
            return "stopping…"
        request = self.job.request
        if not isinstance(request, ImageRequest) or not self._all or self.stage not in (Stage.DENOISE, Stage.DECODE):
            return super().words()
        place = batch_step(request, self._done, self._all)
        words = place.words()
        if self.stage is Stage.DECODE:
            words = f"{place.lead} · finishing" if place.lead else "finishing"
        left = self.seconds_left
        return f"{words} · {duration_words(left)} left" if left else words

    def _count(self, step: int, total: int, now: float) -> None:
        if self._first is None or step < self._done or total != self._all:
            self._first = (now, step)
            self._decoded, self._decoding = 0, 0.0
        self._done, self._all, self._last = step, total, now
        self._farthest = max(self._farthest or 0.0, min(1.0, step / total))
