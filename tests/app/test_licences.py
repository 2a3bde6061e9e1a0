"""The licences of what is installed, for the About box and for those who package the studio."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from studio.app.licences import LOCK, Part, licence_of, parts

ROOT = Path(__file__).resolve().parents[2]


class Stated(Distribution):
    """A package whose metadata is given."""

    def __init__(self, *lines: str) -> None:
        self._text = "\n".join(["Metadata-Version: 2.4", "Name: x", "Version: 1", *lines, ""])

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:
        return Path(str(path))


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (["License-Expression: MIT", "License: old words"], "MIT"),
        (["Classifier: License :: OSI Approved :: BSD License", "License: words"], "BSD License"),
        (["Classifier: License :: OSI Approved", "License: Apache 2"], "Apache 2"),
        ([], "not stated"),
    ],
)
def test_the_licence_is_what_the_package_says(lines: list[str], licence: str) -> None:
    assert licence_of(Stated(*lines)) == licence


def test_what_is_installed_is_listed_with_its_texts() -> None:
    found = {part.name.lower(): part for part in parts()}
    assert {"msgspec", "pillow", "torch"} <= set(found)
    assert "pytest" not in found
    assert found["msgspec"].licence.startswith("BSD")
    assert found["msgspec"].texts
    assert LOCK.is_file()
    assert parts(LOCK.with_name("nowhere.lock")) == ()


def test_copyleft_that_has_no_alternative_does_not_fit() -> None:
    assert not Part("x", "1", "GPL-3.0-only").fits
    assert Part("x", "1", "LGPL-3.0-only OR GPL-2.0-only").fits
    assert Part("x", "1", "MIT").fits
    assert all(part.fits for part in parts())


def test_the_packaging_script_writes_the_same_list(tmp_path: Path) -> None:
    command = [sys.executable, "packaging/third_party_licences.py", "--full", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    for part in parts():
        assert f"| {part.name} | {part.version} | {part.licence} |" in done.stdout
    assert (tmp_path / "THIRD-PARTY.md").is_file()
    assert list(tmp_path.glob("msgspec-*"))
