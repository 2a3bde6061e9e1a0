"""From a picture on the canvas to the request that enlarges it, and to the place where the result lands."""

from __future__ import annotations

from studio.core.references import Destination
from studio.core.requests import UpscaleRequest
from studio.documents.canvas.document import SHEET_GAP, CanvasDocument
from studio.documents.canvas.placement import Placement, Rect
from studio.models.entry import ShelfEntry

SCALE = 4


def enlarging(placement: Placement, entry: ShelfEntry) -> UpscaleRequest:
    """The request that makes the picture four times as large with the model `entry`."""
    return UpscaleRequest(image=placement.asset.id, model=entry.ref, scale=SCALE)


def landing(document: CanvasDocument, placement: Placement, waiting: tuple[Rect, ...]) -> Destination:
    """Where the larger picture goes: to the right of the original, where nothing is covered."""
    rect = placement.rect
    beside = Rect(rect.x + rect.width + SHEET_GAP, rect.y, rect.width * SCALE, rect.height * SCALE)
    free = document.free_place(beside, waiting)
    return Destination(room="canvas", document=document.id, x=free.x, y=free.y, width=free.width, height=free.height)
