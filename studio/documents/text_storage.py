"""One text file that is being edited, as it lies on disk, guarded against other programs and late writers.

Thread-safe: the window saves in the background and, when it closes, once more in the foreground; the
older of two saves never overwrites the newer. No Qt.
"""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec

from studio.core.failure import FailureCode, StudioError
from studio.documents.text_file import TextContent, decode_text, read_bytes, write_text


class Outside(msgspec.Struct, frozen=True):
    """Another program changed the file. `data` and `content` are what lies there now; None: it is gone."""

    data: bytes | None
    content: TextContent | None


class TextStorage:
    """The file at `path`. `data` is what it held when this program last read or wrote it."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._data: bytes | None = data
        self._content = decode_text(path, data)
        self._newest = 0

    @property
    def data(self) -> bytes:
        """The bytes that both sides know of; empty for a file that was gone."""
        return self._data or b""

    @property
    def is_gone(self) -> bool:
        """Whether both sides know that there is no such file now."""
        return self._data is None

    @property
    def text(self) -> str:
        """The text that both sides know of."""
        return self._content.text

    def save(self, text: bytes, sequence: int) -> Outside | bytes | None:
        """Write `text` (UTF-16-LE), unless a save with a higher `sequence` has been made (then None).

        Returns the bytes written, or an `Outside`, with nothing written, if another program was here.
        Raises `StudioError` as `write_atomically` does, and `INPUT_DAMAGED`, where the file became something
        that is no text.
        """
        with self._lock:
            if sequence < self._newest:
                return None
            found = self._look()
            if found is not None:
                return found
            content = msgspec.structs.replace(self._content, text=text.decode("utf-16-le", "surrogatepass"))
            data = content.encoded()
            if data != self._data:
                write_text(self.path, content)
            self._newest = sequence
            self._data, self._content = data, content
            return data

    def check(self) -> Outside | None:
        """Whether another program changed the file. Raises `StudioError` where it can't be read any more."""
        with self._lock:
            return self._look()

    def accept(self, outside: Outside) -> None:
        """From now on, what the other program left is what both sides know of."""
        with self._lock:
            self._data = outside.data
            if outside.content is not None:
                self._content = outside.content

    def move(self, path: Path) -> None:
        """The file has been renamed."""
        with self._lock:
            self.path = path

    def _look(self) -> Outside | None:
        try:
            data: bytes | None = read_bytes(self.path)
        except StudioError as error:
            if error.failure.code != FailureCode.INPUT_MISSING or self.path.exists():
                raise
            data = None
        if data == self._data:
            return None
        return Outside(data, decode_text(self.path, data) if data is not None else None)
