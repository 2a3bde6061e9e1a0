"""Opens a session from the user's settings; what the window and its tests share."""

from __future__ import annotations

from pathlib import Path

from studio.app.settings import Settings
from studio.app.studio import Studio
from studio.core.engine import Placement
from studio.core.failure import Failure, FailureCode, StudioError
from studio.documents.project import Project
from studio.jobs.limits import Limits, WorkerCommand
from studio.models.shelf import Shelf
from studio.models.starter import STARTER_FOLDER


def limits_from(settings: Settings) -> Limits:
    """The dispatcher's limits as the settings want them."""
    values = settings.values
    return Limits(
        idle_unload_seconds=values.idle_minutes * 60, memory_budget_bytes=round(values.memory_budget * 1_000_000_000)
    )


def placement_from(settings: Settings) -> Placement:
    """Where models run, as the settings want it; asked anew for each job."""
    values = settings.values
    return Placement(
        device="cuda:0" if values.device == "cuda" else values.device,
        threads=values.threads,
        memory_budget=round(values.memory_budget * 1_000_000_000),
    )


def check_folder(folder: Path, *, fresh: bool) -> None:
    """Refuse a folder that is not there or, where a `fresh` project is wanted, one in which there is something.

    Raises `StudioError` (`STORAGE`).
    """
    try:
        if fresh and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            message = f"There is already something in {folder}, so no new project was made there."
            raise StudioError(Failure(FailureCode.STORAGE, message, hint="Choose another name, or open that folder."))
        if not fresh and not folder.is_dir():
            message = f"There is no folder {folder} any more."
            hint = "It may have been moved or renamed, or lie on a disk that is not connected."
            raise StudioError(Failure(FailureCode.STORAGE, message, hint=hint))
    except OSError as error:
        message = f"The folder {folder} can't be looked into: {error.strerror or error}."
        hint = "Choose a folder that you may write to."
        raise StudioError(Failure(FailureCode.STORAGE, message, hint=hint, detail=str(error))) from error


def open_studio(
    project: Path, state: Path, settings: Settings, *, worker: WorkerCommand | None = None, starter: Path | None = None
) -> Studio:
    """Open project, shelf and queue; nothing runs before `start`. Raises `StudioError`."""
    state.mkdir(parents=True, exist_ok=True)
    opened = Project.open(project)
    try:
        return Studio(
            opened,
            Shelf((Path(folder) for folder in settings.values.model_folders), starter or STARTER_FOLDER),
            worker or WorkerCommand(),
            state,
            limits=limits_from(settings),
            placement=lambda: placement_from(settings),
            preview_rate=lambda: settings.values.preview_rate,
        )
    except StudioError:
        opened.close()
        raise
