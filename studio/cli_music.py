"""The headless command for tunes: `generate music`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from studio.cli_session import (
    Json,
    MaxTokens,
    Model,
    Output,
    SeedOption,
    Temperature,
    choose,
    chosen_seed,
    refusals,
    run,
    say,
    target_for,
    this_shelf,
)
from studio.core.events import JobCompleted
from studio.core.requests import MusicRequest, Sampling, TuneKind
from studio.documents.atomic import write_atomically
from studio.formats.music.abc_marks import read_metre
from studio.formats.music.abc_tune import read_abc
from studio.formats.music.facts import facts_of, in_words
from studio.formats.music.files import SUFFIXES, credit, tune_file

_KEY = re.compile(r"([A-Ga-g])\s*([#b♯♭]?)\s*(?:(m|min|minor)|maj|major)?")
_SIGNS = {"♯": "#", "♭": "b"}


def add_to(group: typer.Typer) -> None:
    """Add the command to a group of commands."""
    group.command("music")(generate_music)


def generate_music(
    *,
    kind: Annotated[TuneKind, typer.Option(help="One voice, or four in the manner of a hymn.")] = "melody",
    metre: Annotated[str, typer.Option(help="Beats and beat, such as 3/4 or 6/8.")] = "4/4",
    key: Annotated[str, typer.Option(help="Such as D, Bb or F#m.")] = "C",
    bars: Annotated[int, typer.Option(min=0, max=999, help="How many bars; 0: as the model likes.")] = 0,
    in_metre: Annotated[
        bool, typer.Option("--in-metre/--free", help="Only what lets each bar add up, or whatever the model writes.")
    ] = True,
    title: Annotated[str, typer.Option(help="The title; it is part of what the model reads.")] = "",
    output: Output = None,
    model: Model = None,
    seed: SeedOption = None,
    max_tokens: MaxTokens = 800,
    temperature: Temperature = 0.8,
    as_json: Json = False,
) -> None:
    """Compose a tune; its ABC notation is streamed to standard output, -o writes .abc, .mid or .wav."""
    with refusals(as_json=as_json):
        if output is not None:
            target_for(output, output.name, tuple(SUFFIXES))
        metre, key = _parse_metre(metre), _parse_key(key)
        shelf = this_shelf()
        entry = choose(shelf, "music", model)
        request = MusicRequest(
            model=entry.ref,
            sampling=entry.advised(Sampling(seed=chosen_seed(seed), temperature=temperature)),
            kind=kind,
            metre=metre,
            key=key,
            title=" ".join(title.split()),
            bars=bars,
            in_metre=in_metre,
            max_tokens=max_tokens,
        )
        note = credit(entry.name, request.sampling.seed)
        run(shelf, request, _tune_writer(output, note, quiet=as_json), as_json=as_json, stream=True)


def _tune_writer(target: Path | None, note: str, *, quiet: bool) -> Callable[[JobCompleted, Sequence[bytes]], str]:
    def keep(result: JobCompleted, _data: Sequence[bytes]) -> str:
        tune = read_abc(result.text)
        if not quiet:
            for sentence in in_words(facts_of(tune)):
                say(sentence, error=True)
        if target is None:
            return ""
        write_atomically(target, tune_file(result.text, tune, target.suffix.lower(), note))
        return str(target)

    return keep


def _parse_metre(text: str) -> str:
    metre = read_metre(text)
    if metre is None or metre.unit > 32:
        raise typer.BadParameter(f"“{text}” is no metre; write it like 3/4 or 6/8.", param_hint="--metre")
    return f"{metre.beats}/{metre.unit}"


def _parse_key(text: str) -> str:
    found = _KEY.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter(f"“{text}” is no key; write it like D, Bb or F#m.", param_hint="--key")
    return found[1].upper() + _SIGNS.get(found[2], found[2]) + ("m" if found[3] else "")
