"""Renders a model's chat template, a program from a stranger, without trusting it.

Jinja's immutable sandbox keeps it away from Python; here it also gets bounds for time, for the size of any
value, and for the result. It runs in the worker, so that even what slips through costs one job.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context as TemplateContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

if TYPE_CHECKING:
    from _typeshed import TraceFunction

_LONGEST_TEMPLATE = 512 * 1024
_LARGEST = 8_000_000  # characters or entries of any one value
_LARGEST_NUMBER = 100_000  # as an argument: widths, counts
_SECONDS = 2.0
_LARGE_WIDTH = re.compile(r"\d{5}")
_FILTERS = frozenset(
    {
        "abs",
        "capitalize",
        "count",
        "d",
        "default",
        "dictsort",
        "e",
        "escape",
        "first",
        "float",
        "indent",
        "int",
        "items",
        "join",
        "last",
        "length",
        "list",
        "lower",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "replace",
        "reverse",
        "round",
        "safe",
        "select",
        "selectattr",
        "sort",
        "string",
        "sum",
        "title",
        "tojson",
        "trim",
        "unique",
        "upper",
    }
)
# The date is fixed, so that the same request gives the same prompt tomorrow.
_TODAY = datetime(2025, 1, 1, tzinfo=UTC)

Value = object


class TemplateTrouble(Exception):
    """The template failed or refused; the message says why. `refused`: it did so by `raise_exception`."""

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class _Refusal(Exception):
    """What a template raises through `raise_exception`."""


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox with bounds on what a single operation may make."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: TemplateContext, operator: str, left: Value, right: Value) -> Value:
        if operator == "%":
            _check_format(left)
        _check_operands([left, right])
        return super().call_binop(context, operator, left, right)

    def call(self, context: TemplateContext, function: Callable[..., Value], *given: Value, **named: Value) -> Value:
        owner = getattr(getattr(function, "__wrapped__", function), "__self__", None)
        if getattr(function, "__name__", "") in ("format", "format_map"):
            _check_format(owner)
        _check_operands([owner, *given, *named.values()])
        return super().call(context, function, *given, **named)


def _check_format(text: Value) -> None:
    if isinstance(text, str) and _LARGE_WIDTH.search(text):
        raise SecurityError("a value would become too large")


def _check_operands(values: list[Value]) -> None:
    """A number beside a text or list, or two large texts, can make something enormous in one step."""
    sizes = [len(value) for value in values if isinstance(value, str | list | tuple)]
    numbers = [abs(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    product = 1
    for size in sizes:
        product *= max(size, 1)
    if max(numbers, default=0) > _LARGEST_NUMBER or product * max([1, *numbers]) > _LARGEST * 8:
        raise SecurityError("a value would become too large")


def render(template: str, variables: Mapping[str, Value], *, seconds: float = _SECONDS) -> str:
    """`template` with `variables`, and the functions that chat templates expect.

    `seconds` bounds the thread's own computing, so that a busy machine does not count.
    Raises `TemplateTrouble`.
    """
    if len(template) > _LONGEST_TEMPLATE:
        raise TemplateTrouble("the template is too long")
    environment = _Environment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
    environment.filters = {name: run for name, run in environment.filters.items() if name in _FILTERS}
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": False}
    functions: dict[str, Value] = {"raise_exception": _refuse, "strftime_now": _TODAY.strftime}
    environment.globals = {"namespace": Namespace, "range": environment.globals["range"], "dict": dict} | functions
    try:
        compiled = environment.from_string(template)
        return _bounded(compiled, variables, seconds)
    except _Refusal as error:
        raise TemplateTrouble(str(error), refused=True) from error
    except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise TemplateTrouble(f"{type(error).__name__}: {error}") from error
    except (MemoryError, RecursionError) as error:
        raise TemplateTrouble("the template uses too much memory") from error


def _refuse(message: str) -> NoReturn:
    raise _Refusal(message)


def _bounded(compiled: jinja2.Template, variables: Mapping[str, Value], seconds: float) -> str:
    """The rendered text, with a look at the clock and at all values before each line of the template."""
    deadline = time.thread_time() + seconds
    parts: list[str] = []
    size = 0

    def watch(frame: FrameType, event: str, _: Value) -> TraceFunction:
        if time.thread_time() > deadline:
            raise SecurityError(f"it takes longer than {seconds:.1f} seconds")
        if event == "line" and frame.f_code.co_filename == "<template>":
            _check_sizes(frame.f_locals)
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        for part in compiled.generate(**variables):
            size += len(part)
            if size > _LARGEST:
                raise SecurityError("its result is too long")
            parts.append(part)
    finally:
        sys.settrace(before)
    return "".join(parts)


def _check_sizes(values: Mapping[str, Value]) -> None:
    for value in values.values():
        inner = [value]
        if isinstance(value, Namespace):
            inner = list(object.__getattribute__(value, "_Namespace__attrs").values())
        for each in inner:
            if isinstance(each, str | list | tuple | dict) and len(each) > _LARGEST:
                raise SecurityError("a value becomes too large")
