"""A house with real workers for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.harness import House, open_house


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


@pytest.fixture
def house(path: Path) -> Iterator[House]:
    with open_house(path) as opened:
        yield opened
