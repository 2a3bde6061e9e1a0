"""The table of rooms. A room is imported when it is first needed, and shown only if it is there."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from typing import cast

import msgspec

from studio.core.references import Task
from studio.ui.room import Room


class RoomEntry(msgspec.Struct, frozen=True):
    """One room: where its class is, and what the greeting offers to make there.

    `place` is `module:class`. `task` is what its models are for; None for rooms that make nothing.
    `sample` is the prompt of the greeting's card, `offer` and `words` its title and text; `asks` begins the
    palette's line for free text.
    """

    id: str
    title: str
    icon: str
    place: str
    tooltip: str
    task: Task | None = None
    offer: str = ""
    words: str = ""
    sample: str = ""
    asks: str = ""
    low: bool = False


ROOMS = (
    RoomEntry(
        id="canvas",
        title="Canvas",
        icon="canvas",
        place="studio.ui.canvas.room:CanvasRoom",
        tooltip="Make and change pictures",
        task="image",
        offer="A picture",
        words="Painted step by step in front of you, on a canvas that you can zoom, drag and save.",
        sample="a rose, flat emoji, on a white background",
        asks="Make a picture",
    ),
    RoomEntry(
        id="write",
        title="Write",
        icon="write",
        place="studio.ui.write.room:WriteRoom",
        tooltip="Write, continue and rewrite text",
        task="text",
        offer="A paragraph",
        words="The beginning of a story, word by word at the cursor. One undo takes it back.",
        sample="Once upon a time there was a little lighthouse by the sea.",
        asks="Write",
    ),
    RoomEntry(
        id="code",
        title="Code",
        icon="code",
        place="studio.ui.code.room:CodeRoom",
        tooltip="Write and complete code",
        task="code",
        offer="A piece of code",
        words="A small Python function, suggested in grey where you type. Tab takes it.",
        sample="def fibonacci(n):",
        asks="Write code",
    ),
    RoomEntry(
        id="settings",
        title="Settings",
        icon="settings",
        place="studio.ui.settings.room:SettingsRoom",
        tooltip="Change how the studio looks and works",
        low=True,
    ),
)


@functools.cache
def available_rooms() -> tuple[RoomEntry, ...]:
    """The rooms whose code is there, without importing it."""
    return tuple(entry for entry in ROOMS if importlib.util.find_spec(entry.place.partition(":")[0]) is not None)


def room_class(entry: RoomEntry) -> type[Room]:
    """Import a room."""
    module, _, name = entry.place.partition(":")
    return cast(type[Room], getattr(importlib.import_module(module), name))
