"""The files of a project, by content, with the record of how each came to be.

Assets are ordinary files in the project's folder; the database only knows about them. A file that
the user moved or changed outside is found missing, never overwritten.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
import threading
import time
import unicodedata
from pathlib import Path
from typing import Literal

from studio.core.codec import decode, encode
from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.provenance import Provenance
from studio.core.references import Asset
from studio.documents.atomic import clear_half_written, write_atomically
from studio.documents.database import database_error

Kind = Literal["image", "text", "code", "audio", "video", "mask"]

_FOLDERS: dict[Kind, str] = {
    "image": "Pictures",
    "mask": ".atelier/masks",
    "text": "Texts",
    "code": "Code",
    "audio": "Sounds",
    "video": "Films",
}
_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "text/markdown": ".md"}
_LONGEST_NAME = 60

_SCHEMA = """
CREATE TABLE IF NOT EXISTS assets (
  id TEXT PRIMARY KEY, json BLOB NOT NULL, provenance BLOB, added REAL NOT NULL
) STRICT;
"""


class AssetStore:
    """Assets of one project; may be used from any thread."""

    def __init__(self, folder: Path, database: Path) -> None:
        self._folder = folder
        self._database = database
        self._lock = threading.Lock()
        for name in _FOLDERS.values():
            clear_half_written(folder / name)
        database.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(_SCHEMA.strip())

    def put(
        self, data: bytes, kind: Kind, media_type: str, name: str = "", provenance: Provenance | None = None
    ) -> Asset:
        """Store `data` as a file named after `name`; the same bytes are stored once.

        Raises `StudioError` (`DISK_FULL`, `STORAGE`).
        """
        identity = hashlib.sha256(data).hexdigest()
        with self._lock:
            known = self._find(identity)
            if known is not None and (self._folder / known.path).is_file():
                return known
            path = self._free_path(kind, name or identity[:12], _SUFFIXES.get(media_type, ""))
            write_atomically(path, data)
            relative = path.relative_to(self._folder).as_posix()
            asset = Asset(id=identity, kind=kind, path=relative, media_type=media_type, size=len(data))
            self._enter(asset, provenance, path)
        return asset

    def find(self, identity: str) -> Asset | None:
        """The asset with this id, or None."""
        with self._lock:
            return self._find(identity)

    def path(self, identity: str) -> Path:
        """Where the asset's file lies. Raises `StudioError` (`INPUT_MISSING`) when it is gone."""
        asset = self.find(identity)
        path = self._folder / asset.path if asset else None
        if path is None or not path.is_file():
            name = asset.path if asset else identity[:12]
            raise StudioError(
                Failure(
                    FailureCode.INPUT_MISSING,
                    f"The file “{name}” is no longer in the project.",
                    hint="Put it back, or choose another picture and try again.",
                )
            )
        return path

    def provenance(self, identity: str) -> Provenance | None:
        """How the asset came to be, or None for a file that was brought in."""
        with self._lock:
            row = self._connection.execute("SELECT provenance FROM assets WHERE id = ?", (identity,)).fetchone()
        return decode(Provenance, row[0]) if row and row[0] else None

    def assets(self) -> tuple[Asset, ...]:
        """All assets, oldest first."""
        with self._lock:
            rows = self._connection.execute("SELECT json FROM assets ORDER BY added, id").fetchall()
        return tuple(decode(Asset, row[0]) for row in rows)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    def _enter(self, asset: Asset, provenance: Provenance | None, path: Path) -> None:
        """Write down an asset whose file has just been written; where that fails, neither is kept."""
        try:
            self._connection.execute(
                "INSERT OR REPLACE INTO assets (id, json, provenance, added) VALUES (?, ?, ?, ?)",
                (asset.id, encode(asset), encode(provenance) if provenance else None, time.time()),
            )
        except sqlite3.Error as error:
            with contextlib.suppress(OSError):
                path.unlink()
            raise database_error(self._database, error) from error

    def _find(self, identity: str) -> Asset | None:
        row = self._connection.execute("SELECT json FROM assets WHERE id = ?", (identity,)).fetchone()
        return decode(Asset, row[0]) if row else None

    def _free_path(self, kind: Kind, name: str, suffix: str) -> Path:
        folder = self._folder / _FOLDERS[kind]
        stem = safe_name(name)
        path = folder / f"{stem}{suffix}"
        number = 2
        while path.exists():
            path = folder / f"{stem} {number}{suffix}"
            number += 1
        return path


def safe_name(text: str) -> str:
    """`text` as a file name that all three systems take, never empty and never hidden."""
    plain = unicodedata.normalize("NFC", text)
    plain = re.sub(r'[<>:"/\\|?*\x00-\x1f]+', " ", plain)
    plain = re.sub(r"\s+", " ", plain).strip(" .")[:_LONGEST_NAME].strip(" .")
    reserved = re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)", plain)
    return f"{plain or 'untitled'}_" if reserved else plain or "untitled"
