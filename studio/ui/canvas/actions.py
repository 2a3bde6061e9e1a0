"""The Canvas room's commands, from which its menu, shortcuts and palette entries come."""

from __future__ import annotations

from typing import Protocol

from studio.core.command import Command
from studio.documents.canvas.document import CanvasDocument
from studio.ui.canvas.scene import Scene
from studio.ui.canvas.view import CanvasView


class CanvasActions(Protocol):
    """What the commands call."""

    view: CanvasView
    scene: Scene
    document: CanvasDocument

    def can_generate(self) -> bool:
        """Whether there is a prompt and a model."""
        ...

    def generate(self) -> None:
        """Queue what the panel says."""
        ...

    def stop_all(self) -> None:
        """Stop what is being made here."""
        ...

    def escape(self) -> None:
        """Take back one thing: the gesture, the selection, the picture on its way."""
        ...

    def can_escape(self) -> bool:
        """Whether there is such a thing."""
        ...

    def undo(self) -> None:
        """Take the last change back."""
        ...

    def redo(self) -> None:
        """Do it again."""
        ...

    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        ...

    def can_redo(self) -> bool:
        """Whether there is a change to do again."""
        ...

    def remove_selected(self) -> None:
        """Take the selected picture off."""
        ...

    def raise_selected(self) -> None:
        """Bring it to the front."""
        ...

    def recall_request(self) -> None:
        """Fill the panel from the selected picture."""
        ...

    def start_from_selected(self) -> None:
        """Start the next picture from the selected one."""
        ...

    def can_enlarge(self) -> bool:
        """Whether a picture is selected and there is a model to enlarge it."""
        ...

    def enlarge_selected(self) -> None:
        """Make the selected picture four times as large."""
        ...

    def bring_in(self) -> None:
        """Ask for a picture file."""
        ...

    def paste(self) -> None:
        """Place the clipboard's picture."""
        ...

    def copy_selected(self) -> None:
        """Copy the selected picture."""
        ...

    def save_selected(self) -> None:
        """Save the selected picture."""
        ...

    def save_canvas(self) -> None:
        """Save everything as one picture."""
        ...

    def frame_to_selection(self) -> None:
        """Put the frame around the selection."""
        ...


def canvas_commands(room: CanvasActions) -> list[Command]:
    """The commands of the Canvas room; the first one is the panel's button."""
    return [*_making(room), *_editing(room), *_looking(room)]


def _making(room: CanvasActions) -> list[Command]:
    def selected() -> bool:
        return room.scene.selected is not None

    def busy() -> bool:
        return bool(room.scene.running)

    return [
        Command("canvas.generate", "Generate", room.generate, "Ctrl+Return", "Canvas", "canvas", room.can_generate,
                "Make the picture in the dashed frame"),
        Command("canvas.stop", "Stop all pictures", room.stop_all, "Ctrl+.", "Canvas", "canvas", busy,
                "Stop every picture that is being made here"),
        Command("canvas.escape", "Deselect, or stop the picture", room.escape, "Esc", "Canvas", "canvas",
                room.can_escape, "Take back what the mouse is doing, then the selection, then the picture on its way"),
        Command("canvas.recall", "Use this picture's settings again", room.recall_request, "Ctrl+R", "Canvas", "canvas",
                selected, "Fill the panel with prompt, seed and numbers of the selected picture"),
        Command("canvas.start-from", "Start from this picture", room.start_from_selected, "", "Canvas", "canvas",
                selected, "Change the selected picture: the next one is made from it, and lands beside it"),
        Command("canvas.frame-selection", "Put the frame around the selection", room.frame_to_selection, "F", "Canvas",
                "canvas", selected),
        Command("canvas.enlarge", "Upscale ×4", room.enlarge_selected, "Ctrl+U", "Canvas", "canvas", room.can_enlarge,
                "Make the selected picture four times as large, beside it, with clean edges"),
        Command("canvas.bring-in", "Bring in a picture…", room.bring_in, "Ctrl+O", "Canvas", "canvas",
                tooltip="Open a picture file on the canvas"),
        Command("canvas.save-selected", "Save the picture…", room.save_selected, "Ctrl+S", "Canvas", "canvas",
                tooltip="Save the selected picture, or all of them, as a PNG"),
        Command("canvas.save-all", "Save the whole canvas…", room.save_canvas, "Ctrl+Shift+S", "Canvas", "canvas"),
    ]  # fmt: skip


def _editing(room: CanvasActions) -> list[Command]:
    def selected() -> bool:
        return room.scene.selected is not None

    return [
        Command("canvas.undo", "Undo", room.undo, "Ctrl+Z", "Edit", "canvas", room.can_undo),
        Command("canvas.redo", "Redo", room.redo, "Ctrl+Shift+Z", "Edit", "canvas", room.can_redo),
        Command("canvas.copy", "Copy the picture", room.copy_selected, "Ctrl+C", "Edit", "canvas", selected),
        Command("canvas.paste", "Paste a picture", room.paste, "Ctrl+V", "Edit", "canvas"),
        Command("canvas.remove", "Remove from the canvas", room.remove_selected, "Del", "Edit", "canvas", selected,
                "The file stays in the project"),
        Command("canvas.raise", "Bring to the front", room.raise_selected, "Ctrl+Shift+Up", "Edit", "canvas", selected),
    ]  # fmt: skip


def _looking(room: CanvasActions) -> list[Command]:
    view = room.view
    return [
        Command("canvas.fit", "Show everything", view.fit, "Ctrl+0", "View", "canvas"),
        Command("canvas.actual", "Actual size", lambda: view.set_zoom(1.0), "Ctrl+1", "View", "canvas"),
        Command("canvas.zoom-in", "Zoom in", lambda: view.step_zoom(1), "Ctrl+=", "View", "canvas"),
        Command("canvas.zoom-in-too", "Zoom in further", lambda: view.step_zoom(1), "Ctrl++", "", "canvas"),
        Command("canvas.zoom-out", "Zoom out", lambda: view.step_zoom(-1), "Ctrl+-", "View", "canvas"),
        Command("canvas.to-frame", "Go to the frame", lambda: view.fit(room.scene.frame), "Ctrl+2", "View", "canvas"),
    ]
