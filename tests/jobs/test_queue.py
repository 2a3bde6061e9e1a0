"""The durable queue: order, states, refusals, and what is there after the lights went out."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from studio.core.failure import Failure, FailureCode, InvalidField, StudioError
from studio.core.jobs import Family, Job, JobState
from studio.core.references import Destination
from studio.jobs.queue import NoSuchJob, Queue, WrongState
from tests.fakes import image, text

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "queue.db"


@pytest.fixture
def queue(path: Path) -> Iterator[Queue]:
    with Queue(path) as opened:
        yield opened


def order(queue: Queue) -> list[str]:
    return [job.title for job in queue.jobs()]


def add(queue: Queue, *titles: str) -> list[str]:
    return [queue.add(text("say x"), title=title).id for title in titles]


def test_add_keeps_everything(queue: Queue, path: Path) -> None:
    destination = Destination(room="canvas", document="d", x=3, y=4, width=5, height=6)
    job = queue.add(image("a"), destination, "title")
    queue.close()
    with Queue(path) as again:
        assert again.get(job.id) == job
        assert again.jobs() == [job]
    assert job.destination == destination
    assert job.created > 0


def test_order_is_that_of_adding_and_moves_persist(queue: Queue, path: Path) -> None:
    a, b, c, d = add(queue, "a", "b", "c", "d")
    queue.move(d, a)
    queue.move(a, c)
    queue.move(b, None)
    queue.move(c, c)
    assert order(queue) == ["d", "a", "c", "b"]
    queue.close()
    with Queue(path) as again:
        assert order(again) == ["d", "a", "c", "b"]


def test_many_moves_into_the_same_gap_keep_the_order(queue: Queue) -> None:
    first, *rest = add(queue, "a", "b", "c")
    for turn in range(200):
        queue.move(rest[turn % 2], rest[1 - turn % 2])
        queue.move(first, rest[1 - turn % 2])
    names = {first: "a", rest[0]: "b", rest[1]: "c"}
    assert order(queue) == [names[job] for job in (rest[1], first, rest[0])]
    assert len({job.position for job in queue.jobs()}) == 3


def test_claim_takes_the_first_of_its_family(queue: Queue) -> None:
    queue.add(image("x"), title="picture")
    a, b = add(queue, "a", "b")
    claimed = queue.claim(Family.LANGUAGE)
    assert claimed is not None
    assert (claimed.id, claimed.state) == (a, JobState.LOADING)
    assert claimed.started is not None
    assert queue.get(a) == claimed
    other = queue.claim(Family.LANGUAGE)
    assert other is not None
    assert other.id == b
    assert queue.claim(Family.LANGUAGE) is None


def test_held_jobs_and_a_paused_queue_wait(queue: Queue, path: Path) -> None:
    a, b = add(queue, "a", "b")
    queue.hold(a)
    queue.set_paused(True)
    assert queue.claim(Family.LANGUAGE) is None
    queue.close()
    with Queue(path) as again:
        assert again.paused
        again.set_paused(False)
        claimed = again.claim(Family.LANGUAGE)
        assert claimed is not None
        assert claimed.id == b
        assert again.claim(Family.LANGUAGE) is None
        again.resume(a)
        assert again.claim(Family.LANGUAGE) is not None


def test_cancel_touches_queued_jobs_alone(queue: Queue) -> None:
    a, b = add(queue, "a", "b")
    queue.claim(Family.LANGUAGE)
    assert queue.cancel_queued(a) is None
    cancelled = queue.cancel_queued(b)
    assert cancelled is not None
    assert cancelled.state is JobState.CANCELLED
    assert queue.cancel_queued(b) is None


def test_retry_is_a_new_attempt_at_the_end(queue: Queue) -> None:
    a, _ = add(queue, "a", "b")
    with pytest.raises(WrongState):
        queue.retry(a)
    queue.claim(Family.LANGUAGE)
    failure = Failure(FailureCode.INTERNAL, "no")
    queue.update(a, state=JobState.FAILED, failure=failure, text="half", ended=1.0)
    assert queue.get(a).failure == failure
    again = queue.retry(a)
    assert (again.state, again.attempt, again.failure, again.text) == (JobState.QUEUED, 1, None, "")
    assert order(queue) == ["b", "a"]


def test_clear_and_remove(queue: Queue) -> None:
    a, b, c = add(queue, "a", "b", "c")
    queue.claim(Family.LANGUAGE)
    with pytest.raises(WrongState, match="loading"):
        queue.remove(a)
    queue.update(a, state=JobState.COMPLETED)
    queue.cancel_queued(b)
    assert queue.clear_ended() == 2
    assert order(queue) == ["c"]
    queue.remove(c)
    assert queue.jobs() == []
    with pytest.raises(NoSuchJob):
        queue.get(c)


def test_what_breaks_the_vocabulary_never_gets_in(queue: Queue) -> None:
    with pytest.raises(InvalidField) as caught:
        queue.add(replace(image("x"), width=3))
    assert caught.value.field == "request.width"
    (job,) = add(queue, "a")
    with pytest.raises(InvalidField, match="state"):
        queue.update(job, state="walking")
    assert queue.get(job).state is JobState.QUEUED


def test_changes_are_heard_after_they_are_there(queue: Queue) -> None:
    seen: list[int] = []
    unsubscribe = queue.subscribe(lambda: seen.append(len(queue.jobs())))
    add(queue, "a", "b")
    unsubscribe()
    add(queue, "c")
    assert seen == [1, 2]


def test_a_second_studio_is_refused(queue: Queue, path: Path) -> None:
    add(queue, "a")
    with pytest.raises(StudioError) as caught:
        Queue(path)
    assert caught.value.failure.code is FailureCode.STORAGE
    assert "another window" in caught.value.failure.message


def test_a_damaged_file_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all, but somebody's file" * 100)
    before = path.read_bytes()
    with pytest.raises(StudioError) as caught:
        Queue(path)
    assert "damaged" in caught.value.failure.message
    assert path.read_bytes() == before


def test_a_newer_file_is_left_as_it_is(queue: Queue, path: Path) -> None:
    queue.close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StudioError, match="newer"):
        Queue(path)


def test_entries_of_a_newer_studio_are_kept_and_counted(queue: Queue, path: Path) -> None:
    add(queue, "a", "b")
    queue.close()
    with sqlite3.connect(path) as db:
        db.execute('UPDATE jobs SET body = \'{"from": "the future"}\' WHERE position = 1.0')
    db.close()
    with Queue(path) as again:
        assert order(again) == ["b"]
        assert again.unreadable() == 1
        claimed = again.claim(Family.LANGUAGE)
        assert claimed is not None
        assert claimed.title == "b"


def fill(queue: Queue) -> None:
    """Let SQLite find no more room, as on a full disk."""
    db = queue._storage._db
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_refuses_and_loses_nothing(queue: Queue, path: Path) -> None:
    (a,) = add(queue, "a")
    queue.claim(Family.LANGUAGE)
    fill(queue)
    with pytest.raises(StudioError) as caught:
        queue.add(text("say " + "long " * 10000))
    assert caught.value.failure.code is FailureCode.DISK_FULL
    assert order(queue) == ["a"]
    queue.record(a, state=JobState.COMPLETED, text="result " * 10000)
    assert queue.get(a).state is JobState.COMPLETED
    queue._storage._db.execute("PRAGMA max_page_count = 100000")
    add(queue, "b")
    queue.close()
    with Queue(path) as again:
        assert again.get(a).text == "result " * 10000


CHILD = """
import random, sys
from pathlib import Path
from studio.core.jobs import Family, JobState
from studio.jobs.queue import Queue
from tests.fakes import text

def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\\n")
    sys.stdout.flush()

with Queue(Path(sys.argv[1])) as queue:
    dice = random.Random(int(sys.argv[2]))
    for job in queue.jobs():
        if job.interrupted:
            queue.resume(job.id)
    say("ready")
    while True:
        job = queue.add(text("say x"))
        say("added", job.id)
        if dice.random() < 0.6:
            claimed = queue.claim(Family.LANGUAGE)
            say("claimed", claimed.id)
            queue.update(claimed.id, state=JobState.RUNNING)
            if dice.random() < 0.7:
                queue.record(claimed.id, state=JobState.COMPLETED, text="done")
                say("ended", claimed.id)
        if dice.random() < 0.3:
            queue.move(job.id, queue.jobs()[0].id)
"""


def rounds(path: Path, seed: int) -> tuple[set[str], set[str]]:
    """Run a queue in a process, kill it in the middle; the jobs that it said were there, and those ended."""
    dice = random.Random(seed)
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(seed)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(dice.randrange(2, 40))]
    os.kill(process.pid, signal.SIGKILL)
    lines += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    words = [line.split() for line in lines if line.endswith("\n")]
    added = {word[1] for word in words if word[0] == "added"}
    ended = {word[1] for word in words if word[0] == "ended"}
    assert ["ready"] in words
    return added, ended


def test_kill_9_at_any_moment_loses_nothing(path: Path) -> None:
    known: set[str] = set()
    ended: set[str] = set()
    for seed in range(6):
        more, done = rounds(path, seed)
        known |= more
        ended |= done
        with Queue(path) as queue:
            jobs = {job.id: job for job in queue.jobs()}
        assert known <= jobs.keys()
        assert queue_is_whole(list(jobs.values()))
        assert all(jobs[job].state is JobState.COMPLETED and jobs[job].text == "done" for job in ended)
    assert len(known) > 20


def queue_is_whole(jobs: list[Job]) -> bool:
    """No job is with a worker that is no more: it waits, and says so."""
    waiting = [job for job in jobs if not job.state.ended]
    return all(job.state is JobState.QUEUED and job.held == job.interrupted for job in waiting)
