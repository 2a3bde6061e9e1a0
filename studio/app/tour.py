"""The tour: a picture, a paragraph, a piece of code and a tune by the starter models, on a contact sheet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from studio.app.headless import run_request
from studio.app.studio import Studio
from studio.core.events import Event, JobCompleted
from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.references import Task
from studio.core.requests import CodeRequest, ImageRequest, MusicRequest, Request, Sampling, TextRequest
from studio.documents.atomic import write_atomically
from studio.formats.contact_sheet import SheetEntry, contact_sheet
from studio.formats.music.abc_tune import read_abc
from studio.formats.music.files import credit, tune_file
from studio.formats.png import encode_png
from studio.models.entry import ShelfEntry
from studio.models.shelf import Shelf

SEED = 7
PICTURE = "a rose, flat emoji, on a white background"
STORY = "Once upon a time there was a fox who lived at the edge of a great wood. One morning"
FUNCTION = 'def mean(numbers: list[float]) -> float:\n    """Return the mean of the numbers."""\n'


class Stop(msgspec.Struct, frozen=True):
    """One stop of the tour."""

    heading: str
    entry: ShelfEntry
    request: Request
    prompt: str


def stops(shelf: Shelf) -> tuple[Stop, ...]:
    """What the tour makes with the models that are here.

    Raises `StudioError` (`MODEL_MISSING`) where there is none at all.
    """
    image, text, code = (_starter(shelf, task) for task in ("image", "text", "code"))
    found: list[Stop] = []
    if image is not None:
        edge = image.native_size or 512
        request = ImageRequest(
            prompt=PICTURE,
            model=image.ref,
            seed=SEED,
            width=edge,
            height=edge,
            steps=image.steps or 20,
            guidance_scale=image.guidance or 5.0,
        )
        found.append(Stop("A picture", image, request, PICTURE))
    if text is not None:
        sampling = text.advised(Sampling(seed=SEED, temperature=0.7))
        found.append(
            Stop(
                "A paragraph", text, TextRequest(model=text.ref, sampling=sampling, prompt=STORY, max_tokens=120), STORY
            )
        )
    if code is not None:
        sampling = code.advised(Sampling(seed=SEED, temperature=0.2))
        code_request = CodeRequest(
            model=code.ref, sampling=sampling, prefix=FUNCTION, max_tokens=120, stop=("\n\n\n", "\ndef ", "\nclass ")
        )
        found.append(Stop("A piece of code", code, code_request, FUNCTION))
    found += _tune(shelf)
    if not found:
        raise StudioError(
            Failure(
                FailureCode.MODEL_MISSING,
                "There is no model on this computer, not even a starter model.",
                hint="Get Atelier's files again: resources/starter is empty.",
            )
        )
    return tuple(found)


def take_tour(
    session: Studio,
    folder: Path,
    on_stop: Callable[[Stop], None],
    on_event: Callable[[Event], None],
    stop_wanted: threading.Event | None = None,
) -> list[Path]:
    """Make everything, write it with its contact sheet to `folder`, return the files.

    Raises `StudioError`, `Cancelled` like `run_request`.
    """
    written: list[Path] = []
    entries: list[SheetEntry] = []
    for stop in stops(session.shelf):
        on_stop(stop)
        result = run_request(session, stop.request, on_event, stop.heading, stop_wanted)
        paths = _write(session, stop, result, folder)
        written += paths
        entries.append(_sheet_entry(stop, result, paths))
    sheet = folder / "index.html"
    page = contact_sheet("Atelier: the tour", "Made on this computer, offline, by the models named below.", entries)
    write_atomically(sheet, page.encode())
    return [*written, sheet]


def _starter(shelf: Shelf, task: Task) -> ShelfEntry | None:
    suited = shelf.for_task(task)
    return next((entry for entry in suited if entry.source == "starter"), suited[0] if suited else None)


def _tune(shelf: Shelf) -> list[Stop]:
    composer = _starter(shelf, "music")
    if composer is None:
        return []
    sampling = composer.advised(Sampling(seed=SEED, temperature=0.8))
    request = MusicRequest(
        model=composer.ref, sampling=sampling, metre="3/4", key="G", title="The tour", bars=16, max_tokens=500
    )
    return [Stop("A tune", composer, request, "")]


def _write(session: Studio, stop: Stop, result: JobCompleted, folder: Path) -> list[Path]:
    if isinstance(stop.request, MusicRequest):
        return _write_tune(result.text, folder, credit(stop.entry.name, SEED))
    if isinstance(stop.request, ImageRequest):
        picture = result.pictures[0]
        path = folder / "picture.png"
        write_atomically(path, encode_png(picture, session.provenance(stop.request, result, picture.seed)))
        return [path]
    path = folder / ("code.py" if isinstance(stop.request, CodeRequest) else "paragraph.md")
    write_atomically(path, (stop.prompt + result.text).rstrip().encode() + b"\n")
    return [path]


def _write_tune(abc: str, folder: Path, note: str) -> list[Path]:
    """The tune as text, and, where it has notes, for other programs and to be heard."""
    tune = read_abc(abc)
    paths = [folder / f"tune{suffix}" for suffix in ((".abc", ".mid", ".wav") if tune.voices else (".abc",))]
    for path in paths:
        write_atomically(path, tune_file(abc, tune, path.suffix, note))
    return paths


def _sheet_entry(stop: Stop, result: JobCompleted, paths: list[Path]) -> SheetEntry:
    report = result.report
    facts = f"{stop.entry.name} · {stop.entry.licence} · seed {SEED} · {report.run_seconds:.1f} s"
    if isinstance(stop.request, ImageRequest):
        return SheetEntry(stop.heading, stop.prompt, facts, picture=paths[0].name)
    sound = next((path.name for path in paths if path.suffix == ".wav"), "")
    return SheetEntry(stop.heading, "", facts, text=stop.prompt + result.text, sound=sound)
