"""From a job's events to pictures on the canvas: previews in place, results where they were asked for."""

from __future__ import annotations

from collections.abc import Callable

from studio.core.events import Event, JobCompleted, JobPreview, JobProgress, Stage, is_terminal
from studio.core.jobs import Job, JobState
from studio.core.references import Asset, Destination
from studio.core.requests import ImageRequest, PictureRequest, picture_count
from studio.documents.canvas.document import CanvasDocument, sheet
from studio.documents.canvas.placement import Rect
from studio.ui.batch import BatchStep, batch_step
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
        if not isinstance(job.request, PictureRequest) or job.destination.document != self.document.id:
            return
        if is_terminal(event):
            self._scene.running.pop(job.id, None)
            if isinstance(event, JobCompleted):
                self._land(job, event)
        else:
            running = self._scene.running.setdefault(job.id, RunningPicture(places_of(job)))
            _show(running, job.request, event)
        self._repaint()

    def catch_up(self, jobs: list[Job]) -> None:
        """Land what was finished while this document was not open, and show what is on its way."""
        self._scene.running.clear()
        for job in jobs:
            if not isinstance(job.request, PictureRequest) or job.destination.document != self.document.id:
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

    def note_stop(self, identity: str) -> None:
        """Somebody stops a picture: that is seen at once, however long its end takes."""
        running = self._scene.running.get(identity)
        if running is not None:
            running.stopping, running.label = True, "stopping…"
            self._repaint()

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
    return sheet(rect_of(job.destination), picture_count(job.request))


def _show(running: RunningPicture, request: PictureRequest, event: Event) -> None:
    match event:
        case JobPreview(picture=picture, finished=int(number)):
            running.finished[number] = image_of(picture)
            if number == running.current:
                running.image = running.finished[number]
        case JobPreview(picture=picture, step=step):
            # The picture may have come before the news that the next one has begun.
            if running.total and isinstance(request, ImageRequest):
                running.turn_to(_index(batch_step(request, step, running.total)))
            running.image = image_of(picture)
        case JobProgress(stage=Stage.DENOISE, step=step, total=total) if isinstance(request, ImageRequest):
            running.total = total or 0
            _turn(running, batch_step(request, step, total))
        case JobProgress(stage=Stage.GENERATE, step=step, total=total) if total:
            running.share = step / total
            if not running.stopping:
                running.label = f"part {min(step + 1, total)} of {total}"
        case JobProgress(stage=stage) if not running.stopping:
            lead = f"picture {running.current + 1} of {len(running.places)} · " if _between(running, stage) else ""
            running.label = lead + _WORDS.get(stage, str(stage))
        case _:
            pass


def _turn(running: RunningPicture, place: BatchStep) -> None:
    running.together = not place.picture
    running.turn_to(_index(place))
    running.share = place.share if place.steps else None
    if not running.stopping:
        running.label = place.words()


def _index(place: BatchStep) -> int:
    return max(0, place.picture - 1)


def _between(running: RunningPicture, stage: Stage) -> bool:
    """Whether one picture of several is being finished."""
    return stage is Stage.DECODE and len(running.places) > 1 and not running.together
