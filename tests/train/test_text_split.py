from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from studio.train.starter.text_corpus import Prose, coder_corpus, writer_corpus
from studio.train.starter.text_split import HELD_BACK, bucket, find_split, read_records, text_bucket
from tests.train.tiny_corpus import make_corpus


def test_bucket_follows_the_rule_of_the_data() -> None:
    key = "lighthouse"
    assert bucket(key) == int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % 100
    assert text_bucket("abc") == bucket(hashlib.sha256(b"abc").hexdigest())


def test_no_story_is_both_learned_and_measured(tmp_path: Path) -> None:
    texts = writer_corpus(make_corpus(tmp_path, 300))
    learned = {document.split("\n\n", 1)[1] for document in texts.documents}
    assert texts.measured_documents
    assert not learned & set(texts.measured_documents)
    assert all(text_bucket(text) >= 6 for text in learned)
    assert all(3 <= text_bucket(text) < 6 for text in texts.measured_documents)


def test_functions_follow_their_file(tmp_path: Path) -> None:
    texts = coder_corpus(make_corpus(tmp_path, 300))
    assert {task.output for task in texts.measured_tasks} == set(texts.measured_documents)
    assert {task.output for task in texts.tasks} == set(texts.documents)


def test_a_folder_of_held_back_records_is_measured_whole() -> None:
    assert find_split([0, 2, 1]).measures(2)
    assert not find_split([0, 2, 50]).measures(2)
    assert not find_split([0, 2, 50]).learns(next(iter(HELD_BACK)))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"prose\.jsonl\.xz is missing"):
        read_records(tmp_path / "prose.jsonl.xz", Prose)
