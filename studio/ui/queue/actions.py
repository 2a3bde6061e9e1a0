"""What the window can do with jobs; the frame's commands and the queue's list both come here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.app.notices import Notices
from studio.core.failure import StudioError
from studio.ui.queue.watch import QueueWatch

if TYPE_CHECKING:
    from studio.app.studio import Studio


class JobActions:
    """Changes to the queue happen outside the main thread; stopping happens at once."""

    def __init__(self, studio: Studio, watch: QueueWatch, notices: Notices) -> None:
        self._studio = studio
        self._watch = watch
        self._notices = notices

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
        """Stop whatever runs; what waits stays."""
        for job in self._watch.jobs:
            if job.state.active:
                self.cancel(job.id)

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
