"""The thread count gives way to others."""

import pytest

from studio.worker.threads import ForeignLoad, cores, threads_beside


@pytest.mark.parametrize(
    ("foreign", "available", "threads"),
    [(0.0, 2, 2), (0.4, 2, 2), (1.0, 2, 1), (2.0, 2, 1), (9.0, 8, 1), (3.2, 8, 5), (0.0, 1, 1)],
)
def test_busy_cores_are_left_to_others(foreign: float, available: int, threads: int) -> None:
    assert threads_beside(foreign, available) == threads


def test_the_machine_has_cores_and_a_load() -> None:
    load = ForeignLoad()
    load.update()
    assert cores() >= 1
    assert load.cores() >= 0.0
