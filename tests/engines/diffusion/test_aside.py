"""A sum that nothing can interrupt: its job ends at once, the next one runs beside it, and it leaves no trace."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.core.failure import Cancelled, StudioError
from studio.engines.diffusion.aside import PictureThread
from studio.engines.diffusion.engine import DiffusionEngine
from tests.engines.diffusion.asking import Flag, assignment, draw, events, request
from tests.engines.diffusion.tiny_models import named

_PATIENCE = 30.0


class LongSum:
    """Holds up the first call of a layer until it is let go."""

    def __init__(self, layer: torch.nn.Module) -> None:
        self.begun, self.end = threading.Event(), threading.Event()
        self._first = threading.Lock()
        self.hook = layer.register_forward_hook(self._hold)

    def _hold(self, *_call: object) -> None:
        if self._first.acquire(blocking=False):
            self.begun.set()
            self.end.wait(_PATIENCE)


@contextmanager
def _raised_once(begun: threading.Event, flag: Flag) -> Iterator[None]:
    """Raise the flag from another thread, once something has begun."""

    def wait_and_raise() -> None:
        begun.wait(_PATIENCE)
        flag.set()

    raiser = threading.Thread(target=wait_and_raise)
    raiser.start()
    yield
    raiser.join()


@pytest.fixture
def long_sum(engine: DiffusionEngine, models: Path) -> Iterator[LongSum]:
    draw(engine, models / "sd15")
    loaded = [model for model in engine._cache._models.values() if model.plan.path == models / "sd15"]
    held = LongSum(loaded[0].parts["unet"].conv_in)
    yield held
    held.end.set()
    held.hook.remove()


def test_the_job_ends_while_the_sum_goes_on(engine: DiffusionEngine, models: Path, long_sum: LongSum) -> None:
    flag, work = Flag(), assignment(models / "sd15", request(steps=500))
    with _raised_once(long_sum.begun, flag), pytest.raises(Cancelled):
        events(engine, work, flag)
    assert not long_sum.end.is_set()
    left = [job for job in engine._asides.left if not job.over]
    assert left
    beside = draw(engine, models / "sd15").pixels
    assert not left[0].over, "the next one did not wait"
    long_sum.end.set()
    left[0].wait()
    assert draw(engine, models / "sd15").pixels == beside


def test_a_load_that_was_left_does_not_get_in_the_way(
    engine: DiffusionEngine, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next job waits for it, and can itself be cancelled while it waits."""
    begun, end = threading.Event(), threading.Event()
    decoder = named("diffusers", "AutoencoderKL")
    build = decoder.from_config

    def held(*parts: Any, **options: Any) -> Any:
        begun.set()
        end.wait(_PATIENCE)
        return build(*parts, **options)

    expected = draw(engine, models / "sd15").pixels
    engine.unload()
    monkeypatch.setattr(decoder, "from_config", held)
    for _ in range(2):
        flag = Flag()
        with _raised_once(begun, flag), pytest.raises(Cancelled):
            events(engine, assignment(models / "sd15"), flag)
    monkeypatch.undo()
    end.set()
    assert draw(engine, models / "sd15").pixels == expected
    engine.unload()
    assert engine.loaded_bytes() == 0


def test_jobs_share_a_thread_which_ends_with_the_models(engine: DiffusionEngine, models: Path) -> None:
    """What the libraries prepare for a thread is of use to the next picture, and is given back with the models."""
    engine.unload()
    for _ in range(3):
        draw(engine, models / "sd15")
    with pytest.raises(StudioError):
        draw(engine, models / "nowhere")
    assert len(_picture_threads()) == 1
    engine.unload()
    assert not _picture_threads()


def test_a_thread_that_a_job_was_left_in_ends_with_it(engine: DiffusionEngine, models: Path, long_sum: LongSum) -> None:
    flag, work = Flag(), assignment(models / "sd15", request(steps=500))
    with _raised_once(long_sum.begun, flag), pytest.raises(Cancelled):
        events(engine, work, flag)
    draw(engine, models / "sd15")
    assert len(_picture_threads()) == 2
    stuck = engine._asides.left[0]._thread
    long_sum.end.set()
    stuck.join(_PATIENCE)
    assert len(_picture_threads()) == 1


def _picture_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if isinstance(thread, PictureThread)]
