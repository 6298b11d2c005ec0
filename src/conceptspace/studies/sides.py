"""On which side of a number an interval lies: three-way, so that neither side is left open."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from conceptspace.dynamics.bootstrap import percentile_interval

JEFFREYS = 0.5


def above(interval: tuple[float, float] | None, number: float) -> bool | None:
    """True if the interval lies above a number, False if below, None if it holds it.

    Example:
        >>> above((0.6, 0.9), 0.5), above((0.4, 0.9), 0.5)
        (True, None)
    """
    if interval is None or not np.isfinite(interval).all() or interval[0] <= number <= interval[1]:
        return None
    return bool(interval[0] > number)


def share_interval(
    happened: Sequence[bool] | np.ndarray, confidence: float
) -> tuple[float, tuple[float, float]]:
    """A share and its interval by Jeffreys; NaN of nothing.

    Args:
        happened: one truth each.
        confidence: of the interval.
    """
    num, hits = len(happened), int(np.sum(happened))
    if not num:
        return float("nan"), (float("nan"), float("nan"))
    law = stats.beta(hits + JEFFREYS, num - hits + JEFFREYS)
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(law.ppf(tail))
    high = 1.0 if hits == num else float(law.ppf(1 - tail))
    return hits / num, (low, high)


def interval_of(draws: Sequence[float] | np.ndarray, confidence: float) -> tuple[float, float]:
    """The central part of the draws that are known; NaN of fewer than two.

    Args:
        draws: resampled values; what is not finite could not be computed.
        confidence: share of them inside.
    """
    known = np.asarray(draws, dtype=float)
    known = known[np.isfinite(known)]
    if len(known) < 2:
        return float("nan"), float("nan")
    low, high = percentile_interval(known, confidence)
    return float(low), float(high)


def too_few(findings: Mapping[str, Any], num_settings: int, needed: int) -> str:
    """Why there are too few seeds or settings for a verdict; empty if there are enough.

    Args:
        findings: with `num_seeds` and `minimum_seeds`.
        num_settings: that can be scored.
        needed: how many of them.
    """
    if num_settings < needed:
        return too_few_seeds(findings) or f"{num_settings} settings, and {needed} are needed"
    return too_few_seeds(findings)


def too_few_seeds(findings: Mapping[str, Any]) -> str:
    """Why seeds are too few for a verdict; empty if they are not."""
    if findings["num_seeds"] < findings["minimum_seeds"]:
        return f"{findings['num_seeds']} seeds, and {findings['minimum_seeds']} are needed"
    return ""
