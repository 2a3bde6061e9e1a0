"""Reading and writing plain text without changing what the person did not change.

Line ends and a byte order mark stay as they were found.
"""

from __future__ import annotations

import codecs
from pathlib import Path

import msgspec

from studio.core.failure import Failure, FailureCode, StudioError
from studio.documents.atomic import write_atomically

LARGEST_TEXT = 32 << 20


class TextContent(msgspec.Struct, frozen=True):
    """A text with line feeds as line ends; `newline` and `mark` (byte order mark) are how it lies on disk."""

    text: str
    newline: str = "\n"
    mark: bool = False

    def encoded(self) -> bytes:
        """The bytes for the disk. A lone surrogate, which no file can hold, becomes U+FFFD."""
        text = self.text if self.newline == "\n" else self.text.replace("\n", self.newline)
        data = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
        return codecs.BOM_UTF8 + data if self.mark else data


def read_bytes(path: Path) -> bytes:
    """The bytes of a text file. Raises `StudioError` (`INPUT_MISSING`, `INPUT_DAMAGED`)."""
    try:
        if path.stat().st_size > LARGEST_TEXT:
            raise _damaged(path, "is larger than 32 MB", "Open it with a program for large files.")
        return path.read_bytes()
    except OSError as error:
        raise StudioError(
            Failure(
                FailureCode.INPUT_MISSING,
                f"“{path.name}” can't be read: {error.strerror or error}.",
                hint="Check that the file is still there and that you may read it.",
                detail=str(error),
            )
        ) from error


def decode_text(path: Path, data: bytes) -> TextContent:
    """The text in `data`. Raises `StudioError` (`INPUT_DAMAGED`) for what is no UTF-8 text."""
    if b"\0" in data[:65536]:
        raise _damaged(path, "is not a text file", "Open it with the program it was made with.")
    mark = data.startswith(codecs.BOM_UTF8)
    try:
        text = data[len(codecs.BOM_UTF8) if mark else 0 :].decode()
    except UnicodeDecodeError as error:
        raise _damaged(path, "is not UTF-8 text", "Convert it to UTF-8 with another program, then open it.") from error
    newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    return TextContent(text.replace("\r\n", "\n").replace("\r", "\n"), newline, mark)


def read_text(path: Path) -> TextContent:
    """The text in `path`. Raises `StudioError` (`INPUT_MISSING`, `INPUT_DAMAGED`)."""
    return decode_text(path, read_bytes(path))


def write_text(path: Path, content: TextContent) -> bytes:
    """Save `content` whole or not at all; returns the bytes. Raises `StudioError` as `write_atomically` does."""
    data = content.encoded()
    write_atomically(path, data)
    return data


def _damaged(path: Path, what: str, hint: str) -> StudioError:
    return StudioError(Failure(FailureCode.INPUT_DAMAGED, f"“{path.name}” {what}, so it can't be edited here.", hint))
