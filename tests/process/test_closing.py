"""What starts also stops: the closing ladder, and the studio killed in the middle of everything."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from studio.core.events import Event, JobCancelled, JobCompleted, JobPreview, TextDelta
from studio.core.failure import FailureCode, StudioError
from studio.core.jobs import Family, Job, JobState
from studio.jobs.dispatcher import Dispatcher
from studio.jobs.queue import Queue
from tests.fakes import SLOW, image, text
from tests.process.harness import COMMAND, LIMITS, PATIENCE, ROOT, assignment, gone, open_house


@pytest.mark.parametrize("manner", ["wait", "deaf", "hold", "stop"])
def test_closing_ends_everything_and_keeps_the_job(path: Path, manner: str) -> None:
    limits = replace(LIMITS, close_grace=0.4, terminate_grace=0.2)
    with open_house(path, limits) as house:
        job = house.submit(text(f"say half; child; {manner}"))
        waiting = house.submit(text("say later"))
        house.wait_for(lambda: sum(isinstance(event, TextDelta) for event in house.events(job)) == 3)
        words = [event.text for event in house.events(job) if isinstance(event, TextDelta)]
        pids = [house.worker().process, *map(int, words[1:])]
        began = time.monotonic()
        house.dispatcher.stop()
        assert time.monotonic() - began < 3.0
        if manner == "wait":  # a polite worker ends by itself, and leaves to its fate what left its group
            os.kill(pids.pop(), signal.SIGKILL)
        house.wait_for(lambda: all(gone(pid) for pid in pids), "the end of all processes")
        end = house.end_of(job)
        assert isinstance(end, JobCancelled)
        with pytest.raises(StudioError) as caught:
            house.submit(text("say no"))
        assert caught.value.failure.code is FailureCode.INTERRUPTED
        assert house.events(waiting) == []
    with Queue(path) as queue:
        kept = queue.get(job)
        assert (kept.state, kept.held, kept.interrupted) == (JobState.QUEUED, True, True)
        assert kept.text.startswith("half ")
        assert not queue.get(waiting).held


def test_closing_in_the_middle_of_an_import_is_quick(path: Path) -> None:
    with open_house(path, command=replace(COMMAND, engines={Family.LANGUAGE: SLOW})) as house:
        house.dispatcher.warm(Family.LANGUAGE)
        house.wait_for(lambda: house.worker().process != 0)
        began = time.monotonic()
        house.dispatcher.stop()
        house.dispatcher.stop()
        assert time.monotonic() - began < 1.0
        assert house.worker().process == 0


def test_a_dispatcher_that_was_never_started_stops(path: Path) -> None:
    with Queue(path) as queue:
        dispatcher = Dispatcher(queue, assignment, COMMAND, LIMITS)
        dispatcher.warm(Family.LANGUAGE)
        dispatcher.stop()
        assert not [child for child in psutil.Process().children() if "studio.worker" in child.cmdline()]


def test_a_job_that_the_user_cancelled_stays_cancelled(path: Path) -> None:
    with open_house(path, replace(LIMITS, force_kill_after=5.0, close_grace=0.3)) as house:
        job = house.submit(text("say a; deaf"))
        house.seen(job, TextDelta)
        house.dispatcher.cancel(job)
        house.dispatcher.stop()
        assert house.queue.get(job).state is JobState.CANCELLED


VICTIM = """
import sys, threading
from pathlib import Path
from studio.core.events import TextDelta
from tests.fakes import image, text
from tests.process.harness import open_house

with open_house(Path(sys.argv[1])) as house:
    done = house.submit(text("say done"))
    house.end_of(done)
    for request in (text("say half; child; " + sys.argv[2]), image("child; " + sys.argv[2])):
        job = house.submit(request)
        house.wait_for(lambda: sum(isinstance(event, TextDelta) for event in house.events(job)) >= 2)
    house.submit(text("say waiting"))
    pids = [str(state.process) for state in house.dispatcher.workers() if state.process]
    pids += [w for _, _, e in house.heard if isinstance(e, TextDelta) for w in e.text.split() if w.isdecimal()]
    print(*pids, flush=True)
    threading.Event().wait()
"""


@pytest.mark.parametrize("manner", ["wait", "deaf"])
def test_kill_9_the_studio_in_the_middle_of_jobs(path: Path, manner: str) -> None:
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(path), manner], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert victim.stdout is not None
    pids = [int(word) for word in victim.stdout.readline().split()]
    assert len(pids) >= 5
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    victim.stdout.close()
    deadline = time.monotonic() + PATIENCE
    while not all(gone(pid) for pid in pids):
        assert time.monotonic() < deadline, [pid for pid in pids if not gone(pid)]
    with open_house(path) as house:
        states = [(job.state, job.held, job.interrupted) for job in house.queue.jobs()]
        interrupted = (JobState.QUEUED, True, True)
        assert states[:3] == [(JobState.COMPLETED, False, False), interrupted, interrupted]
        assert isinstance(house.end_of(house.queue.jobs()[3].id), JobCompleted)
        again = house.dispatcher.retry(house.queue.jobs()[2].id)
        assert again.attempt == 1
        house.seen(again.id, TextDelta)
        house.dispatcher.cancel(again.id)
        house.end_of(again.id)
        for job in house.events(again.id):
            if isinstance(job, TextDelta):
                os.kill(int(job.text), signal.SIGKILL)


def test_stop_in_the_middle_of_many_pictures(path: Path) -> None:
    with open_house(path) as house:
        job = house.submit(image("say x; previews 100 512; wait"))
        house.seen(job, JobPreview)
        house.dispatcher.stop()
        assert isinstance(house.end_of(job), JobCancelled)


def test_stop_does_not_wait_for_a_listener_that_is_stuck(path: Path) -> None:
    stuck, go_on = threading.Event(), threading.Event()

    def listen(_job: Job, event: Event) -> None:
        if isinstance(event, TextDelta):
            stuck.set()
            go_on.wait(PATIENCE)

    limits = replace(LIMITS, close_grace=0.1, terminate_grace=0.1)
    with open_house(path, limits) as house:
        house.dispatcher.listen(listen)
        job = house.submit(text("say x; wait"))
        assert stuck.wait(PATIENCE)
        worker = house.worker().process
        stopping = threading.Thread(target=house.dispatcher.stop)
        stopping.start()
        house.wait_for(lambda: gone(worker), "the worker's end")
        go_on.set()
        stopping.join(PATIENCE)
        assert isinstance(house.end_of(job), JobCancelled)
