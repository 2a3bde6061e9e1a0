"""The texts that are open: one page is in front, the others keep their place and their history."""

from __future__ import annotations

import functools
from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from studio.core.failure import Failure
from studio.documents.manuscript import Manuscript
from studio.documents.recovery import Recovery
from studio.ui.editing.alive import while_alive
from studio.ui.room import RoomContext
from studio.ui.write.sheet import Opened, Sheet, read_text_for

Then = Callable[[Sheet], None]


class Desk(QStackedWidget):
    """Opens, shows and closes texts by their names relative to the project.

    `front_changed` when another text is in front, or none; `edited` when its words change; `told` carries
    name and state for the top bar; `missed` carries the name of a text that could not be opened.
    """

    front_changed = Signal()
    edited = Signal()
    told = Signal(str, str)
    missed = Signal(str)

    def __init__(self, context: RoomContext, manuscript: Manuscript, empty: QWidget) -> None:
        super().__init__()
        self._context = context
        self._manuscript = manuscript
        self._recovery = Recovery(manuscript.folder / ".atelier" / "recovery")
        self._sheets: dict[str, Sheet] = {}
        self._wanted = ""
        self.name = ""
        self.cursors: dict[str, int] = {}
        self._empty = empty
        self.addWidget(empty)

    def sheet(self) -> Sheet | None:
        """The text in front."""
        return self._sheets.get(self.name)

    def find_sheet(self, name: str) -> Sheet | None:
        """An open text."""
        return self._sheets.get(name)

    def sheets(self) -> tuple[Sheet, ...]:
        """All open texts."""
        return tuple(self._sheets.values())

    def open(self, name: str, then: Then | None = None, *, front: bool = True) -> None:
        """Show a text, reading it in the background if need be, and then call `then` with it."""
        if front:
            self._wanted = name
        sheet = self._sheets.get(name)
        if sheet is not None:
            self._arrive(name, sheet, then, front=front)
            return
        path = self._manuscript.path(name)
        if path is None:
            self.missed.emit(name)
            return
        self._context.background.run(
            functools.partial(read_text_for, path, self._manuscript, self._recovery),
            while_alive(self, functools.partial(self._read, name, then, front)),
            while_alive(self, functools.partial(self._unreadable, name)),
        )

    def close_text(self, name: str) -> None:
        """Put a text away; it is not saved here."""
        sheet = self._sheets.pop(name, None)
        if sheet is None:
            return
        self.cursors[name] = sheet.page.textCursor().position()
        sheet.close_document()
        self.removeWidget(sheet)
        sheet.deleteLater()
        if name == self.name:
            self.name = ""
            self.setCurrentIndex(0)
            self.front_changed.emit()

    def moved(self, name: str, new_name: str) -> None:
        """A text has another name now."""
        sheet = self._sheets.pop(name, None)
        if sheet is None:
            return
        self._sheets[new_name] = sheet
        sheet.file.moved(self._manuscript.folder / new_name)
        if name == self.name:
            self.name = self._wanted = new_name
            self.tell()

    def take_focus(self) -> None:
        """Give the keyboard to the page in front, or to what can be done next."""
        sheet = self.sheet()
        (sheet.page if sheet is not None else self._empty).setFocus()

    def remember_cursors(self) -> dict[str, int]:
        """Where the cursors stand, for the next start."""
        for name, sheet in self._sheets.items():
            self.cursors[name] = sheet.page.textCursor().position()
        return dict(list(self.cursors.items())[-50:])

    def tell(self) -> None:
        """Say again what is in front and whether it is saved."""
        sheet = self.sheet()
        if sheet is None:
            self.told.emit(self._manuscript.folder.name, "")
        else:
            self.told.emit(sheet.path.stem, sheet.file.state)

    def _read(self, name: str, then: Then | None, front: bool, opened: Opened) -> None:
        sheet = self._sheets.get(name)
        if sheet is None:
            sheet = Sheet(self._context, self._manuscript, self._recovery, opened)
            self._sheets[name] = sheet
            self.addWidget(sheet)
            sheet.page.select(*(2 * (min(self.cursors.get(name, sheet.page.length), sheet.page.length),)))
            sheet.page.edited.connect(functools.partial(self._changed, sheet))
            sheet.file.state_changed.connect(functools.partial(self._changed_state, sheet))
            sheet.closed.connect(functools.partial(self._sheet_closed, sheet))
        self._arrive(name, sheet, then, front=front and name == self._wanted)

    def _arrive(self, name: str, sheet: Sheet, then: Then | None, *, front: bool) -> None:
        if front and self.name != name:
            self.name = name
            self.setCurrentWidget(sheet)
            sheet.page.ensureCursorVisible()
            self.front_changed.emit()
        if then is not None:
            then(sheet)

    def _unreadable(self, name: str, failure: Failure) -> None:
        self._context.notices.fail(failure)
        self.missed.emit(name)

    def _changed(self, sheet: Sheet, _change: object) -> None:
        if sheet is self.sheet():
            self.edited.emit()

    def _changed_state(self, sheet: Sheet, _state: str) -> None:
        if sheet is self.sheet():
            self.tell()

    def _sheet_closed(self, sheet: Sheet) -> None:
        name = next((name for name, known in self._sheets.items() if known is sheet), "")
        self.close_text(name)
        self.missed.emit(name)
