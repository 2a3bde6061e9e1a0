"""Wakes a thread that waits for connections."""

from __future__ import annotations

import multiprocessing
import threading


class Bell:
    """`reader` becomes readable when `ring` is called, until `silence`. `ring` never blocks."""

    def __init__(self) -> None:
        self.reader, self._writer = multiprocessing.Pipe(duplex=False)
        self._lock = threading.Lock()
        self._ringing = False

    def ring(self) -> None:
        """Wake the thread."""
        with self._lock:
            if not self._ringing and not self._writer.closed:
                self._ringing = True
                self._writer.send_bytes(b"!")

    def silence(self) -> None:
        """Make ready for the next ring; what has been asked for must be looked at after this."""
        with self._lock:
            if self._ringing:
                self.reader.recv_bytes()
                self._ringing = False

    def close(self) -> None:
        """Ring no more."""
        with self._lock:
            self.reader.close()
            self._writer.close()
