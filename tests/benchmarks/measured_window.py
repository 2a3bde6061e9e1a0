"""A window to be measured, as a process of its own: prints one JSON object with what it saw.

`bare` is a PySide6 window with one button. `idle` is the studio at rest, `busy` the studio while a picture
denoises and text streams, `thread` the studio's window at rest with the same kind of work in a thread beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication, QPushButton

_TICK = 0.005
_PATIENCE = 90.0


class LagMeter:
    """A 5 ms timer that notes how late it is; a person's hand would feel the same."""

    def __init__(self) -> None:
        self.lags: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(round(_TICK * 1000))
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin."""
        self._last = time.perf_counter()
        self._timer.start()

    def result(self) -> dict[str, float]:
        """Lags in milliseconds: p50, p99, the largest, and how many were over 50."""
        self._timer.stop()
        lags = sorted(self.lags) or [0.0]
        return {
            "p50": lags[len(lags) // 2] * 1000,
            "p99": lags[int(len(lags) * 0.99)] * 1000,
            "max": lags[-1] * 1000,
            "stalls": sum(lag > 0.05 for lag in lags),
        }

    def _tick(self) -> None:
        now = time.perf_counter()
        self.lags.append(max(0.0, now - self._last - _TICK))
        self._last = now


def peak_memory() -> int:
    """Largest resident size of this process so far, in bytes."""
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


def turn(seconds: float) -> None:
    """Let the event loop run."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def wait_for(ready: Any) -> None:
    """Let the event loop run until `ready()`."""
    end = time.monotonic() + _PATIENCE
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError
        turn(0.02)


def bare(seconds: float) -> dict[str, Any]:
    """One button."""
    application = QApplication([])
    button = QPushButton("Button")
    button.resize(1280, 820)
    button.show()
    meter = LagMeter()
    turn(0.3)
    meter.start()
    turn(seconds)
    del application
    return {"lag": meter.result(), "memory": peak_memory()}


def studio(folder: Path, mode: str, seconds: float) -> dict[str, Any]:
    """The studio's own window."""
    from studio.core.jobs import Family
    from studio.jobs.limits import WorkerCommand
    from studio.launch import Application
    from studio.models.shelf import Shelf
    from tests.benchmarks import busy_engine

    real = all(Shelf().default(task) for task in ("image", "text"))
    worker = None if real else WorkerCommand(engines=dict.fromkeys(Family, busy_engine.PROGRAM))
    starter = None if real else _stand_ins(folder)
    state = folder / "state"
    state.mkdir(parents=True)
    (state / "settings.json").write_text(json.dumps({"version": 2, "warm_start": False}))
    (state / "session.json").write_text(json.dumps({"greeted": True, "room": "canvas"}))
    application = QApplication([])
    running = Application(application, state, folder / "project", worker=worker, starter=starter)
    running.show()
    wait_for(lambda: running.studio is not None and running.window.studio is not None)
    running.window.build_rooms()
    turn(1.0)
    meter = LagMeter()
    meter.start()
    if mode == "busy":
        _be_busy(running, seconds)
    elif mode == "thread":
        _thread_beside(seconds)
    elif mode == "look":
        _change_look(running)
    else:
        turn(seconds)
    result = {"lag": meter.result(), "memory": peak_memory(), "real": real}
    running.stop()
    return result


def _be_busy(running: Any, seconds: float) -> None:
    """Make text and pictures, one after the other, through the queue until the time is over."""
    from studio.core.jobs import JobState
    from studio.core.references import Destination
    from studio.core.requests import Sampling, TextRequest

    session = running.studio
    writer = session.shelf.default("text")
    end = time.monotonic() + seconds
    running.window.open_room("canvas")
    while time.monotonic() < end:
        unfinished = [job for job in session.queue.jobs() if not job.state.ended]
        kinds = {type(job.request).__name__ for job in unfinished}
        if "ImageRequest" not in kinds:
            running.window.make("canvas", "a red fox, flat emoji")
        if "TextRequest" not in kinds:
            request = TextRequest(model=writer.ref, sampling=Sampling(seed=1), prompt="Once upon", max_tokens=400)
            session.submit(request, Destination(room="file"), "story")
        turn(0.5)
    for job in session.queue.jobs():
        if job.state in (JobState.QUEUED, JobState.LOADING, JobState.RUNNING):
            session.cancel(job.id)


def _change_look(running: Any) -> None:
    """Another theme and another size of text in each room, all of them built."""
    for room in [entry.id for entry in running.window.stage.rooms()]:
        running.window.open_room(room)
        turn(0.5)
        for wish in ({"theme": "light"}, {"text_scale": 1.1}, {"theme": "dark"}, {"text_scale": 1.0}):
            running.settings.change(**wish)
            turn(0.5)


def _thread_beside(seconds: float) -> None:
    """What the studio does not do: import and run a model library in a thread of the window's process."""
    over = threading.Event()

    def work() -> None:
        import torch

        matrix = torch.rand(512, 512)
        while not over.is_set():
            matrix = (matrix @ matrix).tanh()

    thread = threading.Thread(target=work)
    thread.start()
    turn(seconds)
    over.set()
    thread.join()


def _stand_ins(folder: Path) -> Path:
    """Descriptions of models for the stand-in engine."""
    for name, task in (("image", "image"), ("writer", "text")):
        model = folder / "starter" / name
        model.mkdir(parents=True)
        (model / "model.toml").write_text(
            f'id = "{name}"\nname = "{name}"\ntask = "{task}"\nfamily = "x"\nlicence = "MIT"\ncommercial = true\n'
        )
        (model / "w.safetensors").write_bytes(b"x")
    return folder / "starter"


def main() -> None:
    """Read what to do from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["bare", "idle", "busy", "thread", "look"])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--folder", type=Path)
    wanted = parser.parse_args()
    result = bare(wanted.seconds) if wanted.mode == "bare" else studio(wanted.folder, wanted.mode, wanted.seconds)
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
    os._exit(0)  # the measurement is over; a bare QApplication has nothing to save


if __name__ == "__main__":
    main()
