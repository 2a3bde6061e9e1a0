"""The headless commands: `python main.py generate|tour|models|doctor`; `test` and `check` belong to main.py.

Results go to standard output, progress to standard error, so that both can be piped. A refused or failed
command says what happened and what to do next, and ends with exit code 1; Ctrl-C ends with 130.
"""

from __future__ import annotations

import contextlib
import enum
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated

import msgspec
import typer

from studio.app.headless import headless_studio, run_request
from studio.app.paths import default_project, settings_path, state_folder
from studio.app.settings import Settings
from studio.cli_progress import Progress
from studio.core.codec import validated
from studio.core.events import JobCompleted
from studio.core.failure import Cancelled, Failure, FailureCode, InvalidField, StudioError
from studio.core.references import Task
from studio.core.requests import CodeRequest, ImageRequest, Message, Request, Sampling, TextRequest
from studio.documents.assets import safe_name
from studio.documents.atomic import write_atomically
from studio.jobs.limits import WorkerCommand
from studio.models.entry import ShelfEntry
from studio.models.shelf import Shelf

app = typer.Typer(
    name="main.py",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Atelier, an offline creative studio. Without a command it opens the window.",
    epilog="main.py itself knows three more: `test [pytest's arguments]` runs the suite, `check [--fix]` "
    "the linters, types and import contracts, and `setup` looks at the installation again and repairs it.",
)
generate = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make a picture, a text or a piece of code.")
models = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The models on this computer.")
app.add_typer(generate, name="generate")
app.add_typer(models, name="models")

INTERRUPTED = 130

Prompt = Annotated[str, typer.Argument(help="What to make, in your own words.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="The file to write.")]
Model = Annotated[str | None, typer.Option(help="A name from `models list`, or the path of a file or folder.")]
SeedOption = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="The same seed makes the same result.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, nothing else.")]
MaxTokens = Annotated[int, typer.Option(min=1, help="The longest answer, in tokens.")]
Temperature = Annotated[float, typer.Option(min=0.0, max=5.0, help="0 always takes the likeliest token.")]


class Mode(enum.StrEnum):
    """How the prompt of a text is meant."""

    CONTINUE = "continue"
    ANSWER = "answer"


@generate.command("image")
def generate_image(
    prompt: Prompt,
    *,
    output: Output = None,
    model: Model = None,
    seed: SeedOption = None,
    steps: Annotated[int | None, typer.Option(min=1, max=1000, help="Denoising steps; without it the model's.")] = None,
    guidance: Annotated[float | None, typer.Option(min=0.0, max=100.0, help="Guidance scale.")] = None,
    negative: Annotated[str, typer.Option(help="What is not wanted.")] = "",
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT in pixels; without it the model's own size.")] = "",
    as_json: Json = False,
) -> None:
    """Make a picture and write it as a PNG."""
    with _refusals(as_json=as_json):
        shelf = _shelf()
        entry = _choose(shelf, "image", model)
        width, height = _parse_size(size, entry)
        request = ImageRequest(
            prompt=prompt,
            model=entry.ref,
            seed=_seed(seed),
            negative_prompt=negative,
            width=width,
            height=height,
            steps=steps or entry.steps or 20,
            guidance_scale=(entry.guidance or 5.0) if guidance is None else guidance,
        )
        target = output or Path(f"{safe_name(prompt)}.png")
        _run(shelf, request, lambda result, data: _write_picture(result, data, target), as_json=as_json)


@generate.command("text")
def generate_text(
    prompt: Prompt,
    *,
    output: Output = None,
    model: Model = None,
    seed: SeedOption = None,
    max_tokens: MaxTokens = 256,
    temperature: Temperature = 0.7,
    mode: Annotated[Mode, typer.Option(help="Continue the prompt, or answer it as an instruction.")] = Mode.CONTINUE,
    as_json: Json = False,
) -> None:
    """Write a text; it is streamed to standard output."""
    with _refusals(as_json=as_json):
        shelf = _shelf()
        entry = _choose(shelf, "text", model)
        sampling = entry.advised(Sampling(seed=_seed(seed), temperature=temperature))
        turns = (Message("user", prompt),) if mode is Mode.ANSWER else ()
        request = TextRequest(
            model=entry.ref,
            sampling=sampling,
            prompt=prompt if mode is Mode.CONTINUE else "",
            messages=turns,
            max_tokens=max_tokens,
        )
        _run(shelf, request, _text_writer(output), as_json=as_json, stream=True)


@generate.command("code")
def generate_code(
    prompt: Prompt,
    *,
    output: Output = None,
    model: Model = None,
    seed: SeedOption = None,
    max_tokens: MaxTokens = 256,
    temperature: Temperature = 0.2,
    suffix: Annotated[str, typer.Option(help="What stands after the place: fill in the middle.")] = "",
    instruct: Annotated[
        bool, typer.Option("--instruct", help="The prompt is a request, not code to continue.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write code; it is streamed to standard output."""
    with _refusals(as_json=as_json):
        shelf = _shelf()
        entry = _choose(shelf, "code", model)
        request = CodeRequest(
            model=entry.ref,
            sampling=entry.advised(Sampling(seed=_seed(seed), temperature=temperature)),
            prefix="" if instruct else prompt,
            suffix=suffix,
            instruction=prompt if instruct else "",
            max_tokens=max_tokens,
        )
        _run(shelf, request, _text_writer(output), as_json=as_json, stream=True)


@models.command("list")
def list_models(*, as_json: Json = False) -> None:
    """List the models: name, task, size, licence."""
    with _refusals(as_json=as_json):
        shelf = _shelf()
        entries = shelf.entries()
        if as_json:
            _print(msgspec.json.encode([_model_row(entry) for entry in entries]).decode())
            return
        for entry in entries:
            name = f"{entry.name}  [{entry.ref.repo}]"
            _print(f"{name:48} {entry.task:8} {entry.size / 1e6:9.1f} MB  {entry.licence_sentence}")
        for failure in shelf.unreadable():
            _complain(failure)


@app.command()
def tour(
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("tour"),
) -> None:
    """Make one picture, one paragraph and one piece of code with the starter models."""
    from studio.app.tour import Stop, stops, take_tour

    with _refusals(as_json=False):
        shelf = _shelf()
        stops(shelf)
        with headless_studio(shelf, _worker(), state_folder()) as session, Progress(sys.stderr) as progress:

            def announce(stop: Stop) -> None:
                progress.begin(f"{stop.heading} with {stop.entry.name}")

            with _interruptible() as wanted:
                files = take_tour(session, out, announce, progress.show, wanted)
        for path in files:
            _print(str(path))
        for path in files:
            if path.suffix in (".md", ".py"):
                _print(f"\n--- {path.name}\n{path.read_text('utf-8').rstrip()}")


@app.command()
def doctor(*, as_json: Json = False) -> None:
    """Show versions, devices, memory, disk, models, and what is missing and how to get it."""
    from studio.app.doctor import examine

    found = examine(_shelf(), default_project())
    if as_json:
        _print(msgspec.json.encode(found).decode())
    else:
        _print(f"Atelier {found.version} on {found.system}, Python {found.python}")
        for name, version in found.versions.items():
            _print(f"  {name:22} {version or 'missing'}")
        for device in found.devices:
            _print(f"  {device.id:22} {device.name}: {device.free / 1e9:.1f} of {device.memory / 1e9:.1f} GB free")
        _print(f"  {'disk':22} {found.disk_free / 1e9:.1f} GB free\n  {'project':22} {found.project}")
        for model in found.models:
            _print(f"  model                  {model}")
        _print("\n".join(f"! {sentence}" for sentence in found.missing) or "Nothing is missing.")
    if found.missing:
        raise typer.Exit(1)


def _run(
    shelf: Shelf,
    request: Request,
    keep: Callable[[JobCompleted, bytes], str],
    *,
    as_json: bool,
    stream: bool = False,
) -> None:
    """Run `request`, show its progress, keep the result and print what `keep` says of it."""
    validated(request)
    if isinstance(request, ImageRequest) and not request.prompt.strip():
        raise InvalidField("PROMPT", "it is empty; say what to make")
    with headless_studio(shelf, _worker(), state_folder()) as session:
        with Progress(sys.stderr, text=None if as_json or not stream else sys.stdout, quiet=as_json) as progress:
            progress.begin(shelf.find(request.model).name)
            with _interruptible() as stop:
                result = run_request(session, request, progress.show, stop=stop)
        data = session.project.assets.path(result.assets[0].id).read_bytes() if result.assets else b""
        where = keep(result, data)
    if as_json:
        _print(msgspec.json.encode(_result_row(request, result, where)).decode())
    elif where:
        # Beside streamed text the file's name is news, not output.
        _print(where, error=stream)


def _result_row(request: Request, result: JobCompleted, where: str) -> dict[str, object]:
    return {"file": where or None, "text": result.text or None, "request": request, "report": result.report}


def _model_row(entry: ShelfEntry) -> dict[str, object]:
    return {
        "name": entry.name,
        "repo": entry.ref.repo,
        "task": entry.task,
        "family": entry.family,
        "size": entry.size,
        "licence": entry.licence,
        "commercial": entry.commercial,
        "source": entry.source,
        "path": str(entry.path),
    }


def _write_picture(result: JobCompleted, data: bytes, target: Path) -> str:
    if not data:
        raise StudioError(
            Failure(
                FailureCode.INTERNAL, "The run ended without a picture.", hint="Try again.", detail=str(result.report)
            )
        )
    write_atomically(target, data)
    return str(target)


def _text_writer(target: Path | None) -> Callable[[JobCompleted, bytes], str]:
    def keep(result: JobCompleted, _data: bytes) -> str:
        if target is None:
            return ""
        write_atomically(target, result.text.encode())
        return str(target)

    return keep


def _shelf() -> Shelf:
    preferences = Settings.load(settings_path()).values
    return Shelf(Path(folder) for folder in preferences.model_folders)


def _choose(shelf: Shelf, task: Task, name: str | None) -> ShelfEntry:
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


def _parse_size(text: str, entry: ShelfEntry) -> tuple[int, int]:
    if not text:
        edge = entry.native_size or 512
        return edge, edge
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise typer.BadParameter(f"“{text}” is no size; write it like 512x512.", param_hint="--size")
    return int(width), int(height)


def _seed(chosen: int | None) -> int:
    from studio.app.studio import Studio

    return Studio.new_seed() if chosen is None else chosen


def _worker() -> WorkerCommand:
    return WorkerCommand()


@contextlib.contextmanager
def _refusals(*, as_json: bool) -> Iterator[None]:
    """Turn the studio's errors into words and an exit code."""
    try:
        yield
    except StudioError as error:
        if as_json:
            _print(msgspec.json.encode({"failure": error.failure}).decode())
        else:
            _complain(error.failure)
        raise typer.Exit(1) from error
    except (Cancelled, KeyboardInterrupt) as error:
        _print("Stopped.", error=True)
        raise typer.Exit(INTERRUPTED) from error


@contextlib.contextmanager
def _interruptible() -> Iterator[threading.Event]:
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


def _complain(failure: Failure) -> None:
    _print(f"{failure.message} {failure.hint}".rstrip(), error=True)


def _print(text: str, *, error: bool = False) -> None:
    typer.echo(text, err=error)


def main() -> None:
    """Run the command on the command line."""
    app()
