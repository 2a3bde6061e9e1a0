"""Reasons of death in words, and the kernel's counters as evidence."""

from pathlib import Path

import pytest

from studio.core.failure import FailureCode
from studio.jobs.autopsy import Cause, Death, MemoryWitness, failure_of_death


@pytest.mark.parametrize(
    ("death", "code", "words"),
    [
        (Death(Cause.ITSELF, -6, 1), FailureCode.WORKER_DIED, "SIGABRT"),
        (Death(Cause.ITSELF, -11, 1), FailureCode.WORKER_DIED, "SIGSEGV"),
        (Death(Cause.ITSELF, -9, 1), FailureCode.WORKER_KILLED, "from outside"),
        (Death(Cause.ITSELF, -9, 1, out_of_memory=True), FailureCode.OUT_OF_MEMORY, "probably because it ran out"),
        (Death(Cause.ITSELF, -11, 1, out_of_memory=True), FailureCode.WORKER_DIED, "SIGSEGV"),
        (Death(Cause.ITSELF, -15, 1), FailureCode.WORKER_KILLED, "SIGTERM"),
        (Death(Cause.ITSELF, -14, 1), FailureCode.WORKER_SILENT, "hung"),
        (Death(Cause.ITSELF, -64, 1), FailureCode.WORKER_KILLED, "SIGRTMAX"),
        (Death(Cause.ITSELF, 3, 1), FailureCode.WORKER_DIED, "exit code 3"),
        (Death(Cause.ITSELF, 0xC0000005, 1), FailureCode.WORKER_DIED, "memory that is not its own"),
        (Death(Cause.ITSELF, None, 1), FailureCode.WORKER_DIED, "by itself"),
        (Death(Cause.ITSELF, -6, 1, log="what(): std::bad_alloc"), FailureCode.OUT_OF_MEMORY, "not enough memory"),
        (Death(Cause.SILENT, -9, 1), FailureCode.WORKER_SILENT, "no sign of life"),
        (Death(Cause.BROKEN, -9, 1), FailureCode.WORKER_DIED, "understood"),
    ],
)
def test_each_death_has_its_words(death: Death, code: FailureCode, words: str) -> None:
    failure = failure_of_death(death)
    assert failure.code is code
    assert words in failure.message
    assert failure.hint


def test_the_detail_holds_the_facts() -> None:
    failure = failure_of_death(Death(Cause.ITSELF, -6, 77, stage="in stage load", log="GGML_ASSERT failed"))
    assert "process 77, in stage load" in failure.detail
    assert "exit code -6" in failure.detail
    assert failure.detail.endswith("GGML_ASSERT failed")


def machine(root: Path, vmstat: int, group: int) -> None:
    (root / "proc/self").mkdir(parents=True, exist_ok=True)
    (root / "sys/fs/cgroup/app").mkdir(parents=True, exist_ok=True)
    (root / "proc/vmstat").write_text(f"nr_free_pages 1\noom_kill {vmstat}\nswap_ra 0\n")
    (root / "proc/self/cgroup").write_text("0::/app\n4:memory:/none\n")
    (root / "sys/fs/cgroup/app/memory.events").write_text(f"low 0\noom 1\noom_kill {group}\n")


def test_a_kill_counts_once_a_counter_rises(tmp_path: Path) -> None:
    machine(tmp_path, 3, 5)
    witness = MemoryWitness(tmp_path)
    assert not witness.saw_kill()
    machine(tmp_path, 3, 6)
    assert witness.saw_kill()
    machine(tmp_path, 4, 5)
    assert witness.saw_kill()


def test_without_counters_nothing_is_claimed(tmp_path: Path) -> None:
    assert not MemoryWitness(tmp_path).saw_kill()
