"""A worker that may take no more address space: the job fails for want of memory, and the next one runs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from studio.core.events import JobCompleted
from studio.core.failure import FailureCode
from studio.core.jobs import Family
from tests.survival.sessions import PICTURE, Session, open_session, picture, words
from tests.tiny_gguf import TinyModel, make_tiny_gguf

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes are a matter of the system")
_MEBIBYTE = 1 << 20


@contextmanager
def _no_more_than(session: Session, spare: int) -> Iterator[None]:
    """While inside, the family's worker gets `spare` bytes more of address space than it has."""
    import resource

    worker = psutil.Process(session.worker(session.family).process)
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    worker.rlimit(psutil.RLIMIT_AS, (worker.memory_info().vms + spare, resource.RLIM_INFINITY))
    yield
    if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE:
        worker.rlimit(psutil.RLIMIT_AS, unlimited)


def test_a_text(tmp_path: Path, text_models: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    make_tiny_gguf(models / "wide.gguf", TinyModel(words=20_000, width=256, heads=8, feed_forward=64, layers=1))
    with open_session(tmp_path / "Work", text_models, models) as session:
        for spare in (0, 40, 70):
            assert isinstance(session.run(words()), JobCompleted)
            with _no_more_than(session, spare * _MEBIBYTE):
                failure = session.told_failure(words("wide"))
                assert failure.code is FailureCode.OUT_OF_MEMORY, spare
        assert isinstance(session.run(words("wide")), JobCompleted)


@pytest.mark.timeout(300)
def test_a_picture(tmp_path: Path, picture_models: Path) -> None:
    shutil.copytree(picture_models / PICTURE, tmp_path / "models" / "other")
    with open_session(tmp_path / "Work", picture_models, tmp_path / "models") as session:
        session.family = Family.DIFFUSION
        assert isinstance(session.run(picture()), JobCompleted)
        for request in (picture("other", width=768, height=768), picture(width=1024, height=1024)):
            with _no_more_than(session, 0):
                assert session.told_failure(request).code is FailureCode.OUT_OF_MEMORY
        assert isinstance(session.run(picture("other")), JobCompleted)
