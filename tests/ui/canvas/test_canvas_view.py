"""Looking at the canvas: the first picture is seen large and crisp, and keys, wheel and fingers zoom and pan."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QNativeGestureEvent, QPointingDevice, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.app.commands import Commands
from studio.documents.canvas.placement import Rect
from studio.ui.canvas.camera import Camera
from studio.ui.canvas.view import CanvasView
from studio.ui.menus import Shortcuts
from tests.ui.canvas.conftest import Stage, make

CONTROL, PLAIN = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier
SMALL = Rect(0, 0, 128, 128)


def fitted(width: float, height: float, rect: Rect = SMALL, ratio: float = 1.0) -> Camera:
    camera = Camera()
    camera.fit(rect, QSizeF(width, height), ratio)
    return camera


@pytest.mark.parametrize(
    ("width", "height", "zoom"), [(1100, 800, 5.0), (640, 500, 3.0), (3000, 2000, 14.0), (330, 330, 234 / 128)]
)
def test_a_small_frame_fills_the_view_with_whole_pixels(width: float, height: float, zoom: float) -> None:
    camera = fitted(width, height)
    assert camera.zoom == pytest.approx(zoom)
    shown = camera.to_widget(SMALL)
    assert abs(shown.center().x() - width / 2) <= 1
    assert (camera.origin.x() % 1, camera.origin.y() % 1) == (0, 0)


def test_pixels_are_whole_on_a_finer_screen_too() -> None:
    camera = fitted(1100, 801, ratio=1.5)
    assert camera.zoom * 1.5 == int(camera.zoom * 1.5)
    assert camera.zoom > 5
    assert camera.origin.y() * 1.5 == int(camera.origin.y() * 1.5)


def test_what_is_large_is_fitted_as_it_is() -> None:
    assert fitted(1100, 800, Rect(0, 0, 2000, 1000)).zoom == pytest.approx(1004 / 2000)
    assert fitted(1100, 800, Rect(0, 0, 512, 512)).zoom == pytest.approx(704 / 512)


def test_the_first_result_is_seen_large_and_its_pixels_are_not_smeared(stage: Stage, qtbot: QtBot) -> None:
    room, view = stage.room, stage.room.view
    make(stage, qtbot)
    shown = view.camera.to_widget(room.document.placements()[0].rect)
    assert shown.height() > view.height() * 0.7
    assert view.camera.zoom == int(view.camera.zoom) > 2
    board = QImage(64, 64, QImage.Format.Format_ARGB32_Premultiplied)
    board.fill(QColor("white"))
    for x in range(0, 64, 2):
        for y in range(64):
            board.setPixelColor(x, y, QColor("black"))
    room.cache.put(room.document.placements()[0].asset, board)
    room.cache._levels.clear()
    image = view.grab().toImage()
    row = round(shown.center().y())
    found = {image.pixelColor(x, row).name() for x in range(round(shown.left()) + 2, round(shown.right()) - 2)}
    assert found == {"#000000", "#ffffff"}


def keys_of(stage: Stage) -> Shortcuts:
    """The room's commands on their keys, as the window has them."""
    commands = Commands()
    commands.add(stage.room.commands())
    shortcuts = Shortcuts(commands, stage.room)
    shortcuts.set_room("canvas")
    stage.room.activateWindow()
    stage.room.view.setFocus()
    return shortcuts


def test_keys_zoom(stage: Stage, qtbot: QtBot) -> None:
    shortcuts, view = keys_of(stage), stage.room.view
    qtbot.waitUntil(view.hasFocus)
    QTest.keyClick(view, Qt.Key.Key_1, CONTROL)
    assert view.camera.zoom == 1.0
    for key, modifier in ((Qt.Key.Key_Plus, PLAIN), (Qt.Key.Key_Equal, PLAIN), (Qt.Key.Key_Plus, CONTROL)):
        before = view.camera.zoom
        QTest.keyClick(view, key, modifier)
        assert view.camera.zoom > before, (key, modifier)
    for modifier in (PLAIN, CONTROL):
        before = view.camera.zoom
        QTest.keyClick(view, Qt.Key.Key_Minus, modifier)
        assert view.camera.zoom < before
    QTest.keyClick(view, Qt.Key.Key_0, CONTROL)
    assert view.camera.zoom == int(view.camera.zoom) > 4
    shortcuts.deleteLater()


def wheel(view: CanvasView, point: QPointF, angle: QPoint, pixels: QPoint, keys: Qt.KeyboardModifier = PLAIN) -> None:
    buttons, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    QApplication.sendEvent(
        view, QWheelEvent(point, view.mapToGlobal(point), pixels, angle, buttons, keys, phase, False)
    )


def test_wheel_and_fingers(stage: Stage) -> None:
    view, point = stage.room.view, QPointF(300, 200)
    fixed, zoom = view.camera.to_canvas(point), view.camera.zoom
    wheel(view, point, QPoint(0, -120), QPoint())
    assert view.camera.zoom == pytest.approx(zoom / 1.2)
    assert (view.camera.to_canvas(point) - fixed).manhattanLength() < 1e-6
    origin = QPointF(view.camera.origin)
    wheel(view, point, QPoint(0, 20), QPoint(7, 20))
    assert view.camera.origin - origin == QPointF(7, 20)
    zoom, fixed = view.camera.zoom, view.camera.to_canvas(point)
    pinch = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture, QPointingDevice.primaryPointingDevice(), 2, point, point,
        view.mapToGlobal(point), 0.1, QPointF(),
    )  # fmt: skip
    QApplication.sendEvent(view, pinch)
    assert view.camera.zoom == pytest.approx(zoom * 1.1)
    assert (view.camera.to_canvas(point) - fixed).manhattanLength() < 1e-6


def test_space_and_the_mouse_pan_until_space_is_let_go(stage: Stage, qtbot: QtBot) -> None:
    room, view = stage.room, stage.room.view
    view.setFocus()
    origin, frame = QPointF(view.camera.origin), room.scene.frame
    spot = view.camera.to_widget(frame).topLeft().toPoint()  # on a corner of the frame, which must not follow
    QTest.keyPress(view, Qt.Key.Key_Space)
    assert view.cursor().shape() is Qt.CursorShape.OpenHandCursor
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=spot)
    assert view.cursor().shape() is Qt.CursorShape.ClosedHandCursor
    qtbot.mouseMove(view, spot + QPoint(30, 10))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=spot + QPoint(30, 10))
    assert view.camera.origin - origin == QPointF(30, 10)
    assert room.scene.frame == frame
    assert view.cursor().shape() is Qt.CursorShape.OpenHandCursor
    room.request_panel.show()
    room.request_panel.activateWindow()
    room.request_panel.prompt.setFocus()
    qtbot.waitUntil(lambda: not view.hasFocus())
    assert view.cursor().shape() is not Qt.CursorShape.OpenHandCursor, "the key may be let go elsewhere"
    room.request_panel.hide()


def test_the_view_stays_where_it_was_when_the_room_was_away(stage: Stage, qtbot: QtBot) -> None:
    room, view = stage.room, stage.room.view
    middle = view.camera.to_canvas(QPointF(view.rect().center()))
    room.hide()
    room.resize(room.width() + 320, room.height())  # another room had no panel
    room.show()
    room.resize(room.width() - 320, room.height())
    qtbot.waitExposed(room)
    QApplication.processEvents()
    assert (view.camera.to_canvas(QPointF(view.rect().center())) - middle).manhattanLength() < 1


def test_what_was_shown_whole_stays_whole_in_a_smaller_window(stage: Stage) -> None:
    room, view = stage.room, stage.room.view
    view.fit()
    room.resize(room.width() - 300, room.height() - 200)
    QApplication.processEvents()
    assert QRectF(view.rect()).contains(view.camera.to_widget(view.content()))
    view.step_zoom(1)  # whoever has zoomed in looks at something
    zoom, middle = view.camera.zoom, view.camera.to_canvas(QPointF(view.rect().center()))
    room.resize(room.width() + 300, room.height() + 200)
    QApplication.processEvents()
    assert view.camera.zoom == zoom
    assert (view.camera.to_canvas(QPointF(view.rect().center())) - middle).manhattanLength() < 1


def test_an_empty_canvas_says_what_to_do(stage: Stage, qtbot: QtBot) -> None:
    view = stage.room.view

    def drawn() -> bool:
        image, ground = view.grab().toImage(), view._painter._theme.color("backdrop")
        middle = view.rect().center()
        return any(
            image.pixelColor(x, y) != ground
            for x in range(middle.x() - 60, middle.x() + 60)
            for y in range(middle.y() - 20, middle.y() + 20)
        )

    assert drawn()
    stage.room.request_panel.prompt.set_text("wait")
    stage.room.generate()
    place = next(iter(stage.room.scene.running.values())).places[0]
    assert place == stage.room.scene.frame
    stage.room.stop_all()
    qtbot.waitUntil(lambda: not stage.room.scene.running, timeout=20_000)


@pytest.mark.skipif(sys.platform == "darwin", reason="touchpads make the native gesture there")
def test_two_fingers_on_a_screen_zoom_between_them(stage: Stage, qtbot: QtBot) -> None:
    view = stage.room.view
    screen = QTest.createTouchDevice()
    zoom, middle = view.camera.zoom, QPoint(300, 200)
    fixed = view.camera.to_canvas(QPointF(middle))

    def fingers(apart: int) -> tuple[QPoint, QPoint]:
        return middle - QPoint(apart, 0), middle + QPoint(apart, 0)

    def touch(apart: int, what: str) -> None:
        sequence = QTest.touchEvent(view, screen)
        for number, place in enumerate(fingers(apart)):
            getattr(sequence, what)(number, place, view)
        sequence.commit()

    touch(50, "press")
    for apart in (60, 80, 100):
        touch(apart, "move")
    touch(100, "release")
    assert view.camera.zoom > zoom * 1.3
    assert (view.camera.to_canvas(QPointF(middle)) - fixed).manhattanLength() < 2
