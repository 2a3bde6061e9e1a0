"""Small honest stand-ins: engines that do what their prompt says, in a real worker process.

A prompt is a script of commands, divided by semicolons: `say one two; wait`. What a model library does
to its process (crash, hang, eat memory, hold the interpreter) is really done here too.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from studio.core.engine import Assignment, Cancel
from studio.core.events import (
    Event,
    JobCompleted,
    JobNotice,
    JobPreview,
    JobProgress,
    JobStarted,
    Picture,
    RunReport,
    Stage,
    TextDelta,
)
from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.references import ModelRef
from studio.core.requests import CodeRequest, ImageRequest, Request, Sampling, TextRequest

MODEL = ModelRef(repo="starter/fake")
PROGRAM = "tests.fakes:ScriptedEngine"
SLOW = "tests.fakes:SlowEngine"
BROKEN = "tests.fakes:BrokenEngine"
MISSING = "tests.fakes:MissingLibraryEngine"

_Command = Callable[["ScriptedEngine", str, Cancel], Iterable[Event]]


def text(script: str) -> TextRequest:
    """A request that makes the language worker follow `script`."""
    return TextRequest(model=MODEL, sampling=Sampling(seed=1), prompt=script)


def image(script: str) -> ImageRequest:
    """A request that makes the diffusion worker follow `script`."""
    return ImageRequest(prompt=script, model=MODEL, seed=1)


def pixels(width: int, height: int, channels: int, seed: int) -> bytes:
    """Bytes that tell every position and seed apart."""
    row = bytes((column * 7 + seed) % 256 for column in range(width * channels))
    return b"".join(row[line % len(row) :] + row[: line % len(row)] for line in range(height))


class ScriptedEngine:
    """Does what the prompt says, one command after the other, and completes with the text that it said."""

    def __init__(self) -> None:
        self._loaded = 0
        self._said: list[str] = []
        self._pictures: tuple[Picture, ...] = ()
        self._took = 0.0

    def run(self, assignment: Assignment, cancel: Cancel) -> Iterator[Event]:
        """Follow the script."""
        self._said, self._pictures, self._took = [], (), 0.0
        self._assignment = assignment
        for line in _script(assignment.request).split(";"):
            name, _, argument = line.strip().partition(" ")
            if name:
                yield from _COMMANDS[name](self, argument, cancel)
        report = RunReport(load_seconds=0.5, run_seconds=self._took, library="fake", device="cpu")
        yield JobCompleted(text=" ".join(self._said), pictures=self._pictures, report=report)

    def unload(self) -> None:
        """Forget what was loaded."""
        self._loaded = 0

    def loaded_bytes(self) -> int:
        """What `load` said."""
        return self._loaded

    def say(self, words: str, cancel: Cancel) -> Iterator[Event]:
        """Stream the words."""
        for word in words.split():
            cancel.check()
            self._said.append(word)
            yield TextDelta(text=word + " ")

    def started(self, device: str, _cancel: Cancel) -> Iterator[Event]:
        """Say on which device."""
        yield JobStarted(device=device)

    def stage(self, name: str, _cancel: Cancel) -> Iterator[Event]:
        """Say in which stage this is."""
        yield JobProgress(stage=Stage(name), step=1, total=2)

    def wait(self, _argument: str, cancel: Cancel) -> Iterable[Event]:
        """Wait to be cancelled, politely."""
        while True:
            cancel.check()
            time.sleep(0.002)

    def deaf(self, _argument: str, _cancel: Cancel) -> Iterable[Event]:
        """Sleep on without looking at the flag, and let other threads run."""
        time.sleep(600)
        return ()

    def hold(self, _argument: str, _cancel: Cancel) -> Iterable[Event]:
        """Sleep inside C with the interpreter's lock held: no other thread of the process runs."""
        ctypes.PyDLL(None).sleep(600)
        return ()

    def stop(self, _argument: str, _cancel: Cancel) -> Iterable[Event]:
        """Stop the whole process like a debugger would: not even its reading thread runs."""
        os.kill(os.getpid(), signal.SIGSTOP)
        return ()

    def abort(self, _argument: str, _cancel: Cancel) -> Iterable[Event]:
        """Fail an assertion in C."""
        os.abort()

    def bad_alloc(self, _argument: str, _cancel: Cancel) -> Iterable[Event]:
        """End like a C++ library that got no memory."""
        sys.stderr.write("terminate called after throwing an instance of 'std::bad_alloc'\n")
        sys.stderr.flush()
        os.abort()

    def segfault(self, _argument: str, _cancel: Cancel) -> Iterable[Event]:
        """Read memory that is not there."""
        ctypes.string_at(0)
        return ()

    def leave(self, code: str, _cancel: Cancel) -> Iterable[Event]:
        """End the process."""
        os._exit(int(code))

    def fail(self, message: str, _cancel: Cancel) -> Iterable[Event]:
        """Fail with words for the user."""
        raise StudioError(Failure(FailureCode.MODEL_DAMAGED, message))

    def raise_(self, message: str, _cancel: Cancel) -> Iterable[Event]:
        """Fail as libraries do."""
        raise ValueError(message)

    def wrap(self, _argument: str, cancel: Cancel) -> Iterable[Event]:
        """Turn the cancellation into an error of another kind, as libraries do."""
        while not cancel.is_set():
            time.sleep(0.002)
        raise RuntimeError("callback failed")

    def eat(self, _argument: str, _cancel: Cancel) -> Iterable[Event]:
        """Allocate until an address-space limit says no."""
        usage = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (usage + (64 << 20), resource.RLIM_INFINITY))
        try:
            bytearray(1 << 30)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return ()

    def devour(self, _argument: str, _cancel: Cancel) -> Iterable[Event]:
        """Fill memory without end, until the kernel steps in."""
        hoard = []
        while True:
            hoard.append(b"x" * (16 << 20))

    def shout(self, size: str, _cancel: Cancel) -> Iterable[Event]:
        """Write this many bytes that are no text to standard output and error."""
        for _ in range(int(size) // (1 << 16)):
            os.write(1, b"\xff\xfe\x00garbage\n" * 5957)
        os.write(2, b"last words\n")
        return ()

    def corrupt(self, frame: str, _cancel: Cancel) -> Iterable[Event]:
        """Write something into the channel that is no message."""
        for entry in Path("/proc/self/fd").iterdir():
            descriptor = int(entry.name)
            try:
                is_socket = stat.S_ISSOCK(os.fstat(descriptor).st_mode)
            except OSError:
                continue
            if is_socket:
                os.write(descriptor, bytes.fromhex(frame))
        time.sleep(600)
        return ()

    def load(self, size: str, cancel: Cancel) -> Iterator[Event]:
        """Claim to hold this many bytes."""
        cancel.check()
        yield JobProgress(stage=Stage.LOAD, step=1, total=1)
        self._loaded = int(size)

    def picture(self, size: str, _cancel: Cancel) -> Iterable[Event]:
        """Make pictures, `WIDTHxHEIGHTxCHANNELS` or with `xCOUNT` behind it."""
        width, height, channels, *count = map(int, size.split("x"))
        self._pictures = tuple(
            Picture(width, height, channels, pixels(width, height, channels, seed), seed)
            for seed in range(count[0] if count else 1)
        )
        return ()

    def took(self, seconds: str, _cancel: Cancel) -> Iterable[Event]:
        """Claim to have taken this long."""
        self._took = float(seconds)
        return ()

    def lie(self, _argument: str, _cancel: Cancel) -> Iterator[Event]:
        """Make a picture whose bytes do not fit its size."""
        yield JobPreview(picture=Picture(8, 8, 3, b"too few"))

    def finished(self, argument: str, _cancel: Cancel) -> Iterator[Event]:
        """Show `COUNT EDGE` finished pictures of a batch at once."""
        count, edge = map(int, argument.split())
        for number in range(count):
            yield JobPreview(picture=Picture(edge, edge, 3, pixels(edge, edge, 3, number)), finished=number)

    def previews(self, argument: str, cancel: Cancel) -> Iterator[Event]:
        """Make `COUNT EDGE` previews as fast as possible."""
        count, edge = map(int, argument.split())
        for step in range(count):
            cancel.check()
            yield JobPreview(picture=Picture(edge, edge, 3, pixels(edge, edge, 3, step)), step=step)

    def child(self, _argument: str, _cancel: Cancel) -> Iterator[Event]:
        """Start two processes, one of them in a session of its own, and say their ids."""
        for apart in (False, True):
            process = subprocess.Popen(
                [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=apart, close_fds=True
            )
            process.returncode = 0  # nobody here waits for it
            yield TextDelta(text=f"{process.pid} ")

    def environment(self, name: str, _cancel: Cancel) -> Iterator[Event]:
        """Say an environment variable."""
        yield TextDelta(text=os.environ.get(name, "unset"))

    def about(self, _argument: str, _cancel: Cancel) -> Iterator[Event]:
        """Say process, niceness and threads."""
        yield TextDelta(text=f"{os.getpid()} {os.nice(0)} {self._assignment.placement.threads}")

    def steps(self, count: str, cancel: Cancel) -> Iterator[Event]:
        """Pass through all stages, this many steps in each."""
        for stage in Stage:
            for step in range(int(count)):
                cancel.check()
                time.sleep(0.001)
                yield JobProgress(stage=stage, step=step, total=int(count))

    def notice(self, words: str, _cancel: Cancel) -> Iterator[Event]:
        """Tell the user something."""
        yield JobNotice(text=words)


class SlowEngine(ScriptedEngine):
    """An engine whose library takes a while to import."""

    def __init__(self) -> None:
        super().__init__()
        time.sleep(1.0)


class BrokenEngine(ScriptedEngine):
    """An engine whose library crashes when it is imported."""

    def __init__(self) -> None:
        super().__init__()
        os.abort()


class MissingLibraryEngine:
    """An engine whose library is not installed."""

    def __init__(self) -> None:
        import a_library_that_is_not_there  # type: ignore[import-not-found]  # noqa: F401 - that is the point


_COMMANDS: dict[str, _Command] = {
    name.rstrip("_").replace("_", "-"): member
    for name, member in vars(ScriptedEngine).items()
    if callable(member) and name not in ("run", "unload", "loaded_bytes") and not name.startswith("__")
}


def _script(request: Request) -> str:
    if isinstance(request, CodeRequest):
        return request.prefix
    return request.prompt if isinstance(request, TextRequest | ImageRequest) else ""
