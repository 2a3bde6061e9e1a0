"""The frame's own commands; rooms add theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from studio.app.settings import Settings
from studio.core.command import Command
from studio.ui.queue.actions import JobActions
from studio.ui.rooms import RoomEntry

ROOM_KEYS = {"canvas": "Alt+1", "write": "Alt+2", "code": "Alt+3", "settings": "Ctrl+,"}
PALETTE_KEYS = "Ctrl+K"
PANEL_KEYS = "F9"
QUEUE_KEYS = "Ctrl+J"
STOP_KEYS = "Ctrl+Shift+."
MENU_KEYS = "F10"


class Frame(Protocol):
    """What the commands ask of the window."""

    jobs: JobActions | None

    def open_palette(self) -> None: ...  # noqa: D102 - the titles below say what each does
    def open_menu(self) -> None: ...  # noqa: D102
    def open_room(self, identity: str) -> None: ...  # noqa: D102
    def open_greeting(self) -> None: ...  # noqa: D102
    def open_queue(self) -> None: ...  # noqa: D102
    def open_about(self) -> None: ...  # noqa: D102
    def toggle_panel(self) -> None: ...  # noqa: D102
    def toggle_full_screen(self) -> None: ...  # noqa: D102
    def is_open(self) -> bool: ...  # noqa: D102
    def quit(self) -> None: ...  # noqa: D102


def frame_commands(frame: Frame, settings: Settings, rooms: tuple[RoomEntry, ...]) -> list[Command]:
    """Everything that can be done in every room."""
    return [*_places(frame, rooms), *_view(frame, settings), *_jobs(frame), *_studio(frame)]


def _places(frame: Frame, rooms: tuple[RoomEntry, ...]) -> list[Command]:
    def going(identity: str) -> Callable[[], None]:
        return lambda: frame.open_room(identity)

    return [
        Command(
            f"app.room.{entry.id}",
            f"Go to {entry.title}",
            going(entry.id),
            shortcut=ROOM_KEYS.get(entry.id, ""),
            menu="View",
            when=frame.is_open,
            tooltip=entry.tooltip,
        )
        for entry in rooms
    ]


def _view(frame: Frame, settings: Settings) -> list[Command]:
    def text(step: float) -> Callable[[], None]:
        return lambda: settings.change(text_scale=round(max(0.8, min(1.6, settings.values.text_scale + step)), 2))

    return [
        Command("app.palette", "Search or do anything", frame.open_palette, shortcut=PALETTE_KEYS, menu="View"),
        Command("app.panel", "Show or hide the request panel", frame.toggle_panel, shortcut=PANEL_KEYS, menu="View"),
        Command("app.menu", "Open the menu", frame.open_menu, shortcut=MENU_KEYS),
        Command("app.full_screen", "Full screen", frame.toggle_full_screen, shortcut="F11", menu="View"),
        Command("app.theme.light", "Light theme", lambda: settings.change(theme="light"), menu="View"),
        Command("app.theme.dark", "Dark theme", lambda: settings.change(theme="dark"), menu="View"),
        Command("app.theme.system", "Follow the system's theme", lambda: settings.change(theme="system"), menu="View"),
        Command("app.text.larger", "Larger text", text(0.1), shortcut="Ctrl+Alt+=", menu="View"),
        Command("app.text.smaller", "Smaller text", text(-0.1), shortcut="Ctrl+Alt+-", menu="View"),
    ]


def _jobs(frame: Frame) -> list[Command]:
    def doing(action: Callable[[JobActions], None]) -> Callable[[], None]:
        return lambda: action(frame.jobs) if frame.jobs is not None else None

    def running() -> bool:
        return frame.jobs is not None and frame.jobs.running

    def command(name: str, title: str, run: Callable[[], None], **more: Any) -> Command:  # noqa: ANN401 - Command's own fields
        return Command(f"app.{name}", title, run, menu="Jobs", **{"when": frame.is_open, **more})

    return [
        command("queue", "Show the queue", frame.open_queue, shortcut=QUEUE_KEYS),
        command(
            "stop",
            "Stop everything that runs",
            doing(JobActions.stop_all),
            shortcut=STOP_KEYS,
            when=running,
            tooltip="Stop every job that runs; those that wait do not begin until you let the queue go on",
        ),
        command("pause", "Pause the queue, or let it go on", doing(JobActions.toggle_pause)),
        command("clear", "Clear finished jobs off the list", doing(JobActions.clear_ended)),
        command("interrupted", "Run interrupted jobs again", doing(JobActions.run_interrupted)),
    ]


def _studio(frame: Frame) -> list[Command]:
    return [
        Command(
            "app.greeting",
            "Welcome: what can be made right now",
            frame.open_greeting,
            menu="Atelier",
            when=frame.is_open,
        ),
        Command("app.about", "About Atelier, licences and attributions", frame.open_about, menu="Atelier"),
        Command("app.quit", "Quit", frame.quit, shortcut="Ctrl+Q", menu="Atelier"),
    ]
