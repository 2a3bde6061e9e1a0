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
_MOST_PROJECTS = 8

RoomStates = dict[str, dict[str, Any]]


class Session(msgspec.Struct):
    """The remembered state. `geometry` is Qt's own, in base 64; `rooms` holds plain JSON per room.

    `project` is the folder of the open project, `projects` those that were opened lately, newest first, and
    `elsewhere` what the rooms remember of the projects that are not open.
    """

    geometry: str = ""
    room: str = ""
    panel_width: int = 0
    panel_shown: bool = True
    greeted: bool = False
    recent: list[str] = []
    rooms: RoomStates = {}
    project: str = ""
    projects: list[str] = []
    elsewhere: dict[str, RoomStates] = {}

    def note_command(self, identity: str) -> None:
        """Remember that a command was used, newest first."""
        self.recent = [identity, *(known for known in self.recent if known != identity)][:_MOST_RECENT]

    def enter(self, project: str) -> None:
        """Another project is open: its rooms take up what they remember of it."""
        if self.project and self.project != project:
            self.elsewhere[self.project] = self.rooms
            self.rooms = self.elsewhere.pop(project, {})
        self.project = project
        self.projects = [project, *(known for known in self.projects if known != project)][:_MOST_PROJECTS]
        self.elsewhere = {known: rooms for known, rooms in self.elsewhere.items() if known in self.projects}

    def forget_project(self, project: str) -> None:
        """Offer a project no longer that is not there any more."""
        self.projects = [known for known in self.projects if known != project]


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
