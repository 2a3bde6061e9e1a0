"""Pictures between processes: their bytes go through a few slots of shared memory, in pieces where needed.

The studio owns the memory. The worker fills a free slot and says so; the studio copies it out and gives the slot
back. A picture larger than one slot takes several in turn, so that any size gets through without new memory.
The first word of the memory is the cancel word: the turn of the job that is to end.
"""

from __future__ import annotations

import queue
from collections.abc import Callable

import msgspec

from studio.core.events import Event, JobCompleted, JobPreview, Picture
from studio.core.wire.block import SharedBlock
from studio.core.wire.frames import BrokenFrame
from studio.core.wire.messages import Pixels, SlotFree

HEADER = 64
SLOT_SIZE = 4 << 20
SLOTS = 4
BLOCK_SIZE = HEADER + SLOTS * SLOT_SIZE
LARGEST_EVENT = 4 << 30


class CancelWord:
    """The cancel word: the studio writes a turn into it, the worker compares. A word is read and written whole."""

    def __init__(self, block: SharedBlock) -> None:
        self._words = block.view[:4].cast("I")

    def ask(self, turn: int) -> None:
        """End the job of this turn."""
        self._words[0] = turn

    def asked(self, turn: int) -> bool:
        """Whether the job of this turn is to end."""
        return self._words[0] == turn

    def release(self) -> None:
        """Let go of the memory."""
        self._words.release()


class PixelSender:
    """The worker's side. `send_pixels` and `send_event` put a message on the channel."""

    def __init__(
        self, block: SharedBlock, send_pixels: Callable[[Pixels], None], send_event: Callable[[Event], None]
    ) -> None:
        self._view = block.view
        self._send_pixels = send_pixels
        self._send_event = send_event
        self._free: queue.SimpleQueue[int] = queue.SimpleQueue()
        for slot in range(SLOTS):
            self._free.put(slot)

    def slot_is_free(self, slot: int) -> None:
        """The studio has taken what lay in this slot; called from the reading thread."""
        self._free.put(slot)

    def send(self, event: Event) -> bool:
        """Send an event with its pictures; False for a preview that was left out since the studio is behind.

        Results, and previews of finished pictures, wait for free slots however long that takes. Raises `ValueError`
        for a picture whose bytes do not fit its size.
        """
        pictures = _pictures(event)
        for picture in pictures:
            _check(picture)
        if isinstance(event, JobPreview) and event.finished is None and not self._has_room(event.picture):
            return False
        for picture in pictures:
            self._send_picture(picture)
        self._send_event(_with_pictures(event, [_bare(picture) for picture in pictures]))
        return True

    def _has_room(self, preview: Picture) -> bool:
        needed = min(SLOTS, -(-len(preview.pixels) // SLOT_SIZE))
        return self._free.qsize() >= needed

    def _send_picture(self, picture: Picture) -> None:
        rest = memoryview(picture.pixels)
        while rest:
            slot = self._free.get()
            piece, rest = rest[:SLOT_SIZE], rest[SLOT_SIZE:]
            start = HEADER + slot * SLOT_SIZE
            self._view[start : start + len(piece)] = piece
            self._send_pixels(Pixels(slot, len(piece)))


class PixelReceiver:
    """The studio's side: collects pieces until the event that they belong to comes."""

    def __init__(self, block: SharedBlock) -> None:
        self._view = block.view
        self._pieces: list[bytes] = []

    def forget(self) -> None:
        """Drop pieces whose event never came."""
        self._pieces.clear()

    def take(self, pixels: Pixels) -> SlotFree:
        """Copy a piece out; returns what to answer. Raises `BrokenFrame`."""
        if pixels.slot >= SLOTS or pixels.length > SLOT_SIZE:
            raise BrokenFrame(f"pixels in slot {pixels.slot}, {pixels.length} bytes")
        if sum(map(len, self._pieces)) + pixels.length > LARGEST_EVENT:
            raise BrokenFrame(f"more than {LARGEST_EVENT} bytes of pixels in one event")
        start = HEADER + pixels.slot * SLOT_SIZE
        self._pieces.append(bytes(self._view[start : start + pixels.length]))
        return SlotFree(pixels.slot)

    def complete(self, event: Event) -> Event:
        """The event with its pictures' pixels. Raises `BrokenFrame` where sizes do not match."""
        pictures = _pictures(event)
        if not pictures:
            return event
        pieces, self._pieces = self._pieces, []
        whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if len(whole) != sum(_size(picture) for picture in pictures):
            raise BrokenFrame(f"{len(whole)} bytes of pixels for {len(pictures)} pictures")
        filled, start = [], 0
        for picture in pictures:
            end = start + _size(picture)
            # A slice of the whole is the same object: a single picture is not copied again.
            filled.append(msgspec.structs.replace(picture, pixels=whole[start:end]))
            start = end
        return _with_pictures(event, filled)


def _size(picture: Picture) -> int:
    return picture.width * picture.height * picture.channels


def _check(picture: Picture) -> None:
    if len(picture.pixels) != _size(picture):
        text = f"{len(picture.pixels)} bytes for a picture of {picture.width}×{picture.height}×{picture.channels}"
        raise ValueError(text)


def _bare(picture: Picture) -> Picture:
    return msgspec.structs.replace(picture, pixels=b"")


def _pictures(event: Event) -> tuple[Picture, ...]:
    if isinstance(event, JobPreview):
        return (event.picture,)
    return event.pictures if isinstance(event, JobCompleted) else ()


def _with_pictures(event: Event, pictures: list[Picture]) -> Event:
    if isinstance(event, JobPreview):
        return msgspec.structs.replace(event, picture=pictures[0])
    return msgspec.structs.replace(event, pictures=tuple(pictures)) if isinstance(event, JobCompleted) else event
