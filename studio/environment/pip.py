"""pip, driven so that a person can follow: which package, how many bytes of how many, how many packages of how many.

What pip says of a failure is turned into one sentence: no network, a full disk, a package that is not to be had.
"""

import errno
import re
from dataclasses import dataclass
from pathlib import Path

from studio.environment import pins
from studio.environment.commands import Outcome, Runner
from studio.environment.problem import ExitCode, SetupProblem
from studio.environment.progress import Progress, size_text

_FETCHING = re.compile(r"^\s*(?:Downloading|Using cached|Processing)\s+(?:\S*/)?(?P<file>[^/\s]+)")
_BYTES = re.compile(r"^Progress (?P<done>\d+) of (?P<total>\d+)$")
_INSTALLING = re.compile(r"^Installing collected packages: (?P<names>.+)$")
_NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|name resolution|Name or service not known|getaddrinfo failed|"
    r"nodename nor servname|Network is unreachable|No route to host|Connection refused|ConnectTimeoutError|"
    r"ReadTimeoutError|Read timed out|ProxyError|Max retries exceeded|Connection to \S+ timed out|RemoteDisconnected|"
    r"ConnectionResetError|IncompleteRead|incomplete-download"
)
_DISK_FULL = re.compile(
    r"No space left on device|Disk quota exceeded|File too large|not enough space on the disk|Errno 28\b"
)
_NOT_FOUND = re.compile(r"No matching distribution found for (?P<what>\S+)")
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def disk_full(error: OSError) -> bool:
    """Tell whether an operating-system error means that nothing more can be written."""
    return error.errno in _DISK_ERRORS


def disk_problem(where: Path) -> SetupProblem:
    """Return the problem for a disk that is full."""
    return SetupProblem(
        f"The disk is full: set-up could not write everything into {where}.",
        "Free some space (Atelier needs a few GB), then run main.py again: it goes on from here.",
        ExitCode.DISK_FULL,
    )


def problem(outcome: Outcome, log: Path) -> SetupProblem:
    """Turn pip's last words into a problem that a person understands."""
    text = outcome.text
    if _DISK_FULL.search(text):
        return disk_problem(log.parent)
    if _NO_NETWORK.search(text):
        return SetupProblem(
            "The package index cannot be reached: there is no network, or a proxy stands in the way.",
            "The first start needs the network once. Connect and run main.py again: what has been fetched is kept.",
            ExitCode.NO_NETWORK,
        )
    absent = _NOT_FOUND.search(text)
    if absent:
        return SetupProblem(
            f"The package {absent['what']} is not to be had for this Python and system from pip's indexes.",
            f"Try another Python (3.11 to 3.14, 64 bits), or check pip's settings (pip config list). All of it: {log}",
        )
    said = next((line for line in reversed(outcome.lines) if line.startswith("ERROR")), "pip ended without saying why")
    return SetupProblem(
        f"pip could not install the packages: {said}", f"What pip said is in {log}. Running main.py again tries again."
    )


@dataclass
class _Watcher:
    """Follows pip's output and shows it; `weights` are installed sizes by package, to reckon how much is done."""

    progress: Progress
    weights: dict[str, int]
    site: Path

    def __post_init__(self) -> None:
        self._current = ""
        self._fetched: set[str] = set()
        self._waiting_for = 0
        self._before = 0

    def line(self, line: str) -> None:
        fetching, moved, installing = _FETCHING.match(line), _BYTES.match(line), _INSTALLING.match(line)
        if fetching and fetching["file"].endswith((".whl", ".tar.gz", ".zip")):
            if self._current:
                self._fetched.add(self._current)
            self._current = "-".join(fetching["file"].split("-")[:2])
            self._show("")
        elif moved and int(moved["total"]):
            done, total = int(moved["done"]), int(moved["total"])
            self._show(f" · {size_text(done)} of {size_text(total)}", done / total)
        elif installing:
            self._waiting_for = len(installing["names"].split(","))
            self._before = self._folders()
            self.progress.stage(f"Installing {self._waiting_for} package{'s' * (self._waiting_for > 1)}")
        elif "Retrying" in line:
            self.progress.say("  The network does not answer; trying again …")

    def tick(self) -> None:
        if self._waiting_for:
            done = min(self._folders() - self._before, self._waiting_for)
            self.progress.update(f"{done} of {self._waiting_for} packages", done / self._waiting_for)
        else:
            self.progress.tick()

    def _folders(self) -> int:
        return sum(1 for _ in self.site.glob("*.dist-info"))

    def _show(self, amount: str, part: float = 0.0) -> None:
        weights = {name.replace("-", "_"): max(size, 1_000_000) for name, size in self.weights.items()}

        def weight(file: str) -> int:
            return weights.get(pins.normalised(file.rpartition("-")[0]).replace("-", "_"), 0)

        done = sum(weight(file) for file in self._fetched) + part * weight(self._current)
        number = min(len(self._fetched), len(weights))
        self.progress.update(
            f"{number} of {len(weights)}: {self._current}{amount}", min(1.0, done / max(sum(weights.values()), 1))
        )


@dataclass(frozen=True)
class Pip:
    """The environment's own pip."""

    python: str
    site: Path
    runner: Runner
    progress: Progress

    def install(
        self, wanted: tuple[pins.Pin, ...], *arguments: str, title: str, without_dependencies: bool = True
    ) -> Outcome:
        """Install pinned packages as ready-made wheels; returns pip's outcome, whatever it was."""
        self.progress.stage(title)
        watcher = _Watcher(self.progress, {pins.normalised(pin.name): pin.size for pin in wanted}, self.site)
        runner = Runner(self.runner.log, watcher.tick, self.runner.inherited, self.runner.environment)
        lines = [pin.line for pin in wanted]
        alone = ["--no-deps"] if without_dependencies else []
        return runner.run(
            self.command("install", "--no-compile", "--only-binary=:all:", *alone, *arguments, *lines), watcher.line
        )

    def command(self, verb: str, *arguments: str) -> list[str]:
        """Return pip's command line for a verb that fetches something."""
        bar = ["--progress-bar", "raw"] if self._counts_bytes() else []
        return [
            self.python,
            "-m",
            "pip",
            verb,
            "--no-input",
            "--disable-pip-version-check",
            "--retries",
            "3",
            *bar,
            *arguments,
        ]

    def _counts_bytes(self) -> bool:
        """Tell whether this pip is 24.1 or newer, which can print plain byte counts."""
        names = [folder.name for folder in self.site.glob("pip-*.dist-info")]
        versions = [name.removeprefix("pip-").split(".")[:2] for name in names]
        return any((int(major), int(minor)) >= (24, 1) for major, minor in versions)
