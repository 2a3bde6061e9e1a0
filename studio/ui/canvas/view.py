"""The canvas itself: paints the scene, pans and zooms, and turns the pointer into changes.

It decides nothing about jobs: it says what was moved, chosen and dropped, and the room acts on it.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QGestureEvent, QPinchGesture, QWidget

from studio.documents.canvas.document import CanvasDocument
from studio.documents.canvas.placement import Rect
from studio.ui.canvas.camera import Camera
from studio.ui.canvas.gestures import Drag, Grip, begin, cursor_for, dragged_rect
from studio.ui.canvas.painter import CanvasPainter
from studio.ui.canvas.pictures import PictureCache
from studio.ui.canvas.scene import Scene
from studio.ui.theme import Theme

_START_DISTANCE = 3.0
_NUDGE, _LONG_NUDGE = 1, 16
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_ZOOMS = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}


class CanvasView(QWidget):
    """Shows one document. Signals carry canvas pixels and placement ids; `escaped` says that Esc was pressed.

    `frame_changed` follows the pointer; `frame_dropped` comes when it lets go, with where the frame was before.
    """

    frame_changed = Signal(object)
    frame_dropped = Signal(object)
    selection_changed = Signal(object)
    picture_moved = Signal(str, object)
    dropped = Signal(object, QPointF)
    zoom_changed = Signal(float)
    escaped = Signal()
    menu_wanted = Signal(QPoint)

    def __init__(
        self, theme: Theme, cache: PictureCache, document: CanvasDocument, scene: Scene, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.camera = Camera()
        self.scene = scene
        self.document = document
        self._painter = CanvasPainter(theme, cache)
        self._drag: Drag | None = None
        self._space = False
        self._fitted = False
        self._untouched = False  # the camera is where `fit` for everything put it
        self._seen = QSize()  # what the camera was set for; Qt does not tell of sizes that came while it was hidden
        self.setObjectName("canvas-view")
        self.setAccessibleName("Canvas")
        self.setAccessibleDescription("Pictures on an endless plane. Arrow keys move what is selected or the view.")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        if sys.platform != "darwin":  # there, touchpads make this gesture of the native one that is heard anyway
            self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
            self.grabGesture(Qt.GestureType.PinchGesture)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(240, 200)
        theme.changed.connect(self.update)

    def show_document(self, document: CanvasDocument) -> None:
        """Show another document; its pictures are fitted into the view."""
        self.document = document
        self._drag = None
        self._fitted = False
        if self.isVisible():
            self.fit()

    def content(self) -> Rect:
        """The rectangle that holds all pictures and the frame."""
        area = self.scene.frame
        for placement in self.document.placements():
            area = area.united(placement.rect)
        return area

    def fit(self, rect: Rect | None = None) -> None:
        """Show everything, or `rect`, as large as fits."""
        self.camera.fit(rect or self.content(), QSizeF(self.size()), self.devicePixelRatioF())
        self._fitted = True
        self._seen = self.size()
        self._camera_moved()
        self._untouched = rect is None

    def set_zoom(self, zoom: float) -> None:
        """Zoom about the middle of the view."""
        self.camera.zoom_at(QPointF(self.rect().center()), zoom)
        self._camera_moved()

    def step_zoom(self, direction: int) -> None:
        """Zoom to the next round value about the middle of the view."""
        self.camera.step(QPointF(self.rect().center()), direction)
        self._camera_moved()

    def reveal(self, rect: Rect) -> None:
        """Show everything, if `rect` is not in view."""
        if not QRectF(self.rect()).contains(self.camera.to_widget(rect)):
            self.fit(self.content().united(rect))

    def select(self, identity: str | None) -> None:
        """Select a placement, or nothing."""
        if identity != self.scene.selected:
            self.scene.selected = identity
            self.selection_changed.emit(identity)
            self.update()

    def dismiss(self) -> bool:
        """Take back what the hand is doing, else let go of the selection; False where there was neither."""
        if self._drag is not None:
            self._abandon_drag()
            return True
        if self.scene.selected:
            self.select(None)
            return True
        return False

    def can_dismiss(self) -> bool:
        """Whether there is something to take back or to let go of."""
        return self._drag is not None or bool(self.scene.selected)

    def _camera_moved(self) -> None:
        self._untouched = False
        self.zoom_changed.emit(self.camera.zoom)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the damaged part."""
        painter = QPainter(self)
        area = QRectF(event.rect())
        painter.setClipRect(area)
        self._painter.paint(painter, area, self.camera, self.document, self.scene)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Go on showing everything if that is what was shown; else keep the middle in the middle."""
        if self._untouched or (not self._fitted and self.isVisible()):
            self.fit()
        elif self._seen.isValid():
            change = event.size() - self._seen
            self.camera.pan(QPointF(round(change.width() / 2), round(change.height() / 2)))
        self._seen = event.size()
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        """The first time, show everything."""
        super().showEvent(event)
        if not self._fitted:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A wheel zooms at the pointer; two fingers on a touchpad pan, with Ctrl they zoom."""
        pixels, angle = event.pixelDelta(), event.angleDelta()
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if not pixels.isNull() and not control:
            self.camera.pan(QPointF(pixels))
        else:
            amount = angle.y() or angle.x()
            self.camera.zoom_at(event.position(), self.camera.zoom * 1.2 ** (amount / 120.0))
        self._camera_moved()
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Pinch on a touchpad or a touch screen zooms."""
        if isinstance(event, QGestureEvent) and isinstance(
            pinch := event.gesture(Qt.GestureType.PinchGesture), QPinchGesture
        ):
            if self._drag is not None:
                self._abandon_drag()  # the first finger alone was a mouse
            self.camera.zoom_at(self.mapFromGlobal(pinch.centerPoint()), self.camera.zoom * pinch.scaleFactor())
            self._camera_moved()
            return True
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.camera.zoom_at(event.position(), self.camera.zoom * (1.0 + event.value()))
            self._camera_moved()
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the frame, a picture or the view."""
        middle = event.button() == Qt.MouseButton.MiddleButton
        if middle or (self._space and event.button() == Qt.MouseButton.LeftButton):
            self._drag = Drag(Grip.VIEW, event.position(), self.scene.frame, QPointF(self.camera.origin), moved=True)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() == Qt.MouseButton.LeftButton:
            self._drag = begin(event.position(), self.camera, self.document, self.scene)
            if self._drag.grip in (Grip.PICTURE, Grip.VIEW):
                self.select(self._drag.placement.id if self._drag.placement else None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        drag, point = self._drag, event.position()
        if drag is None:
            if not self._space:
                self.setCursor(cursor_for(point, self.camera, self.document, self.scene))
            return
        if drag.grip is Grip.VIEW:
            self.camera.pan(point - drag.start)
            drag.start = point
            drag.moved = True
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self._camera_moved()
            return
        if not drag.moved and (point - drag.start).manhattanLength() < _START_DISTANCE:
            return
        drag.moved = True
        if drag.grip is Grip.PICTURE:
            self._preview_move(drag, point)
        else:
            self.scene.frame = dragged_rect(drag, point, self.camera)
            self.frame_changed.emit(self.scene.frame)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go: a moved picture or frame becomes one undoable step."""
        drag, self._drag = self._drag, None
        if drag is None:
            return
        self.setCursor(Qt.CursorShape.OpenHandCursor if self._space else Qt.CursorShape.ArrowCursor)
        if drag.grip is Grip.PICTURE and drag.moved and drag.placement is not None:
            self.scene.moving = None
            self.picture_moved.emit(drag.placement.id, dragged_rect(drag, event.position(), self.camera))
        elif drag.grip in (Grip.FRAME, Grip.FRAME_CORNER) and drag.moved:
            self.frame_dropped.emit(drag.frame)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space pans with the mouse, arrows nudge, plus and minus zoom, Esc takes back."""
        key, arrow, zoom = event.key(), _ARROWS.get(Qt.Key(event.key())), _ZOOMS.get(Qt.Key(event.key()), 0)
        if key == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = True
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        elif arrow is not None:
            self._nudge(*arrow, far=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif zoom:
            self.step_zoom(zoom)
        elif key == Qt.Key.Key_Escape:
            self.escaped.emit()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Space was let go."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self.unsetCursor()
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Whoever has the keyboard now hears when Space is let go."""
        if self._space:
            self._space = False
            self.unsetCursor()
        super().focusOutEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Select what is under the pointer and ask for the menu; with the menu key, for what is selected."""
        place = event.globalPos()
        if event.reason() is QContextMenuEvent.Reason.Mouse:
            spot = self.camera.to_canvas(QPointF(event.pos()))
            hit = self.document.at(spot.x(), spot.y())
            self.select(hit.id if hit else None)
        elif selected := self.document.find(self.scene.selected or ""):
            shown = self.camera.to_widget(selected.rect).intersected(QRectF(self.rect()))
            place = self.mapToGlobal(shown.center().toPoint())
        self.menu_wanted.emit(place)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take pictures and files."""
        if _acceptable(event.mimeData()):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Pictures may be dropped anywhere."""
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Hand the drop to the room with its place on the canvas."""
        event.acceptProposedAction()
        self.dropped.emit(event.mimeData(), self.camera.to_canvas(event.position()))

    def _preview_move(self, drag: Drag, point: QPointF) -> None:
        if drag.placement is not None:
            self.scene.moving = (drag.placement.id, dragged_rect(drag, point, self.camera))

    def _abandon_drag(self) -> None:
        drag, self._drag = self._drag, None
        self.scene.moving = None
        self.setCursor(Qt.CursorShape.OpenHandCursor if self._space else Qt.CursorShape.ArrowCursor)
        if drag is not None and drag.grip in (Grip.FRAME, Grip.FRAME_CORNER):
            self.scene.frame = drag.frame
            self.frame_changed.emit(drag.frame)
        elif drag is not None and drag.grip is Grip.VIEW:
            self.camera.origin = drag.origin
        self.update()

    def _nudge(self, dx: int, dy: int, *, far: bool) -> None:
        length = _LONG_NUDGE if far else _NUDGE
        selected = self.document.find(self.scene.selected) if self.scene.selected else None
        if selected is not None:
            self.picture_moved.emit(selected.id, selected.rect.moved(dx * length, dy * length))
        else:
            self.camera.pan(QPointF(-dx * 40.0, -dy * 40.0))
            self._camera_moved()


def _acceptable(data: QMimeData) -> bool:
    return data.hasImage() or any(url.isLocalFile() for url in data.urls())
