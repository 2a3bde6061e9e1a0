"""JSON Schema to a grammar (GBNF) under which a model can write nothing but fitting JSON.

A keyword that the grammar can't promise (`pattern`, `not`, `uniqueItems`, …) is refused by name rather than
ignored. Of objects, the declared properties are written, in their order. Numbers, white space and nesting of
the schema are bounded, so that a small model can't lose itself in them.
JSON Schema 2020-12: json-schema.org/draft/2020-12; GBNF: ggml-org/llama.cpp, grammars/README.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import cast

from studio.core.failure import StudioError
from studio.engines.language.ranges import integer_between, number_between
from studio.engines.language.trouble import bad_request

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Schema = dict[str, Json]

_LONGEST = 256 * 1024
_DEEPEST = 48
_SEPARATOR = ' ws "," ws '
_MOST_RULES = 4000
_MOST_REPEATS = 1000  # llama.cpp unrolls repetitions and refuses many

_HEX = "[0-9a-fA-F]"
_RULES = {
    "ws": '| " " | "\\n" [ \\t]{0,16}',
    "hex": _HEX,
    # No control characters, and no half surrogate pairs: both would spoil the JSON.
    "char": '[^"\\\\\\x00-\\x1F\\x7F] | "\\\\" (["\\\\/bfnrt] | "u" ([0-9a-cA-Ce-fE-F] hex{3} | [dD] [0-7] hex{2}))',
    "string": '"\\"" char* "\\""',
    "integer": '"-"? ("0" | [1-9] [0-9]{0,14})',
    "number": 'integer ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?',
    "boolean": '"true" | "false"',
    "null": '"null"',
    "pair": 'string ws ":" ws value',
    "object": '"{" ws (pair (ws "," ws pair)* ws)? "}"',
    "array": '"[" ws (value (ws "," ws value)* ws)? "]"',
    "value": "object | array | string | number | boolean | null",
    "date": '[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | "1" [0-9] | "2" [0-8])',
    "time": '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] "Z"',
    "uuid": 'hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12}',
}
_FORMATS = {"date": "date", "time": "time", "date-time": 'date "T" time', "uuid": "uuid"}
_NOTES = frozenset({
    "$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default", "examples",
    "deprecated", "readOnly", "writeOnly", "format", "contentMediaType", "contentEncoding",
})  # fmt: skip
_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_KNOWN = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems"}),
    "string": frozenset({"minLength", "maxLength"}),
    "integer": _BOUNDS,
    "number": _BOUNDS,
    "boolean": frozenset[str](),
    "null": frozenset[str](),
}


def schema_grammar(text: str) -> str:
    """The GBNF grammar, start symbol `root`, of the JSON Schema `text`.

    Raises `StudioError` (`INVALID_REQUEST`) for what is no schema and for keywords that can't be promised.
    """
    if len(text) > _LONGEST:
        raise _refused(f"it is longer than {_LONGEST // 1024} KB")
    try:
        schema = cast("Json", json.loads(text))
    except (ValueError, RecursionError) as error:
        raise _refused(f"it is not valid JSON ({error})") from error
    if not isinstance(schema, dict | bool):
        raise _refused("a schema is an object")
    grammar = _Grammar(schema)
    root = grammar.visit(schema, 0)
    rules = {"root": root} | _RULES | grammar.rules
    return "\n".join(f"{name} ::= {rule}" for name, rule in rules.items())


class _Grammar:
    """The rules of one schema; `rules` grows while it is visited."""

    def __init__(self, root: Json) -> None:
        self.rules: dict[str, str] = {}
        self._root = root
        self._references: dict[str, str] = {}

    def visit(self, schema: Json, depth: int) -> str:
        """The name of a rule for `schema`."""
        if depth > _DEEPEST:
            raise _refused(f"it is nested more than {_DEEPEST} deep")
        if schema is True or schema == {}:
            return "value"
        if not isinstance(schema, dict):
            raise _refused("a part of it allows nothing or is not a schema")
        if "$ref" in schema:
            return self._reference(schema, depth)
        if "const" in schema or "enum" in schema:
            return self._literals(schema)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                _only(schema, {keyword, "type"})
                parts = _list(schema[keyword], keyword)
                return self._rule(" | ".join(self.visit(part, depth + 1) for part in parts))
        if "allOf" in schema:
            return self.visit(self._merged(schema), depth + 1)
        return self._typed(schema, depth)

    def _rule(self, body: str) -> str:
        if len(self.rules) >= _MOST_RULES:
            raise _refused("it is too large")
        name = f"r{len(self.rules)}"
        self.rules[name] = body
        return name

    def _reference(self, schema: Schema, depth: int) -> str:
        _only(schema, {"$ref"})
        pointer = str(schema["$ref"])
        if pointer not in self._references:
            target = self._resolved(pointer)
            name = self._references[pointer] = self._rule("")
            inner = self.visit(target, depth + 1)
            if inner == name:
                raise _refused(f"{pointer} refers to itself only")
            self.rules[name] = inner
        return self._references[pointer]

    def _resolved(self, pointer: str) -> Json:
        if not pointer.startswith("#"):
            raise _refused(f"{pointer} lies outside the schema")
        found = self._root
        for key in pointer[1:].split("/")[1:]:
            plain = key.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and plain in found:
                found = found[plain]
            elif isinstance(found, list) and plain.isdecimal() and int(plain) < len(found):
                found = found[int(plain)]
            else:
                raise _refused(f"{pointer} leads nowhere")
        return found

    def _literals(self, schema: Schema) -> str:
        _only(schema, {"const", "enum", "type"})
        values = [schema["const"]] if "const" in schema else _list(schema["enum"], "enum")
        return self._rule(" | ".join(_literal(json.dumps(value, ensure_ascii=False)) for value in values))

    def _merged(self, schema: Schema) -> Schema:
        """`allOf` of objects as one object; of one part, that part."""
        parts = _list(schema["allOf"], "allOf")
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        merged: Schema = {}
        for part in [*parts, rest]:
            merged = _joined(merged, self._target(part))
        return merged

    def _target(self, part: Json) -> Schema:
        """`part` itself, or what it refers to."""
        for _ in range(_DEEPEST):
            if not isinstance(part, dict):
                break
            if "$ref" not in part:
                return part
            part = self._resolved(str(part["$ref"]))
        raise _refused("allOf joins something that is not a schema")

    def _typed(self, schema: Schema, depth: int) -> str:
        kinds = schema.get("type")
        names = [str(kind) for kind in (kinds if isinstance(kinds, list) else [kinds])]
        if kinds is None:
            names = [name for name, known in _KNOWN.items() if known & schema.keys()][:1]
        if not names:
            _only(schema, set())
            return "value"
        unknown = [name for name in names if name not in _KNOWN]
        if unknown:
            raise _refused(f"it has the unknown type {unknown[0]}")
        _only(schema, {"type"}.union(*(_KNOWN[name] for name in names)))
        return self._rule(" | ".join(self._kind(name, schema, depth) for name in names))

    def _kind(self, name: str, schema: Schema, depth: int) -> str:
        if name == "object":
            return self._object(schema, depth)
        if name == "array":
            return self._array(schema, depth)
        if name == "string":
            return _string(schema)
        if name in ("integer", "number") and _BOUNDS & schema.keys():
            return self._rule(_bounded(name, schema))
        return name

    def _object(self, schema: Schema, depth: int) -> str:
        properties = schema.get("properties", {})
        required = [str(name) for name in _list(schema.get("required", []), "required", empty=True)]
        more = schema.get("additionalProperties", True)
        if not isinstance(properties, dict):
            raise _refused("properties must be an object")
        wanted = properties | {name: cast("Json", True) for name in required if name not in properties}
        if not wanted:
            if more is False:
                return '"{" ws "}"'
            pair = self._rule(f'string ws ":" ws {self.visit(more, depth + 1)}')
            return f'"{{" ws ({pair} (ws "," ws {pair})* ws)? "}}"'
        pairs: list[tuple[str, bool]] = []
        for name, part in wanted.items():
            key = _literal(json.dumps(name, ensure_ascii=False))
            pairs.append((f'{key} ws ":" ws {self.visit(part, depth + 1)}', name in required))
        return f'"{{" ws {self._members(pairs)} ws "}}"'

    def _members(self, pairs: list[tuple[str, bool]]) -> str:
        """Rules for the properties from the last to the first, each with and without one before it."""
        first = later = '""'
        for pair, required in reversed(pairs):
            after = later
            begin, follow = f"{pair} {after}", f'ws "," ws {pair} {after}'
            first = self._rule(begin if required else f"{begin} | {first}")
            later = self._rule(follow if required else f"{follow} | {after}")
        return first

    def _array(self, schema: Schema, depth: int) -> str:
        parts = _list(schema.get("prefixItems", []), "prefixItems", empty=True)
        items = schema.get("items", True)
        least, most = _repeats(schema, "minItems", "maxItems")
        if items is False or (parts and "items" not in schema):
            most = len(parts) if most is None else min(most, len(parts))
        if most is not None and least > most:
            raise _refused("minItems is more than the items that are allowed")
        head = [self.visit(part, depth + 1) for part in parts[:most]]
        if most == len(head):
            return self._rule(f'"[" ws {_SEPARATOR.join(head)} ws "]"')
        item = self.visit(items, depth + 1)
        left, room = max(least - len(head), 0), None if most is None else most - len(head)
        after = self._rule(f'ws "," ws {item}')
        if head:
            return self._rule(f'"[" ws {_SEPARATOR.join(head)} {_times(after, left, room)} ws "]"')
        tail = f"{item} {_times(after, max(left - 1, 0), None if room is None else room - 1)} ws"
        return self._rule(f'"[" ws {tail} "]"' if left else f'"[" ws ({tail})? "]"')


def _string(schema: Schema) -> str:
    form = _FORMATS.get(str(schema.get("format", "")))
    least, most = _repeats(schema, "minLength", "maxLength")
    if most is not None and least > most:
        raise _refused("minLength is more than maxLength")
    if form:
        return f'"\\"" {form} "\\""'
    if least or most is not None:
        return f'"\\"" {_times("char", least, most)} "\\""'
    return "string"


def _bounded(name: str, schema: Schema) -> str:
    bounds: dict[str, int | None] = {}
    for keyword in _BOUNDS:
        value = schema.get(keyword)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value != int(value)):
            raise _refused(f"{keyword} must be a whole number")
        bounds[keyword] = None if value is None else int(cast("float", value))
    low, high = bounds["minimum"], bounds["maximum"]
    if name == "number":
        if bounds["exclusiveMinimum"] is not None or bounds["exclusiveMaximum"] is not None:
            raise _refused("exclusiveMinimum and exclusiveMaximum can be kept for integers only")
        expression = number_between(low, high)
    else:
        above, below = bounds["exclusiveMinimum"], bounds["exclusiveMaximum"]
        lows = [bound for bound in (low, None if above is None else above + 1) if bound is not None]
        highs = [bound for bound in (high, None if below is None else below - 1) if bound is not None]
        expression = integer_between(max(lows, default=None), min(highs, default=None))
    if expression is None:
        raise _refused("no number lies between its minimum and its maximum")
    return expression


def _repeats(schema: Schema, least_name: str, most_name: str) -> tuple[int, int | None]:
    least, most = schema.get(least_name, 0), schema.get(most_name)
    for name, value in ((least_name, least), (most_name, most)):
        if value is None and name == most_name:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_REPEATS:
            raise _refused(f"{name} must be a whole number from 0 to {_MOST_REPEATS}")
    return cast("int", least), cast("int | None", most)


def _times(rule: str, least: int, most: int | None) -> str:
    if most is None:
        return f"{rule}{{{least},}}" if least else f"{rule}*"
    return f"{rule}{{{least},{most}}}" if most else '""'


def _joined(first: Schema, second: Schema) -> Schema:
    """Both schemas at once, where they speak of different things or of properties."""
    joined = dict(first)
    for key, value in second.items():
        old = joined.get(key)
        if key in _NOTES or old is None or old == value:
            joined[key] = value
        elif key == "properties" and isinstance(old, dict) and isinstance(value, dict):
            joined[key] = cast("Json", _joined(old, value))
        elif key == "required" and isinstance(old, list) and isinstance(value, list):
            joined[key] = [*old, *(name for name in value if name not in old)]
        else:
            raise _refused(f"allOf says two things about {key}")
    return joined


def _only(schema: Mapping[str, Json], known: Iterable[str]) -> None:
    for keyword, value in schema.items():
        harmless = keyword in _NOTES or (keyword in ("uniqueItems", "nullable") and value is False)
        if not harmless and keyword not in known:
            raise _refused(f"the keyword {keyword} can't be kept while writing")


def _list(value: Json, keyword: str, *, empty: bool = False) -> list[Json]:
    if not isinstance(value, list) or not (value or empty):
        raise _refused(f"{keyword} must be a list")
    return value


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _refused(reason: str) -> StudioError:
    return bad_request(f"This JSON Schema can't be used: {reason}.", "Change the schema and try again.", reason)
