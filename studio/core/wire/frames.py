"""Typed frames over a `multiprocessing` connection: msgpack, one message each, never pickle.

The other side is not trusted to be sane: a frame that is too long or does not fit the messages raises
`BrokenFrame`, and the connection is given up.
"""

from __future__ import annotations

import threading
from typing import Any, Generic, TypeVar

import msgspec

from studio.core.wire.pipe import PipeEnd

Incoming = TypeVar("Incoming")
Outgoing = TypeVar("Outgoing")

LARGEST_FRAME = 64 << 20


class ChannelClosed(Exception):
    """The other side is gone."""


class BrokenFrame(Exception):
    """What came is no message of ours."""


class FrameTooLarge(Exception):
    """The message is longer than a frame may be."""


class Channel(Generic[Incoming, Outgoing]):
    """One end. `send` may be called from any thread, `receive` from one thread at a time."""

    def __init__(self, connection: PipeEnd, incoming: Any) -> None:  # noqa: ANN401 - a union of types has no type
        self.connection = connection
        self._decoder: msgspec.msgpack.Decoder[Incoming] = msgspec.msgpack.Decoder(incoming)
        self._lock = threading.Lock()

    def send(self, message: Outgoing) -> None:
        """Send, waiting while the pipe is full. Raises `ChannelClosed` and `FrameTooLarge`."""
        frame = _encoded(message)
        with self._lock:
            self._write(frame)

    def send_unless_busy(self, message: Outgoing) -> bool:
        """Send unless another thread is sending; says whether it did. Raises `ChannelClosed`."""
        frame = _encoded(message)
        if not self._lock.acquire(blocking=False):
            return False
        try:
            self._write(frame)
        finally:
            self._lock.release()
        return True

    def receive(self) -> Incoming:
        """The next message, waiting for it. Raises `ChannelClosed` and `BrokenFrame`."""
        try:
            frame = self.connection.recv_bytes(LARGEST_FRAME)
        except (EOFError, ConnectionError) as error:
            raise ChannelClosed from error
        except OSError as error:
            if not self.connection.readable:  # how the connection marks a length beyond the limit
                raise BrokenFrame("a frame longer than the limit") from error
            raise ChannelClosed from error
        try:
            return self._decoder.decode(frame)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BrokenFrame(f"{len(frame)} bytes: {error}") from error

    def close(self) -> None:
        """Let go of this end."""
        self.connection.close()

    def _write(self, frame: bytes) -> None:
        try:
            self.connection.send_bytes(frame)
        except (OSError, ValueError) as error:  # ValueError: a pipe of Windows that has been closed
            raise ChannelClosed from error


def _encoded(message: object) -> bytes:
    frame = msgspec.msgpack.encode(message)
    if len(frame) > LARGEST_FRAME:
        raise FrameTooLarge(f"{len(frame)} bytes")
    return frame
