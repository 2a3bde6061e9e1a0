"""Everything can be stopped at once: politely, by force, before it began, while it hangs."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from studio.core.events import JobCancelled, JobCompleted, JobProgress, TextDelta
from studio.core.failure import FailureCode
from studio.core.jobs import Family, JobState
from studio.jobs.queue import NoSuchJob
from tests.fakes import SLOW, image, text
from tests.process.harness import COMMAND, LIMITS, House, gone, open_house


def cancel(house: House, job: str) -> JobCancelled:
    house.dispatcher.cancel(job)
    end = house.end_of(job)
    assert isinstance(end, JobCancelled)
    assert house.queue.get(job).state is JobState.CANCELLED
    return end


@pytest.mark.parametrize("manner", ["wait", "wrap"])
def test_a_polite_engine_keeps_its_process_and_its_words(house: House, manner: str) -> None:
    job = house.submit(text(f"say half a; {manner}"))
    house.wait_for(lambda: len(house.events(job)) == 3)
    worker = house.worker().process
    assert cancel(house, job).text == "half a "
    assert house.queue.get(job).text == "half a "
    assert house.text_of(text("say next")) == "next"
    assert house.worker().process == worker


@pytest.mark.parametrize("manner", ["deaf", "hold", "stop"])
def test_an_engine_that_does_not_listen_is_ended_by_force(house: House, manner: str) -> None:
    job = house.submit(text(f"say half a; child; {manner}"))
    house.wait_for(lambda: sum(isinstance(event, TextDelta) for event in house.events(job)) == 4)
    worker, children = house.worker().process, [int(word) for word in house.events(job)[-1:][0].text.split()]  # type: ignore[attr-defined]  # a TextDelta
    assert cancel(house, job).text.startswith("half a ")
    assert gone(worker)
    house.wait_for(lambda: all(gone(child) for child in children), "the grandchildren's end")
    assert house.text_of(text("say next")) == "next"


def test_half_a_message_does_not_hold_the_cancel_up(house: House) -> None:
    job = house.submit(text("say x; corrupt 00000064ff"))
    house.seen(job, TextDelta)
    cancel(house, job)
    assert house.text_of(text("say next")) == "next"


def test_a_job_whose_library_is_being_imported(path: Path) -> None:
    with open_house(
        path, replace(LIMITS, force_kill_after=0.9), command=replace(COMMAND, engines={Family.LANGUAGE: SLOW})
    ) as house:
        job = house.submit(text("say never"))
        house.wait_for(lambda: house.dispatcher._lanes[Family.LANGUAGE]._crew.current is not None)
        current = house.dispatcher._lanes[Family.LANGUAGE]._crew.current
        assert current is not None
        house.wait_for(lambda: current.listening)
        cancel(house, job)
        # The import was not in vain: the same process runs the next job.
        assert house.text_of(text("about")).split()[0] == str(current.pid)


def test_a_queued_job_never_touches_a_worker(house: House) -> None:
    running = house.submit(text("say a; wait"))
    house.seen(running, TextDelta)
    queued = house.submit(text("say b"))
    worker = house.worker().process
    cancel(house, queued)
    assert [type(event) for event in house.events(queued)] == [JobCancelled]
    assert house.worker().process == worker
    assert house.worker().state == "busy"
    cancel(house, running)


def test_cancel_right_after_submit_and_again_and_too_late(house: House) -> None:
    for _ in range(20):
        job = house.submit(text("say a; wait"))
        house.dispatcher.cancel(job)
        house.dispatcher.cancel(job)
        assert isinstance(house.end_of(job), JobCancelled)
        house.dispatcher.cancel(job)
    assert house.text_of(text("say b")) == "b"
    with pytest.raises(NoSuchJob):
        house.dispatcher.cancel("nobody")


def test_a_late_cancel_does_not_hit_the_next_attempt(house: House) -> None:
    job = house.submit(text("say a"))
    assert isinstance(house.end_of(job), JobCompleted)
    claimed = house.queue.get(job)
    house.dispatcher._lanes[Family.LANGUAGE].cancel(claimed)
    house.heard.clear()
    house.dispatcher.retry(job)
    assert isinstance(house.end_of(job), JobCompleted)


def test_cancel_in_each_stage(house: House) -> None:
    for stage in ("load", "encode", "prompt", "denoise", "decode", "generate", "save"):
        job = house.submit(image(f"stage {stage}; wait"))
        house.seen(job, JobProgress)
        cancel(house, job)


@pytest.mark.parametrize("manner", ["hold", "stop"])
def test_a_worker_that_gives_no_sign_of_life(path: Path, manner: str) -> None:
    with open_house(path, replace(LIMITS, silent_after=2.5)) as house:
        failure = house.failure_of(text(manner))
        assert failure.code is FailureCode.WORKER_SILENT
        assert house.text_of(text("say next")) == "next"
