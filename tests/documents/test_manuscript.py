"""Texts are ordinary files: listed, counted, renamed, thrown away and brought back."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.core.failure import FailureCode, StudioError
from studio.documents.authorship import Authorship, decode_runs, encode_runs
from studio.documents.manuscript import Manuscript, count_words
from studio.documents.recovery import Recovery, digest
from studio.documents.text_file import decode_text, read_text, write_text
from studio.documents.text_merge import merge
from studio.documents.text_storage import Outside, TextStorage


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def test_chapters_come_in_the_order_of_their_numbers_with_their_words(tmp_path: Path) -> None:
    for name, text in (("10 End", "it's over"), ("2 Middle", "# Two\n\none two-three"), ("1 Start", "")):
        (tmp_path / f"{name}.md").write_text(text)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "Notes.markdown").write_text("a b c")
    (tmp_path / ".atelier").mkdir()
    (tmp_path / ".atelier" / "hidden.md").write_text("x")
    (tmp_path / "picture.png").write_bytes(b"x")
    found = Manuscript(tmp_path).chapters()
    assert [(chapter.title, chapter.words) for chapter in found] == [
        ("1 Start", 0),
        ("2 Middle", 3),
        ("10 End", 2),
        ("Notes", 3),
    ]
    assert found[-1].folder == "sub"


def test_word_counts_follow_a_changed_file(tmp_path: Path) -> None:
    manuscript = Manuscript(tmp_path)
    path = manuscript.create("One", "a b")
    assert manuscript.chapters()[0].words == 2
    path.write_text("a b c d")
    assert manuscript.chapters()[0].words == 4


def test_new_texts_never_overwrite_and_begin_empty(tmp_path: Path) -> None:
    manuscript = Manuscript(tmp_path)
    first, second = manuscript.create("The: storm?"), manuscript.create("The: storm?")
    assert first != second
    assert first.read_text() == ""
    assert {first.name, second.name} == {"The storm.md", "The storm 2.md"}


def test_renaming_keeps_the_record_and_refuses_a_taken_name(tmp_path: Path) -> None:
    manuscript = Manuscript(tmp_path)
    path, other = manuscript.create("One", "abc"), manuscript.create("Two")
    manuscript.write_authorship(path, b"abc", ((1, "you"), (2, "generated")))
    renamed = manuscript.rename(path, "Three")
    assert not path.exists()
    assert manuscript.read_authorship(renamed, b"abc") == ((1, "you"), (2, "generated"))
    assert manuscript.read_authorship(renamed, b"abd") is None
    with pytest.raises(StudioError) as raised:
        manuscript.rename(renamed, other.stem)
    assert "already" in raised.value.failure.message
    assert renamed.exists()


def test_what_is_discarded_can_be_put_back_beside_what_took_its_name(tmp_path: Path) -> None:
    manuscript = Manuscript(tmp_path)
    path = manuscript.create("One", "first")
    discarded = manuscript.discard(path)
    assert discarded.is_relative_to(tmp_path / ".atelier" / "trash")
    assert manuscript.chapters() == ()
    manuscript.create("One", "second")
    back = manuscript.put_back(discarded, path)
    assert (back.name, back.read_text(), path.read_text()) == ("One 2.md", "first", "second")


def test_a_name_cannot_leave_the_project(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("x")
    inside = tmp_path / "project"
    inside.mkdir()
    assert Manuscript(inside).path("../secret.md") is None


def test_words_are_what_a_person_would_count() -> None:
    assert count_words("# It's a well-known *fact*:\n\n- naïve 東京 2 times") == 8


@pytest.mark.parametrize("data", [b"a\nb\n", b"a\r\nb\r\n", b"\xef\xbb\xbfa\nb", "grüße 😀\n".encode()])
def test_line_ends_and_marks_stay_as_they_were(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(data)
    assert write_text(path, read_text(path)) == data
    assert path.read_bytes() == data


@pytest.mark.parametrize("data", [b"\xff\xfe\xfa", b"abc\0def"])
def test_what_is_no_text_is_refused_with_words(data: bytes) -> None:
    with pytest.raises(StudioError) as raised:
        decode_text(Path("picture.md"), data)
    assert raised.value.failure.code is FailureCode.INPUT_DAMAGED
    assert "picture.md" in raised.value.failure.message


def test_storage_writes_only_over_what_it_knows(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(b"one\n")
    storage = TextStorage(path, b"one\n")
    assert storage.save(wide("two\n"), 1) == b"two\n"
    path.write_bytes(b"theirs\n")
    found = storage.save(wide("three\n"), 2)
    assert isinstance(found, Outside)
    assert found.content is not None
    assert (found.content.text, path.read_bytes()) == ("theirs\n", b"theirs\n")
    storage.accept(found)
    assert storage.save(wide("three\n"), 3) == b"three\n"


def test_an_older_save_never_lands_on_a_newer_one(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(b"")
    storage = TextStorage(path, b"")
    assert storage.save(wide("new"), 5) == b"new"
    assert storage.save(wide("old"), 4) is None
    assert path.read_bytes() == b"new"


def test_storage_tells_a_deleted_file_and_makes_it_anew_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(b"one")
    storage = TextStorage(path, b"one")
    path.unlink()
    gone = storage.check()
    assert gone == Outside(None, None)
    storage.accept(gone)
    assert storage.save(wide("one"), 1) == b"one"
    assert path.read_bytes() == b"one"


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        ("a\nb\nC\n", "A\nb\nc\n", "A\nb\nC\n"),
        ("a\nb\nc\nd\n", "0\na\nb\nc\n", "0\na\nb\nc\nd\n"),
        ("a\nB\nc\n", "a\nX\nc\n", None),
        ("a\nb\nc\n", "x\n", "x\n"),
        ("y\n", "a\nb\nc\n", "y\n"),
        ("a\nc\n", "a\nb\nC\n", "a\nC\n"),
        ("same\n", "same\n", "same\n"),
    ],
)
def test_changes_to_other_lines_are_brought_together(ours: str, theirs: str, merged: str | None) -> None:
    assert merge("a\nb\nc\n", ours, theirs) == merged


def test_authorship_follows_edits_and_belongs_to_one_state_of_the_text() -> None:
    authors = Authorship(10)
    assert authors.splice(4, 0, [(6, "generated")]) == ()
    assert authors.runs == ((4, "you"), (6, "generated"), (6, "you"))
    assert authors.splice(3, 3, [(1, "you")]) == ((1, "you"), (2, "generated"))
    assert authors.runs == ((4, "you"), (4, "generated"), (6, "you"))
    assert authors.between(2, 6) == ((2, "you"), (2, "generated"))
    assert authors.generated_share() == pytest.approx(4 / 14)
    stored = encode_runs(b"text", authors.runs)
    assert decode_runs(b"text", stored) == authors.runs
    assert decode_runs(b"other", stored) is None
    assert decode_runs(b"text", b"{broken") is None


def test_recovery_keeps_finds_and_forgets(tmp_path: Path) -> None:
    recovery = Recovery(tmp_path / "recovery")
    path = tmp_path / "a.py"
    assert recovery.get(path) is None
    recovery.put(path, "x = '😀'\n", digest(b"x"))
    kept = recovery.get(path)
    assert kept is not None
    assert (kept.text, kept.base) == ("x = '😀'\n", digest(b"x"))
    (tmp_path / "recovery" / "damaged.json").write_text("{")
    assert recovery.paths() == (path,)
    recovery.drop(path)
    assert recovery.paths() == ()
