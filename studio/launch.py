"""Builds the studio with its window, and names the order in which things start and stop.

Start: settings → theme → window → first paint → session (project, shelf, queue, dispatcher) → rooms →
warm workers. Stop: rooms save → window's memory → bridge → session (refuse jobs, workers, databases) →
settings.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication

from studio.app.commands import Commands
from studio.app.notices import Action, Notices
from studio.app.session import load_session, save_session
from studio.app.settings import Settings
from studio.core.failure import Failure, FailureCode, StudioError
from studio.ui.bridge import Bridge
from studio.ui.theme import Theme
from studio.ui.window import Window

if TYPE_CHECKING:
    from studio.app.studio import Studio

_SAVE_DELAY = 400
_WARM_DELAY = 300


class Application(QObject):
    """The window and its session, from the first paint to the last save."""

    def __init__(self, application: QApplication, state: Path, project: Path) -> None:
        super().__init__(application)
        self._application = application
        self._state = state
        self._project = project
        self._ended = False
        self.studio: Studio | None = None
        self.bridge: Bridge | None = None
        self.settings = Settings.load(state / "settings.json")
        self.notices = Notices()
        self.theme = Theme(self.settings, application)
        session = load_session(state / "session.json")
        self.window = Window(self.theme, self.settings, session, self.notices, Commands())
        self._save_timer = QTimer(self)
        self._save_timer.setSingleShot(True)
        self._save_timer.setInterval(_SAVE_DELAY)
        self._save_timer.timeout.connect(lambda: self.window.background.run(self.settings.save))
        self.settings.defer = self._save_timer.start
        self.settings.listen(self._settings_changed)
        self.window.first_painted.connect(self._open)
        self.window.closing.connect(self._closing)
        if self.settings.trouble:
            self.notices.post(self.settings.trouble, level="warning")

    def show(self) -> None:
        """Show the window; the session opens after its first frame."""
        self.window.show()

    def stop(self) -> None:
        """Stop everything that was started, in reverse order. May be called twice."""
        if self._ended:
            return
        self._ended = True
        if self.window.isVisible():
            self.window.close()
        self.window.background.stop()
        if self.bridge is not None:
            self.bridge.stop()
        if self.studio is not None:
            self.studio.stop()
        self._save_timer.stop()
        with contextlib.suppress(StudioError):
            self.settings.save()
        save_session(self._state / "session.json", self.window.session)
        self.theme.stop()

    def report(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Show what nobody foresaw in the bar; the studio goes on."""
        detail = "".join(traceback.format_exception(kind, error, trace))
        sys.stderr.write(detail)
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

    def _open(self) -> None:
        self.window.background.run(self._make_studio, self._opened, self._refused)

    def _make_studio(self) -> Studio:
        """Open project, shelf and queue. Runs on a background thread; nothing of it belongs to Qt."""
        from studio.app.opening import open_studio

        return open_studio(self._project, self._state, self.settings)

    def _opened(self, studio: Studio) -> None:
        if self._ended:
            studio.stop()
            return
        self.studio = studio
        self.bridge = Bridge(studio.dispatcher, self)
        studio.start()
        self.window.open(studio, self.bridge)
        if self.settings.values.warm_start:
            QTimer.singleShot(_WARM_DELAY, self._warm)

    def _refused(self, failure: Failure) -> None:
        self.notices.fail(failure, Action("Try again", self._open))

    def _warm(self) -> None:
        from studio.core.jobs import Family

        if self.studio is not None and not self._ended:
            for family in Family:
                self.studio.dispatcher.warm(family)

    def _settings_changed(self, names: frozenset[str]) -> None:
        studio = self.studio
        if studio is None:
            return
        if "model_folders" in names:
            folders = tuple(Path(folder) for folder in self.settings.values.model_folders)
            studio.shelf.refresh(folders)
            self.window.background.run(studio.shelf.entries)

    def _closing(self) -> None:
        self._application.quit()


def main(arguments: list[str] | None = None) -> int:
    """Run the window until it is closed; returns the exit code."""
    from studio.app.paths import default_project, state_folder

    application = QApplication(["atelier", *(arguments or [])])
    application.setApplicationName("Atelier")
    application.setQuitOnLastWindowClosed(False)
    running = Application(application, state_folder(), default_project())
    sys.excepthook = running.report
    with _close_on_signals(running):
        running.show()
        code = application.exec()
        running.stop()
    sys.excepthook = sys.__excepthook__
    return code


@contextlib.contextmanager
def _close_on_signals(running: Application) -> Iterator[None]:
    """Close the window properly on SIGINT and SIGTERM.

    Python runs its signal handlers between bytecodes, and there may be none while Qt waits; so the
    signal's number goes through a socket that Qt watches.
    """
    read, write = socket.socketpair()
    for end in (read, write):
        end.setblocking(False)
    notifier = QSocketNotifier(read.fileno(), QSocketNotifier.Type.Read, running)
    notifier.activated.connect(running.window.close)
    before = {number: signal.signal(number, _noted) for number in (signal.SIGINT, signal.SIGTERM)}
    wakeup = signal.set_wakeup_fd(write.fileno())
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        notifier.setEnabled(False)
        read.close()
        write.close()


def _noted(number: int, frame: FrameType | None) -> None:
    """Nothing more to do: the wake-up socket has told Qt."""
