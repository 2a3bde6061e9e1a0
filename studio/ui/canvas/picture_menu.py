"""The menu under the right button: what can be done with the picture there, or with the canvas beside it."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, QPoint

from studio.core.command import Command
from studio.ui.canvas.view import CanvasView
from studio.ui.menus import menu_of
from studio.ui.theme import Theme

_PICTURE = (
    ("canvas.start-from", "canvas.recall", "canvas.enlarge"),
    ("canvas.copy", "canvas.save-selected"),
    ("canvas.raise", "canvas.frame-selection", "canvas.remove"),
)
_GROUND = (("canvas.paste", "canvas.bring-in"), ("canvas.fit", "canvas.to-frame"), ("canvas.save-all",))


class PictureMenu(QObject):
    """Opens where `view` asks for it; the picture under the pointer has been selected then."""

    def __init__(self, theme: Theme, view: CanvasView, commands: Mapping[str, Command]) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view
        self._commands = commands
        view.menu_wanted.connect(self._open)

    def _open(self, place: QPoint) -> None:
        groups = _PICTURE if self._view.scene.selected else _GROUND
        menu = menu_of([[self._commands[name] for name in group] for group in groups], self._theme, self._view)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)
