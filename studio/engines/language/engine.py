"""The language engine: text, code and music requests through llama.cpp.

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
from studio.core.failure import StudioError
from studio.core.requests import CodeRequest, MusicRequest, PictureRequest, TextRequest
from studio.engines.language.context import Context
from studio.engines.language.devices import Seat, Window, choose_seat, choose_window, thread_count
from studio.engines.language.errands import Errands
from studio.engines.language.files import check_files, model_files
from studio.engines.language.generation import Generation
from studio.engines.language.grammar import GrammarSampler
from studio.engines.language.library import library
from studio.engines.language.metre_grammar import metre_grammar
from studio.engines.language.model import Model, load_model
from studio.engines.language.prompts import Prompt, PromptMaker
from studio.engines.language.sampling import Sampler
from studio.engines.language.schema import schema_grammar
from studio.engines.language.trouble import bad_request
from studio.engines.language.writing import TextStream

Written = TextRequest | CodeRequest | MusicRequest

_LEAST_CAPACITY = 2048
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
    window: Window | None = None
    asked_length: int = 0


class _Result(msgspec.Struct, frozen=True):
    """What was written; the counts are tokens."""

    text: str
    prompt: int
    reused: int
    written: int
    finish: str


class LanguageEngine:
    """Runs `TextRequest`, `CodeRequest` and `MusicRequest`; implements `studio.core.engine.Engine`."""

    def __init__(self) -> None:
        self._loaded: _Loaded | None = None
        self._errands = Errands()

    def run(self, assignment: Assignment, cancel: Cancel) -> Generator[Event, None, None]:
        """Yield the job's events; the last one is a `JobCompleted` with the text and a report.

        Raises `Cancelled` and `StudioError`; the engine stays usable after both.
        """
        request = assignment.request
        if isinstance(request, PictureRequest):
            raise bad_request("This model writes text; it makes no pictures.", "Choose an image model.")
        cancel.check()
        self._errands.settle()
        grammar = _grammar(request)  # a bad schema needs no model to be refused
        began = time.perf_counter()
        loaded = yield from self._ready(assignment, request, cancel)
        prompt, context = yield from self._prepared(loaded, request, cancel)
        context.use_threads(thread_count(assignment.placement))
        cancel.check()
        ready = time.perf_counter()
        result = yield from self._write(context, prompt, request, grammar, cancel)
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
        self._errands.settle()
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            if loaded.context is not None:
                loaded.context.free()
            loaded.model.free()

    def loaded_bytes(self) -> int:
        """The bytes of the weights and of the context's cache."""
        loaded = self._loaded
        if loaded is None:
            return 0
        cache = loaded.window.token_bytes * loaded.context.capacity if loaded.window and loaded.context else 0
        return loaded.model.bytes + cache

    # Loading

    def _ready(self, assignment: Assignment, request: Written, cancel: Cancel) -> Generator[Event, None, _Loaded]:
        """The model, loaded unless it is, with its window chosen."""
        placement = assignment.placement
        loaded = self._reusable(assignment.model, placement)
        if loaded is None:
            self.unload()
            loaded = self._loaded = yield from self._load(assignment.model, placement, cancel)
        else:
            yield JobStarted(device=loaded.seat.place)
        yield from self._window(loaded, request.context_length, placement)
        cancel.check()
        return loaded

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
        model = yield from load_model(llama, files[0], header, seat, cancel, errands=self._errands)
        return _Loaded(local.path, placement.device, files[0], _stamp(files[0]), model, seat)

    def _window(self, loaded: _Loaded, length: int, placement: Placement) -> Iterator[Event]:
        """Decide anew how many tokens the context may have, where another `length` is asked for than before."""
        if loaded.window is None or loaded.asked_length != length:
            model = loaded.model
            loaded.window = choose_window(model.header, length, placement, model.bytes, model.trained_length)
            loaded.asked_length = length
            if loaded.window.notice:
                yield JobNotice(text=loaded.window.notice)

    def _context(self, loaded: _Loaded, window: Window, needed: int, cancel: Cancel) -> Context:
        """A context for `needed` tokens. It grows by doubling, since a long one takes long to make and memory
        that most texts never need; what was read is carried over.
        """
        old = loaded.context
        capacity = min(window.length, max(_LEAST_CAPACITY, 1 << (needed - 1).bit_length()))
        if old is None or old.capacity < capacity:
            try:
                new = Context(loaded.model, capacity, loaded.seat, cancel, self._errands)
            except StudioError:
                if old is None:
                    raise
                old.free()
                loaded.context = old = None
                new = Context(loaded.model, capacity, loaded.seat, cancel, self._errands)
            loaded.context = new
            if old is not None:
                new.take_over(old)
            old = new
        old.limit = window.length
        return old

    # Writing

    def _prepared(
        self, loaded: _Loaded, request: Written, cancel: Cancel
    ) -> Generator[Event, None, tuple[Prompt, Context]]:
        """The prompt, cut to the window, and a context that has room for it and for the answer."""
        model, window = loaded.model, loaded.window
        if window is None:
            raise AssertionError("chosen when the model was made ready")
        model.library.forget_log()
        prompt = PromptMaker(model.vocabulary, model.chat_template(), window.length).make(request)
        for text in prompt.notices:
            yield JobNotice(text=text)
        used = len(prompt.tokens)
        yield ContextUse(used=used, left=max(window.length - used, 0), dropped=prompt.dropped)
        return prompt, self._context(loaded, window, used + request.max_tokens, cancel)

    def _write(
        self, context: Context, prompt: Prompt, request: Written, grammar: str | None, cancel: Cancel
    ) -> Generator[Event, None, _Result]:
        model = context.model
        sampler = Sampler(model.library, model.vocabulary, request.sampling, context.limit)
        rules: GrammarSampler | None = None
        context.watch(cancel)
        try:
            if grammar is not None:
                rules = GrammarSampler(model.library, model.vocabulary, sampler, grammar)
            sampler.remember(prompt.tokens)
            reused = context.reuse(prompt.tokens)
            yield from context.read(prompt.tokens, reused, cancel)
            stream = TextStream(
                prompt.stops,
                fenced=prompt.fenced,
                spaced=prompt.spaced,
                guard=prompt.guard,
                opening=prompt.opening,
                typed=prompt.typed,
                lines=_lines_of(request),
            )
            generation = Generation(context, sampler, stream, prompt, most=request.max_tokens, cancel=cancel)
            generation.grammar = rules
            # What a schema asks for may well be the same many times.
            generation.looks_for_circles = rules is None or isinstance(request, MusicRequest)
            generation.logprobs = request.logprobs if isinstance(request, TextRequest) else 0
            yield from generation.run()
        finally:
            context.unwatch()
            sampler.free()
            if rules is not None:
                rules.free()
        if isinstance(request, TextRequest) and rules is not None and generation.finish != "eos":
            yield JobNotice(text=_JSON_CUT)
        return _Result(stream.text, len(prompt.tokens), reused, generation.written, generation.finish)


def _grammar(request: Written) -> str | None:
    """The rules that the answer must follow, if any."""
    if isinstance(request, TextRequest) and request.json_schema is not None:
        return schema_grammar(request.json_schema)
    return metre_grammar(request) if isinstance(request, MusicRequest) and request.in_metre else None


def _stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of change, or None where the file is gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _lines_of(request: Written) -> int:
    return request.max_lines if isinstance(request, CodeRequest) else 0
