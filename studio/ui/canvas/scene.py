"""What the canvas view shows beside the document: the frame, the selection and running jobs."""

from __future__ import annotations

import dataclasses
import functools

from PySide6.QtGui import QImage

from studio.documents.canvas.placement import Rect


@dataclasses.dataclass
class RunningPicture:
    """A job that is on its way: where its pictures will land, how it looks so far, a word on its progress.

    `image` is the one that is being made, `current` which of `places` it belongs to; `finished` holds those before it,
    as they will land or, until that is known, as they were seen last. `share` of the current one is done, or of all of
    them where they are made `together`; `total` steps make all.
    """

    places: tuple[Rect, ...]
    image: QImage | None = None
    current: int = 0
    finished: dict[int, QImage] = dataclasses.field(default_factory=dict)
    label: str = ""
    share: float | None = None
    total: int = 0
    together: bool = False
    stopping: bool = False

    @property
    def area(self) -> Rect:
        """The rectangle that holds all of them."""
        return functools.reduce(Rect.united, self.places)

    def turn_to(self, current: int) -> None:
        """Go on to the picture with this number."""
        if current != self.current:
            if self.image is not None:
                self.finished.setdefault(self.current, self.image)
            self.image, self.current = None, current


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
