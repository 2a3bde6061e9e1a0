"""What the window can do with jobs; the frame's commands and the queue's list both come here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.app.notices import Action, Notices
from studio.core.failure import StudioError
from studio.core.jobs import JobState
from studio.core.references import SUGGESTION
from studio.ui.measures import count_words
from studio.ui.queue.watch import QueueWatch

if TYPE_CHECKING:
    from studio.app.studio import Studio


class JobActions:
    """Changes to the queue happen outside the main thread; stopping happens at once."""

    def __init__(self, studio: Studio, watch: QueueWatch, notices: Notices) -> None:
        self._studio = studio
        self._watch = watch
        self._notices = notices
        self._held: int | None = None
        watch.changed.connect(self._forget_held)

    @property
    def running(self) -> bool:
        """Whether a worker has something to do."""
        return any(job.state.active for job in self._watch.jobs)

    def act(self, verb: str, job: str) -> None:
        """Do one of the verbs of the queue's list with a job."""
        queue = self._studio.queue
        match verb:
            case "hold":
                self._watch.act(lambda: queue.hold(job))
            case "resume":
                self._watch.act(lambda: queue.resume(job))
            case "cancel":
                self.cancel(job)
            case "retry":
                self._watch.act(lambda: self._studio.dispatcher.retry(job))
            case "remove":
                self._watch.act(lambda: queue.remove(job))

    def move(self, job: str, before: str) -> None:
        """Put a job before another one; with an empty `before` at the end."""
        self._watch.act(lambda: self._studio.queue.move(job, before or None))

    def cancel(self, job: str) -> None:
        """Stop a job, wherever it is."""
        self._watch.note_stop(job)
        try:
            self._studio.cancel(job)
        except StudioError as error:
            self._notices.fail(error.failure)

    def stop_all(self) -> None:
        """Stop whatever runs. What waits stays and waits on: after this, nothing begins by itself."""
        waiting = self._hold_waiting()
        # Read anew: one of those that waited may have begun just before the queue was held.
        for job in self._studio.queue.jobs():
            if job.state.active:
                self.cancel(job.id)
        if waiting:
            self._held = self._notices.post(
                "What ran was stopped, and the queue is paused.",
                hint=f"{count_words(waiting, 'job waits', 'jobs wait')} until you let it go on.",
                action=Action("Go on", self.go_on),
            ).id
            self._watch.read()

    def go_on(self) -> None:
        """Let the queue hand out jobs again."""
        self._watch.act(lambda: self._studio.queue.set_paused(False))

    def toggle_pause(self) -> None:
        """Let the queue begin nothing new, or let it go on."""
        self._watch.act(lambda: self._studio.queue.set_paused(not self._studio.queue.paused))

    def clear_ended(self) -> None:
        """Take ended jobs off the list."""
        self._watch.act(self._studio.queue.clear_ended)

    def run_interrupted(self) -> None:
        """Let jobs run that were cut short."""
        for job in self._watch.interrupted:
            self.act("resume", job.id)

    def _hold_waiting(self) -> int:
        """Pause the queue if anything in it would begin next; how many jobs that are. At once: a lane is fast."""
        queue = self._studio.queue
        waiting = [job for job in queue.jobs() if job.state is JobState.QUEUED and not job.held]
        if not waiting or queue.paused:
            return 0
        try:
            queue.set_paused(True)
        except StudioError as error:
            self._notices.fail(error.failure)
            return 0
        return sum(1 for job in waiting if job.destination.anchor != SUGGESTION) or len(waiting)

    def _forget_held(self) -> None:
        """The queue goes on, whoever let it: the words about its pause are over."""
        if self._held is not None and not self._studio.queue.paused:  # what was read last may be older
            self._notices.dismiss(self._held)
            self._held = None
