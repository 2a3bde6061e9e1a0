"""The queue's list: order, hold, stop, again, pause, clear; by keyboard, mouse and drag."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from pytestqt.qtbot import QtBot

from studio.core.jobs import JobState
from studio.launch import Application
from studio.ui.queue.popup import QueuePopup
from tests.ui.frame.test_window import job_state, submit

Key = Qt.Key
CONTROL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def paused(qtbot: QtBot, running: Application) -> tuple[Application, QueuePopup, list[str]]:
    """Three waiting jobs in a paused queue, and the open list."""
    assert running.studio is not None
    running.studio.queue.set_paused(True)
    jobs = [submit(running, "steps=1", title) for title in ("one", "two", "three")]
    window = running.window
    qtbot.waitUntil(lambda: window.watch is not None and len(window.watch.jobs) == 3)
    window.open_queue()
    popup = window._queue
    assert popup is not None
    qtbot.waitUntil(popup.list.hasFocus)
    return running, popup, jobs


def order(running: Application) -> list[str]:
    """The titles in the durable queue's order."""
    assert running.studio is not None
    return [job.title for job in running.studio.queue.jobs()]


def test_jobs_move_by_keyboard(qtbot: QtBot, paused: tuple[Application, QueuePopup, list[str]]) -> None:
    running, popup, _jobs = paused
    assert popup.current() is not None
    qtbot.keyClick(popup.list, Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: order(running) == ["two", "one", "three"])
    qtbot.waitUntil(lambda: [job.title for job in popup.model.jobs] == ["two", "one", "three"])
    current = popup.current()
    assert current is not None
    assert current.title == "one"
    qtbot.keyClick(popup.list, Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: order(running) == ["two", "three", "one"])
    qtbot.waitUntil(lambda: [job.title for job in popup.model.jobs] == ["two", "three", "one"])
    qtbot.keyClick(popup.list, Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: order(running) == ["two", "one", "three"])


def test_jobs_move_by_drag(qtbot: QtBot, paused: tuple[Application, QueuePopup, list[str]]) -> None:
    running, popup, _jobs = paused
    model = popup.model
    dragged = model.mimeData([model.index(2, 0)])
    assert not model.dropMimeData(dragged, Qt.DropAction.MoveAction, 0, 0, QModelIndex())
    qtbot.waitUntil(lambda: order(running) == ["three", "one", "two"])


def test_space_holds_and_lets_go(qtbot: QtBot, paused: tuple[Application, QueuePopup, list[str]]) -> None:
    running, popup, jobs = paused
    assert running.studio is not None
    queue = running.studio.queue
    qtbot.keyClick(popup.list, Key.Key_Space)
    qtbot.waitUntil(lambda: queue.get(jobs[0]).held)
    qtbot.waitUntil(lambda: popup.model.jobs[0].held)
    qtbot.keyClick(popup.list, Key.Key_Space)
    qtbot.waitUntil(lambda: not queue.get(jobs[0]).held)


def test_delete_stops_r_tries_again_and_go_on_runs_it(
    qtbot: QtBot, paused: tuple[Application, QueuePopup, list[str]]
) -> None:
    running, popup, jobs = paused
    qtbot.keyClick(popup.list, Key.Key_Delete)
    qtbot.waitUntil(lambda: job_state(running, jobs[0]) is JobState.CANCELLED)
    qtbot.waitUntil(lambda: popup.model.row_of(jobs[0]) == 2)
    current = popup.current()
    assert current is not None
    assert current.id == jobs[0]
    qtbot.keyClick(popup.list, Key.Key_R)
    qtbot.waitUntil(lambda: job_state(running, jobs[0]) is JobState.QUEUED)
    assert popup.pause.text() == "Go on"
    qtbot.mouseClick(popup.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: all(job_state(running, job) is JobState.COMPLETED for job in jobs), timeout=20000)
    qtbot.waitUntil(popup.clear.isEnabled)
    qtbot.mouseClick(popup.clear, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: order(running) == [])
    qtbot.waitUntil(popup.empty.isVisible)


def test_the_small_buttons_act_on_their_job(qtbot: QtBot, paused: tuple[Application, QueuePopup, list[str]]) -> None:
    running, popup, jobs = paused
    assert running.studio is not None
    area = popup.list.visualRect(popup.model.index(1))
    hold = QPoint(area.right() - 12 - 26 - 13, area.center().y())
    qtbot.mouseClick(popup.list.viewport(), Qt.MouseButton.LeftButton, pos=hold)
    queue = running.studio.queue
    qtbot.waitUntil(lambda: queue.get(jobs[1]).held)
    assert not queue.get(jobs[0]).held


def test_the_list_closes_with_escape_and_with_its_button(
    qtbot: QtBot, paused: tuple[Application, QueuePopup, list[str]]
) -> None:
    running, popup, _jobs = paused
    qtbot.keyClick(popup.list, Key.Key_Escape)
    assert not popup.isVisible()
    button = running.window.strip.queue_button
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert popup.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not popup.isVisible()
    assert button.text().strip() == "Queue 3"


def test_after_stopping_everything_nothing_runs_until_the_queue_may_go_on(qtbot: QtBot, running: Application) -> None:
    window = running.window
    first = submit(running, "steps=4000 pause=0.05", "first")
    others = [submit(running, "steps=1", title) for title in ("second", "third")]
    strip = window.strip
    qtbot.waitUntil(
        lambda: strip.lines[0].isVisible() and strip.queue_button.text().strip() == "Queue 3", timeout=20000
    )
    qtbot.keyClick(running.shell, Qt.Key.Key_Period, CONTROL_SHIFT)
    qtbot.waitUntil(lambda: job_state(running, first) is JobState.CANCELLED, timeout=20000)
    qtbot.waitUntil(lambda: not strip.lines[0].isVisible() and strip.queue_button.text().strip() == "Queue 2")
    assert running.studio is not None
    assert running.studio.queue.paused
    assert [job_state(running, job) for job in others] == [JobState.QUEUED] * 2
    assert "2 jobs wait" in window.bar.message.text()
    assert window.bar.action.text() == "Go on"
    qtbot.mouseClick(window.bar.action, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: all(job_state(running, job) is JobState.COMPLETED for job in others), timeout=20000)
    qtbot.waitUntil(lambda: strip.queue_button.text().strip() == "Queue 0")


def test_the_words_about_the_pause_go_with_it(qtbot: QtBot, running: Application) -> None:
    window = running.window
    submit(running, "steps=4000 pause=0.05", "first")
    other = submit(running, "steps=1", "second")
    qtbot.waitUntil(window.strip.lines[0].isVisible, timeout=20000)
    assert window.jobs is not None
    window.jobs.stop_all()
    qtbot.waitUntil(window.strip.resume.isVisible)
    assert window.bar.isVisible()
    qtbot.mouseClick(window.strip.resume, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: job_state(running, other) is JobState.COMPLETED, timeout=20000)
    qtbot.waitUntil(lambda: not window.bar.isVisible())


def test_stopping_the_only_job_does_not_pause_the_queue(qtbot: QtBot, running: Application) -> None:
    window = running.window
    only = submit(running, "steps=4000 pause=0.05", "only")
    qtbot.waitUntil(window.strip.lines[0].isVisible, timeout=20000)
    qtbot.keyClick(running.shell, Qt.Key.Key_Period, CONTROL_SHIFT)
    qtbot.waitUntil(lambda: job_state(running, only) is JobState.CANCELLED, timeout=20000)
    assert running.studio is not None
    assert not running.studio.queue.paused
    assert not window.bar.isVisible()


def test_a_job_that_was_cut_short_is_not_counted(qtbot: QtBot, running: Application) -> None:
    assert running.studio is not None
    queue = running.studio.queue
    queue.set_paused(True)
    jobs = [submit(running, "steps=1", title) for title in ("one", "two")]
    button = running.window.strip.queue_button
    qtbot.waitUntil(lambda: button.text().strip() == "Queue 2")
    queue.interrupt(jobs[0])
    qtbot.waitUntil(lambda: button.text().strip() == "Queue 1")
