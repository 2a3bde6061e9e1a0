"""One project in the window, from its opening to its last save.

When another project is opened the whole sitting is replaced, so that nothing of the one before can show up in
the next: settings object, theme, messages, commands, frame and rooms are all made anew.
"""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

from studio.app.commands import Commands
from studio.app.notices import Action, Notices
from studio.app.session import Session
from studio.app.settings import Settings
from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.jobs import Family
from studio.ui.theme import Theme
from studio.ui.window import Window

if TYPE_CHECKING:
    from studio.app.studio import Studio
    from studio.jobs.limits import WorkerCommand
    from studio.ui.bridge import Bridge

_SAVE_DELAY = 400
_WARM_DELAY = 300


@dataclasses.dataclass(frozen=True)
class Place:
    """Where things are: the state folder, the project, and what tests put in place of workers and models."""

    state: Path
    project: Path
    worker: WorkerCommand | None = None
    starter: Path | None = None


class Sitting(QObject):
    """`opened` once there is a session; `refused(failure)` where the project can't be opened."""

    opened = Signal()
    refused = Signal(object)

    def __init__(self, application: QApplication, place: Place, settings: Settings, session: Session) -> None:
        super().__init__(application)
        self.place = place
        self.settings = settings
        self.session = session
        self.studio: Studio | None = None
        self.bridge: Bridge | None = None
        self.denied = False
        self.opening = False
        self._over = False
        self.notices = Notices()
        self.theme = Theme(settings, application)
        self.window = Window(self.theme, settings, session, self.notices, Commands())
        self.work = self.window.background
        self.window.projects.present = place.project
        self.window.commands.add(self.window.projects.recent())
        self._save_timer = QTimer(self)
        self._save_timer.setSingleShot(True)
        self._save_timer.setInterval(_SAVE_DELAY)
        self._save_timer.timeout.connect(lambda: self.work.run(settings.save))
        settings.defer = self._save_timer.start
        settings.listen(self._settings_changed)
        if settings.trouble:
            self.notices.post(settings.trouble, level="warning")

    def open(self) -> None:
        """Open project, shelf and queue on a background thread; nothing of them belongs to Qt."""
        self.opening = True
        self.work.run(self.make_studio, self.adopt, self._refused)

    def make_studio(self) -> Studio:
        """Open the session; raises `StudioError`. For a background thread."""
        from studio.app.opening import open_studio

        place = self.place
        return open_studio(place.project, place.state, self.settings, worker=place.worker, starter=place.starter)

    def adopt(self, studio: Studio) -> None:
        """Bring the opened session into the window."""
        if self._over:
            studio.stop()
            return
        from studio.ui.bridge import Bridge

        self.denied = self.opening = False
        self.studio = studio
        self.bridge = Bridge(studio.dispatcher, self)
        studio.start()
        self.session.enter(str(studio.project.folder))
        self.window.open(studio, self.bridge)
        self._look_at_models(studio)
        if self.settings.values.warm_start:
            QTimer.singleShot(_WARM_DELAY, self, self._warm)
        self.opened.emit()

    def shut(self) -> None:
        """Save everything and hear nothing more. `end` does the rest, which may take seconds."""
        if self._over:
            return
        self._over = True
        self._save_timer.stop()
        self.window.shut()
        if self.bridge is not None:
            self.bridge.stop()
        with contextlib.suppress(StudioError):
            self.settings.save()

    def end(self) -> None:
        """Wait for what has begun, end the workers, close the databases. Comes after `shut`, on any thread."""
        self.work.stop()
        if self.studio is not None:
            self.studio.stop()

    def leave(self) -> None:
        """Take the frame apart after `shut`, before another sitting; `end` may still be to come."""
        self.work.mute()
        self.work.setParent(self)
        self.theme.stop()
        self.window.hide()
        self.window.setParent(None)
        self.window.deleteLater()

    def report(self, error: BaseException, detail: str) -> None:
        """Show in the bar what nobody foresaw."""
        if isinstance(error, StudioError):
            self.window.show_failure(error.failure)
            return
        self.notices.fail(
            Failure(
                FailureCode.INTERNAL,
                "Something in the studio went wrong that was not foreseen. Your work is untouched.",
                hint="Try again; if it happens again, copy the details and report them.",
                detail=detail,
            )
        )

    def _refused(self, failure: Failure) -> None:
        self.denied, self.opening = True, False
        self.notices.fail(failure, Action("Try again", self.open))
        self.refused.emit(failure)

    def _warm(self) -> None:
        if self.studio is not None and not self._over:
            # The small GANs load in a second: a third process that waits for them would cost more than it saves.
            for family in (Family.DIFFUSION, Family.LANGUAGE):
                self.studio.dispatcher.warm(family)

    def _settings_changed(self, names: frozenset[str]) -> None:
        studio = self.studio
        if studio is None:
            return
        if names & {"idle_minutes", "memory_budget"}:
            from studio.app.opening import limits_from

            studio.dispatcher.set_limits(limits_from(self.settings))
        if "model_folders" in names:
            studio.shelf.refresh(tuple(Path(folder) for folder in self.settings.values.model_folders))
            self._look_at_models(studio)

    def _look_at_models(self, studio: Studio) -> None:
        """Read the model folders, and say what in them could not be read."""

        def tell(failures: tuple[Failure, ...]) -> None:
            for failure in failures:
                self.window.show_failure(failure)

        self.work.run(studio.shelf.unreadable, tell)
