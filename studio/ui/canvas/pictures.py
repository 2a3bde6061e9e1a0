"""The decoded pictures of a canvas, read in the background, with smaller copies for small zooms."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QImageReader, QPixmap

from studio.core.events import Picture
from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.references import Asset
from studio.ui.background import Background

_BUDGET = 768 << 20
_ALLOCATION_LIMIT_MB = 2048


class PictureCache:
    """Asset id → picture; the least recently painted ones go first when memory runs short."""

    def __init__(self, background: Background, path_of: Callable[[str], Path], arrived: Callable[[], None]) -> None:
        self._background = background
        self._path_of = path_of
        self._arrived = arrived
        self._images: OrderedDict[str, QImage] = OrderedDict()
        self._levels: dict[tuple[str, int], QPixmap] = {}
        self._wanted: set[str] = set()
        self._broken: set[str] = set()

    def put(self, asset: Asset, image: QImage) -> None:
        """Keep a picture that is already decoded."""
        self._images[asset.id] = image
        self._trim()

    def is_broken(self, asset: Asset) -> bool:
        """Whether the file is gone or can't be read."""
        return asset.id in self._broken

    def pixmap(self, asset: Asset, width: float) -> QPixmap | None:
        """The picture for painting `width` device pixels wide, halved as often as fits; None while it is read."""
        image = self._images.get(asset.id)
        if image is None:
            self._fetch(asset)
            return None
        self._images.move_to_end(asset.id)
        level = math.floor(math.log2(max(1.0, image.width() / max(1.0, width))))
        key = (asset.id, min(level, 8))
        if key not in self._levels:
            self._levels[key] = _halved(image, key[1])
        return self._levels[key]

    def _fetch(self, asset: Asset) -> None:
        if asset.id in self._wanted or asset.id in self._broken:
            return
        self._wanted.add(asset.id)

        def done(image: QImage) -> None:
            self._wanted.discard(asset.id)
            self.put(asset, image)
            self._arrived()

        def failed(_failure: Failure) -> None:
            self._wanted.discard(asset.id)
            self._broken.add(asset.id)
            self._arrived()

        self._background.run(lambda: read_image(self._path_of(asset.id)), done, failed)

    def _trim(self) -> None:
        while len(self._images) > 1 and sum(image.sizeInBytes() for image in self._images.values()) > _BUDGET:
            identity, _ = self._images.popitem(last=False)
            for key in [key for key in self._levels if key[0] == identity]:
                del self._levels[key]


def read_image(path: Path) -> QImage:
    """Decode a picture file, upright. Raises `StudioError` (`INPUT_DAMAGED`)."""
    QImageReader.setAllocationLimit(_ALLOCATION_LIMIT_MB)
    reader = QImageReader(str(path))
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)
    image = reader.read()
    if image.isNull():
        raise StudioError(
            Failure(
                FailureCode.INPUT_DAMAGED,
                f"“{path.name}” can't be read as a picture: {reader.errorString()}",
                hint="Open it in another program and save it as PNG, then bring it in again.",
                detail=str(path),
            )
        )
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def image_of(picture: Picture) -> QImage:
    """An event's picture as a QImage with memory of its own."""
    kind = {1: QImage.Format.Format_Grayscale8, 3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGBA8888}
    row = picture.width * picture.channels
    image = QImage(picture.pixels, picture.width, picture.height, row, kind[picture.channels])
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def _halved(image: QImage, level: int) -> QPixmap:
    if level == 0:
        return QPixmap.fromImage(image)
    size = QSize(max(1, image.width() >> level), max(1, image.height() >> level))
    mode = Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, mode))
