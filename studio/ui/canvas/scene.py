"""What the canvas view shows beside the document: the frame, the selection and running jobs."""

from __future__ import annotations

import dataclasses

from PySide6.QtGui import QImage

from studio.documents.canvas.placement import Rect


@dataclasses.dataclass
class RunningPicture:
    """A job that is on its way: where it will land, how it looks so far, a word on its progress."""

    rect: Rect
    image: QImage | None = None
    label: str = ""
    share: float | None = None


@dataclasses.dataclass
class Scene:
    """The state behind the view. The room changes it and asks the view to repaint.

    `selected` is a placement's id, `input` an asset's; `moving` is a placement under the pointer and where it
    would go.
    """

    frame: Rect = dataclasses.field(default_factory=lambda: Rect(0, 0, 512, 512))
    selected: str | None = None
    input: str | None = None
    moving: tuple[str, Rect] | None = None
    running: dict[str, RunningPicture] = dataclasses.field(default_factory=dict)
