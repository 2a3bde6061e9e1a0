"""The window's content: puts the frame's parts together and lets them talk to the session.

It lies in the `Shell`, and can be shown before there is a session; `open` brings one in. Everything that
is more than wiring lies in the parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from studio.app.commands import Commands
from studio.app.notices import Action, Notices
from studio.app.session import Session
from studio.app.settings import Settings
from studio.core.events import Event, JobFailed, JobNotice
from studio.core.failure import Failure
from studio.core.jobs import Job
from studio.ui.background import Background
from studio.ui.bridge import Bridge
from studio.ui.frame_commands import (
    MENU_KEYS,
    PALETTE_KEYS,
    PANEL_KEYS,
    QUEUE_KEYS,
    ROOM_KEYS,
    STOP_KEYS,
    frame_commands,
)
from studio.ui.lines import Line
from studio.ui.measures import count_words
from studio.ui.menus import Shortcuts, build_menu
from studio.ui.model_folders import ModelFolders
from studio.ui.next_step import next_step
from studio.ui.notice_bar import NoticeBar
from studio.ui.notice_place import NoticePlace
from studio.ui.projects import Projects
from studio.ui.rail import Rail
from studio.ui.room import Room, RoomContext
from studio.ui.rooms import available_rooms
from studio.ui.stage import Stage
from studio.ui.strip import StatusStrip
from studio.ui.theme import Theme
from studio.ui.top_bar import TopBar

if TYPE_CHECKING:
    from studio.app.studio import Studio
    from studio.ui.greeting import Greeting
    from studio.ui.palette import Palette
    from studio.ui.queue.actions import JobActions
    from studio.ui.queue.popup import QueuePopup
    from studio.ui.queue.watch import QueueWatch

_MEMORY_INTERVAL = 2000


class Window(QWidget):
    """What fills the one window, from edge to edge."""

    def __init__(
        self, theme: Theme, settings: Settings, session: Session, notices: Notices, commands: Commands
    ) -> None:
        super().__init__()
        self.theme = theme
        self.settings = settings
        self.session = session
        self.notices = notices
        self.commands = commands
        self.background = Background(notices, self)
        self.studio: Studio | None = None
        self.bridge: Bridge | None = None
        self.watch: QueueWatch | None = None
        self.jobs: JobActions | None = None
        self._palette: Palette | None = None
        self._queue: QueuePopup | None = None
        self._greeting: Greeting | None = None
        self._entries = available_rooms()
        self.setAccessibleName("Atelier")
        self.top = TopBar(theme, PALETTE_KEYS, PANEL_KEYS, MENU_KEYS)
        self.rail = Rail(theme, self._entries, ROOM_KEYS)
        self.bar = NoticeBar(theme, notices)
        self.stage = Stage(theme, self._entries, session)
        self.strip = StatusStrip(theme, QUEUE_KEYS, STOP_KEYS)
        self._arrange()
        self.projects = Projects(theme, session, notices, self)
        self.projects.running = self._count_running
        commands.add(frame_commands(self, settings, self._entries))
        self.model_folders = ModelFolders(theme, settings, notices, self.background, self)
        self.model_folders.added.connect(self.stage.look_again)
        commands.add([*self.projects.commands(), *self.model_folders.commands()])
        self.shortcuts = Shortcuts(commands, self)
        self._memory_timer = QTimer(self)
        self._memory_timer.setInterval(_MEMORY_INTERVAL)
        self._memory_timer.timeout.connect(self._measure)
        self._connect()

    def open(self, studio: Studio, bridge: Bridge) -> None:
        """Bring the session in: rooms can be built, jobs are shown."""
        from studio.ui.queue.actions import JobActions
        from studio.ui.queue.watch import QueueWatch

        self.studio = studio
        self.bridge = bridge
        self.model_folders.shelf = studio.shelf
        self.top.set_project(studio.project.name, str(studio.project.folder))
        bridge.job_event.connect(self._hear)
        self.watch = QueueWatch(studio.queue, bridge, self.background, self)
        self.jobs = JobActions(studio, self.watch, self.notices)
        self.strip.follow(self.watch)
        self.strip.resume_wanted.connect(self.jobs.toggle_pause)
        self.strip.stop_wanted.connect(self.jobs.cancel)
        self.stage.open(
            RoomContext(
                studio=studio,
                bridge=bridge,
                notices=self.notices,
                theme=self.theme,
                settings=self.settings,
                commands=self.commands,
                background=self.background,
                open_room=self.open_room,
            )
        )
        self.watch.changed.connect(self._offer_interrupted)
        self.watch.changed.connect(self.projects.look)
        self.watch.read()
        self._memory_timer.start()
        self._measure()
        self._find_device()
        makers = [entry.id for entry in self._entries if not entry.low]
        if not self.session.greeted and makers:
            self.open_greeting()
        else:
            wanted = self.session.room
            known = {entry.id for entry in self._entries}
            self.open_room(wanted if wanted in known else (makers or ["settings"])[0])

    def make(self, room: str, prompt: str) -> None:
        """Have a room make something from `prompt`."""
        self.session.greeted = True
        self.stage.show_room(room).make(prompt)

    def open_room(self, identity: str) -> None:
        """Bring a room to the front."""
        if self.studio is not None:
            self.stage.show_room(identity)

    def open_greeting(self) -> None:
        """Show what can be made right now."""
        studio = self.studio
        if studio is None:
            return
        if self._greeting is None:
            from studio.ui.greeting import Greeting

            self._greeting = Greeting(self.theme, self._entries)
            self._greeting.make_wanted.connect(self.make)
            self._greeting.settings_wanted.connect(lambda: self.open_room("settings"))
        greeting = self._greeting
        self.stage.show_page(greeting, "Welcome")
        self.background.run(
            lambda: {entry.task: studio.shelf.default(entry.task) is not None for entry in self._entries if entry.task},
            lambda found: greeting.set_possible(lambda task: found.get(task, False)),
        )

    def open_palette(self) -> None:
        """Open the command palette."""
        if self._palette is None:
            from studio.ui.palette import Palette

            self._palette = Palette(self.theme, self.commands, self._entries, self)
            self._palette.about_to_search.connect(self.build_rooms)
            self._palette.used.connect(self._run_command)
            self._palette.wished.connect(self.make)
            self._palette.opened.connect(self._open_document)
        self._palette.recent = self.session.recent
        self._palette.room = self.stage.current
        self._palette.open()
        if self.studio is not None:
            rooms = [self.stage.room(entry.id) for entry in self._entries]
            self.background.run(
                lambda: [found for room in rooms for found in room.documents()], self._palette.show_documents
            )

    def open_menu(self) -> None:
        """Open all menus under the menu button."""
        menu = build_menu(self.commands, self.stage.current, self.theme, self)
        menu.aboutToHide.connect(menu.deleteLater)
        button = self.top.menu_button
        menu.popup(button.mapToGlobal(QPoint(0, button.height() + 4)))

    def open_queue(self) -> None:
        """Open the queue upward from the strip, or close it."""
        watch, jobs = self.watch, self.jobs
        if watch is None or jobs is None:
            return
        if self._queue is None:
            from studio.ui.queue.popup import QueuePopup

            self._queue = QueuePopup(self.theme, watch, self)
            self._queue.spares = (self.strip.queue_button,)
            self._queue.acted.connect(jobs.act)
            self._queue.move_wanted.connect(jobs.move)
            self._queue.pause_wanted.connect(jobs.toggle_pause)
            self._queue.clear_wanted.connect(jobs.clear_ended)
        if self._queue.isVisible():
            self._queue.dismiss()
        else:
            self._queue.open()

    def open_about(self) -> None:
        """Show version, licences and attributions."""
        from studio.ui.about import AboutBox

        AboutBox(self.theme, self.studio.shelf if self.studio else None, self.background, self).open()

    def toggle_panel(self) -> None:
        """Show or hide the request panel."""
        self.stage.set_panel_shown(not self.session.panel_shown)

    def toggle_full_screen(self) -> None:
        """Fill the screen, or no longer."""
        self.window().setWindowState(self.window().windowState() ^ Qt.WindowState.WindowFullScreen)

    def quit(self) -> None:
        """Close the window, and the studio with it."""
        self.window().close()

    def is_open(self) -> bool:
        """Whether there is a session."""
        return self.studio is not None

    def build_rooms(self) -> None:
        """Build what has not been shown yet, so that its commands are known."""
        if self.studio is not None:
            for identity in self.stage.missing():
                self.stage.room(identity)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What floats keeps its place."""
        super().resizeEvent(event)
        for floating in (self._palette, self._queue):
            if floating is not None and floating.isVisible():
                floating.place()

    def shut(self) -> None:
        """Remember and save everything; ask nothing: the queue and the documents are durable."""
        self._memory_timer.stop()
        self.stage.remember()
        self.stage.flush()

    def _arrange(self) -> None:
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.rail)
        middle.addWidget(Line(self.theme, vertical=True))
        middle.addWidget(NoticePlace(self.bar, self.stage), 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top)
        column.addWidget(Line(self.theme))
        column.addLayout(middle, 1)
        column.addWidget(Line(self.theme))
        column.addWidget(self.strip)

    def _connect(self) -> None:
        self.top.search_wanted.connect(self.open_palette)
        self.top.menu_wanted.connect(self.open_menu)
        self.top.panel_wanted.connect(self.toggle_panel)
        self.rail.chosen.connect(self.open_room)
        self.stage.room_changed.connect(self._room_changed)
        self.stage.document_changed.connect(self._document_changed)
        self.stage.room_built.connect(self._room_built)
        self.strip.queue_wanted.connect(self.open_queue)
        self.settings.listen(self._settings_changed)

    def _room_changed(self, identity: str) -> None:
        self.rail.set_current(identity)
        self.shortcuts.set_room(identity)
        self.bar.set_room(identity)
        self.top.panel_button.setVisible(self.stage.has_panel)
        if identity and identity != "settings":
            self.session.greeted = True

    def _room_built(self, room: Room) -> None:
        self.commands.add(room.commands())

    def _document_changed(self, name: str, state: str) -> None:
        self.top.set_document(name, state)
        project = self.studio.project.name if self.studio is not None else ""
        parts = dict.fromkeys(part for part in (name, project, "Atelier") if part)  # each thing once
        self.window().setWindowTitle(" · ".join(parts))

    def _run_command(self, identity: str) -> None:
        command = self.commands.find(identity)
        if command is None:
            return
        self.session.note_command(identity)
        if command.room and command.room != self.stage.current:
            self.open_room(command.room)
        self.commands.run(identity)

    def _open_document(self, room: str, key: str) -> None:
        self.open_room(room)
        self.stage.room(room).open_document(key)

    def _hear(self, job: Job, event: Event) -> None:
        if isinstance(event, JobFailed):
            self.show_failure(event.failure, job.id)
        elif isinstance(event, JobNotice):
            self.notices.post(event.text)

    def show_failure(self, failure: Failure, job: str = "") -> None:
        """Put a failure into the bar, with the next step."""
        jobs = self.jobs
        again = (lambda: jobs.act("retry", job)) if job and jobs is not None else None
        self.notices.fail(failure, next_step(failure, again, lambda: self.open_room("settings")))

    def _count_running(self) -> int:
        return sum(job.state.active for job in self.watch.jobs) if self.watch is not None else 0

    def _offer_interrupted(self) -> None:
        watch, jobs = self.watch, self.jobs
        if watch is None or jobs is None:
            return
        watch.changed.disconnect(self._offer_interrupted)
        count = len(watch.interrupted)
        if count:
            offer = self.notices.post(
                f"{count_words(count, 'job was', 'jobs were')} cut short when the studio ended.",
                hint="Nothing is lost; it waits in the queue.",
                action=Action("Run again", jobs.run_interrupted),
            )
            watch.changed.connect(lambda: None if watch.interrupted else self.notices.dismiss(offer.id))

    def _find_device(self) -> None:
        """Say where models will run; asking the graphics driver takes too long for the main thread."""
        wish = self.settings.values.device
        if wish == "auto":
            from studio.models.machine import best_device

            self.background.run(lambda: best_device().id, self.strip.show_device)
        else:
            self.strip.show_device(wish)

    def _settings_changed(self, names: frozenset[str]) -> None:
        if "device" in names and self.studio is not None:
            self._find_device()

    def _measure(self) -> None:
        studio = self.studio
        if studio is not None:
            self.background.run(lambda: studio.dispatcher.device_memory().workers, self.strip.show_memory)
