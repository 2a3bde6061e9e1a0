"""llama-cpp-python: taken ready-made where there is a wheel, else built from source once for this machine.

The build is native (for this machine's own processor): it takes about two thirds of the time of a portable one and
runs at least as fast, and the wheel never leaves the machine: it is kept in the user's cache, under a name that holds
the processor's features, so a home directory shared by unlike machines does no harm. A build with other options (a
GPU, say) is asked for with CMAKE_ARGS and kept apart.
"""

import hashlib
import os
import platform
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from studio.environment import native_note
from studio.environment.commands import Outcome
from studio.environment.pins import Pin
from studio.environment.pip import Pip
from studio.environment.virtual_environment import headers_present

_NINJA = re.compile(r"^\s*\[(?P<done>\d+)/(?P<total>\d+)\]\s+(?P<what>.*)$")
_MAKE = re.compile(r"^\s*\[\s*(?P<percent>\d+)%\]\s+(?P<what>.*)$")
_OPTIONS = "-DLLAVA_BUILD=OFF"  # the vision library is not used; without it the build is shorter
_COMPILERS = ("c++", "g++", "clang++")
_PROOF = "import llama_cpp; llama_cpp.llama_backend_init()"


def cache_folder() -> Path:
    """Return the folder for built wheels, in the user's cache, named after the processor and the build options."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "atelier" / "Cache"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches" / "atelier"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "atelier"
    described = "\n".join([_processor(), os.environ.get("CMAKE_ARGS", ""), _OPTIONS])
    return (
        base / "wheels" / f"{sys.platform}-{platform.machine()}-{hashlib.sha256(described.encode()).hexdigest()[:12]}"
    )


def _processor() -> str:
    """Describe the processor's instruction set: a native build runs only where it is the same."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return " ".join(sorted(flags.partition(":")[2].split()))


def compiler() -> str:
    """Return the C++ compiler that a build would use, "" where there is none."""
    if os.environ.get("CXX"):
        return os.environ["CXX"]
    if sys.platform == "win32":
        installer = (
            Path(os.environ.get("PROGRAMFILES(X86)", "C:/Program Files (x86)"))
            / "Microsoft Visual Studio/Installer/vswhere.exe"
        )
        return str(installer) if installer.exists() else shutil.which("cl") or ""
    return next((found for name in _COMPILERS if (found := shutil.which(name))), "")


def compiler_advice() -> str:
    """Say what is missing for the build, how to get it, and how to do without."""
    if sys.platform == "win32":
        get = "Install the Visual Studio Build Tools with “Desktop development with C++”."
    elif sys.platform == "darwin":
        get = "Install Apple's command line tools: xcode-select --install"
    else:
        known = {
            "apt-get": "apt-get install -y g++ make",
            "dnf": "dnf install -y gcc-c++ make",
            "pacman": "pacman -S --needed gcc make",
            "zypper": "zypper install gcc-c++ make",
            "apk": "apk add g++ make",
        }
        line = next((text for name, text in known.items() if shutil.which(name)), "")
        sudo = "" if os.geteuid() == 0 else "sudo "
        get = f"Install one: {sudo}{line}" if line else "Install g++ or clang++ with your system's package manager."
    return (
        f"{get}\nOr get a ready-made one: point pip to an index with llama-cpp-python wheels (PIP_EXTRA_INDEX_URL), "
        f"or put the wheel into {cache_folder()}.\nThe next start notices and adds the text features."
    )


@dataclass(frozen=True)
class NativeBuild:
    """Brings one pinned package that may have to be built; `unavailable` is why it could not be had, "" if it was."""

    pip: Pip
    pin: Pin

    def install(self) -> str:
        """Install from the kept wheels, from an index, or from source; returns why it could not be had, or ""."""
        kept = cache_folder()
        kept.mkdir(parents=True, exist_ok=True)
        if self._from_wheel(kept) and self._proven():
            return ""
        for wheel in self._kept_wheels(kept):
            wheel.unlink()  # it did not run here
        if not compiler():
            self.pip.progress.say(
                f"  There is no C++ compiler, and {self.pin.name} has no ready-made wheel here.\n  {compiler_advice()}"
            )
            return native_note.NO_COMPILER
        outcome = self._build(kept)
        if outcome.exit_code == 0 and self._from_wheel(kept) and self._proven():
            return ""
        self.pip.progress.say(
            f"  Building {self.pin.name} failed; the log is {self.pip.runner.log}.\n  {compiler_advice()}"
        )
        return "build failed"

    def _kept_wheels(self, kept: Path) -> list[Path]:
        return sorted(kept.glob(f"{self.pin.name.replace('-', '_')}-{self.pin.version}-*.whl"))

    def _from_wheel(self, kept: Path) -> bool:
        where = "the wheel built earlier" if self._kept_wheels(kept) else "looking for a ready-made wheel"
        arguments = ("--find-links", str(kept), "--force-reinstall")
        outcome = self.pip.install((self.pin,), *arguments, title=f"{self.pin.name} {self.pin.version}: {where}")
        return outcome.exit_code == 0

    def _proven(self) -> bool:
        """Tell whether the library loads: a wheel for another processor dies of an illegal instruction."""
        return self.pip.runner.run([self.pip.python, "-c", _PROOF]).exit_code == 0

    def _build(self, kept: Path) -> Outcome:
        progress = self.pip.progress
        progress.stage(f"Building {self.pin.name} from source, once: some minutes; the result is kept in {kept}")
        if not headers_present():
            progress.say("  (Python's C headers are not installed; the build goes on without them.)")

        def show(line: str) -> None:
            ninja, make = _NINJA.match(line), _MAKE.match(line)
            if ninja:
                done, total = int(ninja["done"]), int(ninja["total"])
                progress.update(f"file {done} of {total}: {ninja['what'].rsplit('/', 1)[-1]}", done / total)
            elif make:
                progress.update(make["what"].rsplit("/", 1)[-1], int(make["percent"]) / 100)
            elif "Building wheel" in line or "Preparing metadata" in line or "build dependencies" in line:
                progress.update(line.strip())

        options = {"CMAKE_ARGS": f"{_OPTIONS} {os.environ.get('CMAKE_ARGS', '')}".strip()}
        with tempfile.TemporaryDirectory(dir=kept, prefix="building-") as folder:
            arguments = ("-v", "--no-deps", "--no-binary", self.pin.name, "--wheel-dir", folder, self.pin.line)
            outcome = self.pip.runner.run(self.pip.command("wheel", *arguments), show, options)
            for wheel in Path(folder).glob("*.whl"):
                wheel.replace(kept / wheel.name)
        return outcome
