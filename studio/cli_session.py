"""What every headless command does alike: find the model, run one request, show how it goes, say what went wrong."""

from __future__ import annotations

import contextlib
import itertools
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated

import msgspec
import typer

from studio.app.headless import headless_studio, run_request
from studio.app.paths import settings_path, state_folder
from studio.app.settings import Settings
from studio.app.studio import Studio
from studio.cli_progress import Progress
from studio.core.codec import validated
from studio.core.events import Event, JobCompleted, TextDelta
from studio.core.failure import Cancelled, Failure, FailureCode, InvalidField, StudioError
from studio.core.references import Task
from studio.core.requests import ImageRequest, MusicRequest, Request
from studio.documents.atomic import write_atomically
from studio.formats.music.abc_tune import read_abc
from studio.formats.music.facts import facts_of
from studio.jobs.limits import WorkerCommand
from studio.models.entry import ShelfEntry
from studio.models.shelf import Shelf

INTERRUPTED = 130

Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="The file to write; one that is there already is replaced.")
]
Model = Annotated[str | None, typer.Option(help="A name from `models list`, or the path of a file or folder.")]
SeedOption = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="The same seed makes the same result.")]
MaxTokens = Annotated[int, typer.Option(min=1, help="The longest answer, in tokens.")]
Temperature = Annotated[float, typer.Option(min=0.0, max=5.0, help="0 always takes the likeliest token.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, nothing else.")]


def run(
    shelf: Shelf,
    wanted: Request | Callable[[Studio], Request],
    keep: Callable[[JobCompleted, Sequence[bytes]], str],
    *,
    as_json: bool,
    stream: bool = False,
) -> None:
    """Run a request, show its progress, keep the result and print what `keep` says of it.

    Where the request has inputs, `wanted` makes it once there is a project to bring them into. Words that were
    written before somebody stopped the run are kept too.
    """
    written: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, TextDelta):
            written.append(event.text)
        progress.show(event)

    if not callable(wanted):
        checked(wanted)  # before anything is started
    with headless_studio(shelf, worker(), state_folder()) as session:
        request = checked(wanted(session)) if callable(wanted) else wanted
        with Progress(sys.stderr, text=None if as_json or not stream else sys.stdout, quiet=as_json) as progress:
            progress.begin(shelf.find(request.model).name)
            with interruptible() as stop:
                try:
                    result = run_request(session, request, hear, stop=stop)
                except Cancelled:
                    where = keep(JobCompleted(text="".join(written)), ()) if written else ""
                    if where:
                        say(f"What was written until then is in {where}.", error=True)
                    raise
        data = [session.project.assets.path(asset.id).read_bytes() for asset in result.assets]
        where = keep(result, data)
    if as_json:
        say(msgspec.json.encode(_result_row(request, result, where)).decode())
    elif where:
        # Beside streamed text the file's name is news, not output.
        say(where, error=stream)


def checked(request: Request) -> Request:
    """`request` itself, if it can be run. Raises `InvalidField`."""
    validated(request)
    if isinstance(request, ImageRequest) and not request.prompt.strip():
        raise InvalidField("PROMPT", "it is empty; say what to make")
    return request


def _result_row(request: Request, result: JobCompleted, where: str) -> dict[str, object]:
    row: dict[str, object] = {"file": where or None, "text": result.text or None}
    if isinstance(request, MusicRequest):
        row["tune"] = facts_of(read_abc(result.text))
    return {**row, "request": request, "report": result.report}


def write_pictures(result: JobCompleted, data: Sequence[bytes], target: Path) -> str:
    """Write the pictures: one as `target`, several with a number behind its name; the files' names, one a line."""
    if not data:
        raise StudioError(
            Failure(
                FailureCode.INTERNAL, "The run ended without a picture.", hint="Try again.", detail=str(result.report)
            )
        )
    width = len(str(len(data)))
    numbered = [target.with_stem(f"{target.stem}-{number:0{width}}") for number in range(1, len(data) + 1)]
    targets = [target] if len(data) == 1 else numbered
    for path, picture in zip(targets, data, strict=True):
        write_atomically(path, picture)
    return "\n".join(str(path) for path in targets)


def target_for(output: Path | None, name: str, suffixes: tuple[str, ...] = ()) -> Path:
    """Where a result goes: `output`, or a file called `name` that is not there yet.

    Raises `StudioError` for a folder that does not exist, and where `suffixes` are those that can be written and
    `output` has another one.
    """
    if output is None:
        first = Path(name)
        further = (first.with_stem(f"{first.stem}-{number}") for number in itertools.count(2))
        return next(path for path in itertools.chain([first], further) if not path.exists())
    if suffixes and output.suffix.lower() not in suffixes:
        *others, last = suffixes
        endings = f"{', '.join(others)} or {last}" if others else last
        raise _unfit(f"“{output.name}” is no name for what is written here.", f"Let it end in {endings}.")
    if not output.parent.is_dir():
        raise _unfit(f"There is no folder “{output.parent}” for {output.name}.", "Make it first, or choose another.")
    return output


def _unfit(message: str, hint: str) -> StudioError:
    return StudioError(Failure(FailureCode.INVALID_REQUEST, message, hint=hint))


def this_shelf() -> Shelf:
    """The models of this computer, with the folders that the settings name."""
    preferences = Settings.load(settings_path()).values
    return Shelf(Path(folder) for folder in preferences.model_folders)


def choose(shelf: Shelf, task: Task, name: str | None) -> ShelfEntry:
    """The model called `name`, or the usual one for `task`. Raises `StudioError`."""
    if name is not None:
        return shelf.named(name)
    entry = shelf.default(task)
    if entry is None:
        raise StudioError(
            Failure(
                FailureCode.MODEL_MISSING,
                f"There is no model for {task} on this computer.",
                hint="`doctor` shows what is missing; --model takes the path of a file or folder.",
            )
        )
    return entry


def chosen_seed(chosen: int | None) -> int:
    """The seed that was chosen, or one that nobody chose."""
    return Studio.new_seed() if chosen is None else chosen


def worker() -> WorkerCommand:
    """How a worker is started."""
    return WorkerCommand()


@contextlib.contextmanager
def refusals(*, as_json: bool) -> Iterator[None]:
    """Turn the studio's errors into words and an exit code."""
    try:
        yield
    except StudioError as error:
        if as_json:
            say(msgspec.json.encode({"failure": error.failure}).decode())
        else:
            complain(error.failure)
        raise typer.Exit(1) from error
    except (Cancelled, KeyboardInterrupt) as error:
        if as_json:
            say(msgspec.json.encode({"stopped": True}).decode())
        else:
            say("Stopped.", error=True)
        raise typer.Exit(INTERRUPTED) from error


@contextlib.contextmanager
def interruptible() -> Iterator[threading.Event]:
    """The first Ctrl-C sets the event, so that the job is cancelled in order; the second one breaks off."""
    stop = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def complain(failure: Failure) -> None:
    """Say what happened and what to do next."""
    say(f"{failure.message} {failure.hint}".rstrip(), error=True)


def say(text: str, *, error: bool = False) -> None:
    """A line on standard output, or on standard error."""
    typer.echo(text, err=error)
