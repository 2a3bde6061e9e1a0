"""Callbacks of background work that must not reach a widget that is gone by then."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject
from shiboken6 import isValid

T = TypeVar("T")


def while_alive(owner: QObject, callback: Callable[[T], None]) -> Callable[[T], None]:
    """`callback`, as long as `owner` has not been deleted; after that, nothing."""

    def call(value: T) -> None:
        if isValid(owner):
            callback(value)

    return call
