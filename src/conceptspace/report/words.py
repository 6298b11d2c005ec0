"""Numbers in words: one way to write a value, an interval and a censored time in the report."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

NEVER = "never by the end"


def number(value: Any, digits: int = 3) -> str:
    """A number with few digits; a dash for none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or float(value).is_integer():
        said = step(value) if abs(value) >= 10000 else f"{int(value)}"
    else:
        said = f"{value:.{digits}g}" if abs(value) < 1000 else step(value)
    return said.replace("-", "\u2212")


def step(value: float) -> str:
    """A training step with its thousands apart, by a space that does not break."""
    return f"{value:,.0f}".replace(",", "\u202f")


def time(value: float | None, censored_at: float | None = None) -> str:
    """A time in steps; a censored one says beyond which step it lies."""
    if value is not None:
        return step(value)
    return f">\u00a0{step(censored_at)} ({NEVER})" if censored_at is not None else "–"


def interval(ends: Sequence[Any] | None, censored_at: float | None = None) -> str:
    """An interval in brackets; an upper end that was not reached is written as beyond the end."""
    if not ends or all(end is None for end in ends):
        return ""
    low, high = ends
    if censored_at is None:
        return f"[{number(low)}, {number(high)}]"
    left = time(low, censored_at).split(" (")[0]
    return f"[{left}, {time(high, censored_at).split(' (')[0]}]"


def listing(items: Sequence[str], last: str = "and") -> str:
    """Words in a row: `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def value_html(value: Any) -> str:
    """Any JSON value as escaped HTML; a mapping that holds more than numbers becomes a list."""
    if isinstance(value, Mapping):
        return _mapping_html(value)
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Sequence) and any(isinstance(entry, Mapping) for entry in value):
        return "<br>".join(value_html(entry) for entry in value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(value_html(entry) for entry in value) + "]" if value else "none"
    return escape(number(value))


def _mapping_html(value: Mapping[str, Any]) -> str:
    if not value:
        return "none"
    if not any(isinstance(entry, Mapping | list) for entry in value.values()):
        pairs = (f"{escape(spaced(key))} {value_html(entry)}" for key, entry in value.items())
        return ", ".join(pairs)
    rows = "".join(
        f"<dt>{escape(spaced(key))}</dt><dd>{value_html(entry)}</dd>"
        for key, entry in value.items()
    )
    return f"<dl>{rows}</dl>"


def spaced(key: Any) -> str:
    """A key as words: `lowest_step` as `lowest step`."""
    return str(key).replace("_", " ")


def count(number_of: int, one: str, many: str | None = None) -> str:
    """A count with its noun: `1 seed`, `5 seeds`."""
    return f"{number_of} {one if number_of == 1 else many or one + 's'}"
