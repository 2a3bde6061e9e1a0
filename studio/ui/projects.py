"""Opening another project, and making a new one: the folder is chosen, running jobs are asked about in the bar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from studio.app.notices import Action, Notices
from studio.app.session import Session
from studio.core.command import Command
from studio.ui.measures import count_words
from studio.ui.theme import Theme


class Projects(QObject):
    """`wanted(folder, fresh)` when another project is to be opened, with `fresh` a new one."""

    wanted = Signal(object, bool)

    def __init__(self, theme: Theme, session: Session, notices: Notices, window: QWidget) -> None:
        super().__init__(window)
        self._theme = theme
        self._session = session
        self._notices = notices
        self._window = window
        self.present = Path()
        self._question = 0
        self.running: Callable[[], int] = lambda: 0
        """How many jobs would be cut short; the window puts the real count here."""

    def commands(self) -> list[Command]:
        """What the menu offers; the projects that were open lately come with `recent`."""
        return [
            Command(
                "app.project.new",
                "New project…",
                self.make_new,
                shortcut="Ctrl+Alt+N",
                menu="File",
                tooltip="Make a folder for something new, and go on there",
            ),
            Command(
                "app.project.open",
                "Open another project…",
                self.open_other,
                shortcut="Ctrl+Alt+O",
                menu="File",
                tooltip="Close this project and open the one in another folder",
            ),
            Command("app.project.folder", "Show the project's folder", self.show_folder, menu="File"),
        ]

    def recent(self) -> list[Command]:
        """A command for each project that was open lately and is not open now."""
        folders = [Path(text) for text in self._session.projects if Path(text) != self.present]
        names = [folder.name for folder in (self.present, *folders)]

        def title(folder: Path) -> str:
            unique = names.count(folder.name) == 1
            return f"Open “{folder.name}”" if unique else f"Open “{folder.name}” in {folder.parent.name}"

        def going(folder: Path) -> Callable[[], None]:
            return lambda: self.ask(folder)

        return [
            Command(f"app.project.recent.{index}", title(folder), going(folder), menu="File", tooltip=str(folder))
            for index, folder in enumerate(folders)
        ]

    def open_other(self) -> None:
        """Let a folder be chosen, and open it."""
        dialog = self._dialog("Open another project", "Open")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda name: self.ask(Path(name)))
        dialog.open()

    def make_new(self) -> None:
        """Let a place and a name be chosen, and make a project there."""
        dialog = self._dialog("New project", "Make")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Make")
        dialog.setLabelText(QFileDialog.DialogLabel.FileName, "Name:")
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.selectFile("New project")
        dialog.fileSelected.connect(lambda name: self.ask(Path(name), fresh=True))
        dialog.open()

    def show_folder(self) -> None:
        """Show the project's files in the system's own browser."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.present)))

    def ask(self, folder: Path, *, fresh: bool = False) -> None:
        """Open `folder`, after asking in the bar where that would cut jobs short."""
        if folder == self.present:
            self._notices.post(f"“{folder.name}” is the project that is open.")
            return
        count = self.running()
        if not count:
            self.wanted.emit(folder, fresh)
            return
        self._question = self._notices.post(
            f"{count_words(count, 'job is', 'jobs are')} running in “{self.present.name}”.",
            level="warning",
            hint="Opening another project stops them; they are offered again when you come back.",
            action=Action(f"Open “{folder.name}” now", lambda: self.wanted.emit(folder, fresh)),
        ).id

    def look(self) -> None:
        """The queue is another one: where nothing runs any more there is nothing to ask about."""
        if self._question and not self.running():
            self._notices.dismiss(self._question)
            self._question = 0

    def _dialog(self, title: str, accept: str) -> QFileDialog:
        dialog = QFileDialog(self._window, title, str(self.present.parent))
        self._theme.clothe(dialog)
        dialog.setObjectName("project-folder")
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, accept)
        dialog.finished.connect(dialog.deleteLater)
        return dialog
