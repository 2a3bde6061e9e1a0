"""The files of a code folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.core.failure import StudioError
from studio.documents.code_folder import CodeFolder, comment_mark, language_of


@pytest.fixture
def folder(tmp_path: Path) -> CodeFolder:
    root = tmp_path / "code"
    (root / "lib").mkdir(parents=True)
    (root / "__pycache__").mkdir()
    (root / ".git").mkdir()
    for name in ("b.py", "A.py", "lib/c.py", "x.pyc"):
        (root / name).write_text("")
    return CodeFolder(root, tmp_path / "trash")


def test_folders_come_first_and_generated_things_are_left_out(folder: CodeFolder) -> None:
    names = [entry.path.name for entry in folder.children(folder.folder)]
    assert names == ["lib", "A.py", "b.py"]
    assert [path.name for path in folder.files()] == ["A.py", "b.py", "c.py"]
    assert folder.children(folder.folder / "missing") == ()


def test_new_files_may_lie_deep_but_not_outside(folder: CodeFolder) -> None:
    path = folder.create("pkg/mod.py")
    assert path.read_bytes() == b""
    assert folder.name_of(path) == "pkg/mod.py"
    for name in ("../out.py", "/etc/out.py", "", "a:b.py", "b.py", ".."):
        with pytest.raises(StudioError):
            folder.create(name)
    assert not (folder.folder.parent / "out.py").exists()


def test_renaming_and_the_trash(folder: CodeFolder) -> None:
    path = folder.folder / "b.py"
    path.write_text("keep")
    renamed = folder.rename(path, "d.py")
    with pytest.raises(StudioError):
        folder.rename(renamed, "A.py")
    discarded = folder.discard(renamed)
    assert not renamed.exists()
    assert folder.put_back(discarded, renamed).read_text() == "keep"
    library = folder.folder / "lib"
    assert folder.put_back(folder.discard(library), library) == library
    assert (library / "c.py").exists()


def test_languages_by_name() -> None:
    assert [language_of(Path(name)) for name in ("a.py", "a.RS", "Makefile")] == ["python", "rust", "text"]
    assert [comment_mark(name) for name in ("python", "rust", "text")] == ["#", "//", ""]
