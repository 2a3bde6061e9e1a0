"""Paints a canvas: ground, pictures, running jobs, the selection and the frame."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPixmap

from studio.documents.canvas.document import CanvasDocument
from studio.documents.canvas.placement import Placement
from studio.ui.canvas.camera import CRISP_ZOOM, Camera
from studio.ui.canvas.pictures import PictureCache
from studio.ui.canvas.scene import RunningPicture, Scene
from studio.ui.theme import Theme

HANDLE = 8.0
_UNDER = QColor("#ffffff")
_DASHES = (4.0, 4.0)
_EMPTY = "The picture appears here.\nSay at the right what it should show,\nor drop a picture in to start from it."


class CanvasPainter:
    """Draws into a QPainter; holds no state of its own but the checkerboard."""

    def __init__(self, theme: Theme, cache: PictureCache) -> None:
        self._theme = theme
        self._cache = cache
        self._checks: dict[str, QBrush] = {}

    def paint(self, painter: QPainter, area: QRectF, camera: Camera, document: CanvasDocument, scene: Scene) -> None:
        """Paint the part of the canvas that lies in `area` (widget pixels)."""
        painter.fillRect(area, self._theme.color("backdrop"))
        moving, moved_to = scene.moving or (None, None)
        for placement in document.placements():
            rect = moved_to if placement.id == moving and moved_to is not None else placement.rect
            target = camera.to_widget(rect)
            if target.intersects(area):
                self._placement(painter, target, placement)
        for running in scene.running.values():
            self._running(painter, camera, running)
        selected = document.find(scene.selected) if scene.selected else None
        if selected is not None:
            rect = moved_to if selected.id == moving and moved_to is not None else selected.rect
            self._outline(painter, camera.to_widget(rect), input_=scene.input == selected.asset.id)
        self._frame(painter, camera.to_widget(scene.frame), scene)
        if not document.placements() and not scene.running:
            self._hint(painter, camera.to_widget(scene.frame))

    def _placement(self, painter: QPainter, target: QRectF, placement: Placement) -> None:
        painter.fillRect(target, self._checker())
        ratio = painter.device().devicePixelRatioF()
        pixmap = self._cache.pixmap(placement.asset, target.width() * ratio)
        if pixmap is None:
            word = "This file is gone or damaged" if self._cache.is_broken(placement.asset) else "Reading…"
            painter.setPen(self._theme.color("text_soft"))
            painter.setFont(self._theme.font("small"))
            painter.drawText(target, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), word)
            return
        smooth = target.width() / max(1, pixmap.width()) < CRISP_ZOOM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawPixmap(target, pixmap, QRectF(pixmap.rect()))

    def _running(self, painter: QPainter, camera: Camera, running: RunningPicture) -> None:
        for index, place in enumerate(running.places):
            target = camera.to_widget(place)
            image = running.image if index == running.current else running.finished.get(index)
            if image is not None:
                # A preview is mostly smaller than the result, and its pixels are not the picture's.
                smooth = image.width() != place.width or camera.zoom < CRISP_ZOOM
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
                painter.drawImage(target, image, QRectF(image.rect()))
            else:
                painter.fillRect(target, self._theme.color("accent", 0.08))
            self._dashes(painter, target)
        target = camera.to_widget(running.places[running.current])
        self._tag(painter, target.topLeft(), running.label)
        if running.share is not None:
            for place in running.places if running.together else (running.places[running.current],):
                target = camera.to_widget(place)
                bar = QRectF(target.left(), target.bottom() - 3.0, target.width() * min(1.0, running.share), 3.0)
                painter.fillRect(bar, self._theme.color("accent"))

    def _frame(self, painter: QPainter, target: QRectF, scene: Scene) -> None:
        self._dashes(painter, target)
        painter.setPen(QPen(_UNDER, 1.0))
        painter.setBrush(self._theme.color("accent"))
        for corner in (target.topLeft(), target.topRight(), target.bottomLeft(), target.bottomRight()):
            painter.drawRect(QRectF(corner.x() - HANDLE / 2, corner.y() - HANDLE / 2, HANDLE, HANDLE))
        label = f"{scene.frame.width} × {scene.frame.height}"
        painter.setFont(self._theme.font("small"))
        painter.setPen(self._theme.color("text_soft"))
        metrics = painter.fontMetrics()
        width, below = metrics.horizontalAdvance(label), target.bottom() + self._theme.pixels(18)
        ground = QRectF(target.right() - width - 4, below - metrics.ascent() - 2, width + 6, metrics.height() + 4)
        painter.fillRect(ground, self._theme.color("backdrop", 0.75))  # a picture may lie below the frame
        painter.drawText(QPointF(target.right() - width, below), label)

    def _dashes(self, painter: QPainter, target: QRectF) -> None:
        """A line in two tones, so that one of them is seen on a picture of any colour."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        dashes = QPen(self._theme.color("accent"), 1.5, Qt.PenStyle.CustomDashLine)
        dashes.setDashPattern(_DASHES)
        dashes.setCapStyle(Qt.PenCapStyle.FlatCap)
        for pen in (QPen(_UNDER, 1.5), dashes):
            painter.setPen(pen)
            painter.drawRect(target)

    def _hint(self, painter: QPainter, target: QRectF) -> None:
        """What to do on an empty canvas, where the first picture will be."""
        room = target.adjusted(16, 16, -16, -16)
        painter.setFont(self._theme.font("body"))
        painter.setPen(self._theme.color("text_soft"))
        flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
        if painter.fontMetrics().boundingRect(room.toRect(), flags, _EMPTY).height() <= room.height():
            painter.drawText(room, flags, _EMPTY)

    def _outline(self, painter: QPainter, target: QRectF, *, input_: bool) -> None:
        painter.setPen(QPen(self._theme.color("accent"), 2.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(target.adjusted(-1, -1, 1, 1))
        if input_:
            self._tag(painter, target.topLeft(), "start from this")

    def _tag(self, painter: QPainter, corner: QPointF, text: str) -> None:
        """A small label that sits on the upper left corner."""
        if not text:
            return
        painter.setFont(self._theme.font("small", bold=True))
        metrics = painter.fontMetrics()
        width, height = metrics.horizontalAdvance(text) + 16, metrics.height() + 8
        box = QRectF(corner.x(), corner.y() - height - 4, width, height)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("accent_fill"))
        painter.drawRoundedRect(box, 6, 6)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(self._theme.color("on_accent"))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)

    def _checker(self) -> QBrush:
        """Two quiet greys, so that transparency is seen."""
        look = self._theme.look
        if look not in self._checks:
            light, dark = (
                (QColor("#3a3c41"), QColor("#303236")) if look == "dark" else (QColor("#fff"), QColor("#ececea"))
            )
            pixmap = QPixmap(16, 16)
            pixmap.fill(light)
            inner = QPainter(pixmap)
            inner.fillRect(0, 0, 8, 8, dark)
            inner.fillRect(8, 8, 8, 8, dark)
            inner.end()
            self._checks[look] = QBrush(pixmap)
        return self._checks[look]
