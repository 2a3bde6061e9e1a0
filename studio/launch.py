"""Builds the studio with its window, and names the order in which things start and stop.

Start: window → first paint → settings, theme, frame → session (project, shelf, queue, dispatcher) → rooms →
doorbell → warm workers. Stop: doorbell → rooms save → bridge → settings → threads → session (refuse jobs, workers,
databases) → window's memory. What is not needed for the first paint is imported after it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from studio.ui.doorbell import ring
from studio.ui.shell import Shell, remembered

if TYPE_CHECKING:
    from types import TracebackType

    from studio.app.notices import Notices
    from studio.app.session import Session
    from studio.app.settings import Settings
    from studio.app.studio import Studio
    from studio.core.failure import Failure
    from studio.jobs.limits import WorkerCommand
    from studio.ui.bridge import Bridge
    from studio.ui.doorbell import Doorbell
    from studio.ui.sitting import Sitting
    from studio.ui.theme import Theme
    from studio.ui.window import Window

_REMEMBER_EVERY = 5_000


class Application(QObject):
    """The window and what it shows, from the first paint to the last save.

    `sitting` is there once the first frame has been painted, its `studio` and `bridge` once the session is open.
    `worker` replaces the workers' command line, `starter` the folder of starter models, in tests; `lost` is a
    project that was to be opened and is not there any more.
    """

    session: Session
    sitting: Sitting

    def __init__(
        self,
        application: QApplication,
        state: Path,
        project: Path,
        *,
        worker: WorkerCommand | None = None,
        starter: Path | None = None,
        lost: Path | None = None,
    ) -> None:
        super().__init__(application)
        self._application = application
        self._state = state
        self._project = project
        self._worker = worker
        self._starter = starter
        self._lost = lost
        self._furnished = False
        self._ended = False
        self._arriving: Studio | None = None
        self._going = False
        self._doorbell: Doorbell | None = None
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
        self._remember_timer = QTimer(self)
        self._remember_timer.setInterval(_REMEMBER_EVERY)
        self._remember_timer.timeout.connect(self._remember)

    @property
    def settings(self) -> Settings:
        """The user's settings."""
        return self.sitting.settings

    @property
    def notices(self) -> Notices:
        """What the bar shows."""
        return self.sitting.notices

    @property
    def theme(self) -> Theme:
        """The look."""
        return self.sitting.theme

    @property
    def window(self) -> Window:
        """The frame."""
        return self.sitting.window

    @property
    def studio(self) -> Studio | None:
        """The open session."""
        return self.sitting.studio if self._furnished else None

    @property
    def bridge(self) -> Bridge | None:
        """The way from its workers into the window."""
        return self.sitting.bridge if self._furnished else None

    def show(self) -> None:
        """Show the window; everything else follows its first frame."""
        self.shell.show()

    def come_to_front(self) -> None:
        """Somebody has started the studio once more."""
        self.shell.come_to_front()

    def open_project(self, folder: Path, *, fresh: bool = False) -> None:
        """Open another project in this window, a new one with `fresh`; where that can't be done this one stays."""
        if self._going or self._ended or self.sitting.opening:
            return
        self._going = True
        old = self.sitting
        settings = old.settings.heir()  # the session asks them for each job, long after the present window has gone

        def make() -> Studio:
            from studio.app.opening import check_folder, open_studio

            check_folder(folder, fresh=fresh)
            self._arriving = open_studio(folder, self._state, settings, worker=self._worker, starter=self._starter)
            return self._arriving

        def stay(failure: Failure) -> None:
            self._going = False
            old.notices.fail(failure)

        old.work.run(make, lambda studio: self._move(studio, settings), stay)

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

        if self._doorbell is not None:
            self._doorbell.stop()
        self.sitting.shut()
        self.sitting.end()
        if self._arriving is not None:
            self._arriving.stop()
        if not self.sitting.denied:  # a second window that got no session must not overwrite the first one's memory
            save_session(self._state / "session.json", self.session)
        self.sitting.theme.stop()

    def report(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Show what nobody foresaw in the bar; the studio goes on."""
        import traceback

        detail = "".join(traceback.format_exception(kind, error, trace))
        sys.stderr.write(detail)
        if self._furnished:
            self.sitting.report(error, detail)

    def _furnish(self) -> None:
        """Build the real frame into the window that is already to be seen, then open the session."""
        from studio.app.session import load_session
        from studio.app.settings import Settings

        if self._ended:
            return
        self.session = load_session(self._state / "session.json")
        self._sit_down(self._project, Settings.load(self._state / "settings.json"))
        if self._lost is not None:
            self.session.forget_project(str(self._lost))
            self.notices.post(
                f"The project “{self._lost.name}” is not there any more, so “{self._project.name}” was opened.",
                level="warning",
                hint=f"It was in {self._lost.parent}.",
            )
        self.sitting.open()

    def _sit_down(self, project: Path, settings: Settings) -> None:
        from studio.ui.sitting import Place, Sitting

        place = Place(self._state, project, self._worker, self._starter)
        self.sitting = Sitting(self._application, place, settings, self.session)
        self.sitting.opened.connect(self._opened)
        self.sitting.refused.connect(self._refused)
        self.sitting.window.projects.wanted.connect(lambda folder, fresh: self.open_project(folder, fresh=fresh))
        self._application.setWindowIcon(self.theme.icon("logo", "accent", 64))
        self.shell.furnish(self.window)
        self._furnished = True

    def _move(self, studio: Studio, settings: Settings) -> None:
        """Another project has been opened: let the present one go, and sit down there."""
        if self._ended:
            studio.stop()
            return
        old = self.sitting
        if self._doorbell is not None:
            self._doorbell.stop()
        self._remember_timer.stop()
        old.shut()
        old.leave()
        settings.values = old.settings.values
        self._sit_down(studio.project.folder, settings)
        self.window.strip.say(f"Closing “{old.place.project.name}” …")
        new = self.sitting

        def arrive(_ended: None) -> None:
            self._arriving, self._going = None, False
            old.deleteLater()
            new.adopt(studio)

        new.work.run(old.end, arrive)

    def _opened(self) -> None:
        from studio.ui.doorbell import Doorbell

        self._remember_timer.start()
        self._remember()
        self._doorbell = Doorbell(self._state, self.sitting.place.project, self.sitting)
        self._doorbell.rung.connect(self.come_to_front)
        self._doorbell.listen()

    def _refused(self, _failure: Failure) -> None:
        """Where another window had this project open a moment earlier, show that one."""
        project = self.sitting.place.project
        self.sitting.work.run(lambda: ring(self._state, project), self._yield)

    def _yield(self, answered: bool) -> None:  # noqa: FBT001 - the value of `ring`
        if answered and not self._ended:
            self.shell.close()

    def _remember(self) -> None:
        """Keep the session on the disk up to date, so that a killed studio opens where it was."""
        import copy

        from studio.app.session import save_session

        self.session.geometry = self.shell.place()
        self.window.stage.remember()
        if self.session != self._kept:
            kept = self._kept = copy.deepcopy(self.session)
            self.sitting.work.run(lambda: save_session(self._state / "session.json", kept))

    def _closing(self) -> None:
        if self._furnished and not self._ended:
            self.session.geometry = self.shell.place()
            self.sitting.shut()
        self._application.quit()


def _look(wish: str) -> str:
    """Light or dark for the first frame; the same rule as the theme's."""
    if wish in {"light", "dark"}:
        return wish
    return "light" if QGuiApplication.styleHints().colorScheme().name == "Light" else "dark"


def starting_project(state: Path) -> tuple[Path, Path | None]:
    """The project to begin with, and the one that was open last where that is gone."""
    from studio.app.paths import default_project

    last = remembered(state / "session.json").get("project")
    if os.environ.get("ATELIER_PROJECT") or not isinstance(last, str) or not last:
        return default_project(), None
    folder = Path(last)
    if folder.is_dir() or folder == default_project():
        return folder, None
    return default_project(), folder


def main(arguments: list[str] | None = None) -> int:
    """Run the window until it is closed; returns the exit code."""
    from studio.app.paths import state_folder

    application = QApplication(["atelier", *(arguments or [])])
    application.setApplicationName("Atelier")
    application.setQuitOnLastWindowClosed(False)
    state = state_folder()
    project, lost = starting_project(state)
    if ring(state, project):
        sys.stdout.write("Atelier is open already; its window comes to the front.\n")
        return 0
    running = Application(application, state, project, lost=lost)
    sys.excepthook = running.report
    running.show()
    with contextlib.ExitStack() as stack:
        running.shell.first_painted.connect(lambda: _mind_signals(stack, running))
        code = application.exec()
        running.stop()
    sys.excepthook = sys.__excepthook__
    return code


def _mind_signals(stack: contextlib.ExitStack, running: Application) -> None:
    from studio.ui.interrupts import close_on_signals

    stack.enter_context(close_on_signals(running.shell.close, running))
