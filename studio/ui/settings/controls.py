"""One control per kind of setting; each takes effect as soon as it is changed."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.app.settings import Option, Settings
from studio.core.failure import InvalidField
from studio.ui.elided import ElidedLabel
from studio.ui.panel.fields import Choice, calm
from studio.ui.theme import Theme

_WIDTH = 176


class Switch(QAbstractButton):
    """On or off, as a small sliding knob."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        """Twice as wide as tall."""
        return QSize(self._theme.pixels(38), self._theme.pixels(22))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Groove and knob; the focus as a ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        painter.setPen(QPen(self._theme.color("text" if self.hasFocus() else "line_strong"), 1.5))
        painter.setBrush(self._theme.color("accent_fill" if self.isChecked() else "raised"))
        painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
        edge = area.height() - 6
        left = area.right() - 3 - edge if self.isChecked() else area.left() + 3
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("on_accent" if self.isChecked() else "text_soft"))
        painter.drawEllipse(QRectF(left, area.top() + 3, edge, edge))
        painter.end()


class FolderList(QWidget):
    """Folders with a way to add and to take off. `changed` carries the new tuple of paths."""

    changed = Signal(tuple)

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self._theme = theme
        self._folders: tuple[str, ...] = ()
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        self.add_button = QPushButton("Add a folder…")
        self.add_button.setAccessibleName(f"{title}: add a folder")
        self.add_button.setToolTip("Choose a folder; it is read and never changed")
        self.add_button.clicked.connect(self._ask)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._rows)
        column.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)

    def show_folders(self, folders: tuple[str, ...]) -> None:
        """List these folders."""
        self._folders = folders
        while (item := self._rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for folder in folders:
            self._rows.addWidget(self._row(folder))

    def add_folder(self, folder: str) -> None:
        """Put a folder on the list."""
        if folder and folder not in self._folders:
            self.changed.emit((*self._folders, folder))

    def _row(self, folder: str) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(ElidedLabel(folder), 1)
        remove = QToolButton()
        remove.setToolTip(f"Take {folder} off the list; nothing on disk is changed")
        remove.setAccessibleName(f"Take off {folder}")
        remove.clicked.connect(lambda: self.changed.emit(tuple(known for known in self._folders if known != folder)))
        self._theme.dress(remove, "close", "text_soft", 14)
        line.addWidget(remove)
        return row

    def _ask(self) -> None:
        self.add_folder(QFileDialog.getExistingDirectory(self, "A folder with models"))


class _Number(QDoubleSpinBox):
    """Shows no decimals that say nothing: `10`, but `10.5`."""

    def textFromValue(self, value: float) -> str:
        """The number as it is written by hand."""
        text = super().textFromValue(value)
        point = self.locale().decimalPoint()
        return text.rstrip("0").rstrip(point) if point in text else text


class OptionControl(QWidget):
    """The control for one option, bound to the settings both ways. `refused` carries why a value was not taken."""

    refused = Signal(str)

    def __init__(self, theme: Theme, settings: Settings, option: Option) -> None:
        super().__init__()
        self.option = option
        self._settings = settings
        self._theme = theme
        self.control = self._build()
        self.control.setAccessibleName(option.title)
        if not isinstance(self.control, FolderList):
            self.control.setToolTip(option.description)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.control)
        self.refresh()

    def refresh(self) -> None:
        """Show the present value."""
        value = getattr(self._settings.values, self.option.name)
        blocked = self.control.blockSignals(True)
        match self.control:
            case Choice() as choice:
                choice.set_value(value)
            case Switch() as switch:
                switch.setChecked(value)
            case QDoubleSpinBox() as spin:
                spin.setValue(value)
            case FolderList() as folders:
                folders.show_folders(value)
        self.control.blockSignals(blocked)
        self.control.update()

    def _build(self) -> QWidget:
        option = self.option
        match option.kind:
            case "choice":
                choice = Choice(self._theme, option.title, option.choices)
                choice.setFixedWidth(self._theme.pixels(_WIDTH))
                choice.currentIndexChanged.connect(lambda: self._change(choice.value()))
                return choice
            case "switch":
                switch = Switch(self._theme)
                switch.toggled.connect(self._change)
                return switch
            case "folders":
                folders = FolderList(self._theme, option.title)
                folders.changed.connect(self._change)
                return folders
            case _:
                return self._spin()

    def _spin(self) -> QDoubleSpinBox:
        option = self.option
        spin = _Number()
        spin.setRange(option.minimum, option.maximum)
        spin.setSingleStep(option.step)
        spin.setDecimals(max(0, len(f"{option.step:g}".partition(".")[2])))
        spin.setSuffix(f" {option.unit}" if option.unit else "")
        spin.setSpecialValueText(option.zero if option.minimum == 0 else "")
        spin.setFixedWidth(self._theme.pixels(_WIDTH))
        spin.setKeyboardTracking(False)
        spin.lineEdit().setTextMargins(8, 0, 0, 0)
        calm(spin)
        whole = option.kind == "integer"
        spin.valueChanged.connect(lambda value: self._change(round(value) if whole else value))
        return spin

    def _change(self, value: object) -> None:
        try:
            self._settings.change(**{self.option.name: value})
        except InvalidField as error:
            self.refused.emit(error.failure.message)
            self.refresh()
