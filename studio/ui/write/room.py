"""The Write room: the project's Markdown files, one page, and words at the cursor."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QWidget

from studio.app.notices import Action
from studio.core.command import Command
from studio.core.events import Event, is_terminal
from studio.core.failure import StudioError
from studio.core.jobs import Job
from studio.documents.manuscript import Chapter, Manuscript, count_words
from studio.ui.editing.alive import while_alive
from studio.ui.editing.empty import EmptyPage
from studio.ui.editing.flank import Flank
from studio.ui.editing.late import insert_late
from studio.ui.editing.watcher import FileWatcher
from studio.ui.model_folders import ADD_MODELS
from studio.ui.room import Found, Room, RoomContext
from studio.ui.write.actions import write_commands
from studio.ui.write.asking import TITLES, Task
from studio.ui.write.assistant import Assistant
from studio.ui.write.chapter_list import ChapterList
from studio.ui.write.desk import Desk, Then
from studio.ui.write.request_panel import WritePanel
from studio.ui.write.sheet import Sheet

_COUNT_DELAY = 300
_ROOM_FOR_LIST = 600
_STORY_ENDS = (".", "!", "?", "…", ":", ",")


class WriteRoom(Room):
    """Texts are saved by themselves; what is generated streams in where it was asked for."""

    id = "write"
    title = "Write"
    icon = "write"

    def __init__(self, context: RoomContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.manuscript = Manuscript(context.studio.project.folder)
        self._commands = write_commands(self)
        self._by_id = {command.id: command for command in self._commands}
        self.request_panel = WritePanel(context.theme, context.studio)
        self.assistant = Assistant(context, self.request_panel, self)
        self.chapters = ChapterList(context.theme, self.new_text)
        self.desk = Desk(context, self.manuscript, self._empty_page())
        self.flank = Flank(self.chapters, self.chapters.list, self.desk, _ROOM_FOR_LIST)
        self._counting = QTimer(self)
        self._counting.setSingleShot(True)
        self._counting.setInterval(_COUNT_DELAY)
        self._watcher = FileWatcher(self)
        self._build()
        self._connect()
        self._refresh_list()

    # the room

    def commands(self) -> list[Command]:
        """What can be done here."""
        return self._commands

    def panel(self) -> QWidget:
        """The request panel."""
        self._show_command()
        return self.request_panel

    def activated(self) -> None:
        """Look for what other programs changed, take the keyboard."""
        self.request_panel.model.refresh()
        self._look_around()
        self.desk.take_focus()
        self.desk.tell()

    def documents(self) -> tuple[Found, ...]:
        """The project's texts."""
        return tuple(Found(self.id, chapter.path, chapter.title) for chapter in self.manuscript.chapters())

    def open_document(self, key: str) -> None:
        """Bring a text to the front."""
        self.open(key)

    def make(self, prompt: str) -> None:
        """A beginning of a story is continued; anything else is a direction for a new passage."""
        begins = prompt.rstrip().endswith(_STORY_ENDS)

        def ready(sheet: Sheet) -> None:
            page = sheet.page
            if begins:
                gap = "" if not page.text().strip() or page.text().endswith("\n\n") else "\n\n"
                page.replace(page.length, page.length, gap + prompt)
            page.select(page.length, page.length)
            self.request_panel.direction.set_text("" if begins else prompt)
            self.assist("continue" if begins else "ask")

        if (sheet := self.desk.sheet()) is not None:
            ready(sheet)
        else:
            self._create("First words", ready)

    def state(self) -> dict[str, Any]:
        """The open text, where the cursors stand, and the panel."""
        return {
            "open": self.desk.name,
            "cursors": self.desk.remember_cursors(),
            "list": self.flank.wanted,
            "panel": self.request_panel.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up an earlier state."""
        cursors = state.get("cursors")
        if isinstance(cursors, dict):
            self.desk.cursors = {str(name): at for name, at in cursors.items() if isinstance(at, int)}
        if isinstance(panel := state.get("panel"), dict):
            self.request_panel.restore(panel)
        self.flank.set_wanted(state.get("list") is not False)
        if isinstance(name := state.get("open"), str) and name:
            self.open(name)

    def flush(self) -> None:
        """Save every text now."""
        for sheet in self.desk.sheets():
            sheet.flush()

    # texts

    def open(self, name: str) -> None:
        """Bring the text `name` (relative to the project) to the front."""
        self.desk.open(name)

    def new_text(self) -> None:
        """Make a new text and have the person name it."""
        self._create("Untitled", lambda _sheet: self.rename())

    def rename(self) -> None:
        """Let the person type another name in the list."""
        if self.has_text():
            self.flank.show_side()
            self.chapters.rename(self.desk.name)

    def discard_current(self) -> None:
        """Move the open text to the trash."""
        if self.has_text():
            self.discard(self.desk.name)

    def discard(self, name: str) -> None:
        """Move a text to the trash; the notice can put it back."""
        path = self.manuscript.path(name)
        if (sheet := self.desk.find_sheet(name)) is not None:
            sheet.flush()
            self.desk.close_text(name)
        if path is None:
            self._refresh_list()
            return

        def gone(discarded: Path) -> None:
            back = functools.partial(self._put_back, discarded, path)
            self.context.notices.post(f"“{path.stem}” is in the project's trash.", action=Action("Put it back", back))
            self._refresh_list()

        self.context.background.run(lambda: self.manuscript.discard(path), while_alive(self, gone))

    def save(self) -> None:
        """Save the open text at once."""
        if (sheet := self.desk.sheet()) is not None:
            sheet.file.save()

    def step(self, by: int) -> None:
        """Open the text above or below in the list."""
        paths = self.chapters.paths()
        if self.desk.name in paths:
            self.open(paths[(paths.index(self.desk.name) + by) % len(paths)])

    # help

    def has_text(self) -> bool:
        """Whether a text is open."""
        return self.desk.sheet() is not None

    def can_generate(self) -> bool:
        """Whether the panel's request can be made now."""
        return self.assistant.possible()

    def is_generating(self) -> bool:
        """Whether words are on their way into the text in front."""
        return self.assistant.running

    def generate(self) -> None:
        """Do what the panel says."""
        self.assistant.start(self.desk.name)

    def assist(self, task: Task) -> None:
        """Choose a kind of help and do it."""
        self.request_panel.tasks.choose(task)
        self.generate()

    def stop(self) -> None:
        """Stop the words on their way."""
        self.assistant.stop()

    # editing

    def surround(self, mark: str) -> None:
        """Put a Markdown mark around the selection."""
        if (sheet := self.desk.sheet()) is not None:
            sheet.page.surround(mark)

    def undo(self) -> None:
        """Take the last change back."""
        if (sheet := self.desk.sheet()) is not None:
            sheet.page.undo()

    def redo(self) -> None:
        """Do it again."""
        if (sheet := self.desk.sheet()) is not None:
            sheet.page.redo()

    def find_text(self, *, replace: bool = False) -> None:
        """Open the find bar."""
        if (sheet := self.desk.sheet()) is not None:
            sheet.find_bar.open(replace=replace)

    def find_next(self, *, back: bool = False) -> None:
        """Go to the next place."""
        if (sheet := self.desk.sheet()) is not None:
            sheet.find_bar.previous() if back else sheet.find_bar.next()

    def toggle_list(self) -> None:
        """Show or hide the list of texts."""
        self.flank.toggle()

    # inside

    def _empty_page(self) -> EmptyPage:
        words = (
            "Begin a text, or choose one from the list (Ctrl+Shift+L). It is an ordinary Markdown file in the "
            "project's folder, and it saves itself."
        )
        return EmptyPage(self.context.theme, "write", "Nothing is open", words, [self._by_id["write.new"]])

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.flank)

    def _connect(self) -> None:
        self.chapters.opened.connect(self.open)
        self.chapters.entered.connect(self.desk.take_focus)
        self.chapters.chosen.connect(self._chosen)
        self.flank.left.connect(self.desk.take_focus)
        self.chapters.renamed.connect(self._rename, Qt.ConnectionType.QueuedConnection)  # the field closes first
        self.chapters.discarded.connect(self.discard)
        self.assistant.changed.connect(self._show_command)
        self.request_panel.model.folders_wanted.connect(lambda: self.context.commands.run(ADD_MODELS))
        self.request_panel.edited.connect(self._show_command)
        self.desk.front_changed.connect(self._front_changed)
        self.desk.edited.connect(self._counting.start)
        self.desk.told.connect(self.document_changed)
        self.desk.missed.connect(lambda _name: self._refresh_list())
        self._counting.timeout.connect(self._count)
        self._watcher.changed.connect(self._look_around)
        self.context.bridge.job_event.connect(self._hear)

    def _create(self, title: str, then: Then) -> None:
        def made(path: Path) -> None:
            name = self.manuscript.relative(path)

            def opened(sheet: Sheet) -> None:
                self._refresh_list(lambda: then(sheet))

            self.desk.open(name, opened)

        self.context.background.run(lambda: self.manuscript.create(title), while_alive(self, made))

    def _rename(self, name: str, title: str) -> None:
        path = self.manuscript.path(name)
        sheet = self.desk.find_sheet(name)
        try:
            if sheet is not None:
                sheet.flush()
            if path is not None and title.strip():
                self.desk.moved(name, self.manuscript.relative(self.manuscript.rename(path, title)))
        except StudioError as error:
            self.context.notices.fail(error.failure)
        self._refresh_list()
        self.desk.take_focus()

    def _put_back(self, discarded: Path, path: Path) -> None:
        def back(found: Path) -> None:
            self._refresh_list()
            self.open(self.manuscript.relative(found))

        self.context.background.run(lambda: self.manuscript.put_back(discarded, path), while_alive(self, back))

    def _front_changed(self) -> None:
        self.assistant.attend(self.desk.sheet())
        self.chapters.select(self.desk.name)
        self._watch()
        self._counting.start()
        self._show_command()
        self.desk.tell()
        if self.isVisible():
            self.desk.take_focus()

    def _show_command(self) -> None:
        running = self.assistant.running
        generate, stop = self._by_id["write.generate"], self._by_id["write.stop"]
        self.request_panel.show_command(generate, stop, running=running, obstacle=self.assistant.obstacle())

    def _look_around(self) -> None:
        for sheet in self.desk.sheets():
            sheet.file.check()
        self._refresh_list()

    def _watch(self) -> None:
        folder = self.manuscript.folder
        self._watcher.watch([folder, folder / "Texts", *(sheet.path for sheet in self.desk.sheets())])

    def _refresh_list(self, then: Callable[[], None] | None = None) -> None:
        def read(chapters: tuple[Chapter, ...]) -> None:
            self.chapters.show_chapters(chapters, self.desk.name)
            self._watch()
            if then is not None:
                then()

        self.context.background.run(self.manuscript.chapters, while_alive(self, read))

    def _count(self) -> None:
        """The words of the text in front, counted in the background."""
        sheet, name = self.desk.sheet(), self.desk.name
        if sheet is None:
            return
        text = sheet.page.copy_of_text()
        self.request_panel.show_authors(sheet.page.authorship.generated_share() if text else None)
        self.context.background.run(
            lambda: count_words(text.decode("utf-16-le", "surrogatepass")),
            while_alive(self, lambda words: self.chapters.set_words(name, words)),
        )

    def _chosen(self) -> None:
        """The list that lay over the page has done its work."""
        if self.flank.leave():
            self.desk.take_focus()

    def _hear(self, job: Job, event: Event) -> None:
        """A finished job that nothing waits for, as after a retry, still lands in its own document."""
        if is_terminal(event):
            self.assistant.look()  # the run has been measured
        text = self.assistant.late_result(job, event)
        if text is not None:
            place = job.destination
            title = job.title or TITLES["continue"]
            self.desk.open(
                place.document,
                lambda sheet: insert_late(sheet.page, place.anchor, text, self.context.notices, title),
                front=False,
            )
