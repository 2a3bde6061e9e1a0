"""Grammar expressions for the numbers between two bounds, digit by digit."""

from __future__ import annotations

_MOST_DIGITS = 15  # whole numbers up to here are exact in every JSON reader
_FRACTION = '("." [0-9]{1,15})?'
_ZEROS = '("." "0"{1,15})?'


def integer_between(low: int | None, high: int | None) -> str | None:
    """GBNF for the whole numbers from `low` to `high`; None where there are none, open where a bound is None."""
    limit = 10**_MOST_DIGITS - 1
    low, high = -limit if low is None else max(low, -limit), limit if high is None else min(high, limit)
    parts: list[str] = []
    if low < 0:
        negative = _magnitudes(max(1, -high), -low)
        if negative:
            parts.append(f'"-" ({negative})')
    positive = _magnitudes(max(low, 0), high)
    if positive:
        parts.append(positive)
    return f"({' | '.join(parts)})" if parts else None


def number_between(low: int | None, high: int | None) -> str | None:
    """GBNF for decimal numbers from `low` to `high` (whole numbers), without exponents."""
    limit = 10**_MOST_DIGITS - 1
    low, high = -limit if low is None else max(low, -limit), limit if high is None else min(high, limit)
    parts = [f"{sign}{part}" for sign, part in _signed(low, high)]
    return f"({' | '.join(parts)})" if parts else None


def _signed(low: int, high: int) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if low < 0:
        found += [('"-" ', part) for part in _decimals(max(0, -high), -low)]
    if high >= 0:
        found += [("", part) for part in _decimals(max(low, 0), high)]
    return found


def _decimals(low: int, high: int) -> list[str]:
    """Magnitudes with a fraction below `high`, and `high` itself."""
    if low > high:
        return []
    inside = _magnitudes(low, high - 1)
    top = f'"{high}" {_ZEROS}'
    return [f"({inside}) {_FRACTION}", top] if inside else [top]


def _magnitudes(low: int, high: int) -> str:
    """Alternatives for the whole numbers from `low` ≥ 0 to `high`, empty where there are none."""
    parts: list[str] = []
    if low > high:
        return ""
    for digits in range(len(str(low)), len(str(high)) + 1):
        smallest = 0 if digits == 1 else 10 ** (digits - 1)
        first, last = max(low, smallest), min(high, 10**digits - 1)
        if first <= last:
            parts.append(_same_length(str(first), str(last)))
    return " | ".join(parts)


def _same_length(low: str, high: str) -> str:
    """The numbers from `low` to `high`, both of the same number of digits."""
    if not low:
        return '""'
    rest = len(low) - 1
    if low == "0" * len(low) and high == "9" * len(high):
        return f"[0-9]{{{len(low)}}}"
    if low[0] == high[0]:
        return f'"{low[0]}" ({_same_length(low[1:], high[1:])})' if rest else f'"{low[0]}"'
    if not rest:
        return f"[{low}-{high}]"
    parts = [f'"{low[0]}" ({_same_length(low[1:], "9" * rest)})']
    if int(high[0]) - int(low[0]) > 1:
        parts.append(f"[{int(low[0]) + 1}-{int(high[0]) - 1}] [0-9]{{{rest}}}")
    parts.append(f'"{high[0]}" ({_same_length("0" * rest, high[1:])})')
    return " | ".join(parts)
