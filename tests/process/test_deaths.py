"""Workers die in every way there is: the job fails with a reason, the next one runs, nothing is left."""

import contextlib
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from studio.core.events import JobCompleted, JobFailed, JobProgress, Stage, TextDelta
from studio.core.failure import FailureCode
from studio.core.jobs import Family, JobState
from tests.fakes import BROKEN, PROGRAM, image, text
from tests.process.harness import COMMAND, LIMITS, House, gone, open_house


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        ("abort", FailureCode.WORKER_DIED, "SIGABRT"),
        ("segfault", FailureCode.WORKER_DIED, "SIGSEGV"),
        ("bad-alloc", FailureCode.OUT_OF_MEMORY, "not enough memory"),
        ("leave 3", FailureCode.WORKER_DIED, "exit code 3"),
        ("leave 0", FailureCode.WORKER_DIED, "exit code 0"),
        ("corrupt 00000003ffffff", FailureCode.WORKER_DIED, "understood"),
        ("corrupt 7fffffff", FailureCode.WORKER_DIED, "understood"),
        ("corrupt 0000000a81a474797065a44576696c", FailureCode.WORKER_DIED, "understood"),
    ],
)
def test_the_reason_is_told(house: House, script: str, code: FailureCode, words: str) -> None:
    job = house.submit(text(f"say before; {script}"))
    end = house.end_of(job)
    assert isinstance(end, JobFailed)
    assert end.failure.code is code
    assert words in end.failure.message
    assert end.failure.hint
    assert "worker process" in end.failure.detail
    assert house.queue.get(job).text == "before "
    assert house.text_of(text("say next")) == "next"


def test_the_last_output_is_in_the_detail(house: House) -> None:
    failure = house.failure_of(text("say before; shout 20000000; abort"))
    assert "last words" in failure.detail
    assert "abort" in failure.detail  # where in Python it happened
    assert len(failure.detail) < 20000


@pytest.mark.parametrize("stage", list(Stage))
def test_kill_9_in_each_stage(house: House, stage: Stage) -> None:
    job = house.submit(image(f"stage encode; stage {stage.value}; child; deaf"))
    house.wait_for(lambda: sum(isinstance(event, TextDelta) for event in house.events(job)) == 2)
    children = [int(event.text) for event in house.events(job) if isinstance(event, TextDelta)]
    os.kill(house.worker(Family.DIFFUSION).process, signal.SIGKILL)
    end = house.end_of(job)
    assert isinstance(end, JobFailed)
    assert end.failure.code is FailureCode.WORKER_KILLED
    assert stage.value in end.failure.detail
    assert house.queue.get(job).state is JobState.FAILED
    # The one in the worker's own group goes with it; one that left the group is nobody's business but its own.
    house.wait_for(lambda: gone(children[0]), "the grandchild's end")
    os.kill(children[1], signal.SIGKILL)
    assert isinstance(house.run(image("picture 8x8x3")), JobCompleted)


def test_random_kills_cost_one_job_each(house: House) -> None:
    dice = random.Random(7)
    for _ in range(8):
        job = house.submit(image("steps 5; picture 1024x1024x3x2"))
        moment = dice.randrange(len(Stage) * 5)
        house.wait_for(lambda: len(house.events(job)) >= moment or house.queue.get(job).state.ended)  # noqa: B023 - waited for at once
        pid = house.worker(Family.DIFFUSION).process
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        end = house.end_of(job)
        if isinstance(end, JobFailed):
            assert end.failure.code is FailureCode.WORKER_KILLED
        else:
            assert isinstance(end, JobCompleted)
    end = house.run(image("picture 1024x1024x3x2"))
    assert isinstance(end, JobCompleted)
    assert len(end.pictures) == 2


def test_an_idle_worker_that_dies_is_replaced(house: House) -> None:
    house.run(text("say a"))
    os.kill(house.worker().process, signal.SIGKILL)
    house.wait_for(lambda: house.worker().process == 0)
    assert house.text_of(text("say b")) == "b"


def test_deaths_in_a_row_while_loading_put_the_rest_on_hold(path: Path) -> None:
    with open_house(
        path, command=replace(COMMAND, engines={Family.LANGUAGE: BROKEN, Family.DIFFUSION: PROGRAM})
    ) as house:
        house.queue.set_paused(True)
        jobs = [house.submit(text("say x")) for _ in range(5)]
        house.queue.set_paused(False)
        ends = [house.end_of(job) for job in jobs[:3]]
        assert all(isinstance(end, JobFailed) for end in ends)
        last = ends[-1]
        assert isinstance(last, JobFailed)
        assert "3 times in a row" in last.failure.message
        assert [house.queue.get(job).held for job in jobs[3:]] == [True, True]
        assert house.worker().process == 0
        assert house.run(image("say fine")).text == "fine"  # type: ignore[attr-defined]  # the other family goes on


def test_a_crash_loop_is_forgotten_once_something_runs(house: House) -> None:
    for _ in range(2):
        assert house.failure_of(text("abort")).code is FailureCode.WORKER_DIED
        assert house.failure_of(text("abort")).code is FailureCode.WORKER_DIED
        assert house.text_of(text("say a")) == "a"


@contextlib.contextmanager
def memory_group(limit: int) -> Iterator[Path]:
    """A control group (version 1) with little memory. Skips where this process may not make one."""
    folder = Path("/sys/fs/cgroup/memory") / f"atelier-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("needs the right to make a memory control group")
    try:
        (folder / "memory.limit_in_bytes").write_text(str(limit))
        yield folder
    finally:
        folder.rmdir()


def test_the_kernel_takes_the_memory_hungry(path: Path) -> None:
    with memory_group(200 << 20) as group, open_house(path, LIMITS) as house:
        house.run(text("say warm"))
        (group / "cgroup.procs").write_text(str(house.worker().process))
        failure = house.failure_of(text("say more; devour"))
        assert failure.code is FailureCode.OUT_OF_MEMORY
        assert "probably" in failure.message
        house.seen(house.submit(text("stage load; say a")), JobProgress)
        assert house.text_of(text("say next")) == "next"
