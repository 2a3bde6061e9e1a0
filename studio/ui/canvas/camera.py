"""Where the view looks: the transform between canvas pixels and widget pixels."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSizeF

from studio.documents.canvas.placement import Rect

SMALLEST, LARGEST = 0.02, 64.0
_STEPS = (0.02, 0.05, 0.1, 0.25, 0.33, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 32.0, 64.0)
_MARGIN = 48.0
CRISP_ZOOM = 2.0
"""From here on the pixels of a picture are seen as such, and should be whole."""


class Camera:
    """`zoom` widget pixels per canvas pixel; `origin` is where canvas point (0, 0) lies in the widget."""

    def __init__(self) -> None:
        self.zoom = 1.0
        self.origin = QPointF(0.0, 0.0)

    def to_widget(self, rect: Rect) -> QRectF:
        """A canvas rectangle in widget pixels."""
        return QRectF(
            self.origin.x() + rect.x * self.zoom,
            self.origin.y() + rect.y * self.zoom,
            rect.width * self.zoom,
            rect.height * self.zoom,
        )

    def to_canvas(self, point: QPointF) -> QPointF:
        """A widget point in canvas pixels."""
        return (point - self.origin) / self.zoom

    def zoom_at(self, point: QPointF, zoom: float) -> None:
        """Change the zoom so that the canvas point under `point` stays there."""
        fixed = self.to_canvas(point)
        self.zoom = min(LARGEST, max(SMALLEST, zoom))
        self.origin = point - fixed * self.zoom

    def step(self, point: QPointF, direction: int) -> None:
        """Zoom to the next (1) or previous (-1) round value."""
        if direction > 0:
            target = next((step for step in _STEPS if step > self.zoom * 1.001), LARGEST)
        else:
            target = next((step for step in reversed(_STEPS) if step < self.zoom * 0.999), SMALLEST)
        self.zoom_at(point, target)

    def pan(self, delta: QPointF) -> None:
        """Move the canvas by `delta` widget pixels."""
        self.origin += delta

    def fit(self, rect: Rect, size: QSizeF, ratio: float = 1.0) -> None:
        """Show all of `rect` in the middle, as large as fits. `ratio` is how many pixels the screen has to one of Qt's.

        Where it becomes large, each canvas pixel gets the same whole number of the screen's.
        """
        width = max(1.0, size.width() - 2 * _MARGIN)
        height = max(1.0, size.height() - 2 * _MARGIN)
        zoom = min(width / rect.width, height / rect.height)
        if zoom >= CRISP_ZOOM:
            zoom = math.floor(zoom * ratio) / ratio
        self.zoom = min(LARGEST, max(SMALLEST, zoom))
        middle = QPointF(rect.x + rect.width / 2, rect.y + rect.height / 2)
        origin = QPointF(size.width() / 2, size.height() / 2) - middle * self.zoom
        self.origin = QPointF(round(origin.x() * ratio) / ratio, round(origin.y() * ratio) / ratio)
