"""The Code room: the files of a folder, one editor, code at the cursor."""

from __future__ import annotations

import contextlib
import functools
import re
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from studio.app.notices import Action
from studio.core.command import Command
from studio.core.events import Event, is_terminal
from studio.core.failure import StudioError
from studio.core.jobs import Job
from studio.core.references import SUGGESTION
from studio.documents.code_folder import CodeFolder
from studio.documents.recovery import Recovery
from studio.ui.code.actions import code_commands
from studio.ui.code.assistant import Assistant
from studio.ui.code.desk import Desk, Then
from studio.ui.code.request_panel import CodePanel
from studio.ui.code.sheet import Sheet
from studio.ui.code.tree import FileTree
from studio.ui.editing.alive import while_alive
from studio.ui.editing.empty import EmptyPage
from studio.ui.editing.flank import Flank
from studio.ui.editing.late import insert_late
from studio.ui.editing.watcher import FileWatcher
from studio.ui.model_folders import ADD_MODELS
from studio.ui.room import Found, Room, RoomContext

_ROOM_FOR_TREE = 620
_CODE = re.compile(r"\s*(def|class|import|from|async|if|for|while|try|with|return|print|@|#|//|function|const|let)\b")


class CodeRoom(Room):
    """A file changes on disk when the person saves it; until then, changes are kept beside it."""

    id = "code"
    title = "Code"
    icon = "code"

    def __init__(self, context: RoomContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        inner = context.studio.project.folder / ".atelier"
        self._trash = inner / "trash"
        self._recovery = Recovery(inner / "recovery" / "code")
        self.folder = CodeFolder(context.studio.project.folder / "Code", self._trash)
        self._commands = code_commands(self)
        self._by_id = {command.id: command for command in self._commands}
        self.request_panel = CodePanel(context.theme, context.studio)
        self.assistant = Assistant(context, self.request_panel, self)
        self.tree = FileTree(context.theme)
        self.desk = Desk(context, self._recovery, self._trash, self.request_panel.model_ref, self._empty_page())
        self.desk.folder_name = lambda: self.folder.folder.name
        self.flank = Flank(self.tree, self.tree.tree, self.desk, _ROOM_FOR_TREE)
        self._watcher = FileWatcher(self)
        self._build()
        self._connect()
        self.show_folder(self.folder.folder)
        context.background.run(self._clear_old_suggestions)

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
        """The files of the open folder."""
        folder = self.folder
        return tuple(Found(self.id, str(path), folder.name_of(path)) for path in folder.files())

    def open_document(self, key: str) -> None:
        """Bring a file to the front."""
        self.open(Path(key))

    def make(self, prompt: str) -> None:
        """The beginning of code is completed in grey; words are an instruction for the cursor."""

        def ready(sheet: Sheet) -> None:
            area = sheet.area
            if not _CODE.match(prompt):
                self.request_panel.instruction.set_text(prompt)
                self.generate()
                return
            gap = "" if not area.text().strip() else "\n\n" if area.text().endswith("\n") else "\n\n\n"
            body = "\n    " if prompt.rstrip().endswith(":") else ""
            area.replace(area.length, area.length, gap + prompt + body)
            area.select(area.length, area.length)
            area.setFocus()
            sheet.suggestions.ask()

        if (sheet := self.sheet()) is not None:
            ready(sheet)
        else:
            self._create("sketch.py", ready)

    def state(self) -> dict[str, Any]:
        """The folder, the open files, where the cursors stand, and the panel."""
        sheet = self.sheet()
        return {
            "folder": str(self.folder.folder),
            "files": [str(sheet.path) for sheet in self.desk.sheets()],
            "front": str(sheet.path) if sheet else "",
            "cursors": self.desk.remember_cursors(),
            "tree": self.flank.wanted,
            "panel": self.request_panel.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up an earlier state; files with unsaved changes are opened whatever it says."""
        folder = state.get("folder")
        if isinstance(folder, str) and Path(folder).is_dir():
            self.show_folder(Path(folder))
        if isinstance(cursors := state.get("cursors"), dict):
            self.desk.cursors = {str(name): at for name, at in cursors.items() if isinstance(at, int)}
        if isinstance(panel := state.get("panel"), dict):
            self.request_panel.restore(panel)
        self.flank.set_wanted(state.get("tree") is not False)
        files = state.get("files")
        wanted = [Path(name) for name in files if isinstance(name, str)] if isinstance(files, list) else []
        front = Path(str(state.get("front") or ""))
        unsaved = self._recovery.paths()
        for path in dict.fromkeys([*wanted, *unsaved]):
            if path.is_file() or path in unsaved:
                self.desk.open(path, front=path == front)

    def flush(self) -> None:
        """Keep every unsaved change now."""
        for sheet in self.desk.sheets():
            sheet.suggestions.stop()
            sheet.flush()

    # files

    def sheet(self) -> Sheet | None:
        """The file in front."""
        return self.desk.sheet()

    def open(self, path: Path) -> None:
        """Bring a file to the front."""
        self.desk.open(path)

    def show_folder(self, folder: Path) -> None:
        """Show the files of another folder; open files stay open."""
        self.folder = CodeFolder(folder, self._trash)
        self.tree.show_folder(self.folder)
        self._watch()
        self.desk.tell()

    def open_folder(self) -> None:
        """Ask for a folder."""
        chosen = QFileDialog.getExistingDirectory(self, "Open a folder", str(self.folder.folder))
        if chosen:
            self.show_folder(Path(chosen))

    def new_file(self) -> None:
        """Make a new file and have the person name it."""
        self._new_in(self.tree.folder_at())

    def rename_current(self) -> None:
        """Let the person type another name in the tree."""
        if (sheet := self.sheet()) is not None:
            self.flank.show_side()
            self.tree.rename(sheet.path)

    def discard_current(self) -> None:
        """Move the open file to the trash."""
        if (sheet := self.sheet()) is not None:
            self.discard(sheet.path)

    def discard(self, path: Path) -> None:
        """Move a file or folder to the trash; the notice can put it back."""
        for sheet in self.desk.sheets():
            if sheet.path == path or sheet.path.is_relative_to(path):
                sheet.flush()
                self.desk.close_file(sheet.path)
        folder = self.folder

        def gone(discarded: Path) -> None:
            back = functools.partial(self._put_back, discarded, path)
            self.context.notices.post(f"“{path.name}” is in the project's trash.", action=Action("Put it back", back))
            self.tree.refresh()

        self.context.background.run(lambda: folder.discard(path), while_alive(self, gone))

    def save(self) -> None:
        """Save the open file."""
        if (sheet := self.sheet()) is not None:
            sheet.file.save()

    def save_all(self) -> None:
        """Save all open files with changes."""
        for sheet in self.desk.sheets():
            if sheet.file.modified:
                sheet.file.save()

    def close_current(self) -> None:
        """Close the open file, asking about unsaved changes."""
        if (sheet := self.sheet()) is not None:
            sheet.ask_to_close()

    def step(self, by: int) -> None:
        """Bring the next tab to the front."""
        self.desk.step(by)

    def toggle_tree(self) -> None:
        """Show or hide the files."""
        self.flank.toggle()

    # help

    def has_file(self) -> bool:
        """Whether a file is open."""
        return self.sheet() is not None

    def can_generate(self) -> bool:
        """Whether the panel's request can be made now."""
        return self.assistant.possible()

    def is_generating(self) -> bool:
        """Whether code is on its way into the file in front."""
        return self.assistant.running

    def generate(self) -> None:
        """Do what the panel says."""
        self.assistant.start()

    def stop(self) -> None:
        """Stop the code on its way."""
        self.assistant.stop()

    # inside

    def _empty_page(self) -> EmptyPage:
        words = (
            "Begin a file, choose one from the list (Ctrl+Shift+L), or open a folder of your own. "
            "Grey suggestions come as you type; Tab takes them."
        )
        commands = [self._by_id["code.new"], self._by_id["code.open-folder"]]
        return EmptyPage(self.context.theme, "code", "Nothing is open", words, commands)

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.flank)

    def _connect(self) -> None:
        self.tree.opened.connect(self.open)
        self.tree.chosen.connect(self._chosen)
        self.flank.left.connect(self.desk.take_focus)
        self.tree.renamed.connect(self._rename, Qt.ConnectionType.QueuedConnection)  # the field closes first
        self.tree.discarded.connect(self.discard)
        self.tree.new_wanted.connect(self._new_in)
        self.tree.folder_wanted.connect(self.open_folder)
        self.assistant.changed.connect(self._show_command)
        self.request_panel.model.folders_wanted.connect(lambda: self.context.commands.run(ADD_MODELS))
        self.request_panel.edited.connect(self._show_command)
        self.desk.front_changed.connect(self._front_changed)
        self.desk.told.connect(self.document_changed)
        self._watcher.changed.connect(self._look_around)
        self.context.bridge.job_event.connect(self._hear)

    def _new_in(self, folder: Path | None) -> None:
        self._create("untitled.py", lambda _sheet: self.rename_current(), folder)

    def _create(self, name: str, then: Then, within: Path | None = None) -> None:
        folder = self.folder
        stem, suffix = Path(name).stem, Path(name).suffix

        def make() -> Path:
            parent, number = within or folder.folder, 2
            free = name
            while (parent / free).exists():
                free, number = f"{stem}_{number}{suffix}", number + 1
            return folder.create(free, parent)

        def made(path: Path) -> None:
            self.tree.refresh()
            self._watch()
            self.desk.open(path, then)

        self.context.background.run(make, while_alive(self, made))

    def _rename(self, path: Path, name: str) -> None:
        try:
            new_path = self.folder.rename(path, name)
        except StudioError as error:
            self.context.notices.fail(error.failure)
        else:
            self.desk.moved(path, new_path)
        self.tree.refresh()
        self.desk.take_focus()

    def _put_back(self, discarded: Path, path: Path) -> None:
        folder = self.folder

        def back(found: Path) -> None:
            self.tree.refresh()
            if found.is_file():
                self.open(found)

        self.context.background.run(lambda: folder.put_back(discarded, path), while_alive(self, back))

    def _front_changed(self) -> None:
        sheet = self.sheet()
        self.assistant.attend(sheet)
        if sheet is not None:
            self.tree.select(sheet.path)
            if self.isVisible():
                self.desk.take_focus()
        self._watch()
        self._show_command()

    def _show_command(self) -> None:
        running = self.assistant.running
        generate, stop = self._by_id["code.generate"], self._by_id["code.stop"]
        self.request_panel.show_command(generate, stop, running=running, obstacle=self.assistant.obstacle())

    def _look_around(self) -> None:
        for sheet in self.desk.sheets():
            sheet.file.check()
        self.tree.refresh()

    def _watch(self) -> None:
        self._watcher.watch([self.folder.folder, *(sheet.path for sheet in self.desk.sheets())])

    def _chosen(self) -> None:
        """The tree that lay over the code has done its work."""
        if self.flank.leave():
            self.desk.take_focus()

    def _clear_old_suggestions(self) -> None:
        """What was being suggested when the studio ended is not to be offered again. In the background."""
        queue = self.context.studio.queue
        for job in queue.jobs():
            if job.destination.room == "code" and job.destination.anchor == SUGGESTION:
                with contextlib.suppress(StudioError):
                    queue.remove(job.id)

    def _hear(self, job: Job, event: Event) -> None:
        """Suggestions leave the queue's list; a late result still lands in its own file."""
        place = job.destination
        if place.room == "code" and place.anchor == SUGGESTION:
            if is_terminal(event):
                self.context.background.run(functools.partial(self._forget, job.id))
            return
        if is_terminal(event):
            self.assistant.look()  # the run has been measured
        text = self.assistant.late_result(job, event)
        if text is not None:
            title = job.title or "Code"
            self.desk.open(
                Path(place.document),
                lambda sheet: insert_late(sheet.area, place.anchor, text, self.context.notices, title),
                front=False,
            )

    def _forget(self, job: str) -> None:
        with contextlib.suppress(StudioError):
            self.context.studio.queue.remove(job)
