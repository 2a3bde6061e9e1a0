"""The forecast is that of the request at hand, and learns from each run."""

from __future__ import annotations

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from studio.core.references import Destination
from tests.fakes import image
from tests.ui.canvas.conftest import Stage, make


def forecast(stage: Stage) -> str:
    return stage.room.request_panel.forecast.text()


def test_the_forecast_learns_from_the_first_run_and_follows_each_change(stage: Stage, qtbot: QtBot) -> None:
    panel = stage.room.request_panel
    qtbot.waitUntil(lambda: "after the first run" in forecast(stage))
    make(stage, qtbot, "took 4; picture 64x64x3")
    qtbot.waitUntil(lambda: "About 4.0 s" in forecast(stage))
    heard = [forecast(stage)]
    changes: list[Callable[[], None]] = [
        lambda: panel.steps.set_value(200),
        lambda: panel.width_field.set_value(1024),
        lambda: panel.pictures.set_value(16),
    ]
    for change in changes:
        change()
        qtbot.waitUntil(lambda: forecast(stage) != heard[-1])
        heard.append(forecast(stage))
    make(stage, qtbot, "took 90000; " + "picture 64x64x3x16")
    qtbot.waitUntil(lambda: forecast(stage) != heard[-1], timeout=10_000)


def test_a_run_for_another_place_teaches_it_too(stage: Stage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: "after the first run" in forecast(stage))
    stage.studio.submit(image("took 4; picture 64x64x3"), Destination(room="file"), "elsewhere")
    qtbot.waitUntil(lambda: "About" in forecast(stage), timeout=20_000)
