"""The headless commands: `python main.py generate|tour|models|doctor`; `test` and `check` belong to main.py.

Results go to standard output, progress to standard error, so that both can be piped. A refused or failed
command says what happened and what to do next, and ends with exit code 1; Ctrl-C ends with 130.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

import studio
from studio import cli_music, cli_pictures
from studio.app.headless import headless_studio
from studio.app.paths import default_project, state_folder
from studio.cli_progress import Progress
from studio.cli_session import (
    Json,
    MaxTokens,
    Model,
    Output,
    SeedOption,
    Temperature,
    choose,
    chosen_seed,
    complain,
    interruptible,
    refusals,
    run,
    say,
    target_for,
    this_shelf,
    worker,
    write_pictures,
)
from studio.core.events import JobCompleted
from studio.core.requests import CodeRequest, ImageRequest, Message, Sampling, TextRequest
from studio.documents.assets import safe_name
from studio.documents.atomic import write_atomically
from studio.models.entry import ShelfEntry

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
generate = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Make a picture, a text, a piece of code or a tune."
)
models = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The models on this computer.")
app.add_typer(generate, name="generate")
app.add_typer(models, name="models")


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer's signature
    if wanted:
        say(f"Atelier {studio.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version  # its callback has done everything


Prompt = Annotated[str, typer.Argument(help="What to make, in your own words.")]


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
    with refusals(as_json=as_json):
        shelf = this_shelf()
        entry = choose(shelf, "image", model)
        width, height = _parse_size(size, entry)
        request = ImageRequest(
            prompt=prompt,
            model=entry.ref,
            seed=chosen_seed(seed),
            negative_prompt=negative,
            width=width,
            height=height,
            steps=steps or entry.steps or 20,
            guidance_scale=(entry.guidance or 5.0) if guidance is None else guidance,
        )
        target = target_for(output, f"{safe_name(prompt)}.png", (".png",))
        run(shelf, request, lambda result, data: write_pictures(result, data, target), as_json=as_json)


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
    with refusals(as_json=as_json):
        shelf = this_shelf()
        entry = choose(shelf, "text", model)
        sampling = entry.advised(Sampling(seed=chosen_seed(seed), temperature=temperature))
        turns = (Message("user", prompt),) if mode is Mode.ANSWER else ()
        request = TextRequest(
            model=entry.ref,
            sampling=sampling,
            prompt=prompt if mode is Mode.CONTINUE else "",
            messages=turns,
            max_tokens=max_tokens,
        )
        run(shelf, request, _text_writer(output), as_json=as_json, stream=True)


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
    with refusals(as_json=as_json):
        shelf = this_shelf()
        entry = choose(shelf, "code", model)
        request = CodeRequest(
            model=entry.ref,
            sampling=entry.advised(Sampling(seed=chosen_seed(seed), temperature=temperature)),
            prefix="" if instruct else prompt,
            suffix=suffix,
            instruction=prompt if instruct else "",
            max_tokens=max_tokens,
        )
        run(shelf, request, _text_writer(output), as_json=as_json, stream=True)


cli_music.add_to(generate)
cli_pictures.add_to(generate)


@models.command("list")
def list_models(*, as_json: Json = False) -> None:
    """List the models: name, task, size, licence."""
    with refusals(as_json=as_json):
        shelf = this_shelf()
        entries = shelf.entries()
        if as_json:
            say(msgspec.json.encode([_model_row(entry) for entry in entries]).decode())
            return
        for entry in entries:
            name = f"{entry.name}  [{entry.ref.repo}]"
            say(f"{name:48} {entry.task:8} {entry.size / 1e6:9.1f} MB  {entry.licence_sentence}")
        for failure in shelf.unreadable():
            complain(failure)


@app.command()
def tour(
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("tour"),
) -> None:
    """Make a picture, a paragraph, a piece of code and a tune with the starter models."""
    from studio.app.tour import Stop, stops, take_tour

    with refusals(as_json=False):
        shelf = this_shelf()
        stops(shelf)
        with headless_studio(shelf, worker(), state_folder()) as session, Progress(sys.stderr) as progress:

            def announce(stop: Stop) -> None:
                progress.begin(f"{stop.heading} with {stop.entry.name}")

            with interruptible() as wanted:
                files = take_tour(session, out, announce, progress.show, wanted)
        for path in files:
            say(str(path))
        for path in files:
            if path.suffix in (".md", ".py", ".abc"):
                say(f"\n--- {path.name}\n{path.read_text('utf-8').rstrip()}")


@app.command()
def doctor(*, as_json: Json = False) -> None:
    """Show versions, devices, memory, disk, models, and what is missing and how to get it."""
    from studio.app.doctor import examine

    found = examine(this_shelf(), default_project())
    if as_json:
        say(msgspec.json.encode(found).decode())
    else:
        say(f"Atelier {found.version} on {found.system}, Python {found.python}")
        for name, version in found.versions.items():
            say(f"  {name:22} {version or 'missing'}")
        for device in found.devices:
            say(f"  {device.id:22} {device.name}: {device.free / 1e9:.1f} of {device.memory / 1e9:.1f} GB free")
        say(f"  {'disk':22} {found.disk_free / 1e9:.1f} GB free\n  {'project':22} {found.project}")
        for model in found.models:
            say(f"  model                  {model}")
        say("\n".join(f"! {sentence}" for sentence in found.missing) or "Nothing is missing.")
    if found.missing:
        raise typer.Exit(1)


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


def _text_writer(target: Path | None) -> Callable[[JobCompleted, Sequence[bytes]], str]:
    if target is not None:
        target = target_for(target, target.name)

    def keep(result: JobCompleted, _data: Sequence[bytes]) -> str:
        if target is None:
            return ""
        write_atomically(target, result.text.encode())
        return str(target)

    return keep


def _parse_size(text: str, entry: ShelfEntry) -> tuple[int, int]:
    if not text:
        edge = entry.native_size or 512
        return edge, edge
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise typer.BadParameter(f"“{text}” is no size; write it like 512x512.", param_hint="--size")
    return int(width), int(height)


def main() -> None:
    """Run the command on the command line."""
    app()
