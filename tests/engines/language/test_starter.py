"""The writer that ships with the studio, where it is there already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.engines.language.engine import LanguageEngine
from tests.engines.language.asking import ask, chat, text

WRITER = Path(__file__).parents[3] / "resources" / "starter" / "writer"

pytestmark = pytest.mark.skipif(not list(WRITER.glob("*.gguf")), reason="the starter writer is not made yet")


def test_it_continues_a_story(engine: LanguageEngine) -> None:
    answer = ask(engine, WRITER, text("The old lighthouse keeper", most=60))
    words = answer.text.split()
    assert len(words) > 15
    assert sum(word.strip(".,;:!?\"'").isalpha() for word in words) > len(words) * 0.7


def test_it_takes_its_turn_in_a_chat(engine: LanguageEngine) -> None:
    answer = ask(engine, WRITER, chat(("user", "Who are you?"), most=80))
    assert answer.text.strip()
    assert answer.notices == []
    assert "<|" not in answer.text


def test_it_answers_in_json(engine: LanguageEngine) -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 20}}, "required": ["name"]}
    answer = ask(engine, WRITER, text("A name:", most=100, json_schema=json.dumps(schema)))
    assert isinstance(json.loads(answer.text)["name"], str)
