"""From a job's events to pictures on the canvas: previews in place, results where they were asked for."""

from __future__ import annotations

from collections.abc import Callable

from studio.core.events import Event, JobCompleted, JobPreview, JobProgress, Stage, is_terminal
from studio.core.jobs import Job, JobState
from studio.core.references import Asset, Destination
from studio.core.requests import ImageRequest
from studio.documents.canvas.document import CanvasDocument, sheet
from studio.documents.canvas.placement import Rect
from studio.ui.canvas.pictures import PictureCache, image_of
from studio.ui.canvas.scene import RunningPicture, Scene

_WORDS = {Stage.LOAD: "loading the model", Stage.ENCODE: "reading the prompt", Stage.DECODE: "finishing"}


class CanvasResults:
    """Keeps the scene's running pictures and lands what is done; `repaint` is called when something shows."""

    def __init__(
        self, document: CanvasDocument, scene: Scene, cache: PictureCache, repaint: Callable[[], None]
    ) -> None:
        self.document = document
        self._scene = scene
        self._cache = cache
        self._repaint = repaint

    def hear(self, job: Job, event: Event) -> None:
        """Take in one event of any job; those of other documents are not shown."""
        if not isinstance(job.request, ImageRequest) or job.destination.document != self.document.id:
            return
        if is_terminal(event):
            self._scene.running.pop(job.id, None)
            if isinstance(event, JobCompleted):
                self._land(job, event)
        else:
            running = self._scene.running.setdefault(job.id, RunningPicture(places_of(job)))
            _show(running, event)
        self._repaint()

    def catch_up(self, jobs: list[Job]) -> None:
        """Land what was finished while this document was not open, and show what is on its way."""
        self._scene.running.clear()
        for job in jobs:
            if not isinstance(job.request, ImageRequest) or job.destination.document != self.document.id:
                continue
            if job.state is JobState.COMPLETED and job.assets:
                self.land(job, job.assets)
            elif job.state.active or (job.state is JobState.QUEUED and not job.interrupted):
                self.expect(job)
        self._repaint()

    def expect(self, job: Job) -> None:
        """Show where a queued job will land."""
        word = "waiting" if job.state is JobState.QUEUED else "starting"
        self._scene.running[job.id] = RunningPicture(places_of(job), label=word)

    def land(self, job: Job, assets: tuple[Asset, ...]) -> None:
        """Place the pictures of a finished job side by side."""
        places = sheet(rect_of(job.destination), len(assets))
        self.document.land(job.id, list(zip(assets, places, strict=True)), job.title)

    def _land(self, job: Job, event: JobCompleted) -> None:
        for asset, picture in zip(event.assets, event.pictures, strict=False):
            self._cache.put(asset, image_of(picture))
        self.land(job, event.assets)


def rect_of(destination: Destination) -> Rect:
    """Where a destination lies on its canvas."""
    return Rect(destination.x, destination.y, max(1, destination.width), max(1, destination.height))


def places_of(job: Job) -> tuple[Rect, ...]:
    """Where each picture of `job` will land."""
    count = job.request.batch_size if isinstance(job.request, ImageRequest) else 1
    return sheet(rect_of(job.destination), count)


def _show(running: RunningPicture, event: Event) -> None:
    match event:
        case JobPreview(picture=picture, step=step):
            running.turn_to(step)
            running.image = image_of(picture)
        case JobProgress(stage=Stage.DENOISE, step=step, total=total):
            running.total = total or 0
            running.turn_to(step)
            running.label = f"step {step} of {total}" if total else f"step {step}"
            running.share = step / total if total else None
        case JobProgress(stage=stage):
            running.label = _WORDS.get(stage, str(stage))
        case _:
            pass
