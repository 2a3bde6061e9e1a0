"""What a press on the canvas means, and what the pointer does until it is released."""

from __future__ import annotations

import dataclasses
import enum

from PySide6.QtCore import QPointF, QRectF, Qt

from studio.documents.canvas.document import CanvasDocument
from studio.documents.canvas.placement import Placement, Rect
from studio.ui.canvas.camera import Camera
from studio.ui.canvas.painter import HANDLE
from studio.ui.canvas.scene import Scene

_EDGE = 5.0
SMALLEST_FRAME = 16


class Grip(enum.Enum):
    """What the pointer holds."""

    NOTHING = enum.auto()
    VIEW = enum.auto()
    PICTURE = enum.auto()
    FRAME = enum.auto()
    FRAME_CORNER = enum.auto()


@dataclasses.dataclass
class Drag:
    """A drag from its press on: what is held, where it began, and how things stood then.

    `origin` is where the view was; `start` moves along while the view is dragged.
    """

    grip: Grip
    start: QPointF
    frame: Rect
    origin: QPointF
    placement: Placement | None = None
    corner: tuple[int, int] = (0, 0)
    moved: bool = False


def begin(point: QPointF, camera: Camera, document: CanvasDocument, scene: Scene) -> Drag:
    """What a press of the left button at `point` takes hold of: frame before pictures before the view."""
    frame = camera.to_widget(scene.frame)
    corner, origin = _corner(frame, point), QPointF(camera.origin)
    if corner is not None:
        return Drag(Grip.FRAME_CORNER, point, scene.frame, origin, corner=corner)
    if _on_edge(frame, point):
        return Drag(Grip.FRAME, point, scene.frame, origin)
    place = camera.to_canvas(point)
    hit = document.at(place.x(), place.y())
    return Drag(Grip.PICTURE if hit else Grip.VIEW, point, scene.frame, origin, placement=hit)


def cursor_for(point: QPointF, camera: Camera, document: CanvasDocument, scene: Scene) -> Qt.CursorShape:
    """The pointer's shape over `point`."""
    drag = begin(point, camera, document, scene)
    match drag.grip:
        case Grip.FRAME_CORNER:
            same = drag.corner in ((0, 0), (1, 1))
            return Qt.CursorShape.SizeFDiagCursor if same else Qt.CursorShape.SizeBDiagCursor
        case Grip.FRAME:
            return Qt.CursorShape.SizeAllCursor
        case _:
            return Qt.CursorShape.ArrowCursor


def dragged_rect(drag: Drag, point: QPointF, camera: Camera) -> Rect:
    """The frame or picture rectangle of `drag` with the pointer at `point`."""
    offset = (point - drag.start) / camera.zoom
    dx, dy = round(offset.x()), round(offset.y())
    if drag.grip is Grip.PICTURE and drag.placement is not None:
        return drag.placement.rect.moved(dx, dy)
    if drag.grip is Grip.FRAME_CORNER:
        return _resized(drag.frame, drag.corner, dx, dy)
    return drag.frame.moved(dx, dy)


def _resized(frame: Rect, corner: tuple[int, int], dx: int, dy: int) -> Rect:
    """The frame with one corner moved, in steps of 8 pixels, since models work in blocks of 8."""
    width = _eight(frame.width + (dx if corner[0] else -dx))
    height = _eight(frame.height + (dy if corner[1] else -dy))
    x = frame.x if corner[0] else frame.x + frame.width - width
    y = frame.y if corner[1] else frame.y + frame.height - height
    return Rect(x, y, width, height)


def _eight(length: int) -> int:
    return max(SMALLEST_FRAME, min(4096, round(length / 8) * 8))


def _corner(frame: QRectF, point: QPointF) -> tuple[int, int] | None:
    for horizontal, x in ((0, frame.left()), (1, frame.right())):
        for vertical, y in ((0, frame.top()), (1, frame.bottom())):
            if abs(point.x() - x) <= HANDLE and abs(point.y() - y) <= HANDLE:
                return horizontal, vertical
    return None


def _on_edge(frame: QRectF, point: QPointF) -> bool:
    outer = frame.adjusted(-_EDGE, -_EDGE, _EDGE, _EDGE)
    inner = frame.adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
    return outer.contains(point) and not inner.contains(point)
