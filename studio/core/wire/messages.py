"""What the studio and a worker say to each other. Events travel as they are, without their pixels."""

from __future__ import annotations

from typing import Annotated

import msgspec

from studio.core.engine import Assignment
from studio.core.events import AnyEvent
from studio.core.failure import Failure

Count = Annotated[int, msgspec.Meta(ge=0)]


class Assign(msgspec.Struct, frozen=True, tag=True):
    """Run this. `turn` is the number that the cancel word in shared memory takes to end it."""

    turn: Annotated[int, msgspec.Meta(ge=1, lt=2**32)]
    assignment: Assignment


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """The job of this turn is to end. A running job sees the cancel word; this is for one that has not begun."""

    turn: Count


class Warm(msgspec.Struct, frozen=True, tag=True):
    """Import the library now, so that the first job need not wait for it."""


class Unload(msgspec.Struct, frozen=True, tag=True):
    """Give all models back; answered by `Unloaded`."""


class SlotFree(msgspec.Struct, frozen=True, tag=True):
    """The pixels in this slot have been taken."""

    slot: Count


class Shutdown(msgspec.Struct, frozen=True, tag=True):
    """End, once the job at hand has ended."""


ToWorker = Assign | Cancel | Warm | Unload | SlotFree | Shutdown


class Hello(msgspec.Struct, frozen=True, tag=True):
    """The worker listens. `process` is its own id (a launcher may stand between it and the studio)."""

    process: int


class Warmed(msgspec.Struct, frozen=True, tag=True):
    """The library has been imported, or could not be."""

    seconds: float
    failure: Failure | None = None


class Pulse(msgspec.Struct, frozen=True, tag=True):
    """A sign of life; memory in bytes."""

    resident: Count
    loaded: Count


class Unloaded(msgspec.Struct, frozen=True, tag=True):
    """The models are gone; memory in bytes afterwards."""

    resident: Count


class Pixels(msgspec.Struct, frozen=True, tag=True):
    """`length` bytes of the next event's pictures lie in `slot`."""

    slot: Count
    length: Annotated[int, msgspec.Meta(ge=1)]


FromWorker = Hello | Warmed | Pulse | Unloaded | Pixels | AnyEvent
