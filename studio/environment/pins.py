"""The lock files: which packages at which versions, and which of them the environment already holds whole."""

import csv
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;#]+)\s*(?:;(?P<marker>[^#]+))?(?:#\s*(?P<size>\d+) kB)?\s*$"
)
_MARKER = re.compile(r"^(python_version|sys_platform)\s*(<|>=|==|!=)\s*'([^']+)'$")


@dataclass(frozen=True)
class Pin:
    """One package at one version; `size` is its installed size in bytes (0: unknown), `line` what pip is given."""

    name: str
    version: str
    size: int
    line: str


def normalised(name: str) -> str:
    """Return the name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _holds(marker: str, python_version: str) -> bool:
    """Evaluate the small part of the marker language that our lock files use; raises ValueError for the rest."""
    for clause in marker.split(" and "):
        match = _MARKER.match(clause.strip())
        if match is None:
            raise ValueError(f"the marker {clause.strip()!r} is not one that lock files here may use")
        variable, operator, value = match.groups()
        if variable == "sys_platform":
            fits = (sys.platform == value) is (operator == "==")
        elif operator == "<":
            fits = _number(python_version) < _number(value)
        else:
            fits = _number(python_version) >= _number(value)
        if not fits:
            return False
    return True


def read(path: Path, python_version: str) -> tuple[Pin, ...]:
    """Read a lock file's pins for this system and a Python version ("3.11"); raises ValueError for a malformed line."""
    pins = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            raise ValueError(f"{path.name}: {line!r} is not a pin")
        marker = (match["marker"] or "").strip()
        if not marker or _holds(marker, python_version):
            size = int(match["size"] or 0) * 1000
            pins.append(Pin(match["name"], match["version"], size, f"{match['name']}=={match['version']}"))
    return tuple(pins)


def _whole(record_folder: Path) -> bool:
    """Tell whether pip finished with this package (it writes INSTALLER last) and its files are still there."""
    record = record_folder / "RECORD"
    if not (record_folder / "INSTALLER").exists() or not record.exists():
        return False
    site = record_folder.parent
    with record.open(encoding="utf-8", newline="") as file:
        return all((site / row[0]).exists() for row in csv.reader(file) if row and not row[0].endswith(".pyc"))


def installed(site: Path) -> dict[str, str]:
    """Return name → version of the packages that are whole; clears away what an interrupted pip left half-written."""
    found = {}
    for folder in site.glob("*.dist-info"):
        name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
        if _whole(folder):
            found[normalised(name)] = version.split("+")[0]
        else:
            # Without its record folder pip knows nothing of the package and installs it afresh, over the remains.
            for file in folder.rglob("*"):
                if file.is_file():
                    file.unlink()
    return found


def missing(pins: Iterable[Pin], site: Path) -> tuple[Pin, ...]:
    """Return the pins that the environment does not hold whole, at their version."""
    present = installed(site)
    return tuple(pin for pin in pins if present.get(normalised(pin.name)) != pin.version.split("+")[0])
