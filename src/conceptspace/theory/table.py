"""Learning times and signals of many settings, from a table."""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

COLUMNS = ("setting", "concept", "seed", "signal", "time", "end")


@dataclass(frozen=True)
class TimeTable:
    """Learning times, as `predict_other_half` takes them.

    Attributes:
        settings: their names, in the order of the table.
        concepts: their names.
        signal: concept signal.
        times: infinite where never, NaN where the table has no such seed.
        ends: until when each was watched; 1 where there is no such seed.
    """

    settings: tuple[str, ...]
    concepts: tuple[str, ...]
    signal: Float[np.ndarray, "setting concept"]
    times: Float[np.ndarray, "setting concept seed"]
    ends: Float[np.ndarray, "setting concept seed"]


def read_times(lines: Iterable[str]) -> TimeTable:
    """Read a CSV table, one line a setting, concept and seed.

    Args:
        lines: of a file with the columns setting, concept, seed, signal, time and end, in any
            order; others are ignored. An empty time, or `inf`, means not by the end.

    Raises:
        ValueError: if a column is missing, a number cannot be read, a line comes twice, a setting
            has no line for a concept, or seeds disagree about the signal; the message names the
            line.
    """
    reader = csv.DictReader(lines)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise ValueError(f"column {missing[0]!r} is missing; there must be {', '.join(COLUMNS)}")
    rows = {}
    for row in reader:
        key = (row["setting"], row["concept"], row["seed"])
        if key in rows:
            raise ValueError(f"line {reader.line_num}: setting, concept and seed {key} come twice")
        rows[key] = [
            _number(row, name, reader.line_num) for name in ("signal", "time", "end")
        ]  # fmt: skip
    if not rows:
        raise ValueError("the table has no line below its header")
    settings, concepts, seeds = (tuple(dict.fromkeys(names)) for names in zip(*rows))
    shape = (len(settings), len(concepts), len(seeds))
    signal = np.full(shape, np.nan)
    times, ends = np.full(shape, np.nan), np.ones(shape)
    for (setting, concept, seed), values in rows.items():
        place = (settings.index(setting), concepts.index(concept), seeds.index(seed))
        signal[place], times[place], ends[place] = values
    return TimeTable(settings, concepts, _one_signal(signal, settings, concepts), times, ends)


def _number(row: dict[str, str], name: str, line: int) -> float:
    text = (row[name] or "").strip()
    if name == "time" and text == "":
        return math.inf
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"line {line}: {name} must be a number, not {text!r}") from None


def _one_signal(
    signal: np.ndarray, settings: tuple[str, ...], concepts: tuple[str, ...]
) -> np.ndarray:
    """The signal of each setting and concept, on which its seeds agree."""
    found = np.empty(signal.shape[:2])
    for place in np.ndindex(*found.shape):
        known = signal[place][~np.isnan(signal[place])]
        where = f"setting {settings[place[0]]!r}, concept {concepts[place[1]]!r}"
        if not known.size:
            raise ValueError(f"{where}: there is no line")
        if np.ptp(known) > 1e-9 * abs(known[0]):
            raise ValueError(f"{where}: seeds give signals from {known.min():g} to {known.max():g}")
        found[place] = known[0]
    return found
