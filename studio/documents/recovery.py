"""Unsaved text, kept beside the documents until it is saved.

A source file changes on disk only when the person saves it, so that no half-typed line reaches a
running program; what has been typed since lies here, and a crash loses nothing. No Qt.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import msgspec

from studio.core.codec import decode, encode
from studio.core.failure import StudioError
from studio.documents.atomic import write_atomically


class Recovered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Unsaved text of a file; `base` is the SHA-256 of the file's bytes that it started from."""

    path: str
    text: str
    base: str


class Recovery:
    """Unsaved texts, one small file each, in `folder`. Thread-safe: each call is one file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, path: Path, text: str, base: str) -> None:
        """Keep the unsaved `text` of `path`. Raises `StudioError`."""
        safe = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        write_atomically(self._place(path), encode(Recovered(str(path), safe, base)))

    def get(self, path: Path) -> Recovered | None:
        """What is kept of `path`, or None."""
        try:
            return decode(Recovered, self._place(path).read_bytes())
        except (OSError, StudioError):
            return None

    def drop(self, path: Path) -> None:
        """Forget what is kept of `path`."""
        with contextlib.suppress(OSError):
            self._place(path).unlink(missing_ok=True)

    def paths(self) -> tuple[Path, ...]:
        """The files of which something is kept."""
        found: list[Path] = []
        for place in sorted(self._folder.glob("*.json")):
            with contextlib.suppress(OSError, StudioError):
                found.append(Path(decode(Recovered, place.read_bytes()).path))
        return tuple(found)

    def _place(self, path: Path) -> Path:
        return self._folder / f"{hashlib.sha256(str(path).encode()).hexdigest()[:32]}.json"


def digest(data: bytes) -> str:
    """How `Recovered.base` names a state of a file."""
    return hashlib.sha256(data).hexdigest()
