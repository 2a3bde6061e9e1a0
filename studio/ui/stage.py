"""The middle of the window: the room in front, and its request panel beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from studio.app.session import Session
from studio.ui.lines import LineSplitter
from studio.ui.room import Room, RoomContext
from studio.ui.rooms import RoomEntry, room_class
from studio.ui.theme import Theme

_PANEL = 320
_NARROWEST = 264
_WIDEST = 460


class Stage(QWidget):
    """Builds each room when it is shown for the first time, and keeps it.

    `room_changed(id)` when another room is in front (empty for a page that is no room);
    `document_changed(name, state)` for the room in front; `room_built(room)` once per room.
    """

    room_changed = Signal(str)
    document_changed = Signal(str, str)
    room_built = Signal(object)

    def __init__(self, theme: Theme, entries: tuple[RoomEntry, ...], session: Session) -> None:
        super().__init__()
        self._theme = theme
        self._entries = {entry.id: entry for entry in entries}
        self._session = session
        self._context: RoomContext | None = None
        self._rooms: dict[str, Room] = {}
        self._panels: dict[str, QWidget] = {}
        self._documents: dict[str, tuple[str, str]] = {}
        self.current = ""
        self._centre = QStackedWidget()
        self._side = QStackedWidget()
        self._side.setMinimumWidth(theme.pixels(_NARROWEST))
        self._side.setMaximumWidth(theme.pixels(_WIDEST))
        self._side.hide()
        self._splitter = LineSplitter(theme)
        self._splitter.addWidget(self._centre)
        self._splitter.addWidget(self._side)
        self._splitter.setCollapsible(0, False)
        self._splitter.setCollapsible(1, False)
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setStretchFactor(1, 0)
        self._splitter.splitterMoved.connect(self._panel_resized)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._splitter)
        theme.changed.connect(self._resize)

    def open(self, context: RoomContext) -> None:
        """Rooms can be built from now on."""
        self._context = context

    @property
    def page(self) -> QWidget:
        """The part that the room in front has, without its panel."""
        return self._centre

    @property
    def has_panel(self) -> bool:
        """Whether the room in front has a request panel."""
        return self.current in self._panels

    @property
    def panel_shown(self) -> bool:
        """Whether the request panel is to be seen."""
        return not self._side.isHidden()

    def room(self, identity: str) -> Room:
        """A room, built now if that has not happened. Raises `KeyError` for an unknown id."""
        if identity not in self._rooms:
            self._build(self._entries[identity])
        return self._rooms[identity]

    def rooms(self) -> tuple[Room, ...]:
        """The rooms that have been built."""
        return tuple(self._rooms.values())

    def missing(self) -> tuple[str, ...]:
        """The ids of the rooms that have not been built."""
        return tuple(identity for identity in self._entries if identity not in self._rooms)

    def show_room(self, identity: str) -> Room:
        """Bring a room to the front."""
        room = self.room(identity)
        self._theme.freshen(room)
        self._centre.setCurrentWidget(room)
        self._came(identity)
        panel = self._panels.get(identity)
        if panel is not None:
            self._theme.freshen(panel)
            self._side.setCurrentWidget(panel)
        self._show_panel()
        self.document_changed.emit(*self._documents.get(identity, (room.title, "")))
        room.activated()
        return room

    def look_again(self) -> None:
        """Have the room in front look again at what there is to work with."""
        if self.current:
            self._rooms[self.current].activated()

    def show_page(self, page: QWidget, title: str) -> None:
        """Bring something to the front that is no room."""
        if self._centre.indexOf(page) < 0:
            self._centre.addWidget(page)
        self._theme.freshen(page)
        self._centre.setCurrentWidget(page)
        self._came("")
        self._show_panel()
        self.document_changed.emit(title, "")
        page.setFocus()

    def set_panel_shown(self, shown: bool) -> None:
        """Show or hide the request panel of every room."""
        self._session.panel_shown = shown
        self._show_panel()

    def remember(self) -> None:
        """Put what is to be known at the next start into the session."""
        if self.current:
            self._session.room = self.current
        for identity, room in self._rooms.items():
            self._session.rooms[identity] = room.state()

    def flush(self) -> None:
        """Have every room save."""
        for room in self._rooms.values():
            room.flush()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """The ground, where no room is."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("ground"))
        painter.end()

    def _build(self, entry: RoomEntry) -> None:
        if self._context is None:
            raise KeyError(entry.id)
        room = room_class(entry)(dataclasses.replace(self._context, notices=self._context.notices.of(entry.id)))
        self._rooms[entry.id] = room
        self._centre.addWidget(room)
        room.document_changed.connect(self._document_listener(entry.id))
        panel = room.panel()
        if panel is not None:
            self._panels[entry.id] = panel
            self._side.addWidget(panel)
        self.room_built.emit(room)
        room.restore(self._session.rooms.get(entry.id, {}))

    def _document_listener(self, identity: str) -> Callable[[str, str], None]:
        def listen(name: str, state: str) -> None:
            self._documents[identity] = (name, state)
            if identity == self.current:
                self.document_changed.emit(name, state)

        return listen

    def _came(self, identity: str) -> None:
        self.current = identity
        self.room_changed.emit(identity)

    def _show_panel(self) -> None:
        shown = self.has_panel and self._session.panel_shown
        was = self.panel_shown
        self._side.setVisible(shown)
        if shown and not was:
            self._resize()

    def _panel_resized(self, *_position: Any) -> None:  # noqa: ANN401 - position and index, both unused
        self._session.panel_width = round(self._side.width() / max(0.1, self._theme.pixels(100) / 100))

    def _resize(self) -> None:
        self._side.setMinimumWidth(self._theme.pixels(_NARROWEST))
        self._side.setMaximumWidth(self._theme.pixels(_WIDEST))
        width = self._theme.pixels(self._session.panel_width or _PANEL)
        self._splitter.setSizes([max(1, self.width() - width), width])
