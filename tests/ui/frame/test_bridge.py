"""The bridge: everything arrives on the main thread, in order, and never as a flood."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from studio.core.events import (
    Event,
    JobCancelled,
    JobCompleted,
    JobPreview,
    JobProgress,
    JobStarted,
    Picture,
    Stage,
    TextDelta,
)
from studio.core.jobs import Job
from studio.core.references import ModelRef
from studio.core.requests import ImageRequest
from studio.ui.bridge import Bridge

PICTURE = Picture(1, 1, 3, b"abc")


class Source:
    """Says what a test has it say, on whatever thread the test is on."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Job, Event], None]] = []
        self.watchers: list[Callable[[], None]] = []

    def listen(self, callback: Callable[[Job, Event], None]) -> Callable[[], None]:
        self.listeners.append(callback)
        return lambda: self.listeners.remove(callback)

    def queue_changed(self, callback: Callable[[], None]) -> Callable[[], None]:
        self.watchers.append(callback)
        return lambda: self.watchers.remove(callback)

    def say(self, job: Job, event: Event) -> None:
        for listener in self.listeners:
            listener(job, event)


def a_job(identity: str) -> Job:
    return Job(id=identity, request=ImageRequest(prompt="x", model=ModelRef(repo="a/b"), seed=1))


def from_a_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_events_come_in_order_on_the_main_thread(qtbot: QtBot) -> None:
    source = Source()
    bridge = Bridge(source)
    job = a_job("j")
    heard: list[Event] = []
    threads = set()

    def hear(event: Event) -> None:
        heard.append(event)
        threads.add(threading.current_thread())

    bridge.follow("j", hear)

    def work() -> None:
        source.say(job, JobStarted(device="cpu"))
        for step in range(100):
            source.say(job, JobProgress(stage=Stage.DENOISE, step=step, total=100))
            source.say(job, JobPreview(picture=PICTURE, step=step))
        for number in range(2):
            source.say(job, JobPreview(picture=PICTURE, finished=number))
        for letter in "hello":
            source.say(job, TextDelta(text=letter))
        source.say(job, JobCompleted(text="hello"))

    from_a_thread(work)
    qtbot.waitUntil(lambda: bool(heard) and isinstance(heard[-1], JobCompleted))
    kinds = [type(event).__name__ for event in heard]
    assert kinds == ["JobStarted", "JobProgress", *["JobPreview"] * 3, "TextDelta", "JobCompleted"]
    progress, preview, text = heard[1], heard[2], heard[5]
    assert [event.finished for event in heard if isinstance(event, JobPreview)] == [None, 0, 1]
    assert isinstance(progress, JobProgress)
    assert progress.step == 99
    assert isinstance(preview, JobPreview)
    assert preview.step == 99
    assert isinstance(text, TextDelta)
    assert (text.text, text.tokens) == ("hello", 5)
    assert threads == {threading.main_thread()}
    bridge.stop()


def test_stages_are_kept_apart_and_text_is_not_joined_across_other_events(qtbot: QtBot) -> None:
    source = Source()
    bridge = Bridge(source)
    job = a_job("j")
    heard: list[Event] = []
    bridge.follow("j", heard.append)

    def work() -> None:
        source.say(job, JobProgress(stage=Stage.LOAD, step=1, total=1))
        source.say(job, TextDelta(text="a"))
        source.say(job, JobProgress(stage=Stage.GENERATE, step=1, total=2))
        source.say(job, TextDelta(text="b"))
        source.say(job, JobCancelled())

    from_a_thread(work)
    qtbot.waitUntil(lambda: bool(heard) and isinstance(heard[-1], JobCancelled))
    assert [event.text for event in heard if isinstance(event, TextDelta)] == ["a", "b"]
    assert [event.stage for event in heard if isinstance(event, JobProgress)] == [Stage.LOAD, Stage.GENERATE]
    bridge.stop()


def test_followers_are_forgotten_after_the_last_event_and_can_leave_early(qtbot: QtBot) -> None:
    source = Source()
    bridge = Bridge(source)
    job = a_job("j")
    first: list[Event] = []
    second: list[Event] = []
    bridge.follow("j", first.append)
    leave = bridge.follow("j", second.append)
    leave()
    with qtbot.waitSignal(bridge.job_event):
        source.say(job, JobCancelled())
    with qtbot.waitSignal(bridge.job_event):
        source.say(job, JobCancelled())
    assert len(first) == 1
    assert second == []
    bridge.stop()


def test_a_flood_of_both_kinds_leaves_the_event_loop_free(qtbot: QtBot) -> None:
    source = Source()
    bridge = Bridge(source)
    jobs = [a_job("picture"), a_job("text")]
    ended: list[str] = []
    delivered: list[Event] = []

    def hear(job: Job, event: Event) -> None:
        delivered.append(event)
        if isinstance(event, JobCompleted):
            ended.append(job.id)

    bridge.job_event.connect(hear)
    lags: list[float] = []
    timer = QTimer()
    timer.setInterval(5)
    last = [time.perf_counter()]

    def tick() -> None:
        now = time.perf_counter()
        lags.append(now - last[0] - 0.005)
        last[0] = now

    timer.timeout.connect(tick)
    timer.start()

    def flood(job: Job, make: Callable[[int], Event]) -> None:
        for step in range(4000):
            source.say(job, make(step))
        source.say(job, JobCompleted())

    threads = [
        threading.Thread(target=flood, args=(jobs[0], lambda step: JobPreview(picture=PICTURE, step=step))),
        threading.Thread(target=flood, args=(jobs[1], lambda step: TextDelta(text=f"{step} "))),
    ]
    for thread in threads:
        thread.start()
    qtbot.waitUntil(lambda: sorted(ended) == ["picture", "text"], timeout=20000)
    timer.stop()
    for thread in threads:
        thread.join()
    bridge.stop()
    text = "".join(event.text for event in delivered if isinstance(event, TextDelta))
    assert text.split() == [str(step) for step in range(4000)]
    assert len(delivered) < 2000
    assert lags


def test_the_queue_is_announced_once_for_many_changes(qtbot: QtBot) -> None:
    source = Source()
    bridge = Bridge(source)
    count = [0]
    bridge.queue_changed.connect(lambda: count.__setitem__(0, count[0] + 1))
    for _ in range(50):
        for watcher in source.watchers:
            watcher()
    qtbot.waitUntil(lambda: count[0] > 0)
    assert count[0] < 5
    bridge.stop()
    assert source.listeners == []
    assert source.watchers == []
