"""Adding a folder with models from wherever one is missed: the dialog at once, then what was found in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from studio.app.notices import Notices
from studio.app.settings import Settings
from studio.core.command import Command
from studio.ui.background import Background
from studio.ui.measures import count_words
from studio.ui.theme import Theme

if TYPE_CHECKING:
    from studio.models.shelf import Shelf

ADD_MODELS = "app.models.add"


class ModelFolders(QObject):
    """`added` when the shelf has been read with another folder."""

    added = Signal()

    def __init__(
        self, theme: Theme, settings: Settings, notices: Notices, background: Background, window: QWidget
    ) -> None:
        super().__init__(window)
        self._theme = theme
        self._settings = settings
        self._notices = notices
        self._background = background
        self._window = window
        self.shelf: Shelf | None = None

    def commands(self) -> list[Command]:
        """What the menu and the model cards offer."""
        return [
            Command(
                ADD_MODELS,
                "Add a folder with models…",
                self.ask,
                menu="File",
                when=lambda: self.shelf is not None,
                tooltip="Choose a folder; it is read and never changed",
            )
        ]

    def ask(self) -> None:
        """Let a folder be chosen."""
        dialog = QFileDialog(self._window, "A folder with models", str(Path.home()))
        self._theme.clothe(dialog)
        dialog.setObjectName("model-folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Add")
        dialog.fileSelected.connect(self.add)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def add(self, folder: str) -> None:
        """Read the models of a folder from now on, and say what was found."""
        shelf, known = self.shelf, self._settings.values.model_folders
        if shelf is None or folder in known:
            return
        before = {entry.ref for entry in shelf.entries()}
        self._settings.change(model_folders=(*known, folder))

        def read(count: int) -> None:
            name = Path(folder).name
            if count:
                self._notices.post(f"{count_words(count, 'model', 'models')} in “{name}” can be chosen now.")
            else:
                self._notices.post(f"No other models were found in “{name}”.", hint="Settings lists what is read.")
            self.added.emit()

        self._background.run(lambda: len({entry.ref for entry in shelf.entries()} - before), read)
