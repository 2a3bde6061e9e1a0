"""The Write room's commands, from which its menu, shortcuts and palette entries come."""

from __future__ import annotations

from typing import Protocol

from studio.core.command import Command
from studio.ui.write.asking import Task


class WriteActions(Protocol):
    """What the commands call."""

    def has_text(self) -> bool:
        """Whether a text is open."""
        ...

    def can_generate(self) -> bool:
        """Whether the panel's request can be made now."""
        ...

    def is_generating(self) -> bool:
        """Whether words are on their way."""
        ...

    def generate(self) -> None:
        """Do what the panel says."""
        ...

    def assist(self, task: Task) -> None:
        """Choose a kind of help and do it."""
        ...

    def stop(self) -> None:
        """Stop the words on their way."""
        ...

    def new_text(self) -> None:
        """Make a new text."""
        ...

    def rename(self) -> None:
        """Rename the open text."""
        ...

    def discard_current(self) -> None:
        """Move the open text to the trash."""
        ...

    def save(self) -> None:
        """Save the open text now."""
        ...

    def step(self, by: int) -> None:
        """Open the text above or below."""
        ...

    def surround(self, mark: str) -> None:
        """Put a Markdown mark around the selection."""
        ...

    def undo(self) -> None:
        """Take the last change back."""
        ...

    def redo(self) -> None:
        """Do it again."""
        ...

    def find_text(self, *, replace: bool = False) -> None:
        """Open the find bar."""
        ...

    def find_next(self, *, back: bool = False) -> None:
        """Go to the next place."""
        ...

    def toggle_list(self) -> None:
        """Show or hide the list of texts."""
        ...


def write_commands(room: WriteActions) -> list[Command]:
    """The commands of the Write room; the first is the panel's button, the second its stop."""
    return [*_making(room), *_filing(room), *_editing(room)]


def _making(room: WriteActions) -> list[Command]:
    def helper(task: Task, title: str, keys: str, tooltip: str) -> Command:
        def possible() -> bool:
            return room.has_text() and not room.is_generating()

        return Command(f"write.{task}", title, lambda: room.assist(task), keys, "Generate", "write", possible, tooltip)

    return [
        Command("write.generate", "Continue", room.generate, "Ctrl+Return", "Generate", "write", room.can_generate,
                "Do what the panel says at the cursor"),
        Command("write.stop", "Stop", room.stop, "Esc", "Generate", "write", room.is_generating,
                "Stop writing; what was inserted stays"),
        helper("continue", "Continue from the cursor", "Ctrl+Shift+Return", "Go on from the cursor"),
        helper("rewrite", "Rewrite the selection", "Ctrl+Shift+R", "Say the selection or paragraph in other words"),
        helper("shorten", "Shorten the selection", "Ctrl+Shift+Minus", "Make the selection or paragraph shorter"),
        helper("expand", "Expand the selection", "Ctrl+Shift+E", "Make the selection or paragraph longer"),
    ]  # fmt: skip


def _filing(room: WriteActions) -> list[Command]:
    has_text = room.has_text
    return [
        Command("write.new", "New text", room.new_text, "Ctrl+N", "File", "write", tooltip="Begin another text"),
        Command("write.save", "Save now", room.save, "Ctrl+S", "File", "write", has_text,
                "Texts are saved by themselves; this does it at once"),
        Command("write.rename", "Rename the text…", room.rename, "", "File", "write", has_text),
        Command("write.discard", "Move the text to the trash", room.discard_current, "", "File", "write", has_text),
        Command("write.next", "Next text", lambda: room.step(1), "Ctrl+PgDown", "View", "write", has_text),
        Command("write.previous", "Previous text", lambda: room.step(-1), "Ctrl+PgUp", "View", "write", has_text),
        Command("write.list", "Show or hide the list of texts", room.toggle_list, "Ctrl+Shift+L", "View", "write"),
    ]  # fmt: skip


def _editing(room: WriteActions) -> list[Command]:
    has_text = room.has_text
    return [
        Command("write.undo", "Undo", room.undo, "", "Edit", "write", has_text),
        Command("write.redo", "Redo", room.redo, "", "Edit", "write", has_text),
        Command("write.strong", "Strong", lambda: room.surround("**"), "Ctrl+B", "Edit", "write", has_text,
                "Put ** around the selection"),
        Command("write.emphasis", "Emphasis", lambda: room.surround("*"), "Ctrl+I", "Edit", "write", has_text,
                "Put * around the selection"),
        Command("write.find", "Find…", room.find_text, "Ctrl+F", "Edit", "write", has_text),
        Command("write.replace", "Find and replace…", lambda: room.find_text(replace=True), "Ctrl+H", "Edit", "write",
                has_text),
        Command("write.find-next", "Find next", room.find_next, "F3", "Edit", "write", has_text),
        Command("write.find-previous", "Find previous", lambda: room.find_next(back=True), "Shift+F3", "Edit", "write",
                has_text),
    ]  # fmt: skip
