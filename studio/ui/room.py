"""What a room is, and what it is given.

A room is one widget in the centre of the window, with its own commands and, if it makes something,
its request panel at the right. Rooms never import each other; they share what `RoomContext` holds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from studio.app.commands import Commands
from studio.app.notices import Notices
from studio.app.settings import Settings
from studio.core.command import Command
from studio.ui.background import Background
from studio.ui.bridge import Bridge
from studio.ui.theme import Theme

if TYPE_CHECKING:
    from studio.app.studio import Studio


@dataclasses.dataclass(frozen=True)
class RoomContext:
    """What the window hands to each room.

    `background.run(operation, success, failure)` does work that is longer than a frame outside the
    main thread. `open_room(id)` shows another room. Failures and notices of jobs are shown by the
    window for every room; a room posts to `notices` only what it alone knows.
    """

    studio: Studio
    bridge: Bridge
    notices: Notices
    theme: Theme
    settings: Settings
    commands: Commands
    background: Background
    open_room: Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Found:
    """A document of the room `room` that can be opened by its `name`; `key` is what the room knows it by."""

    room: str
    key: str
    name: str


class Room(QWidget):
    """The base class of rooms. The window makes a room when it is shown for the first time.

    `document_changed(name, state)` fills the top bar: the document's name and a word on it
    (`saved`, `saving…`, `not saved`).
    """

    id: ClassVar[str] = ""
    title: ClassVar[str] = ""
    icon: ClassVar[str] = ""

    document_changed = Signal(str, str)

    def __init__(self, context: RoomContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        context.theme.clothe(self)
        self.setObjectName(f"room-{self.id}")
        self.setAccessibleName(self.title)

    def commands(self) -> list[Command]:
        """The room's commands. Give each `room=self.id`, so that its shortcut is heard here only."""
        return []

    def panel(self) -> QWidget | None:
        """The widget for the right side (usually a `studio.ui.panel.RequestPanel`); None hides it.

        Called once; the window owns the widget from then on. Another kind of widget asks `theme.clothe` for its style.
        """
        return None

    def activated(self) -> None:
        """The room has come to the front: read again what may have changed, take the focus."""

    def make(self, prompt: str) -> None:
        """Fill in `prompt` and start making it at once; the greeting and the palette call this."""
        raise NotImplementedError

    def documents(self) -> tuple[Found, ...]:
        """What can be opened here by its name. Called on a background thread."""
        return ()

    def open_document(self, key: str) -> None:
        """Bring one of `documents` to the front."""

    def state(self) -> dict[str, Any]:
        """What to remember until the next start, as plain JSON (zoom, open document, panel values)."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state()` gave earlier; unknown or damaged entries are ignored."""

    def flush(self) -> None:
        """Save everything now; the window is about to close."""
