"""The Code room's commands, from which its menu, shortcuts and palette entries come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from studio.core.command import Command
from studio.ui.code.sheet import Sheet


class CodeActions(Protocol):
    """What the commands call."""

    def sheet(self) -> Sheet | None:
        """The file in front."""
        ...

    def has_file(self) -> bool:
        """Whether a file is open."""
        ...

    def can_generate(self) -> bool:
        """Whether the panel's request can be made now."""
        ...

    def is_generating(self) -> bool:
        """Whether code is on its way."""
        ...

    def generate(self) -> None:
        """Do what the panel says."""
        ...

    def stop(self) -> None:
        """Stop the code on its way."""
        ...

    def new_file(self) -> None:
        """Make a new file."""
        ...

    def open_folder(self) -> None:
        """Ask for a folder."""
        ...

    def rename_current(self) -> None:
        """Rename the open file."""
        ...

    def discard_current(self) -> None:
        """Move the open file to the trash."""
        ...

    def save(self) -> None:
        """Save the open file."""
        ...

    def save_all(self) -> None:
        """Save all open files."""
        ...

    def close_current(self) -> None:
        """Close the open file."""
        ...

    def step(self, by: int) -> None:
        """Go to the next tab."""
        ...

    def toggle_tree(self) -> None:
        """Show or hide the files."""
        ...


def code_commands(room: CodeActions) -> list[Command]:
    """The commands of the Code room; the first is the panel's button, the second its stop."""
    return [*_making(room), *_filing(room), *_editing(room), *_finding(room)]


def _with(room: CodeActions, act: Callable[[Sheet], None]) -> Callable[[], None]:
    """`act` on the file in front."""

    def run() -> None:
        if (sheet := room.sheet()) is not None:
            act(sheet)

    return run


def _making(room: CodeActions) -> list[Command]:
    suggest = _with(room, lambda sheet: sheet.suggestions.ask())
    return [
        Command("code.generate", "Write code", room.generate, "Ctrl+Return", "Generate", "code", room.can_generate,
                "Write what the panel says at the cursor, or go on from it"),
        Command("code.stop", "Stop", room.stop, "Esc", "Generate", "code", room.is_generating,
                "Stop writing; what was inserted stays"),
        Command("code.suggest", "Suggest at the cursor", suggest, "Ctrl+Space", "Generate", "code", room.has_file,
                "Grey code at the cursor; Tab takes it"),
        Command("code.suggest-too", "Suggest here", suggest, "Alt+\\", "", "code", room.has_file),
        Command("code.next-suggestion", "Another suggestion", _with(room, lambda sheet: sheet.suggestions.next()),
                "Alt+]", "Generate", "code", room.has_file),
    ]  # fmt: skip


def _filing(room: CodeActions) -> list[Command]:
    has_file = room.has_file
    return [
        Command("code.new", "New file", room.new_file, "Ctrl+N", "File", "code", tooltip="Make another file"),
        Command("code.open-folder", "Open a folder…", room.open_folder, "Ctrl+O", "File", "code",
                tooltip="Work with the files of another folder"),
        Command("code.save", "Save", room.save, "Ctrl+S", "File", "code", has_file,
                "Write the file; until then your changes are kept beside it"),
        Command("code.save-all", "Save all files", room.save_all, "Ctrl+Shift+S", "File", "code", has_file),
        Command("code.rename", "Rename the file…", room.rename_current, "", "File", "code", has_file),
        Command("code.discard", "Move the file to the trash", room.discard_current, "", "File", "code", has_file),
        Command("code.close", "Close the file", room.close_current, "Ctrl+W", "File", "code", has_file),
        Command("code.next", "Next file", lambda: room.step(1), "Ctrl+PgDown", "View", "code", has_file),
        Command("code.previous", "Previous file", lambda: room.step(-1), "Ctrl+PgUp", "View", "code", has_file),
        Command("code.tree", "Show or hide the files", room.toggle_tree, "Ctrl+Shift+L", "View", "code"),
    ]  # fmt: skip


def _editing(room: CodeActions) -> list[Command]:
    def edit(identity: str, title: str, keys: str, act: Callable[[Sheet], None]) -> Command:
        return Command(f"code.{identity}", title, _with(room, act), keys, "Edit", "code", room.has_file)

    return [
        edit("undo", "Undo", "", lambda sheet: sheet.area.undo()),
        edit("redo", "Redo", "", lambda sheet: sheet.area.redo()),
        edit("comment", "Comment out or in", "Ctrl+/", lambda sheet: sheet.area.toggle_comment()),
        edit("indent", "Indent", "Ctrl+]", lambda sheet: sheet.area.indent_selection()),
        edit("dedent", "Dedent", "Ctrl+[", lambda sheet: sheet.area.dedent_selection()),
        edit("move-up", "Move lines up", "Alt+Up", lambda sheet: sheet.area.move_lines(-1)),
        edit("move-down", "Move lines down", "Alt+Down", lambda sheet: sheet.area.move_lines(1)),
    ]


def _finding(room: CodeActions) -> list[Command]:
    def find(identity: str, title: str, keys: str, act: Callable[[Sheet], None]) -> Command:
        return Command(f"code.{identity}", title, _with(room, act), keys, "Edit", "code", room.has_file)

    return [
        find("find", "Find…", "Ctrl+F", lambda sheet: sheet.find_bar.open()),
        find("replace", "Find and replace…", "Ctrl+H", lambda sheet: sheet.find_bar.open(replace=True)),
        find("find-next", "Find next", "F3", lambda sheet: sheet.find_bar.next()),
        find("find-previous", "Find previous", "Shift+F3", lambda sheet: sheet.find_bar.previous()),
        find("go-to-line", "Go to line…", "Ctrl+G", lambda sheet: sheet.line_bar.open()),
    ]
