"""How far a batch is: the same words everywhere, a bar that never goes back, and the time that is really left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.core.events import Event, JobPreview, JobProgress, JobStarted, Picture, Stage, TextDelta
from studio.core.jobs import Job, JobState
from studio.core.references import ModelRef
from studio.core.requests import ImageRequest, MusicRequest, Sampling, TextRequest
from studio.launch import Application
from studio.ui.batch import batch_step
from studio.ui.canvas.results import _show
from studio.ui.canvas.scene import RunningPicture
from studio.ui.pace import Pace, job_icon, job_title
from studio.ui.queue.rows import QueueModel
from tests.ui.canvas.test_canvas_view import SMALL
from tests.ui.frame.test_window import job_state, submit

STEPS, PICTURES = 20, 4
REQUEST = ImageRequest(prompt="a fox", model=ModelRef(repo="a/b"), seed=1, steps=STEPS, batch_size=PICTURES)
JOB = Job(id="j", request=REQUEST, state=JobState.RUNNING)
SECOND, DECODE_SECONDS = 0.5, 2.0
DOT = Picture(1, 1, 3, b"abc")


def progress(stage: Stage, step: int, total: int | None) -> JobProgress:
    return JobProgress(stage=stage, step=step, total=total)


def one_after_the_other() -> Iterator[tuple[float, Event]]:
    """A batch as the engine makes it: half a second a step, two seconds to decode."""
    now = 0.0
    yield now, JobStarted(device="cpu")
    for step in range(5):
        yield now, progress(Stage.LOAD, step, 4)
    for step in range(2):
        yield now, progress(Stage.ENCODE, step, 1)
    for number in range(PICTURES):
        done = number * STEPS
        yield now, progress(Stage.DENOISE, done, STEPS * PICTURES)
        for step in range(1, STEPS + 1):
            now += SECOND
            yield now, progress(Stage.DENOISE, done + step, STEPS * PICTURES)
            yield now, JobPreview(picture=DOT, step=done + step)
        yield now, progress(Stage.DECODE, number, PICTURES)
        now += DECODE_SECONDS
        yield now, progress(Stage.DECODE, number + 1, PICTURES)


def test_the_bar_never_goes_back() -> None:
    pace, shown = Pace(JOB), []
    for now, event in one_after_the_other():
        pace.hear(event, now)
        shown.append(pace.fraction)
    measured = [fraction for fraction in shown if fraction is not None]
    assert measured == sorted(measured)
    assert shown[: len(shown) - len(measured)] == [None] * (len(shown) - len(measured))
    assert measured[-1] == 1.0


def test_the_time_left_is_right_from_the_second_picture_on() -> None:
    pace = Pace(JOB)
    end = PICTURES * (STEPS * SECOND + DECODE_SECONDS)
    for now, event in one_after_the_other():
        pace.hear(event, now)
        if event == progress(Stage.DENOISE, STEPS * 2, STEPS * PICTURES):
            assert pace.seconds_left == pytest.approx(end - now, rel=0.15)
            assert "left" in pace.words()
        if isinstance(event, JobProgress) and event.stage is Stage.DECODE and event.step in (1, 2):
            assert pace.seconds_left == pytest.approx(end - now, rel=0.15)


def test_strip_queue_and_preview_say_the_same() -> None:
    pace, running, model = Pace(JOB), RunningPicture((SMALL,) * PICTURES), QueueModel()
    model.show_jobs([JOB], {JOB.id: pace})
    seen = set()
    for now, event in one_after_the_other():
        pace.hear(event, now)
        _show(running, REQUEST, event)
        if pace.stage in (Stage.DENOISE, Stage.DECODE):
            words = pace.words()
            assert words.startswith(running.label), (words, running.label)
            assert model.data(model.index(0), QueueModel.WORDS) == words
            assert model.data(model.index(0), QueueModel.FRACTION) == pace.fraction
            seen.add(words.partition(" · ")[0] + words.partition(" · ")[2].partition(" · ")[0])
    assert "picture 2 of 4step 9 of 20" in seen
    assert "picture 4 of 4finishing" in seen


def test_a_preview_finds_its_own_picture() -> None:
    running = RunningPicture((SMALL,) * PICTURES)
    _show(running, REQUEST, progress(Stage.DENOISE, 20, 80))
    _show(running, REQUEST, JobPreview(picture=DOT, step=20))
    _show(running, REQUEST, JobPreview(picture=DOT, step=21))
    assert (running.current, list(running.finished)) == (1, [0])


def test_a_finished_picture_takes_the_place_of_its_preview() -> None:
    running, sharp = RunningPicture((SMALL,) * PICTURES), Picture(64, 64, 3, b"x" * 64 * 64 * 3)
    _show(running, REQUEST, progress(Stage.DENOISE, 20, 80))
    _show(running, REQUEST, JobPreview(picture=DOT, step=20))
    _show(running, REQUEST, JobPreview(picture=sharp, finished=0))
    assert running.image is not None
    assert running.image.width() == 64
    _show(running, REQUEST, progress(Stage.DENOISE, 21, 80))
    _show(running, REQUEST, JobPreview(picture=DOT, step=21))
    assert (running.current, running.finished[0].width()) == (1, 64)


@pytest.mark.parametrize(
    ("request_", "step", "total", "words"),
    [
        (REQUEST, 29, 80, "picture 2 of 4 · step 9 of 20"),
        (REQUEST, 9, 20, "4 pictures · step 9 of 20"),
        (REQUEST, 40, 80, "picture 2 of 4 · step 20 of 20"),
        (REQUEST, 0, 80, "picture 1 of 4 · step 0 of 20"),
        (REQUEST, 45, 156, "picture 2 of 4 · step 6 of 39"),  # a scheduler of second order
        (REQUEST, 9, None, "4 pictures · step 9"),
        (replace(REQUEST, batch_size=1), 9, 20, "step 9 of 20"),
        (replace(REQUEST, image="0" * 64, strength=0.5), 12, 40, "picture 2 of 4 · step 2 of 10"),
    ],
)
def test_words_of_a_step(request_: ImageRequest, step: int, total: int | None, words: str) -> None:
    assert batch_step(request_, step, total).words() == words


def test_a_text_has_one_bar_too() -> None:
    pace = Pace(Job(id="t", request=TextRequest(model=ModelRef(repo="a/b"), sampling=Sampling(seed=1))))
    shown = []
    for now, event in enumerate(
        [
            progress(Stage.LOAD, 100, 100),
            progress(Stage.PROMPT, 8, 8),
            TextDelta(text="a"),
            *(progress(Stage.GENERATE, step, 100) for step in (1, 40, 80)),
        ]
    ):
        pace.hear(event, float(now))
        shown.append(pace.fraction)
    assert shown == [None, None, None, 0.01, 0.4, 0.8]


def test_a_stop_is_seen_at_once_in_strip_and_list(qtbot: QtBot, running: Application) -> None:
    job = submit(running, "a fox steps=400 pause=0.05")
    strip, window = running.window.strip, running.window
    line = strip.lines[0]
    qtbot.waitUntil(lambda: line.isVisible() and " of 400" in line.words.text(), timeout=20000)
    window.open_queue()
    assert window._queue is not None
    model = window._queue.model
    qtbot.waitUntil(lambda: " of 400" in str(model.data(model.index(0), QueueModel.WORDS)))
    qtbot.mouseClick(line.stop, Qt.MouseButton.LeftButton)
    assert line.words.text() == "stopping…"
    assert model.data(model.index(0), QueueModel.WORDS) == "stopping…"
    qtbot.waitUntil(lambda: job_state(running, job) is JobState.CANCELLED, timeout=5000)
    qtbot.waitUntil(lambda: not line.isVisible())


def test_a_tune_is_called_by_its_title_or_its_kind() -> None:
    asked = MusicRequest(model=ModelRef(repo="a/b"), sampling=Sampling(seed=1), kind="chorale")
    assert job_title(Job(id="j", request=asked)) == "Chorale"
    named = Job(id="j", request=replace(asked, title="Morning"))
    assert (job_title(named), job_icon(named)) == ("Morning", "sound")
