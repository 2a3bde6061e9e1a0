"""Stopping at any moment: at once, without harm, and the next request works."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from studio.core.engine import Assignment, LocalModel
from studio.core.events import Event, JobProgress, Stage, TextDelta
from studio.core.failure import Cancelled
from studio.engines.language.engine import LanguageEngine
from tests.engines.language.asking import CPU, Flag, ask, text
from tests.engines.language.conftest import Models
from tests.tiny_gguf import TinyModel

LARGE = TinyModel(
    layers=4, width=512, heads=8, feed_forward=2048, context=4096, words=8000, quantised=True, never_ends=True
)
LONG = "once upon a time there was " * 100


def test_cancelled_at_any_question(models: Models, engine: LanguageEngine) -> None:
    """Wherever the flag is asked, its answer ends the job, and the next one gives what it always gives."""
    path = models(TinyModel(never_ends=True, quantised=True))
    alone = LanguageEngine()
    try:
        expected = ask(alone, path, text(LONG[:200], most=30)).text
    finally:
        alone.unload()
    for after in (*range(12), 21, 34, 50, 70, 90):
        flag = Flag(after)
        with pytest.raises(Cancelled):
            ask(engine, path, text(LONG[:300], most=400), cancel=flag)
        assert flag.asked <= after + 30  # the library's own threads may ask a few times more before they are told
        assert ask(engine, path, text(LONG[:200], most=30)).text == expected


@pytest.mark.parametrize("stage", [Stage.LOAD, Stage.PROMPT, Stage.GENERATE])
def test_a_stage_is_left_at_once(models: Models, engine: LanguageEngine, stage: Stage) -> None:
    path = models(LARGE)
    flag, left = Flag(), []

    def press(event: Event) -> None:
        if isinstance(event, JobProgress) and event.stage is stage and flag.after is None:
            flag.after = 0
            left.append(time.monotonic())

    with pytest.raises(Cancelled):
        ask(engine, path, text(LONG, most=2000), cancel=flag, on_event=press)
    assert time.monotonic() - left[0] < 1.0  # measured: 0.02; the machine may be busy
    assert ask(engine, path, text("abc", most=3)).report.output_tokens == 3


def test_reading_is_interrupted_within_a_batch(models: Models, engine: LanguageEngine) -> None:
    """The flag is raised from another thread, while the library computes."""
    path = models(LARGE)
    ask(engine, path, text("abc", most=1))
    flag = Flag()
    steps: list[Event] = []
    timer = threading.Timer(0.05, lambda: setattr(flag, "after", 0))
    timer.start()
    with pytest.raises(Cancelled):
        ask(engine, path, text(LONG, most=2000), cancel=flag, on_event=steps.append)
    timer.join()
    assert not [step for step in steps if isinstance(step, TextDelta)]


def test_what_was_written_is_kept_by_the_listener(noise: Path, engine: LanguageEngine) -> None:
    flag, written = Flag(), []

    def listen(event: Event) -> None:
        if isinstance(event, TextDelta):
            written.append(event.text)
            flag.after = 0

    with pytest.raises(Cancelled):
        ask(engine, noise, text("abc", most=400), cancel=flag, on_event=listen)
    assert written


def test_a_job_that_nobody_listens_to_any_more_leaves_nothing(models: Models, engine: LanguageEngine) -> None:
    """The generator is closed in each stage."""
    path = models(LARGE)
    for stage in (Stage.LOAD, Stage.PROMPT, Stage.GENERATE):
        job = engine.run(Assignment("j", text(LONG, most=500), LocalModel(str(path)), placement=CPU), Flag())
        for event in job:
            if isinstance(event, JobProgress) and event.stage is stage:
                break
        job.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "llama-errand"]
    assert ask(engine, path, text("abc", most=3)).report.output_tokens == 3
