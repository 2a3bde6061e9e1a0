"""The session: one project, one shelf, one queue, and the workers that empty it.

Everything that the rooms share and no widget owns. May be used without a window; the headless
commands do.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

import studio
from studio.app.history import RunHistory
from studio.core.codec import validated
from studio.core.engine import Assignment, Placement
from studio.core.events import Event, JobCompleted, Picture
from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.jobs import Job
from studio.core.provenance import ALGORITHMICALLY_ENHANCED, TRAINED_ALGORITHMIC_MEDIA, Provenance
from studio.core.references import SUGGESTION, Asset, Destination, ModelRef
from studio.core.requests import (
    CodeRequest,
    MusicRequest,
    PictureRequest,
    Request,
    TextRequest,
    UpscaleRequest,
    input_assets,
    words_of,
)
from studio.documents.project import Project
from studio.formats.png import decode_picture, encode_png
from studio.jobs.dispatcher import Dispatcher
from studio.jobs.limits import Limits, WorkerCommand
from studio.jobs.queue import Queue
from studio.models.forecast import Forecast, forecast
from studio.models.shelf import Shelf

LARGEST_PICTURE_FILE = 1 << 30

Written = TypeVar("Written", bound=TextRequest | CodeRequest | MusicRequest)


class Studio:
    """One running session. `start` and `stop` belong to whoever made it."""

    def __init__(
        self,
        project: Project,
        shelf: Shelf,
        worker: WorkerCommand,
        state_folder: Path,
        *,
        limits: Limits | None = None,
        placement: Callable[[], Placement] = Placement,
        preview_rate: Callable[[], float] = lambda: 15.0,
    ) -> None:
        self.project = project
        self.shelf = shelf
        self.queue = Queue(project.database("queue"))
        self.history = RunHistory(state_folder / "runs.db")
        self._placement = placement
        self._preview_rate = preview_rate
        self.dispatcher = Dispatcher(
            self.queue, self._assignment, worker, limits or Limits(), finish=self._keep_results
        )

    def start(self) -> None:
        """Begin to run what is queued."""
        self.dispatcher.start()

    def stop(self) -> None:
        """Cancel what runs, end the workers, close the databases; nothing stays behind."""
        self.dispatcher.stop()
        self.queue.close()
        self.history.close()
        self.project.close()

    def submit(self, request: Request, destination: Destination, title: str = "") -> Job:
        """Queue `request`. Raises `StudioError` for an invalid request or a missing model or input."""
        validated(request)
        self.shelf.find(request.model)
        for identity in input_assets(request):
            self.project.assets.path(identity)
        return self.dispatcher.submit(request, destination, title)

    def cancel(self, job: str) -> None:
        """End the job, wherever it is; a job that has ended is left alone."""
        self.dispatcher.cancel(job)

    def listen(self, callback: Callable[[Job, Event], None]) -> Callable[[], None]:
        """Hear of every event, on background threads; the answer ends it."""
        return self.dispatcher.listen(callback)

    def import_picture(self, source: Path | bytes, name: str = "") -> Asset:
        """Bring a picture into the project as it is. Raises `StudioError` for anything else."""
        data = _read(source) if isinstance(source, Path) else source
        shown = name or (source.name if isinstance(source, Path) else "The picture")
        decode_picture(data, shown)
        return self.project.assets.put(data, "image", _media_type(data), Path(shown).stem)

    def import_pixels(self, picture: Picture, name: str, *, mask: bool = False) -> Asset:
        """Bring pixels into the project as a PNG, for use as an input."""
        return self.project.assets.put(encode_png(picture), "mask" if mask else "image", "image/png", name)

    def forecast(self, request: Request) -> Forecast:
        """What to expect of `request`. Raises `StudioError` (`MODEL_MISSING`)."""
        return forecast(self.shelf.find(request.model), request, self.history.of(request.model))

    def advised(self, request: Written) -> Written:
        """`request` with the sampling that its model's makers advise. Raises `StudioError` (`MODEL_MISSING`)."""
        return replace(request, sampling=self.shelf.find(request.model).advised(request.sampling))

    @staticmethod
    def new_seed() -> int:
        """A seed nobody chose; it is written into the request like any other."""
        return secrets.randbelow(2**32)

    def licence_of(self, model: ModelRef) -> str:
        """What the licence of `model` means for the result, in a few words."""
        return self.shelf.find(model).licence_sentence

    def _assignment(self, job: Job) -> Assignment:
        """Everything that a worker needs for `job`, resolved to this machine."""
        request = job.request
        inputs = {identity: str(self.project.assets.path(identity)) for identity in input_assets(request)}
        return Assignment(
            job=job.id,
            request=request,
            model=self.shelf.resolve(request.model),
            inputs=inputs,
            placement=self._placement(),
            preview_rate=self._preview_rate(),
        )

    def _keep_results(self, job: Job, event: JobCompleted) -> JobCompleted:
        """Store the pictures in the project before anyone hears of them. Runs in a background thread."""
        if job.destination.anchor != SUGGESTION:  # a few tokens and much reading: no measure for what is asked for
            self.history.add(job.request, event.report)
        if not isinstance(job.request, PictureRequest):
            return event
        assets = tuple(self._keep_picture(job, picture, event) for picture in event.pictures)
        return replace(event, assets=assets)

    def _keep_picture(self, job: Job, picture: Picture, event: JobCompleted) -> Asset:
        provenance = self.provenance(job.request, event, picture.seed)
        data = encode_png(picture, provenance)
        name = job.title or words_of(job.request)
        return self.project.assets.put(data, "image", "image/png", name, provenance)

    def provenance(self, request: Request, event: JobCompleted, seed: int | None = None) -> Provenance:
        """The record of how a result came to be."""
        entry = self.shelf.find(request.model)
        return Provenance(
            request=request,
            studio_version=studio.__version__,
            library=event.report.library,
            model_name=entry.name,
            licence=entry.licence,
            created=time.time(),
            seed=seed,
            device=event.report.device,
            ingredients=input_assets(request),
            digital_source_type=self._source_type(request),
        )

    def _source_type(self, request: Request) -> str:
        """A larger version of a picture is what the picture was; one from outside the studio was enhanced here."""
        if not isinstance(request, UpscaleRequest):
            return TRAINED_ALGORITHMIC_MEDIA
        before = self.project.assets.provenance(request.image)
        return before.digital_source_type if before else ALGORITHMICALLY_ENHANCED


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_PICTURE_FILE:
            raise StudioError(
                Failure(
                    FailureCode.INPUT_DAMAGED,
                    f"“{path.name}” is larger than 1 GB; that is no picture to work with.",
                    hint="Make a smaller copy in another program and bring that in.",
                )
            )
        return path.read_bytes()
    except OSError as error:
        raise StudioError(
            Failure(
                FailureCode.INPUT_MISSING,
                f"“{path.name}” can't be read: {error.strerror or error}.",
                hint="Check that the file is still there and that you may read it.",
                detail=str(error),
            )
        ) from error


def _media_type(data: bytes) -> str:
    if data.startswith(b"\x89PNG"):
        return "image/png"
    if data.startswith(b"\xff\xd8"):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "application/octet-stream"
