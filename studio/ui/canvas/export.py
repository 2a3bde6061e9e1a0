"""Saving pictures from the canvas as PNG files, and the file dialogs for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QFileDialog, QWidget

from studio.core.failure import Failure, FailureCode, StudioError
from studio.documents.atomic import write_atomically
from studio.documents.canvas.placement import Placement, Rect
from studio.ui.canvas.pictures import read_image

_LARGEST_EDGE = 16384
_PICTURES = "Pictures (*.png *.jpg *.jpeg *.webp *.bmp *.gif *.tif *.tiff);;All files (*)"


def ask_picture(parent: QWidget) -> Path | None:
    """Which picture file to bring in; None when the dialog was left."""
    name, _ = QFileDialog.getOpenFileName(parent, "Bring in a picture", "", _PICTURES)
    return Path(name) if name else None


def ask_target(parent: QWidget, proposal: str) -> Path | None:
    """Where to save a PNG; None when the dialog was left."""
    name, _ = QFileDialog.getSaveFileName(parent, "Save as PNG", proposal, "PNG (*.png)")
    if not name:
        return None
    path = Path(name)
    return path if path.suffix.lower() == ".png" else path.with_name(f"{path.name}.png")


def save_pixels(source: Path, target: Path) -> Path:
    """Save the picture file `source` at `target` as PNG; a PNG keeps its record byte by byte.

    Raises `StudioError` when it can't be read or written.
    """
    data = _bytes_of(source)
    write_atomically(target, data if data.startswith(b"\x89PNG") else _png(read_image(source)))
    return target


def save_canvas(placements: tuple[Placement, ...], path_of: Callable[[str], Path], target: Path) -> Path:
    """Paint all `placements`, bottom first, into one transparent PNG at `target`.

    Raises `StudioError` when the area is too large or a file can't be read or written.
    """
    area = reduce(Rect.united, (placement.rect for placement in placements))
    if max(area.width, area.height) > _LARGEST_EDGE:
        raise StudioError(
            Failure(
                FailureCode.STORAGE,
                f"The canvas is {area.width} × {area.height} pixels; a PNG may have {_LARGEST_EDGE} at most.",
                hint="Move the pictures closer together, or save them one by one.",
            )
        )
    image = QImage(area.width, area.height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    for placement in placements:
        picture = read_image(path_of(placement.asset.id))
        rect = placement.rect
        goal = QRectF(rect.x - area.x, rect.y - area.y, rect.width, rect.height)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, picture.width() > rect.width)
        painter.drawImage(goal, picture, QRectF(picture.rect()))
    painter.end()
    write_atomically(target, _png(image))
    return target


def _png(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload] # the stubs want bytes, the library wants a string
    return bytes(buffer.data().data())


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StudioError(
            Failure(
                FailureCode.INPUT_MISSING,
                f"“{path.name}” can't be read: {error.strerror or error}.",
                hint="Check that the file is still in the project.",
                detail=str(error),
            )
        ) from error
