"""Jobs run in real worker processes: order, streams, states, and what the worker's surroundings are."""

import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from studio.core.events import Event, JobCancelled, JobCompleted, JobFailed, JobPreview, JobStarted, TextDelta
from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.jobs import Family, Job, JobState
from studio.jobs.dispatcher import Dispatcher, Limits, WorkerCommand
from studio.jobs.queue import Queue
from tests.fakes import MISSING, image, text
from tests.process.harness import COMMAND, LIMITS, House, assignment, open_house


def test_words_stream_and_the_job_completes(house: House) -> None:
    job = house.submit(text("say one two three"))
    end = house.end_of(job)
    assert isinstance(end, JobCompleted)
    assert end.text == "one two three"
    events = house.events(job)
    assert isinstance(events[0], JobStarted)
    assert events[0].process == house.worker().process
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "one two three "
    done = house.queue.get(job)
    assert (done.state, done.text) == (JobState.COMPLETED, "one two three")
    assert done.started is not None
    assert done.ended is not None
    assert end.report.peak_memory > 1 << 20


def test_jobs_of_one_family_take_turns_on_one_worker(house: House) -> None:
    jobs = [house.submit(text(f"steps 3; say {name}")) for name in "abc"]
    for job in jobs:
        assert isinstance(house.end_of(job), JobCompleted)
    owners = [job.id for _, job, _ in house.heard]
    assert owners == sorted(owners, key=jobs.index)
    assert len({event.process for job in jobs for event in house.events(job) if isinstance(event, JobStarted)}) == 1


def test_two_families_run_at_the_same_time(house: House) -> None:
    words, picture = house.submit(text("say hi; wait")), house.submit(image("stage denoise; wait"))
    house.wait_for(lambda: [house.queue.get(job).state for job in (words, picture)] == [JobState.RUNNING] * 2)
    assert house.worker(Family.LANGUAGE).process != house.worker(Family.DIFFUSION).process
    for job in (words, picture):
        house.dispatcher.cancel(job)
        assert isinstance(house.end_of(job), JobCancelled)


def test_states_pass_from_loading_to_running(house: House) -> None:
    job = house.submit(text("started cpu; stage load; wait"))
    house.wait_for(lambda: len(house.events(job)) == 2)
    assert house.queue.get(job).state is JobState.LOADING
    house.dispatcher.cancel(job)
    house.end_of(job)
    job = house.submit(text("started cpu; stage load; stage prompt; wait"))
    house.wait_for(lambda: house.queue.get(job).state is JobState.RUNNING)
    house.dispatcher.cancel(job)
    house.end_of(job)


def test_pause_hold_and_resume(house: House) -> None:
    house.queue.set_paused(True)
    first, second = house.submit(text("say a")), house.submit(text("say b"))
    house.queue.hold(first)
    house.queue.set_paused(False)
    assert isinstance(house.end_of(second), JobCompleted)
    assert house.events(first) == []
    house.queue.resume(first)
    assert isinstance(house.end_of(first), JobCompleted)


def test_retry_runs_again(house: House) -> None:
    job = house.submit(text("fail the file is damaged"))
    end = house.end_of(job)
    assert isinstance(end, JobFailed)
    assert (end.failure.code, end.failure.message) == (FailureCode.MODEL_DAMAGED, "the file is damaged")
    assert house.queue.get(job).failure == end.failure
    house.heard.clear()
    assert house.dispatcher.retry(job).attempt == 1
    assert isinstance(house.end_of(job), JobFailed)


def test_what_engines_raise_becomes_a_failure_and_the_worker_goes_on(house: House) -> None:
    house.run(text("say warm"))
    worker = house.worker().process
    failure = house.failure_of(text("raise ouch"))
    assert failure.code is FailureCode.INTERNAL
    assert "ValueError: ouch" in failure.detail
    assert "Traceback" not in failure.message
    failure = house.failure_of(text("eat"))
    assert failure.code is FailureCode.OUT_OF_MEMORY
    assert house.failure_of(text("lie")).code is FailureCode.INTERNAL
    assert house.text_of(text("say fine")) == "fine"
    assert house.worker().process == worker


def test_a_missing_library_is_named(path: Path) -> None:
    command = replace(COMMAND, engines={Family.LANGUAGE: MISSING})
    with open_house(path, command=command) as house:
        failure = house.failure_of(text("say x"))
        assert failure.code is FailureCode.LIBRARY_MISSING
        assert "a_library_that_is_not_there" in failure.message
        house.dispatcher.warm(Family.LANGUAGE)
        house.wait_for(lambda: house.worker().state == "idle")


@pytest.mark.expected_log("could not be started")
def test_a_program_that_is_not_there(path: Path) -> None:
    with open_house(path, command=WorkerCommand(arguments=("/no/such/program",))) as house:
        assert house.failure_of(text("say x")).code is FailureCode.WORKER_DIED
        house.dispatcher.warm(Family.DIFFUSION)
        assert house.failure_of(image("say x")).code is FailureCode.WORKER_DIED


def test_a_refusal_of_the_studio_fails_the_job_alone(path: Path) -> None:
    def refuse(job: Job) -> object:
        if "refuse" in str(job.request):
            raise StudioError(Failure(FailureCode.MODEL_MISSING, "no such model"))
        return assignment(job)

    with open_house(path, assign=refuse) as house:  # type: ignore[arg-type]  # the signature is loose on purpose
        assert house.failure_of(text("say refuse")).code is FailureCode.MODEL_MISSING
        assert house.text_of(text("say yes")) == "yes"


def test_a_result_that_can_not_be_stored_fails_its_job_alone(path: Path) -> None:
    def finish(job: Job, event: JobCompleted) -> JobCompleted:
        if event.text == "full":
            raise StudioError(Failure(FailureCode.DISK_FULL, "The disk is full."))
        if event.text == "bug":
            raise KeyError("bug")
        return replace(event, text=event.text.upper())

    with open_house(path, finish=finish) as house:
        assert house.failure_of(text("say full")).code is FailureCode.DISK_FULL
        assert house.failure_of(text("say bug")).code is FailureCode.INTERNAL
        assert house.text_of(text("say fine")) == "FINE"


@pytest.mark.expected_log("a listener failed")
def test_a_listener_that_fails_keeps_nobody_from_hearing(house: House) -> None:
    def fail(_job: Job, _event: Event) -> None:
        raise ValueError("deaf")

    unsubscribe = house.dispatcher.listen(fail)
    assert house.text_of(text("say a")) == "a"
    unsubscribe()


def test_the_worker_is_offline_polite_and_adapts_its_threads(house: House) -> None:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        assert house.text_of(text(f"environment {name}")) == "1"
    _, niceness, threads = house.text_of(text("about")).split()
    assert int(niceness) >= 10
    assert int(threads) >= 1


def test_previews_keep_to_their_rate(path: Path) -> None:
    with open_house(path, assign=lambda job: replace(assignment(job), preview_rate=2.0)) as house:
        job = house.submit(image("previews 200 16"))
        assert isinstance(house.end_of(job), JobCompleted)
        assert sum(isinstance(event, JobPreview) for event in house.events(job)) <= 2


def test_before_the_start_jobs_wait_and_can_be_cancelled(path: Path) -> None:
    with Queue(path) as queue:
        dispatcher = Dispatcher(queue, assignment, COMMAND, LIMITS)
        house = House(queue, dispatcher)
        first, second = house.submit(text("say a")), house.submit(text("say b"))
        dispatcher.cancel(first)
        assert isinstance(house.events(first)[0], JobCancelled)
        dispatcher.start()
        assert isinstance(house.end_of(second), JobCompleted)
        dispatcher.stop()


def test_a_spare_stands_behind_the_worker_and_takes_over(path: Path) -> None:
    limits = replace(LIMITS, spare=True, spare_after_seconds=0.0, spare_memory_floor=0)
    with open_house(path, limits) as house:
        house.dispatcher.warm(Family.LANGUAGE)
        house.wait_for(lambda: house.worker().has_spare, "the spare")
        spare = house.dispatcher._lanes[Family.LANGUAGE]._crew.spare
        assert spare is not None
        house.wait_for(lambda: spare.warmed)
        job = house.submit(text("say x; deaf"))
        house.seen(job, TextDelta)
        house.dispatcher.cancel(job)
        house.end_of(job)
        assert house.text_of(text("about")).split()[0] == str(spare.pid)


def test_listeners_hear_on_background_threads(house: House) -> None:
    threads: set[str] = set()
    house.dispatcher.listen(lambda _job, _event: threads.add(threading.current_thread().name))
    house.run(text("say a"))
    assert threads == {"lane-language"}


def test_idle_models_are_unloaded_by_age(path: Path) -> None:
    with open_house(path, replace(LIMITS, idle_unload_seconds=1.0)) as house:
        house.run(text("load 1000"))
        house.wait_for(lambda: house.worker().loaded_bytes == 1000, "the pulse")
        house.wait_for(lambda: house.worker().loaded_bytes == 0, "the unloading")
        assert house.worker().process != 0
        assert house.dispatcher.device_memory().workers > 0


def test_the_budget_unloads_the_one_that_is_idle_for_longest(path: Path) -> None:
    with open_house(path, replace(LIMITS, memory_budget_bytes=1500)) as house:
        house.run(text("load 1000"))
        house.wait_for(lambda: house.worker(Family.LANGUAGE).loaded_bytes == 1000)
        house.run(image("load 1000"))
        house.wait_for(lambda: house.worker(Family.DIFFUSION).loaded_bytes == 1000)
        house.wait_for(lambda: house.worker(Family.LANGUAGE).loaded_bytes == 0, "room for the picture")
        house.run(text("load 1000"))
        house.wait_for(lambda: house.worker(Family.DIFFUSION).loaded_bytes == 0, "room for the text")
        house.wait_for(lambda: house.worker(Family.LANGUAGE).loaded_bytes == 1000)


def test_limits_have_sane_defaults() -> None:
    assert Limits().force_kill_after == 0.25
    assert Limits().close_grace == 3.0
