"""Pictures that come from outside: files, the clipboard, what is dropped on the canvas."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF
from PySide6.QtGui import QImage

from studio.core.events import Picture
from studio.core.references import Asset
from studio.documents.canvas.placement import Rect
from studio.ui.canvas.pictures import read_image
from studio.ui.room import RoomContext

_APART = 32  # several at once lie like cards, each one to be seen
_LARGEST_INPUT = 1024

Arrived = Callable[[Asset, Rect, str], None]


class BringIn:
    """Reads pictures in the background, keeps them in the project, and says where each one is to lie.

    `arrived(asset, rect, name)` is called for each on the main thread; what can't be read is told in the bar.
    """

    def __init__(self, context: RoomContext, arrived: Arrived) -> None:
        self._studio = context.studio
        self._background = context.background
        self._arrived = arrived

    def files(self, paths: list[Path], place: QPointF) -> None:
        """Bring picture files in, the first one at `place`."""
        for index, path in enumerate(paths):
            spot = QPointF(place.x() + index * _APART, place.y() + index * _APART)
            kept = functools.partial(self._kept, path.stem, spot)
            self._background.run(functools.partial(self._studio.import_picture, path), kept)

    def data(self, data: QMimeData, place: QPointF) -> None:
        """Bring in what was dropped or pasted: files, else pixels."""
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if paths:
            self.files(paths, place)
        elif data.hasImage():
            image = QImage(data.imageData())
            kept = functools.partial(self._kept, "pasted", place)
            self._background.run(lambda: self._studio.import_pixels(_picture_of(image), "pasted"), kept)

    def _kept(self, name: str, place: QPointF, asset: Asset) -> None:
        def known(size: tuple[int, int]) -> None:
            rect = Rect(round(place.x()), round(place.y()), max(1, size[0]), max(1, size[1]))
            self._arrived(asset, rect, name)

        path = self._studio.project.assets.path(asset.id)
        self._background.run(lambda: _size_of(path), known)


def input_frame(rect: Rect) -> Rect:
    """A frame around a picture that is started from, in multiples of 8 and not too large to make."""
    scale = min(1.0, _LARGEST_INPUT / max(rect.width, rect.height))
    width, height = (max(16, round(edge * scale / 8) * 8) for edge in (rect.width, rect.height))
    return Rect(rect.x, rect.y, width, height)


def _size_of(path: Path) -> tuple[int, int]:
    image = read_image(path)
    return image.width(), image.height()


def _picture_of(image: QImage) -> Picture:
    straight = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = bytes(straight.constBits())
    return Picture(width=straight.width(), height=straight.height(), channels=4, pixels=rows)
