"""The source files that are open: a row of tabs, and one editor in front."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QTabBar, QToolButton, QVBoxLayout, QWidget

from studio.core.references import ModelRef
from studio.documents.recovery import Recovery
from studio.ui.code.sheet import Opened, Sheet, read_source
from studio.ui.editing.alive import while_alive
from studio.ui.measures import tip
from studio.ui.room import RoomContext

Then = Callable[[Sheet], None]
Chosen = Callable[[], ModelRef | None]


class Desk(QWidget):
    """Opens, shows and closes files.

    `front_changed` when another file is in front, or none; `told` carries name and state for the top bar.
    """

    front_changed = Signal()
    told = Signal(str, str)

    def __init__(
        self,
        context: RoomContext,
        recovery: Recovery,
        trash: Path,
        model: Callable[[], ModelRef | None],
        empty: QWidget,
    ) -> None:
        super().__init__()
        self._context = context
        self._recovery = recovery
        self._trash = trash
        self._model = model
        self._empty = empty
        self._sheets: dict[Path, Sheet] = {}
        self._wanted: Path | None = None
        self._front: Sheet | None = None
        self.folder_name: Callable[[], str] = str
        self.cursors: dict[str, int] = {}
        self.tabs = QTabBar()
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setMovable(True)
        self.tabs.setAccessibleName("Open files")
        self.tabs.currentChanged.connect(self._tab_chosen)
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tabs)
        column.addWidget(self._stack, 1)
        context.theme.changed.connect(self._dress)
        self._dress()
        self.tabs.hide()

    def sheet(self) -> Sheet | None:
        """The file in front."""
        return self._front

    def find_sheet(self, path: Path) -> Sheet | None:
        """An open file."""
        return self._sheets.get(path)

    def sheets(self) -> tuple[Sheet, ...]:
        """All open files, in the order of their tabs."""
        found = (self._sheets.get(self.tabs.tabData(at)) for at in range(self.tabs.count()))
        return tuple(sheet for sheet in found if sheet is not None)

    def open(self, path: Path, then: Then | None = None, *, front: bool = True) -> None:
        """Show a file, reading it in the background if need be, and then call `then` with it."""
        if front:
            self._wanted = path
        sheet = self._sheets.get(path)
        if sheet is not None:
            self._arrive(sheet, then, front=front)
            return
        self._context.background.run(
            functools.partial(read_source, path, self._recovery),
            while_alive(self, functools.partial(self._read, path, then, front)),
        )

    def close_file(self, path: Path) -> None:
        """Put a file away; unsaved changes are forgotten."""
        sheet = self._sheets.pop(path, None)
        if sheet is None:
            return
        self.cursors[str(path)] = sheet.area.textCursor().position()
        at = self._tab_of(path)
        if at >= 0:
            self.tabs.removeTab(at)
        self.tabs.setVisible(self.tabs.count() > 0)
        self._tab_chosen(self.tabs.currentIndex())
        sheet.close_document()
        self._stack.removeWidget(sheet)
        sheet.deleteLater()

    def moved(self, path: Path, new_path: Path) -> None:
        """A file (or the folder that it lies in) has another name now."""
        for old in [old for old in self._sheets if old == path or old.is_relative_to(path)]:
            new = new_path / old.relative_to(path) if old != path else new_path
            sheet = self._sheets.pop(old)
            self._sheets[new] = sheet
            at = self._tab_of(old)
            sheet.moved(new)
            if at >= 0:
                self.tabs.setTabData(at, new)
                self._name_tab(sheet)
        self.tell()

    def step(self, by: int) -> None:
        """Bring the tab to the left or right to the front."""
        if self.tabs.count():
            self.tabs.setCurrentIndex((self.tabs.currentIndex() + by) % self.tabs.count())

    def take_focus(self) -> None:
        """Give the keyboard to the editor in front, or to what can be done next."""
        sheet = self.sheet()
        (sheet.area if sheet is not None else self._empty).setFocus()

    def remember_cursors(self) -> dict[str, int]:
        """Where the cursors stand, for the next start."""
        for path, sheet in self._sheets.items():
            self.cursors[str(path)] = sheet.area.textCursor().position()
        return dict(list(self.cursors.items())[-100:])

    def tell(self) -> None:
        """Say again what is in front and whether it is saved."""
        sheet = self.sheet()
        if sheet is None:
            self.told.emit(self.folder_name(), "")
        else:
            self.told.emit(sheet.path.name, sheet.file.state)

    def _read(self, path: Path, then: Then | None, front: bool, opened: Opened) -> None:
        sheet = self._sheets.get(path)
        if sheet is None:
            sheet = Sheet(self._context, self._trash, self._recovery, opened, self._model)
            self._sheets[path] = sheet
            self._stack.addWidget(sheet)
            blocked = self.tabs.blockSignals(True)
            at = self.tabs.addTab(path.name)
            self.tabs.setTabData(at, path)
            self.tabs.setTabButton(at, QTabBar.ButtonPosition.RightSide, self._close_button(sheet))
            self.tabs.blockSignals(blocked)
            self.tabs.show()
            self._name_tab(sheet)
            place = min(self.cursors.get(str(path), 0), sheet.area.length)
            sheet.area.select(place, place)
            sheet.file.state_changed.connect(functools.partial(self._changed_state, sheet))
            sheet.closed.connect(lambda: self.close_file(sheet.path))
        self._arrive(sheet, then, front=front and path == self._wanted)

    def _arrive(self, sheet: Sheet, then: Then | None, *, front: bool) -> None:
        if front or self.sheet() is None:
            self.tabs.setCurrentIndex(self._tab_of(sheet.path))
            self._tab_chosen(self.tabs.currentIndex())
        if then is not None:
            then(sheet)

    def _tab_of(self, path: Path) -> int:
        return next((at for at in range(self.tabs.count()) if self.tabs.tabData(at) == path), -1)

    def _tab_chosen(self, at: int) -> None:
        sheet = self._sheets.get(self.tabs.tabData(at)) if at >= 0 else None
        self._stack.setCurrentWidget(sheet if sheet is not None else self._empty)
        if sheet is not self._front:
            self._front = sheet
            self.front_changed.emit()
        self.tell()

    def _close_button(self, sheet: Sheet) -> QToolButton:
        button = QToolButton()
        button.setToolTip(tip("Close this file", "Ctrl+W"))
        button.setAccessibleName(f"Close {sheet.path.name}")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(functools.partial(self._close_wanted, sheet))
        self._context.theme.dress(button, "close", "text_soft", 12)
        return button

    def _close_wanted(self, sheet: Sheet) -> None:
        self.tabs.setCurrentIndex(self._tab_of(sheet.path))
        sheet.ask_to_close()

    def _changed_state(self, sheet: Sheet, _state: str) -> None:
        self._name_tab(sheet)
        if sheet is self.sheet():
            self.tell()

    def _name_tab(self, sheet: Sheet) -> None:
        at = self._tab_of(sheet.path)
        if at >= 0:
            mark = "" if sheet.file.state == "saved" else "● "
            self.tabs.setTabText(at, f"{mark}{sheet.path.name}")
            self.tabs.setTabToolTip(at, f"{sheet.path}{' · not saved' if mark else ''}")

    def _dress(self) -> None:
        css = self._context.theme.css
        self.tabs.setStyleSheet(
            f"QTabBar {{ background: {css('surface')}; border: none; }}"
            f"QTabBar::tab {{ background: {css('surface')}; color: {css('text_soft')}; border: none;"
            f" border-right: 1px solid {css('line')}; border-bottom: 1px solid {css('line')};"
            f" padding: 6px 4px 6px 14px; }}"
            f"QTabBar::tab:selected {{ background: {css('ground')}; color: {css('text')};"
            f" border-bottom: 1px solid {css('ground')}; }}"
            f"QTabBar::tab:hover {{ color: {css('text')}; }}"
            f"QTabBar:focus {{ border-bottom: 1px solid {css('accent')}; }}"
        )
