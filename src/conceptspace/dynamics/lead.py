"""Which of two events comes first, seed by seed, with what never happened kept as later than all.

The lead of a seed is 1 where the first event came before the second, -1 where it came after, and 0
where neither can be told apart: both at one checkpoint, or neither by the end. If the two events
are the same thing measured twice, either is first as often as the other (Fisher's sign flips).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from conceptspace.dynamics.bootstrap import percentile_interval

MOST_ENUMERATED = 12
"""Up to so many seeds all flips of sign are compared (4 096); beyond, as many are drawn."""


@dataclass(frozen=True)
class Lead:
    """How regularly one event comes before another.

    Attributes:
        value: mean over seeds and settings, from -1 (never first) to 1 (always).
        interval: from resampled times.
        p_value: share of flips of the seeds' signs (the true one among them) that reach the value.
        per_seed: the mean over settings of each seed.
    """

    value: float
    interval: tuple[float, float]
    p_value: float
    per_seed: Float[np.ndarray, " seed"]


def first_of_two(
    first: Float[np.ndarray, "*cell"], second: Float[np.ndarray, "*cell"]
) -> Float[np.ndarray, "*cell"]:
    """1 where the first came sooner, -1 where the second did, 0 where it cannot be told.

    Args:
        first: steps, infinite where it never happened.
        second: likewise.

    Example:
        >>> first_of_two(np.array([100.0, np.inf]), np.array([np.inf, np.inf]))
        array([1., 0.])
    """
    return (first < second).astype(float) - (second < first)


def lead(
    times: Sequence[tuple[Float[np.ndarray, " _"], Float[np.ndarray, " _"]]],
    drawn: Sequence[tuple[Float[np.ndarray, "resample _"], Float[np.ndarray, "resample _"]]],
    rng: np.random.Generator,
    confidence: float = 0.95,
) -> Lead:
    """The lead of one event over another, over settings and seeds.

    Args:
        times: for each setting the steps (seed,) of both events; seed i is the same seed in all
            settings, which may lack the last ones.
        drawn: the same in each resample (resample, seed), seeds redrawn alike in all settings.
        rng: draws flips where there are too many to go through.
        confidence: of the interval.

    Raises:
        ValueError: if there is no setting.
    """
    if not times:
        raise ValueError("times must hold at least one setting")
    num_seeds = max(len(first) for first, _ in times)
    table = np.full((len(times), num_seeds), np.nan)
    for row, (first, second) in zip(table, times):
        row[: len(first)] = first_of_two(first, second)
    per_seed = np.nanmean(table, axis=0)
    value = float(per_seed.mean())
    draws = np.mean([first_of_two(*both).mean(axis=1) for both in drawn], axis=0)
    low, high = percentile_interval(draws, confidence)
    return Lead(value, (float(low), float(high)), _sign_flips(per_seed, rng), per_seed)


def _sign_flips(per_seed: np.ndarray, rng: np.random.Generator) -> float:
    """One-sided: how often seeds whose signs mean nothing lead by as much."""
    num = len(per_seed)
    if num <= MOST_ENUMERATED:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=num)))
    else:
        signs = rng.choice((1.0, -1.0), size=(2**MOST_ENUMERATED, num))
        signs[0] = 1.0
    return float((signs @ per_seed >= per_seed.sum() - 1e-9).mean())
