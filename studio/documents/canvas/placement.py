"""A picture at a place on the canvas."""

from __future__ import annotations

from typing import Annotated

import msgspec

from studio.core.references import Asset

Length = Annotated[int, msgspec.Meta(ge=1, le=65536)]


class Rect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rectangle in canvas pixels; `x`, `y` is its upper left corner."""

    x: int
    y: int
    width: Length
    height: Length

    def overlaps(self, other: Rect) -> bool:
        """Whether the two share any pixel."""
        across = self.x < other.x + other.width and other.x < self.x + self.width
        down = self.y < other.y + other.height and other.y < self.y + self.height
        return across and down

    def contains(self, x: float, y: float) -> bool:
        """Whether the point lies in the rectangle."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def moved(self, dx: int, dy: int) -> Rect:
        """The same size, shifted."""
        return Rect(self.x + dx, self.y + dy, self.width, self.height)

    def united(self, other: Rect) -> Rect:
        """The smallest rectangle that holds both."""
        left, top = min(self.x, other.x), min(self.y, other.y)
        right = max(self.x + self.width, other.x + other.width)
        bottom = max(self.y + self.height, other.y + other.height)
        return Rect(left, top, right - left, bottom - top)


class Placement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An asset on the canvas. `job` is the job that made it, empty for pictures that were brought in;
    `order` is its height in the stack.
    """

    id: str
    asset: Asset
    rect: Rect
    label: str = ""
    job: str = ""
    order: float = 0.0


class FramePlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the frame is, and `home`, where the person put it: from there rows of pictures are filled."""

    frame: Rect
    home: Rect


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One undoable step on one placement, or on the frame: what was there before and what is there after."""

    before: Placement | None = None
    after: Placement | None = None
    frame_before: FramePlace | None = None
    frame_after: FramePlace | None = None

    def reversed(self) -> Change:
        """The step that takes this one back."""
        return Change(self.after, self.before, self.frame_after, self.frame_before)
