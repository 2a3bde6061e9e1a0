"""The one list of commands from which menus, shortcuts and the palette are derived."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from studio.core.command import Command
from studio.core.failure import Failure, FailureCode, StudioError

_HERE = 3.0  # more than a longer title costs, less than one letter more that fits


class DuplicateCommand(StudioError):
    """A command whose id or shortcut is taken; a mistake in the program, found at once."""

    def __init__(self, message: str) -> None:
        super().__init__(Failure(FailureCode.INTERNAL, message, hint="Give one of the two another id or shortcut."))


class Match(msgspec.Struct, frozen=True):
    """A command that fits a search: the better the higher `score`; `places` are the letters that matched."""

    command: Command
    score: float
    places: tuple[int, ...] = ()


class Commands:
    """All commands there are, in the order in which they were added. Belongs to the main thread."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}
        self._listeners: list[Callable[[], None]] = []

    def add(self, commands: Iterable[Command]) -> None:
        """Take in `commands`, all or none of them.

        Raises `DuplicateCommand` when an id is taken, or a shortcut where both commands would hear it.
        """
        taken = dict(self._commands)
        for command in commands:
            _refuse_duplicate(command, taken)
            taken[command.id] = command
        self._commands = taken
        self._tell()

    def remove(self, identities: Iterable[str]) -> None:
        """Forget the commands with these ids, where they are known."""
        for identity in identities:
            self._commands.pop(identity, None)
        self._tell()

    def find(self, identity: str) -> Command | None:
        """The command with this id, or None."""
        return self._commands.get(identity)

    def all(self) -> tuple[Command, ...]:
        """Every command."""
        return tuple(self._commands.values())

    def run(self, identity: str) -> bool:
        """Run a command if it is known and can run now; says whether it did."""
        command = self._commands.get(identity)
        if command is None or not command.when():
            return False
        command.run()
        return True

    def menus(self) -> dict[str, tuple[Command, ...]]:
        """Menu titles with their commands, in order of their first command."""
        found: dict[str, list[Command]] = {}
        for command in self._commands.values():
            if command.menu:
                found.setdefault(command.menu, []).append(command)
        return {title: tuple(commands) for title, commands in found.items()}

    def search(self, text: str, recent: Iterable[str] = (), room: str = "") -> tuple[Match, ...]:
        """Commands that fit `text`, best first; without text all of them, the `recent` ones first.

        Of two that fit alike, the one of the `room` in front comes first, whatever was used elsewhere.
        """
        wanted = "".join(text.lower().split())
        order = {identity: place for place, identity in enumerate(recent)}
        matches: list[Match] = []
        for command in self._commands.values():
            bonus = 8.0 / (1 + order[command.id]) if command.id in order else 0.0
            if wanted and command.room:
                bonus = bonus + _HERE if command.room == room else bonus / 4
            fit = fuzzy(wanted, command.title) if wanted else (0.0, ())
            if fit is not None:
                matches.append(Match(command, fit[0] + bonus, fit[1]))
            elif wanted and (by_room := fuzzy(wanted, f"{command.room} {command.title}")) is not None:
                matches.append(Match(command, by_room[0] - 4 + bonus))
        return tuple(sorted(matches, key=lambda match: -match.score))

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called when commands come or go; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def fuzzy(wanted: str, title: str) -> tuple[float, tuple[int, ...]] | None:
    """How well the letters of `wanted` (lower case, no spaces) appear in `title`, in order.

    Returns score and places, or None. Starts of words and unbroken runs count most, letters that stand together
    as they were typed more than any others; a long title costs a little, so that the shorter of two equal fits
    comes first.
    """
    lower = title.lower()
    together = _start_of_run(wanted, lower)
    if together >= 0:
        run = tuple(range(together, together + len(wanted)))
        return 1 + 5 * len(wanted) - min(2.0, together * 0.05) - len(title) * 0.01, run
    places: list[int] = []
    score = 0.0
    start = 0
    for letter in wanted:
        place = _next_place(lower, letter, start)
        if place < 0:
            return None
        begins = place == 0 or not lower[place - 1].isalnum()
        follows = bool(places) and place == places[-1] + 1
        score += 1 + (4 if begins else 0) + (3 if follows else 0)
        score -= 0 if follows else min(2.0, (place - start) * 0.05)
        places.append(place)
        start = place + 1
    return score - len(title) * 0.01, tuple(places)


def _start_of_run(wanted: str, lower: str) -> int:
    """Where `wanted`, two letters or more, stands unbroken from the start of a word; -1 if nowhere."""
    place = lower.find(wanted) if len(wanted) > 1 else -1
    while place > 0 and lower[place - 1].isalnum():
        place = lower.find(wanted, place + 1)
    return place


def _next_place(lower: str, letter: str, start: int) -> int:
    """The letter right here, else at the next start of a word, else anywhere after `start`."""
    if lower[start : start + 1] == letter:
        return start
    for place in range(start, len(lower)):
        if lower[place] == letter and (place == 0 or not lower[place - 1].isalnum()):
            return place
    return lower.find(letter, start)


def _refuse_duplicate(command: Command, taken: dict[str, Command]) -> None:
    if command.id in taken:
        raise DuplicateCommand(f"There are two commands with the id “{command.id}”.")
    if not command.shortcut:
        return
    for other in taken.values():
        heard_together = not other.room or not command.room or other.room == command.room
        if heard_together and _same_keys(other.shortcut, command.shortcut):
            raise DuplicateCommand(f"“{command.id}” and “{other.id}” both have the shortcut {command.shortcut}.")


def _same_keys(one: str, other: str) -> bool:
    return sorted(one.lower().split("+")) == sorted(other.lower().split("+"))
