"""How long a run will take is told by the last ones: by their pace, and by the work that is asked for now."""

from __future__ import annotations

import pytest

from studio.core.events import RunReport
from studio.core.references import ModelRef
from studio.core.requests import ImageRequest
from studio.models.forecast import Run, _seconds, work_of


def asked(steps: int, *, pictures: int = 1, edge: int = 128) -> ImageRequest:
    return ImageRequest(
        prompt="a fox", model=ModelRef(repo="a/b"), seed=1, steps=steps, batch_size=pictures, width=edge, height=edge
    )


def run(request: ImageRequest, seconds: float) -> Run:
    return Run(work_of(request), RunReport(run_seconds=seconds))


def test_it_grows_with_steps_size_and_number() -> None:
    history = (run(asked(20), 1.0),)
    assert _seconds(asked(20), history) == pytest.approx(1.0)
    assert _seconds(asked(150), history) == pytest.approx(7.5)
    assert _seconds(asked(20, edge=256), history) == pytest.approx(4.0)
    assert _seconds(asked(20, pictures=4), history) == pytest.approx(4.0)
    assert _seconds(asked(20), ()) is None


def test_a_slow_run_of_the_same_work_is_believed_at_once() -> None:
    quick = [run(asked(20), 0.64)] * 12
    assert _seconds(asked(150), quick) == pytest.approx(4.8)
    after = _seconds(asked(150), [run(asked(150), 22.0), *quick])
    assert after is not None
    assert after == pytest.approx(22.0)
    later = _seconds(asked(150), [run(asked(150), 5.0), run(asked(150), 22.0), *quick])
    assert later is not None
    assert later < 12
