"""The environment's folder: made with the standard library's venv, and made again when it is broken."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from studio.environment import stamp
from studio.environment.problem import SetupProblem

_KEPT = {"atelier.lock", "atelier.pid", "setup.log"}


def _made_with(folder: Path) -> Path:
    return folder / "atelier.created"


def version(root: Path) -> str:
    """Return the "major.minor" of a usable environment, or "" where there is none."""
    made = _made_with(root / stamp.FOLDER)
    if not made.exists():
        return ""
    program = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [stamp.python_path(str(root)), "-c", program], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    found = answer.stdout.strip()
    return found if answer.returncode == 0 and found == made.read_text(encoding="ascii") else ""


def site_packages(root: Path, python_version: str) -> Path:
    """Return the folder that packages are installed into."""
    if os.name == "nt":
        return root / stamp.FOLDER / "Lib" / "site-packages"
    return root / stamp.FOLDER / "lib" / f"python{python_version}" / "site-packages"


def create(root: Path) -> str:
    """Make the environment afresh with the running Python, keeping its lock and log; returns "major.minor"."""
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupProblem(
            f"This Python ({sys.executable}) comes without the part that makes environments (venv with ensurepip).",
            f"Install it (Debian: sudo apt-get install python{stamp.python_version()}-venv), then run main.py again.",
        )
    folder = root / stamp.FOLDER
    folder.mkdir(exist_ok=True)
    for entry in folder.iterdir():
        if entry.name in _KEPT:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    builder = venv.EnvBuilder(symlinks=os.name != "nt", with_pip=True)
    try:
        builder.create(folder)
    except subprocess.CalledProcessError as error:
        output = error.output.decode(errors="replace") if isinstance(error.output, bytes) else str(error.output or "")
        if "No space left" in output:
            raise OSError(28, "No space left on device") from error
        raise SetupProblem(
            f"The environment in {folder} could not be made: {output.strip()[-300:] or error}",
            "Check that this folder may be written to, then run main.py again.",
        ) from error
    _made_with(folder).write_text(stamp.python_version(), encoding="ascii")
    return stamp.python_version()


def headers_present() -> bool:
    """Tell whether Python's C headers are installed (source builds of some packages want them)."""
    return (Path(sysconfig.get_paths()["include"]) / "Python.h").exists()
