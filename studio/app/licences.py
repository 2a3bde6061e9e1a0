"""The licences of the packages that the studio is made of, from the metadata of what is installed.

Only what requirements.lock pins is listed: the tools of the tests are not distributed. Reading takes a moment; the
window does it on a background thread.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import msgspec

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
_COPYLEFT = re.compile(r"(?<!L)GPL|AGPL", re.IGNORECASE)
_LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice)", re.IGNORECASE)
_LONGEST = 60


class Part(msgspec.Struct, frozen=True):
    """An installed package, its licence, and the files with the licence's text that it brings along."""

    name: str
    version: str
    licence: str
    texts: tuple[Path, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether at least one of its licences lets it be used in one process with ours."""
        return not all(_COPYLEFT.search(choice) for choice in re.split(r"\s+OR\s+", self.licence))


def parts(lock: Path = LOCK) -> tuple[Part, ...]:
    """The installed packages among those that `lock` pins, by name; none where there is no such file."""
    found: dict[str, Part] = {}
    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ()
    for line in lines:
        if "==" in line and not line.startswith("#"):
            try:
                part = _part(distribution(line.split("==")[0]))
            except PackageNotFoundError:
                continue  # another system's, or the text engine where it could not be built
            found[part.name.lower()] = part
    return tuple(found[name] for name in sorted(found))


def licence_of(package: Distribution) -> str:
    """A package's licence: its SPDX expression, else its classifiers, else what it calls its licence."""
    metadata = package.metadata
    if "License-Expression" in metadata:
        return str(metadata["License-Expression"])
    classifiers = [
        text.split(" :: ")[-1] for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")
    ]
    named = [text for text in classifiers if text != "OSI Approved"]
    stated = metadata["License"].strip().splitlines() if "License" in metadata else []
    return " AND ".join(named) or (stated[0][:_LONGEST] if stated else "not stated")


def _part(package: Distribution) -> Part:
    files = [file for file in package.files or [] if ".dist-info/" in str(file) and _LICENCE_FILE.search(str(file))]
    texts = tuple(path for file in files if (path := Path(str(file.locate()))).is_file())
    return Part(str(package.metadata["Name"]), package.version, licence_of(package), texts)
