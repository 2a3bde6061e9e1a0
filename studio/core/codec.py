"""JSON for the vocabulary: round-trips exactly, refuses unknown and invalid fields by name."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from studio.core.failure import InvalidField

T = TypeVar("T")

_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `(?P<field>[^`]+)`")
_BOUND = re.compile(r"Expected `(?:int|float)` (?P<sign>[<>]=?) (?P<number>[-+.e0-9]+)")
_BOUND_WORDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_MISSING = re.compile(r"missing required field `(?P<field>[^`]+)`")


def encode(value: msgspec.Struct) -> bytes:
    """The JSON of `value` as UTF-8 bytes."""
    return msgspec.json.encode(value)


def decode(kind: type[T], data: bytes | str) -> T:
    """A `kind` from JSON.

    Raises `InvalidField` naming the field that is unknown, missing or has an invalid value.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    except msgspec.DecodeError as error:
        raise InvalidField("JSON", f"this is not valid JSON ({error})") from error
    except UnicodeDecodeError as error:
        raise InvalidField("JSON", "this is not UTF-8 text") from error


def validated(value: T) -> T:
    """`value` itself, after checking every field's type and range.

    A struct made in Python is not checked on construction; call this at a boundary.
    Raises `InvalidField`.
    """
    try:
        plain = msgspec.to_builtins(value)
        msgspec.convert(plain, type=type(value))
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    return value


def _invalid(message: str) -> InvalidField:
    path_match = _PATH.search(message)
    path = path_match["path"] if path_match else ""
    text = _PATH.sub("", message)
    for pattern in (_UNKNOWN, _MISSING):
        named = pattern.search(text)
        if named:
            field = f"{path}.{named['field']}" if path else named["field"]
            return InvalidField(field, text)
    bound = _BOUND.search(text)
    if bound:
        text = f"it must be {_BOUND_WORDS[bound['sign']]} {bound['number']}"
    return InvalidField(path or "value", text)
