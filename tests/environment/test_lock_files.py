"""What the lock files promise: every package of the studio, and nothing that would break another one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from studio.environment import pins

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("version", ["3.11", "3.14"])
def test_each_package_that_the_project_names_is_pinned_once(version: str) -> None:
    locked = [pins.normalised(pin.name) for pin in pins.read(ROOT / "requirements.lock", version)]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {pins.normalised(line.split(";")[0].split(">")[0].split("=")[0]) for line in project["dependencies"]}
    assert named <= set(locked)
    assert len(locked) == len(set(locked))


def test_torchvision_is_never_installed() -> None:
    """Its builds do not fit every build of torch; what asks for it (spandrel) works without."""
    for lock in ("requirements.lock", "requirements-test.lock"):
        assert "torchvision" not in {pin.name for pin in pins.read(ROOT / lock, "3.12")}
