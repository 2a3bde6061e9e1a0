"""Where the studio keeps its own things on this system, and where projects go by default."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_NAME = "Atelier"


def state_folder() -> Path:
    """Settings, window state and run history. `ATELIER_STATE` overrides it."""
    chosen = os.environ.get("ATELIER_STATE")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir(_NAME, appauthor=False))


def default_project() -> Path:
    """The project that opens where none was named. `ATELIER_PROJECT` overrides it."""
    chosen = os.environ.get("ATELIER_PROJECT")
    return Path(chosen) if chosen else Path(platformdirs.user_documents_dir()) / _NAME


def settings_path() -> Path:
    """The file with the user's settings."""
    return state_folder() / "settings.json"
