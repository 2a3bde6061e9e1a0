"""What the window remembers until the next start: where it was, which room, and each room's own state.

Not settings: nobody edits these, and losing them costs nothing but a moment.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import msgspec

from studio.core.failure import StudioError

_MOST_RECENT = 12


class Session(msgspec.Struct):
    """The remembered state. `geometry` is Qt's own, in base 64; `rooms` holds plain JSON per room."""

    geometry: str = ""
    room: str = ""
    panel_width: int = 0
    panel_shown: bool = True
    greeted: bool = False
    recent: list[str] = []
    rooms: dict[str, dict[str, Any]] = {}

    def note_command(self, identity: str) -> None:
        """Remember that a command was used, newest first."""
        self.recent = [identity, *(known for known in self.recent if known != identity)][:_MOST_RECENT]


def load_session(path: Path) -> Session:
    """The session in `path`; a fresh one where there is none or it can't be read."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(path.read_bytes(), type=Session)
    return Session()


def save_session(path: Path, session: Session) -> None:
    """Write the session whole; a disk that refuses costs only the memory of the window's place."""
    from studio.documents.atomic import write_atomically

    with contextlib.suppress(StudioError):
        write_atomically(path, msgspec.json.format(msgspec.json.encode(session)))
