"""The Canvas room: one document, one view, one request panel, and what connects them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QPointF, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.core.command import Command
from studio.core.events import Event, is_terminal
from studio.core.failure import StudioError
from studio.core.jobs import Job
from studio.core.references import Asset, Destination
from studio.core.requests import ImageRequest, PictureRequest
from studio.documents.canvas.document import SUFFIX, CanvasDocument, rect_from, rect_text
from studio.documents.canvas.placement import FramePlace, Rect
from studio.ui.canvas.actions import canvas_commands
from studio.ui.canvas.bar import ZoomBar
from studio.ui.canvas.bringing import BringIn, input_frame
from studio.ui.canvas.enlarging import SCALE, enlarging, landing
from studio.ui.canvas.export import ask_picture, ask_target, save_canvas, save_pixels
from studio.ui.canvas.picture_menu import PictureMenu
from studio.ui.canvas.pictures import PictureCache
from studio.ui.canvas.request_panel import CanvasPanel
from studio.ui.canvas.results import CanvasResults
from studio.ui.canvas.scene import Scene
from studio.ui.canvas.view import CanvasView
from studio.ui.model_folders import ADD_MODELS
from studio.ui.room import Room, RoomContext

_FORECAST_DELAY_MS = 120


class CanvasRoom(Room):
    """Pictures are made in the dashed frame and stay where they land."""

    id = "canvas"
    title = "Canvas"
    icon = "canvas"

    def __init__(self, context: RoomContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        project = context.studio.project
        self.document = CanvasDocument(project.folder / f"Canvas{SUFFIX}")
        self.scene = Scene()
        self._home = self.scene.frame  # where the person put the frame; pictures fill rows of four from there
        # Frame and home before the frame went around the picture that is started from.
        self._former: tuple[Rect, Rect] | None = None
        self.cache = PictureCache(context.background, project.assets.path, self._repaint)
        self.view = CanvasView(context.theme, self.cache, self.document, self.scene)
        self.results = CanvasResults(self.document, self.scene, self.cache, self._repaint)
        self.request_panel = CanvasPanel(context.theme, context.studio)
        self._bring = BringIn(context, self._arrived)
        self._commands = canvas_commands(self)
        by_name = {command.id: command for command in self._commands}
        self._zoom_bar = ZoomBar(context.theme, self.view, by_name)
        PictureMenu(context.theme, self.view, by_name)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)
        self._zoom_bar.attach(self.view)
        self._forecast_timer = QTimer(self)
        self._forecast_timer.setSingleShot(True)
        self._forecast_timer.setInterval(_FORECAST_DELAY_MS)
        self._forecast_timer.timeout.connect(self._forecast)
        self._connect()
        self._take_document()

    def _connect(self) -> None:
        self.view.frame_changed.connect(lambda frame: self.request_panel.show_size(frame.width, frame.height))
        self.view.frame_dropped.connect(self._frame_dropped)
        self.view.selection_changed.connect(lambda _identity: self._selection_changed())
        self.view.picture_moved.connect(self._picture_moved)
        self.view.dropped.connect(self._bring.data)
        self.view.escaped.connect(self.escape)
        self.request_panel.edited.connect(self._forecast_timer.start)
        self.request_panel.size_edited.connect(self._size_edited)
        self.request_panel.input_wanted.connect(self._input_wanted)
        self.request_panel.model.folders_wanted.connect(lambda: self.context.commands.run(ADD_MODELS))
        self.context.bridge.job_event.connect(self._hear)

    def commands(self) -> list[Command]:
        """What can be done here."""
        return self._commands

    def panel(self) -> QWidget:
        """The request panel."""
        self.request_panel.bind(self._commands[0])
        return self.request_panel

    def activated(self) -> None:
        """Take the keyboard, look at the shelf and at what is free again."""
        self.request_panel.model.refresh()
        self._forecast_timer.start()
        self.request_panel.prompt.setFocus()
        self.document_changed.emit(self.document.name, "saved")

    def make(self, prompt: str) -> None:
        """Fill in `prompt` and generate at once."""
        self.request_panel.prompt.set_text(prompt)
        self.generate()

    def state(self) -> dict[str, Any]:
        """What to remember until the next start; the document remembers its own."""
        return {"panel": self.request_panel.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up an earlier state."""
        panel = state.get("panel")
        if isinstance(panel, dict):
            self.request_panel.restore(panel)
            self._restore_frame()

    def flush(self) -> None:
        """Everything is on disk already; close the file."""
        self.context.bridge.job_event.disconnect(self._hear)
        self._forecast_timer.stop()
        self._remember_frame()
        self.document.close()

    def can_generate(self) -> bool:
        """Whether there is a prompt and a model."""
        return bool(self.request_panel.prompt.text()) and self.request_panel.model.entry() is not None

    def generate(self) -> None:
        """Queue what the panel says; the result lands in the frame, and the frame moves on."""
        panel = self.request_panel
        seed = panel.seed.value()
        seed = self.context.studio.new_seed() if seed is None else seed
        request = panel.request(seed, self.scene.input)
        if request is None or not request.prompt:
            return
        waiting = tuple(place for running in self.scene.running.values() for place in running.places)
        # A changed picture lands beside the one that it came from, and the frame stays around that one.
        frame = self.document.free_place(self._home, waiting, request.batch_size)
        destination = Destination(
            room="canvas", document=self.document.id, x=frame.x, y=frame.y, width=frame.width, height=frame.height
        )
        if not self._submit(request, destination, request.prompt[:80]):
            return
        panel.seed.show_used(seed)
        if self.scene.input is None:
            self.scene.frame = frame
        self._repaint()

    def stop_all(self) -> None:
        """Stop every picture that is on its way on this canvas."""
        for identity in tuple(self.scene.running):
            self._stop(identity)

    def escape(self) -> None:
        """Take back one thing: what the mouse does, else the selection, else the picture that is being made here."""
        if self.view.dismiss():
            return
        going = self._not_stopping()
        if going:
            self._stop(going[0])

    def can_escape(self) -> bool:
        """Whether there is such a thing."""
        return self.view.can_dismiss() or bool(self._not_stopping())

    def undo(self) -> None:
        """Take the last change of the canvas back."""
        self._frame_back(self.document.undo())
        self._after_edit()

    def redo(self) -> None:
        """Do it again."""
        self._frame_back(self.document.redo())
        self._after_edit()

    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return self.document.can_undo()

    def can_redo(self) -> bool:
        """Whether there is a change to do again."""
        return self.document.can_redo()

    def remove_selected(self) -> None:
        """Take the selected picture off the canvas."""
        if self.scene.selected:
            self.document.remove(self.scene.selected)
            self._after_edit()

    def raise_selected(self) -> None:
        """Bring the selected picture to the front."""
        if self.scene.selected:
            self.document.raise_to_top(self.scene.selected)
            self._after_edit()

    def recall_request(self) -> None:
        """Fill the panel with the request that made the selected picture."""
        asset = self.selected_asset()
        record = self.context.studio.project.assets.provenance(asset.id) if asset else None
        if record is not None and isinstance(record.request, ImageRequest):
            self.request_panel.take_over(record.request)

    def start_from_selected(self) -> None:
        """Start the next picture from the selected one."""
        self._use_input(self.selected_asset())

    def can_enlarge(self) -> bool:
        """Whether a picture is selected and there is a model to enlarge it."""
        return self.scene.selected is not None and self.context.studio.shelf.default("upscale") is not None

    def enlarge_selected(self) -> None:
        """Make the selected picture four times as large; the result lands beside it."""
        placement = self.document.find(self.scene.selected) if self.scene.selected else None
        entry = self.context.studio.shelf.default("upscale")
        if placement is None or entry is None:
            return
        waiting = tuple(place for running in self.scene.running.values() for place in running.places)
        destination = landing(self.document, placement, waiting)
        self._submit(enlarging(placement, entry), destination, f"{placement.label} ×{SCALE}".strip())

    def bring_in(self) -> None:
        """Ask for a picture file and put it on the canvas."""
        path = ask_picture(self)
        if path is not None:
            self._bring.files([path], QPointF(self.scene.frame.x, self.scene.frame.y))

    def paste(self) -> None:
        """Put the clipboard's picture on the canvas."""
        data = QGuiApplication.clipboard().mimeData()
        if data is not None:
            middle = self.view.camera.to_canvas(QPointF(self.view.rect().center()))
            self._bring.data(data, middle)

    def copy_selected(self) -> None:
        """Put the selected picture on the clipboard."""
        asset = self.selected_asset()
        pixmap = self.cache.pixmap(asset, 1e9) if asset else None
        if pixmap is not None:
            QGuiApplication.clipboard().setPixmap(pixmap)

    def save_selected(self) -> None:
        """Save the selected picture, with the record of how it was made, as a PNG."""
        asset = self.selected_asset()
        if asset is None:
            self.save_canvas()
            return
        target = ask_target(self, str(self.context.studio.project.folder / Path(asset.path).name))
        if target is not None:
            source = self.context.studio.project.assets.path(asset.id)
            self.context.background.run(lambda: save_pixels(source, target), self._saved)

    def save_canvas(self) -> None:
        """Save everything that lies on the canvas as one PNG."""
        placements = self.document.placements()
        if not placements:
            self.context.notices.post("There is nothing on the canvas yet.", hint="Generate a picture or drop one in.")
            return
        target = ask_target(self, str(self.context.studio.project.folder / f"{self.document.name}.png"))
        if target is not None:
            path_of = self.context.studio.project.assets.path
            self.context.background.run(lambda: save_canvas(placements, path_of, target), self._saved)

    def selected_asset(self) -> Asset | None:
        """The asset of the selected picture."""
        placement = self.document.find(self.scene.selected) if self.scene.selected else None
        return placement.asset if placement else None

    def frame_to_selection(self) -> None:
        """Put the frame around the selected picture."""
        placement = self.document.find(self.scene.selected) if self.scene.selected else None
        if placement is not None:
            before = self._frame_place()
            self._set_frame(placement.rect)
            self._note_frame(before)

    def _stop(self, identity: str) -> None:
        self.results.note_stop(identity)
        self.context.studio.cancel(identity)

    def _not_stopping(self) -> list[str]:
        return [identity for identity, running in self.scene.running.items() if not running.stopping]

    def _submit(self, request: PictureRequest, destination: Destination, title: str) -> bool:
        """Queue `request` and show where it will land; False where it was refused, which is said."""
        try:
            job = self.context.studio.submit(request, destination, title)
        except StudioError as error:
            self.context.notices.fail(error.failure)
            return False
        self.results.expect(job)
        self.view.reveal(self.scene.running[job.id].area)
        self._repaint()
        return True

    def _hear(self, job: Job, event: Event) -> None:
        self.results.hear(job, event)
        if is_terminal(event):
            self._forecast_timer.start()  # the run has been measured, and memory is free again

    def _take_document(self) -> None:
        self._restore_frame()
        self.results.catch_up(self.context.studio.queue.jobs())
        self.request_panel.show_input(possible=False, chosen=False)
        self.view.show_document(self.document)

    def _restore_frame(self) -> None:
        native = self.request_panel.native_size()
        self._set_frame(rect_from(self.document.setting("frame")) or Rect(0, 0, native, native))

    def _set_frame(self, frame: Rect) -> None:
        self.scene.frame = self._home = frame
        self._former = None
        self.request_panel.show_size(frame.width, frame.height)
        self._repaint()

    def _remember_frame(self) -> None:
        self.document.set_setting("frame", rect_text(self._home))

    def _frame_dropped(self, was: Rect) -> None:
        before = FramePlace(was, self._home)
        self._set_frame(self.scene.frame)
        self._note_frame(before)

    def _size_edited(self, width: int, height: int) -> None:
        before, frame = self._frame_place(), self.scene.frame
        self.scene.frame = self._home = Rect(frame.x, frame.y, width, height)
        self._former = None
        self._note_frame(before, sizing=True)
        self._repaint()

    def _frame_place(self) -> FramePlace:
        return FramePlace(self.scene.frame, self._home)

    def _note_frame(self, before: FramePlace, *, sizing: bool = False) -> None:
        """The person moved or sized the frame: that can be taken back."""
        if self.scene.frame != before.frame:
            self.document.move_frame(before, self._frame_place(), sizing=sizing)

    def _frame_back(self, place: FramePlace | None) -> None:
        if place is not None:
            self._set_frame(place.frame)
            self._home = place.home

    def _picture_moved(self, identity: str, rect: Rect) -> None:
        self.document.move(identity, rect)
        self._after_edit()

    def _selection_changed(self) -> None:
        asset = self.selected_asset()
        wanted = self.request_panel.source.choice() == "picture"
        self._use_input(asset if wanted else None)

    def _input_wanted(self, wanted: bool) -> None:
        self._use_input(self.selected_asset() if wanted else None)

    def _use_input(self, asset: Asset | None) -> None:
        """Start from `asset`, the selected picture, with the frame around it; or from nothing, where it was before."""
        placement = self.document.find(self.scene.selected) if self.scene.selected else None
        if asset is not None and placement is not None:
            former = self._former if self.scene.input else (self.scene.frame, self._home)
            self._set_frame(input_frame(placement.rect))
            self._former = former
        elif asset is None and self.scene.input and self._former:
            frame, home = self._former
            self._set_frame(frame)
            self._home = home
        self.scene.input = asset.id if asset else None
        self.request_panel.show_input(possible=self.selected_asset() is not None, chosen=asset is not None)
        self._forecast_timer.start()
        self._repaint()

    def _arrived(self, asset: Asset, rect: Rect, name: str) -> None:
        """A picture was brought in: show it, select it, and offer it as the start."""
        placement = self.document.place(asset, rect, name)
        self.request_panel.source.choose("picture")
        self.view.select(placement.id)
        self._use_input(asset)
        self.view.reveal(rect)

    def _after_edit(self) -> None:
        if self.scene.selected and self.document.find(self.scene.selected) is None:
            self.view.select(None)
        self._repaint()

    def _saved(self, path: Path) -> None:
        self.context.notices.post(f"Saved as {path.name} in {path.parent}.")

    def _forecast(self) -> None:
        self.request_panel.update_forecast(self.scene.input)

    def _repaint(self) -> None:
        self.view.update()
