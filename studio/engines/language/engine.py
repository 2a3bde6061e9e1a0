"""The language engine: text and code requests through llama.cpp.

The last model stays loaded with its context, so that the next request starts where it can. Where a model
has no chat template, chats become plain transcripts (see `chat`).
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path

import msgspec

from studio.core.engine import Assignment, Cancel, LocalModel, Placement
from studio.core.events import ContextUse, Event, JobCompleted, JobNotice, JobStarted, RunReport
from studio.core.requests import CodeRequest, ImageRequest, TextRequest
from studio.engines.language.context import Context
from studio.engines.language.devices import Seat, choose_seat, choose_window, thread_count
from studio.engines.language.files import check_files, model_files
from studio.engines.language.generation import Generation
from studio.engines.language.grammar import GrammarSampler
from studio.engines.language.library import library
from studio.engines.language.model import Model, load_model
from studio.engines.language.prompts import PromptMaker
from studio.engines.language.sampling import Sampler
from studio.engines.language.schema import schema_grammar
from studio.engines.language.trouble import bad_request
from studio.engines.language.writing import TextStream

Written = TextRequest | CodeRequest

_JSON_CUT = "The answer was cut off before its JSON was complete. Allow more tokens."


class _Loaded(msgspec.Struct):
    """The model in memory: as asked for (`path`, `device`), where it came from, and its context.

    `asked_length` is the context length as requested (0: automatic).
    """

    path: str
    device: str
    file: Path
    stamp: tuple[int, int] | None
    model: Model
    seat: Seat
    context: Context | None = None
    asked_length: int = 0
    cache_bytes: int = 0


class _Result(msgspec.Struct, frozen=True):
    """What was written; the counts are tokens."""

    text: str
    prompt: int
    reused: int
    written: int
    finish: str


class LanguageEngine:
    """Runs `TextRequest` and `CodeRequest`; implements `studio.core.engine.Engine`."""

    def __init__(self) -> None:
        self._loaded: _Loaded | None = None

    def run(self, assignment: Assignment, cancel: Cancel) -> Generator[Event, None, None]:
        """Yield the job's events; the last one is a `JobCompleted` with the text and a report.

        Raises `Cancelled` and `StudioError`; the engine stays usable after both.
        """
        request = assignment.request
        if isinstance(request, ImageRequest):
            raise bad_request("This model writes text; it makes no pictures.", "Choose an image model.")
        cancel.check()
        grammar = None
        if isinstance(request, TextRequest) and request.json_schema is not None:
            grammar = schema_grammar(request.json_schema)  # a bad schema needs no model to be refused
        began = time.perf_counter()
        loaded, context = yield from self._ready(assignment, request, cancel)
        ready = time.perf_counter()
        result = yield from self._write(context, assignment, request, grammar, cancel)
        report = RunReport(
            load_seconds=ready - began,
            run_seconds=time.perf_counter() - ready,
            prompt_tokens=result.prompt,
            reused_tokens=result.reused,
            output_tokens=result.written,
            finish=result.finish,
            library=loaded.model.library.version,
            device=loaded.seat.place,
        )
        yield JobCompleted(text=result.text, report=report)

    def warm(self) -> None:
        """Load the library ahead of the first job. Raises `StudioError` (`LIBRARY_MISSING`)."""
        library()

    def unload(self) -> None:
        """Free model and context and give the memory back to the system."""
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            if loaded.context is not None:
                loaded.context.free()
            loaded.model.free()

    def loaded_bytes(self) -> int:
        """The bytes of the weights and of the context's cache."""
        loaded = self._loaded
        return 0 if loaded is None else loaded.model.bytes + loaded.cache_bytes

    # Loading

    def _ready(
        self, assignment: Assignment, request: Written, cancel: Cancel
    ) -> Generator[Event, None, tuple[_Loaded, Context]]:
        """The model with a context that fits the request, loaded as far as it isn't."""
        placement = assignment.placement
        loaded = self._reusable(assignment.model, placement)
        if loaded is None:
            self.unload()
            loaded = self._loaded = yield from self._load(assignment.model, placement, cancel)
        else:
            yield JobStarted(device=loaded.seat.place)
        if loaded.context is None or loaded.asked_length != request.context_length:
            yield from self._open_context(loaded, request.context_length, placement)
        cancel.check()
        if loaded.context is None:
            raise AssertionError("opened above")
        return loaded, loaded.context

    def _reusable(self, model: LocalModel, placement: Placement) -> _Loaded | None:
        """The loaded model, if it is still the one that is asked for. A file that was deleted or moved
        since stays usable: its weights are in memory.
        """
        loaded = self._loaded
        if loaded is None or (loaded.path, loaded.device) != (model.path, placement.device):
            return None
        return loaded if _stamp(loaded.file) in (None, loaded.stamp) else None

    def _load(self, local: LocalModel, placement: Placement, cancel: Cancel) -> Generator[Event, None, _Loaded]:
        llama = library()
        files = model_files(Path(local.path))
        header, weights = check_files(files)
        seat = choose_seat(llama, placement, header, weights)
        yield JobStarted(device=seat.place)
        if seat.notice:
            yield JobNotice(text=seat.notice)
        model = yield from load_model(llama, files[0], header, seat, cancel)
        return _Loaded(local.path, placement.device, files[0], _stamp(files[0]), model, seat)

    def _open_context(self, loaded: _Loaded, length: int, placement: Placement) -> Iterator[Event]:
        if loaded.context is not None:
            loaded.context.free()
            loaded.context, loaded.cache_bytes = None, 0
        model = loaded.model
        window = choose_window(model.header, length, placement, model.bytes, model.trained_length)
        if window.notice:
            yield JobNotice(text=window.notice)
        loaded.context = Context(model, window.length, loaded.seat)
        loaded.asked_length, loaded.cache_bytes = length, window.cache_bytes

    # Writing

    def _write(
        self, context: Context, assignment: Assignment, request: Written, grammar: str | None, cancel: Cancel
    ) -> Generator[Event, None, _Result]:
        model = context.model
        model.library.forget_log()
        context.use_threads(thread_count(assignment.placement))
        prompt = PromptMaker(model.vocabulary, model.chat_template(), context.length).make(request)
        for text in prompt.notices:
            yield JobNotice(text=text)
        yield ContextUse(
            used=len(prompt.tokens), left=max(context.length - len(prompt.tokens), 0), dropped=prompt.dropped
        )
        sampler = Sampler(model.library, model.vocabulary, request.sampling, context.length)
        rules: GrammarSampler | None = None
        context.watch(cancel)
        try:
            if grammar is not None:
                rules = GrammarSampler(model.library, model.vocabulary, sampler, grammar)
            sampler.remember(prompt.tokens)
            reused = context.reuse(prompt.tokens)
            yield from context.read(prompt.tokens, reused, cancel)
            stream = TextStream(prompt.stops, fenced=prompt.fenced, spaced=prompt.spaced)
            generation = Generation(context, sampler, stream, prompt, most=request.max_tokens, cancel=cancel)
            generation.grammar = rules
            generation.logprobs = request.logprobs if isinstance(request, TextRequest) else 0
            yield from generation.run()
        finally:
            context.unwatch()
            sampler.free()
            if rules is not None:
                rules.free()
        if rules is not None and generation.finish != "eos":
            yield JobNotice(text=_JSON_CUT)
        return _Result(stream.text, len(prompt.tokens), reused, generation.written, generation.finish)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of change, or None where the file is gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
