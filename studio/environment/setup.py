"""Set-up: from nothing but Python to an environment that the studio runs in. Every step is done only if it is not yet.

An interrupted set-up goes on where it stopped: packages that are whole stay, downloads lie in pip's cache, built
wheels in ours, and the stamp that says "ready" is written last.
"""

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from studio.environment import (
    native_build,
    native_note,
    pins,
    stamp,
    system_libraries,
    torch_build,
    virtual_environment,
)
from studio.environment.commands import Runner
from studio.environment.pip import Pip, disk_full, disk_problem, problem
from studio.environment.problem import ExitCode, SetupProblem
from studio.environment.progress import Progress, size_text
from studio.environment.setup_lock import held

_TEXT_ENGINE = "llama-cpp-python"
_TEST_TOOLS = {"Xvfb": "xvfb"}  # the tests that show a real window start one; elsewhere they are skipped
_SPARE = 200_000_000


@dataclass(frozen=True)
class Setup:
    """One run of set-up in one folder."""

    root: Path
    testing: bool
    progress: Progress

    def run(self) -> None:
        """Bring the environment up to date, waiting for another set-up of the same folder; raises SetupProblem."""
        try:
            with held(self.root / stamp.FOLDER, self._waiting) as descriptor:
                if not stamp.is_ready(str(self.root), testing=self.testing):
                    self._bring_up_to_date(descriptor)
        except PermissionError as error:
            raise SetupProblem(
                f"This folder may not be written to: {error.filename or self.root}.",
                "Move Atelier to a folder of your own, or change its permissions, then run main.py again.",
            ) from error

    def _waiting(self, process: str, *, first: bool) -> None:
        if first:
            self.progress.stage(
                f"Another start of Atelier (process {process}) is setting up this folder; waiting for it"
            )
        self.progress.tick()

    def _bring_up_to_date(self, descriptor: int) -> None:
        folder = self.root / stamp.FOLDER
        scratch = folder / "scratch"
        runner = Runner(
            folder / "setup.log", self.progress.tick, (descriptor,), {"TMPDIR": str(scratch), "PYTHONUTF8": "1"}
        )
        self.progress.say(
            "Atelier sets itself up. This happens once, needs the network, and can be interrupted and gone on with."
        )
        self._empty(scratch)
        libraries_missing = self._system_libraries(runner)
        version = virtual_environment.version(self.root)
        missing = self._missing(version or stamp.python_version())
        self._check_space(missing)
        if not version:
            self.progress.stage(f"Making an environment in {folder}")
            version = virtual_environment.create(self.root)
        site = virtual_environment.site_packages(self.root, version)
        pip = Pip(stamp.python_path(str(self.root)), site, runner, self.progress)
        self._packages(pip, missing)
        self._compile(pip)
        shutil.rmtree(scratch, ignore_errors=True)
        libraries = system_libraries.probe()
        if libraries_missing and libraries.missing:
            raise self._libraries_problem(libraries.missing)
        for testing in {False, self.testing}:
            stamp.write(str(self.root), testing=testing, version=version, libraries=list(libraries.found))
        self.progress.finish()

    @staticmethod
    def _empty(scratch: Path) -> None:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()

    def _system_libraries(self, runner: Runner) -> bool:
        """Install or name the system libraries that are missing; True if some still are."""
        missing = system_libraries.probe().missing
        if self.testing and system_libraries.may_install():
            tools = tuple(package for program, package in _TEST_TOOLS.items() if not shutil.which(program))
            if tools:
                self.progress.stage(f"Installing for the tests: {', '.join(tools)}")
                system_libraries.install(tools, runner)
        if not missing:
            return False
        if system_libraries.may_install():
            names = system_libraries.packages(missing, "apt-get")
            self.progress.stage(f"Installing {len(names)} system packages: {' '.join(names)}")
            system_libraries.install(names, runner)
            missing = system_libraries.probe().missing
        if missing:
            self.progress.say(f"{self._libraries_problem(missing)}\nMeanwhile the rest is set up.")
        return bool(missing)

    @staticmethod
    def _libraries_problem(missing: tuple[str, ...]) -> SetupProblem:
        manager = system_libraries.package_manager()
        command = system_libraries.command(missing, manager, root=os.geteuid() == 0)
        return SetupProblem(
            f"The window needs system libraries that are missing here: {', '.join(missing)}.",
            f"This brings them:\n\n    {command}\n\nThen run main.py again: everything else is kept.",
            ExitCode.SYSTEM_LIBRARIES,
        )

    def _missing(self, version: str) -> tuple[pins.Pin, ...]:
        wanted = pins.read(self.root / stamp.LOCKS[0], version)
        if self.testing:
            wanted += pins.read(self.root / stamp.LOCKS[1], version)
        return pins.missing(wanted, virtual_environment.site_packages(self.root, version))

    def _packages(self, pip: Pip, missing: tuple[pins.Pin, ...]) -> None:
        for title, batch in _batches(missing):
            if title == "torch":
                outcome = torch_build.install(pip, batch[0], self.root / stamp.LOCKS[0])
            else:
                outcome = pip.install(batch, title=f"Fetching {title}")
            if outcome.exit_code:
                raise problem(outcome, pip.runner.log)
        note = self.root / stamp.FOLDER / native_note.NAME
        engine = [pin for pin in missing if pin.name == _TEXT_ENGINE]
        if engine:
            reason = native_build.NativeBuild(pip, engine[0]).install()
            note.write_text(reason, encoding="utf-8")
            if reason:
                self.progress.say("  Atelier opens all the same; what writes text and code is marked as missing.")
        if not engine or not note.read_text(encoding="utf-8"):
            note.unlink(missing_ok=True)

    def _check_space(self, missing: tuple[pins.Pin, ...]) -> None:
        # Downloaded wheels lie beside what is installed until pip is done: about a third on top of the installed size.
        needed = sum(pin.size for pin in missing) * 4 // 3 + _SPARE
        free = shutil.disk_usage(self.root).free
        if missing and free < needed:
            raise SetupProblem(
                f"The disk is too full: {self.root} needs about {size_text(needed)}, and {size_text(free)} are free.",
                "Free some space, or move Atelier to another disk, then run main.py again.",
                ExitCode.DISK_FULL,
            )

    def _compile(self, pip: Pip) -> None:
        """Compile everything to bytecode now: without it the first pictures and words wait 13 s longer for imports."""
        self.progress.stage("Preparing the first start")
        total = sum(1 for _ in pip.site.rglob("*.py")) or 1
        seen = 0

        def line(text: str) -> None:
            nonlocal seen
            if re.match(r"^Compiling ", text):
                seen += 1
                self.progress.update(f"{seen} of {total} files", min(1.0, seen / total))

        runner = Runner(Path(os.devnull), self.progress.tick, pip.runner.inherited, pip.runner.environment)
        # The exit code tells only that some package ships a file that is no Python (templates, tests of parsers).
        runner.run([pip.python, "-m", "compileall", "-j", "0", str(pip.site), str(self.root / "studio")], line)


def _batches(missing: tuple[pins.Pin, ...]) -> list[tuple[str, tuple[pins.Pin, ...]]]:
    """Split the packages into runs of pip: pip itself first, torch before whatever wants it, the window, the rest.

    A run that has finished stays finished, whatever happens to the next one.
    """
    own = tuple(pin for pin in missing if pin.name == "pip")
    torch = tuple(pin for pin in missing if pin.name == "torch")
    window = tuple(pin for pin in missing if pin.name.lower().startswith(("pyside6", "shiboken6")))
    rest = tuple(pin for pin in missing if pin not in own + torch + window and pin.name != _TEXT_ENGINE)
    batches = [("pip", own), ("torch", torch), ("the window's library (Qt)", window), ("the other packages", rest)]
    return [(title, batch) for title, batch in batches if batch]


def set_up(root: str, *, testing: bool) -> None:
    """Set up the folder; raises SetupProblem, also for a full disk wherever it shows."""
    progress = Progress(sys.stderr)
    try:
        Setup(Path(root), testing, progress).run()
    except OSError as error:
        if disk_full(error):
            raise disk_problem(Path(root)) from error
        raise
