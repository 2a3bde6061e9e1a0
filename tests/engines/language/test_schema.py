"""JSON by a schema: whatever the weights say, the output parses and fits."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from studio.core.failure import FailureCode, StudioError
from studio.core.requests import Sampling, TextRequest
from studio.engines.language.engine import LanguageEngine
from studio.engines.language.ranges import integer_between
from studio.engines.language.schema import schema_grammar
from tests.engines.language.asking import ask, chat, refused, sampling, text
from tests.engines.language.conftest import Models
from tests.tiny_gguf import TinyModel

PERSON: dict[str, object] = {
    "type": "object",
    "description": "ignored",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 130},
        "mood": {"enum": ["good", 'b"ad', "ä\n", None, 1.5]},
        "tags": {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3},
        "when": {"type": "string", "format": "date"},
    },
    "required": ["age", "mood", "tags"],
    "additionalProperties": False,
}


def asked(schema: object, most: int = 200, how: Sampling | None = None) -> TextRequest:
    return text("JSON:", most=most, json_schema=json.dumps(schema), sampling=how or sampling())


def test_noise_becomes_a_person(engine: LanguageEngine, noise: Path) -> None:
    for seed in range(12):
        answer = ask(engine, noise, asked(PERSON, how=sampling(seed, temperature=2.0)))
        assert answer.report.finish == "eos"
        person = json.loads(answer.text)
        assert {"age", "mood", "tags"} <= person.keys() <= {"name", "age", "mood", "tags", "when"}
        assert 0 <= person["age"] <= 130
        assert person["mood"] in ["good", 'b"ad', "ä\n", None, 1.5]
        assert 1 <= len(person["tags"]) <= 3
        assert len(person.get("name", "")) <= 12


def test_strings_hold_no_control_characters(engine: LanguageEngine, noise: Path) -> None:
    schema = {"type": "string", "minLength": 5, "maxLength": 30}
    for seed in range(40):
        answer = ask(engine, noise, asked(schema, how=sampling(seed, temperature=3.0)))
        assert 5 <= len(json.loads(answer.text)) <= 30


SCHEMAS: list[tuple[object, object]] = [
    ({"const": {"a": [1, "x"]}}, dict),
    ({"type": ["integer", "null"]}, (int, type(None))),
    ({"anyOf": [{"type": "boolean"}, {"const": "x"}]}, (bool, str)),
    ({"type": "number", "minimum": -3, "maximum": 2}, (int, float)),
    ({"type": "array", "prefixItems": [{"type": "boolean"}, {"const": 3}], "items": False}, list),
    ({"type": "array", "prefixItems": [{"const": 3}], "items": {"const": 4}, "minItems": 2, "maxItems": 4}, list),
    ({"type": "object"}, dict),
    ({"type": "object", "required": ["x"], "properties": {}}, dict),
    ({"type": "object", "additionalProperties": {"type": "boolean"}}, dict),
    ({"type": "object", "additionalProperties": False}, dict),
    ({"allOf": [{"$ref": "#/$defs/a"}, {"properties": {"b": {"const": 2}}, "required": ["b"]}],
      "$defs": {"a": {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]}}}, dict),
    ({"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}}, dict),
    ({"properties": {"x": {"type": "string", "format": "uuid"}}, "required": ["x"]}, dict),
    ({"type": "string", "format": "date-time"}, str),
    ({"type": "string", "format": "unknown to us"}, str),
    ({"type": "null"}, type(None)),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "kind"), SCHEMAS)
def test_schemas_are_kept(engine: LanguageEngine, noise: Path, schema: object, kind: type) -> None:
    for seed in range(3):
        answer = ask(engine, noise, asked(schema, most=400, how=sampling(seed)))
        if answer.report.finish == "length":
            assert "cut off" in answer.notices[-1]
            continue
        assert isinstance(json.loads(answer.text), kind)


def test_numbers_keep_their_bounds(engine: LanguageEngine, noise: Path) -> None:
    schema = {"type": "number", "minimum": -3, "maximum": 2}
    for seed in range(8):
        answer = ask(engine, noise, asked(schema, how=sampling(seed, temperature=3.0)))
        assert -3 <= json.loads(answer.text) <= 2


def test_anything_is_json(engine: LanguageEngine, noise: Path) -> None:
    answer = ask(engine, noise, asked({}, most=300))
    whole = answer.report.finish == "eos"
    assert _is_json(answer.text) if whole else "cut off" in answer.notices[-1]


def _is_json(words: str) -> bool:
    try:
        json.loads(words)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ("{", "valid JSON"),
        ("[]", "object"),
        ("1", "object"),
        ("false", "nothing"),
        ('{"type": "strin"}', "strin"),
        ('{"type": "string", "pattern": "^a$"}', "pattern"),
        ('{"not": {}}', "not"),
        ('{"type": "array", "uniqueItems": true}', "uniqueItems"),
        ('{"enum": []}', "enum"),
        ('{"$ref": "#/missing"}', "nowhere"),
        ('{"$ref": "https://example.org/schema"}', "outside"),
        ('{"$ref": "#"}', "itself"),
        ('{"type": "integer", "minimum": 5, "maximum": 1}', "between"),
        ('{"type": "string", "maxLength": 100000}', "maxLength"),
        ('{"type": "string", "minLength": -1}', "minLength"),
        ('{"type": "number", "exclusiveMinimum": 1}', "exclusiveMinimum"),
        ('{"type": "object", "properties": 3}', "properties"),
        ("[" * 5000, "valid JSON"),
        ('{"items":' * 60 + "{}" + "}" * 60, "deep"),
        ('{"anyOf": [{"$ref": "#"}, {"type": "null"}]}', ""),
    ],
)
def test_bad_schemas_are_refused_by_name(engine: LanguageEngine, noise: Path, schema: str, word: str) -> None:
    failure = refused(engine, noise, text("x", json_schema=schema))
    assert failure.code is FailureCode.INVALID_REQUEST
    assert word in failure.message
    assert ask(engine, noise, text("x", most=3)).report.output_tokens == 3


def test_a_chat_can_answer_in_json(engine: LanguageEngine, noise: Path) -> None:
    answer = ask(engine, noise, chat(("user", "yes?"), json_schema='{"type": "boolean"}'))
    assert answer.text.strip() in ("true", "false")


def test_the_same_json_request_gives_the_same_json(engine: LanguageEngine, noise: Path) -> None:
    request = asked(PERSON, how=sampling(3))
    assert ask(engine, noise, request).text == ask(engine, noise, request).text


def test_a_cut_off_answer_says_so(engine: LanguageEngine, noise: Path) -> None:
    answer = ask(engine, noise, asked(PERSON, most=3))
    assert answer.report.finish == "length"
    assert "cut off" in answer.notices[-1]


def test_a_large_vocabulary_is_only_asked_where_it_must_be(engine: LanguageEngine, models: Models) -> None:
    path = models(TinyModel(words=20000, quantised=True))
    answer = ask(engine, path, asked(PERSON, how=sampling(1)))
    assert isinstance(json.loads(answer.text), dict)


@pytest.mark.parametrize(("low", "high"), [(0, 0), (-5, 5), (7, 7), (-120, -3), (98, 1203), (None, -1), (5, None)])
def test_ranges_are_exact(low: int | None, high: int | None) -> None:
    expression = integer_between(low, high)
    assert expression is not None
    pattern = re.compile(re.sub(r'"([^"]*)" ?', r"\1", expression).replace(" ", ""))
    for number in range(-1500, 1500):
        inside = (low is None or low <= number) and (high is None or number <= high)
        assert bool(pattern.fullmatch(str(number))) == inside, number


def test_a_huge_schema_is_refused() -> None:
    with pytest.raises(StudioError):
        schema_grammar(json.dumps({"enum": ["x" * 300_000]}))
