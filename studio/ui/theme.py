"""The look, from one token file: colours, type, spaces and icons, in light and dark.

`Theme` gives every part of the window the same palette and style sheet and tells when they change. Rooms that
paint by themselves ask for `color`, `font`, `space` and `pixmap` and repaint on `changed`.
"""

from __future__ import annotations

import functools
import json
import weakref
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QByteArray, QObject, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from shiboken6 import isValid

from studio.app.settings import Settings
from studio.ui.stylesheet import stylesheet
from studio.ui.wardrobe import Wardrobe

RESOURCES = Path(__file__).resolve().parents[2] / "resources"

TextRole = Literal["small", "body", "large", "title"]
Look = Literal["light", "dark"]


@functools.cache
def tokens() -> dict[str, Any]:
    """The token file as it is written."""
    content: dict[str, Any] = json.loads((RESOURCES / "theme" / "tokens.json").read_bytes())
    return content


@functools.cache
def _drawing(name: str) -> str:
    return (RESOURCES / "icons" / f"{name}.svg").read_text(encoding="utf-8")


class Theme(QObject):
    """The current look. `changed` comes after palette and style sheet have been put in place in what is to be seen.

    Every part of the window wears the style sheet by itself (`clothe`); parts that come and go are brought up to
    date before they are shown (`freshen`).
    """

    changed = Signal()

    def __init__(self, settings: Settings, application: QApplication) -> None:
        super().__init__(application)
        self._settings = settings
        self._application = application
        self._dressed: list[tuple[weakref.ref[QAbstractButton | QLabel], str, str, int]] = []
        self._wardrobe = Wardrobe(self)
        self._pixmaps: dict[tuple[str, str, int, float], QPixmap] = {}
        self._unlisten = settings.listen(self._settings_changed)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)
        application.setStyle("Fusion")
        self._apply()

    @property
    def look(self) -> Look:
        """Light or dark, after asking the system where the setting says so."""
        wanted = self._settings.values.theme
        if wanted != "system":
            return wanted
        scheme = QGuiApplication.styleHints().colorScheme()
        return "light" if scheme == Qt.ColorScheme.Light else "dark"

    @property
    def dark(self) -> bool:
        """Whether the dark look is on."""
        return self.look == "dark"

    def css(self, name: str) -> str:
        """The colour token `name` as `#rrggbb`. Raises `KeyError` for unknown names."""
        value: str = tokens()[self.look][name]
        return value

    def color(self, name: str, alpha: float = 1.0) -> QColor:
        """The colour token `name`, with an opacity from 0 to 1."""
        color = QColor(self.css(name))
        color.setAlphaF(alpha)
        return color

    def space(self, step: int) -> int:
        """The spaces of the 4-pixel grid, 0 to 5: 4 8 12 16 24 32 pixels."""
        value: int = tokens()["space"][step]
        return value

    def radius(self, size: Literal["small", "large"] = "small") -> int:
        """Corner radius in pixels."""
        value: int = tokens()["radius"][size]
        return value

    def pixels(self, length: float) -> int:
        """`length` in pixels, grown with the text size."""
        return round(length * self._settings.values.text_scale)

    def font(self, role: TextRole = "body", *, bold: bool = False) -> QFont:
        """The UI font in one of the four sizes."""
        font = QFont(self._application.font())
        font.setPixelSize(self.pixels(tokens()["text"][role]))
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return font

    def mono(self, size: int = 13) -> QFont:
        """The system's monospaced font; `size` in unscaled pixels."""
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(self.pixels(size))
        return font

    def pixmap(self, name: str, color: str = "text_soft", size: int = 18) -> QPixmap:
        """The icon `name` (a file of `resources/icons`) in a colour token, sharp on this screen."""
        ratio = self._application.devicePixelRatio()
        key = (name, self.css(color), size, ratio)
        if key not in self._pixmaps:
            self._pixmaps[key] = _render(name, key[1], size, ratio)
        return self._pixmaps[key]

    def icon(self, name: str, color: str = "text_soft", size: int = 18, *, on: str = "accent") -> QIcon:
        """The icon `name`; `on` is the colour of its checked state."""
        icon = QIcon(self.pixmap(name, color, size))
        icon.addPixmap(self.pixmap(name, on, size), QIcon.Mode.Normal, QIcon.State.On)
        icon.addPixmap(self.pixmap(name, "text_faint", size), QIcon.Mode.Disabled, QIcon.State.Off)
        return icon

    def dress(self, widget: QAbstractButton | QLabel, name: str, color: str = "text_soft", size: int = 18) -> None:
        """Give a button or label an icon that follows the theme from now on."""
        self._dressed = [entry for entry in self._dressed if entry[0]() not in (None, widget)]
        self._dressed.append((weakref.ref(widget), name, color, size))
        self._put_icon(widget, name, color, size)

    def clothe(self, part: QWidget) -> None:
        """Give a part of the window the style sheet, now and whenever it changes; its content inherits it."""
        self._wardrobe.clothe(part)

    def freshen(self, part: QWidget) -> None:
        """Bring a part up to date that was out of sight and is about to be shown."""
        self._wardrobe.freshen(part)

    @property
    def settled(self) -> bool:
        """Whether the parts out of sight have the present look too."""
        return self._wardrobe.settled

    def stop(self) -> None:
        """Listen to settings and system no longer."""
        self._unlisten()
        self._wardrobe.stop()
        QGuiApplication.styleHints().colorSchemeChanged.disconnect(self._system_changed)

    def _put_icon(self, widget: QAbstractButton | QLabel, name: str, color: str, size: int) -> None:
        scaled = self.pixels(size)
        if isinstance(widget, QLabel):
            widget.setPixmap(self.pixmap(name, color, scaled))
        else:
            widget.setIcon(self.icon(name, color, scaled))
            widget.setIconSize(QSize(scaled, scaled))

    def _settings_changed(self, names: frozenset[str]) -> None:
        if names & {"theme", "text_scale"}:
            self._apply()

    def _system_changed(self, _scheme: Qt.ColorScheme) -> None:
        if self._settings.values.theme == "system":
            self._apply()

    def _apply(self) -> None:
        application = self._application
        font = QFont(application.font())
        families = [family for family in tokens()["ui_families"] if QFontDatabase.hasFamily(family)]
        if families:
            font.setFamilies(families[:1])
        font.setPixelSize(self.pixels(tokens()["text"]["body"]))
        application.setFont(font)
        application.setPalette(_palette(tokens()[self.look]))
        scale = self._settings.values.text_scale
        self._wardrobe.change(stylesheet(tokens(), self.look, scale, RESOURCES / "theme"))
        for reference, name, color, size in self._dressed:
            widget = reference()
            if widget is not None and isValid(widget):  # Qt may have done away with it before Python
                self._put_icon(widget, name, color, size)
        self.changed.emit()


def _render(name: str, color: str, size: int, ratio: float) -> QPixmap:
    drawing = _drawing(name).replace("currentColor", color)
    renderer = QSvgRenderer(QByteArray(drawing.encode()))
    edge = round(size * ratio)
    pixmap = QPixmap(edge, edge)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _palette(colors: dict[str, str]) -> QPalette:
    role = QPalette.ColorRole
    pairs = {
        role.Window: "surface",
        role.WindowText: "text",
        role.Base: "raised",
        role.AlternateBase: "hover",
        role.Text: "text",
        role.PlaceholderText: "text_soft",
        role.Button: "raised",
        role.ButtonText: "text",
        role.BrightText: "bad",
        role.Highlight: "selection",
        role.HighlightedText: "text",
        role.Link: "accent_text",
        role.LinkVisited: "accent_text",
        role.ToolTipBase: "raised",
        role.ToolTipText: "text",
        role.Light: "hover",
        role.Midlight: "line",
        role.Mid: "line",
        role.Dark: "line_strong",
        role.Shadow: "backdrop",
        role.Accent: "accent",
    }
    palette = QPalette()
    for place, name in pairs.items():
        palette.setColor(place, QColor(colors[name]))
    for place in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, place, QColor(colors["text_faint"]))
    return palette
