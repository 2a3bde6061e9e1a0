"""Projects: ordinary files, stored once, written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import pytest

from studio.core.failure import FailureCode, StudioError
from studio.core.provenance import Provenance
from studio.core.references import ModelRef
from studio.core.requests import ImageRequest
from studio.documents.assets import safe_name
from studio.documents.atomic import storage_error, write_atomically
from studio.documents.project import Project


def test_assets_are_files_with_their_record(tmp_path: Path) -> None:
    request = ImageRequest(prompt="a fox", model=ModelRef(repo="starter/image"), seed=1)
    record = Provenance(request=request, studio_version="1", library="", model_name="m", licence="MIT", created=2.0)
    project = Project.open(tmp_path / "Work")
    asset = project.assets.put(b"pixels", "image", "image/png", "a fox: red/blue?", record)
    assert asset.id == hashlib.sha256(b"pixels").hexdigest()
    assert (project.folder / asset.path).read_bytes() == b"pixels"
    assert asset.path == "Pictures/a fox red blue.png"
    project.close()
    again = Project.open(tmp_path / "Work")
    assert again.assets.assets() == (asset,)
    assert again.assets.provenance(asset.id) == record
    assert again.assets.path(asset.id) == tmp_path / "Work" / asset.path
    again.close()


def test_the_same_bytes_are_stored_once_and_names_never_collide(tmp_path: Path) -> None:
    project = Project.open(tmp_path)
    first = project.assets.put(b"one", "image", "image/png", "fox")
    assert project.assets.put(b"one", "image", "image/png", "other") == first
    second = project.assets.put(b"two", "image", "image/png", "fox")
    assert second.path == "Pictures/fox 2.png"
    (tmp_path / first.path).unlink()
    with pytest.raises(StudioError) as caught:
        project.assets.path(first.id)
    assert caught.value.failure.code is FailureCode.INPUT_MISSING
    project.close()


@pytest.mark.parametrize(
    ("text", "name"),
    [("../../etc/passwd", "etc passwd"), ("CON", "CON_"), ("", "untitled"), (" . ", "untitled"), ("x" * 200, "x" * 60)],
)
def test_names_are_safe_everywhere(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "story.md"
    write_atomically(target, b"old")
    with pytest.raises(StudioError) as caught:
        write_atomically(target / "below.md", b"new")
    assert caught.value.failure.code is FailureCode.STORAGE
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["story.md"]


def test_a_full_disk_is_told_apart() -> None:
    error = storage_error(Path("/x/story.md"), OSError(errno.ENOSPC, "No space left on device"))
    assert error.failure.code is FailureCode.DISK_FULL
    assert "story.md" in error.failure.message
