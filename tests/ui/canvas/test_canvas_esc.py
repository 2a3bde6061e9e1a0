"""Esc takes back one thing at a time: what the hand does, then the selection, then the picture on its way."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.core.jobs import JobState
from studio.core.references import Destination
from studio.documents.canvas.placement import Rect
from tests.fakes import image
from tests.ui.canvas.conftest import Stage, make
from tests.ui.canvas.test_canvas_view import keys_of

LEFT = Qt.MouseButton.LeftButton
ESC = Qt.Key.Key_Escape


def is_moving(stage: Stage) -> bool:
    """Whether a picture is under the pointer."""
    return stage.room.scene.moving is not None


def test_a_gesture_is_taken_back_before_anything_else(stage: Stage, qtbot: QtBot) -> None:
    room, view = stage.room, stage.room.view
    make(stage, qtbot)
    placement = room.document.placements()[0]
    middle = view.camera.to_widget(placement.rect).center().toPoint()
    qtbot.mousePress(view, LEFT, pos=middle)
    qtbot.mouseMove(view, middle + QPoint(60, 0))
    assert is_moving(stage)
    QTest.keyClick(view, ESC)
    assert not is_moving(stage)
    assert room.scene.selected == placement.id
    qtbot.mouseRelease(view, LEFT, pos=middle + QPoint(60, 0))
    assert room.document.placements()[0].rect == placement.rect
    QTest.keyClick(view, ESC)
    assert room.scene.selected is None


def test_frame_and_view_go_back_too(stage: Stage, qtbot: QtBot) -> None:
    room, view = stage.room, stage.room.view
    frame, origin = room.scene.frame, QPointF(view.camera.origin)
    corner = view.camera.to_widget(frame).bottomRight().toPoint()
    qtbot.mousePress(view, LEFT, pos=corner)
    qtbot.mouseMove(view, corner + QPoint(80, 80))
    assert room.scene.frame != frame
    QTest.keyClick(view, ESC)
    assert room.scene.frame == frame
    assert room.request_panel.width_field.value() == frame.width
    qtbot.mouseRelease(view, LEFT, pos=corner + QPoint(80, 80))
    qtbot.mousePress(view, Qt.MouseButton.MiddleButton, pos=corner)
    qtbot.mouseMove(view, corner + QPoint(50, 0))
    QTest.keyClick(view, ESC)
    assert view.camera.origin == origin
    qtbot.mouseMove(view, corner + QPoint(90, 0))
    assert view.camera.origin == origin
    qtbot.mouseRelease(view, Qt.MouseButton.MiddleButton, pos=corner)


def test_only_then_the_picture_that_is_being_made_is_stopped(stage: Stage, qtbot: QtBot) -> None:
    room = stage.room
    make(stage, qtbot)
    shortcuts = keys_of(stage)
    room.view.select(room.document.placements()[0].id)
    room.request_panel.prompt.set_text("previews 3 16; wait")
    room.generate()
    room.generate()
    first, second = room.scene.running
    queue = stage.studio.queue
    qtbot.waitUntil(lambda: queue.get(first).state is JobState.RUNNING, timeout=20_000)
    QTest.keyClick(room.view, ESC)
    assert room.scene.selected is None
    assert not room.scene.running[first].stopping
    QTest.keyClick(room.view, ESC)
    assert room.scene.running[first].label == "stopping…"
    qtbot.waitUntil(lambda: queue.get(first).state is JobState.CANCELLED, timeout=10_000)
    assert not queue.get(second).state.ended, "one at a time"
    QTest.keyClick(room.view, ESC)
    qtbot.waitUntil(lambda: queue.get(second).state is JobState.CANCELLED, timeout=10_000)
    qtbot.waitUntil(lambda: not room.scene.running)
    QTest.keyClick(room.view, ESC)
    assert [item.rect for item in room.document.placements()] == [Rect(0, 0, 64, 64)]
    shortcuts.deleteLater()


def test_a_picture_elsewhere_goes_on(stage: Stage, qtbot: QtBot) -> None:
    job = stage.studio.submit(image("wait"), Destination(room="file"), "elsewhere")
    qtbot.waitUntil(lambda: stage.studio.queue.get(job.id).state.active, timeout=20_000)
    QTest.keyClick(stage.room.view, ESC)
    assert not stage.studio.queue.get(job.id).state.ended
    stage.studio.cancel(job.id)
