"""Builds the studio with its window, and names the order in which things start and stop.

Start: window → first paint → settings, theme, frame → session (project, shelf, queue, dispatcher) → rooms →
warm workers. Stop: rooms save → threads → bridge → session (refuse jobs, workers, databases) → settings
and window's memory. What is not needed for the first paint is imported after it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from studio.ui.shell import Shell, remembered

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from studio.app.notices import Notices
    from studio.app.session import Session
    from studio.app.settings import Settings
    from studio.app.studio import Studio
    from studio.core.failure import Failure
    from studio.jobs.limits import WorkerCommand
    from studio.ui.bridge import Bridge
    from studio.ui.theme import Theme
    from studio.ui.window import Window

_SAVE_DELAY = 400
_REMEMBER_EVERY = 5_000
_WARM_DELAY = 300


class Application(QObject):
    """The window and its session, from the first paint to the last save.

    The members without a value are there once the first frame has been painted; `studio` and `bridge`
    once the session is open. `worker` replaces the workers' command line, `starter` the folder of starter models.
    """

    settings: Settings
    session: Session
    notices: Notices
    theme: Theme
    window: Window

    def __init__(
        self,
        application: QApplication,
        state: Path,
        project: Path,
        *,
        worker: WorkerCommand | None = None,
        starter: Path | None = None,
    ) -> None:
        super().__init__(application)
        self._application = application
        self._state = state
        self._project = project
        self._worker = worker
        self._starter = starter
        self._furnished = False
        self._ended = False
        self._denied = False
        self.studio: Studio | None = None
        self.bridge: Bridge | None = None
        self._kept: Session | None = None
        wishes = remembered(state / "settings.json")
        scale = wishes.get("text_scale", 1.0)
        self.shell = Shell(
            _look(str(wishes.get("theme", "system"))),
            str(remembered(state / "session.json").get("geometry", "")),
            scale if isinstance(scale, float) and 0.5 < scale < 2 else 1.0,
        )
        self.shell.first_painted.connect(self._furnish)
        self.shell.closing.connect(self._closing)
        self._save_timer = QTimer(self)
        self._save_timer.setSingleShot(True)
        self._save_timer.setInterval(_SAVE_DELAY)
        self._remember_timer = QTimer(self)
        self._remember_timer.setInterval(_REMEMBER_EVERY)
        self._remember_timer.timeout.connect(self._remember)

    def show(self) -> None:
        """Show the window; everything else follows its first frame."""
        self.shell.show()

    def stop(self) -> None:
        """Stop everything that was started, in reverse order. May be called twice."""
        if self._ended:
            return
        if self.shell.isVisible():
            self.shell.close()
        self._ended = True
        self._remember_timer.stop()
        if not self._furnished:
            return
        from studio.app.session import save_session
        from studio.core.failure import StudioError

        self.window.background.stop()
        if self.bridge is not None:
            self.bridge.stop()
        if self.studio is not None:
            self.studio.stop()
        self._save_timer.stop()
        with contextlib.suppress(StudioError):
            self.settings.save()
        if not self._denied:  # a second window that got no session must not overwrite the first one's memory
            save_session(self._state / "session.json", self.session)
        self.theme.stop()

    def report(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Show what nobody foresaw in the bar; the studio goes on."""
        import traceback

        from studio.core.failure import Failure, FailureCode, StudioError

        detail = "".join(traceback.format_exception(kind, error, trace))
        sys.stderr.write(detail)
        if not self._furnished:
            return
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

    def _furnish(self) -> None:
        """Build the real frame into the window that is already to be seen, then open the session."""
        from studio.app.commands import Commands
        from studio.app.notices import Notices
        from studio.app.session import load_session
        from studio.app.settings import Settings
        from studio.ui.theme import Theme
        from studio.ui.window import Window

        if self._ended:
            return
        self.settings = Settings.load(self._state / "settings.json")
        self.session = load_session(self._state / "session.json")
        self.notices = Notices()
        self.theme = Theme(self.settings, self._application)
        self.window = Window(self.theme, self.settings, self.session, self.notices, Commands())
        self._save_timer.timeout.connect(lambda: self.window.background.run(self.settings.save))
        self.settings.defer = self._save_timer.start
        self.settings.listen(self._settings_changed)
        self._application.setWindowIcon(self.theme.icon("logo", "accent", 64))
        self.shell.furnish(self.window)
        self._furnished = True
        if self.settings.trouble:
            self.notices.post(self.settings.trouble, level="warning")
        self._open()

    def _open(self) -> None:
        self.window.background.run(self._make_studio, self._opened, self._refused)

    def _make_studio(self) -> Studio:
        """Open project, shelf and queue. Runs on a background thread; nothing of it belongs to Qt."""
        from studio.app.opening import open_studio

        return open_studio(self._project, self._state, self.settings, worker=self._worker, starter=self._starter)

    def _opened(self, studio: Studio) -> None:
        if self._ended:
            studio.stop()
            return
        self._denied = False
        self.studio = studio
        from studio.ui.bridge import Bridge

        self.bridge = Bridge(studio.dispatcher, self)
        studio.start()
        self.window.open(studio, self.bridge)
        self._look_at_models(studio)
        self._remember_timer.start()
        if self.settings.values.warm_start:
            QTimer.singleShot(_WARM_DELAY, self._warm)

    def _refused(self, failure: Failure) -> None:
        self._denied = True
        from studio.app.notices import Action

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
        if names & {"idle_minutes", "memory_budget"}:
            from studio.app.opening import limits_from

            studio.dispatcher.set_limits(limits_from(self.settings))
        if "model_folders" in names:
            folders = tuple(Path(folder) for folder in self.settings.values.model_folders)
            studio.shelf.refresh(folders)
            self._look_at_models(studio)

    def _look_at_models(self, studio: Studio) -> None:
        """Read the model folders, and say what in them could not be read."""

        def tell(failures: tuple[Failure, ...]) -> None:
            for failure in failures:
                self.window.show_failure(failure)

        self.window.background.run(studio.shelf.unreadable, tell)

    def _remember(self) -> None:
        """Keep the session on the disk up to date, so that a killed studio opens where it was."""
        import copy

        from studio.app.session import save_session

        self.session.geometry = self.shell.place()
        self.window.stage.remember()
        if self.session != self._kept:
            kept = self._kept = copy.deepcopy(self.session)
            self.window.background.run(lambda: save_session(self._state / "session.json", kept))

    def _closing(self) -> None:
        if self._furnished and not self._ended:
            self.session.geometry = self.shell.place()
            self.window.shut()
        self._application.quit()


def _look(wish: str) -> str:
    """Light or dark for the first frame; the same rule as the theme's."""
    if wish in {"light", "dark"}:
        return wish
    return "light" if QGuiApplication.styleHints().colorScheme().name == "Light" else "dark"


def main(arguments: list[str] | None = None) -> int:
    """Run the window until it is closed; returns the exit code."""
    from studio.app.paths import default_project, state_folder

    application = QApplication(["atelier", *(arguments or [])])
    application.setApplicationName("Atelier")
    application.setQuitOnLastWindowClosed(False)
    running = Application(application, state_folder(), default_project())
    sys.excepthook = running.report
    running.show()
    with contextlib.ExitStack() as stack:
        running.shell.first_painted.connect(lambda: stack.enter_context(_close_on_signals(running)))
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
    import signal
    import socket

    from PySide6.QtCore import QSocketNotifier

    read, write = socket.socketpair()
    for end in (read, write):
        end.setblocking(False)
    notifier = QSocketNotifier(read.fileno(), QSocketNotifier.Type.Read, running)
    notifier.activated.connect(running.shell.close)
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
