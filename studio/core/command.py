"""Commands are values; menus, shortcuts and the palette derive from one list of them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


def always() -> bool:
    """The condition of a command that can always run."""
    return True


class Command(msgspec.Struct, frozen=True):
    """Something that a person can do.

    `id` is `room.verb`; `title` is what menu and palette show; `shortcut` is in Qt's portable notation
    (`Ctrl+Return`) or empty; `menu` is the menu's title or empty for palette-only commands; `room` limits
    the shortcut to one room, empty for everywhere; `when` says whether it can run now.
    """

    id: str
    title: str
    run: Callable[[], None]
    shortcut: str = ""
    menu: str = ""
    room: str = ""
    when: Callable[[], bool] = always
    tooltip: str = ""
