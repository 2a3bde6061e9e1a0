"""A project: a folder of ordinary files with a database of its own in `.atelier`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from studio.core.failure import Failure, FailureCode, StudioError
from studio.documents.assets import AssetStore


class Project:
    """One open project. `folder` holds the user's files; `.atelier` holds what the studio knows."""

    def __init__(self, folder: Path, assets: AssetStore) -> None:
        self.folder = folder
        self.assets = assets

    @classmethod
    def open(cls, folder: Path) -> Project:
        """Open the project in `folder`, making both where they don't exist.

        Raises `StudioError` (`STORAGE`) where the folder can't be used.
        """
        try:
            inner = folder / ".atelier"
            inner.mkdir(parents=True, exist_ok=True)
            return cls(folder, AssetStore(folder, inner / "assets.db"))
        except (OSError, sqlite3.Error) as error:
            why = error.strerror if isinstance(error, OSError) else None
            raise StudioError(
                Failure(
                    FailureCode.STORAGE,
                    f"The project folder {folder} can't be used: {why or error}.",
                    hint="Choose a folder that you may write to.",
                    detail=str(error),
                )
            ) from error

    @property
    def name(self) -> str:
        """What the window shows: the folder's name."""
        return self.folder.name

    def database(self, name: str) -> Path:
        """The path of the database `name` in the project."""
        return self.folder / ".atelier" / f"{name}.db"

    def close(self) -> None:
        """Close the project's databases."""
        self.assets.close()
