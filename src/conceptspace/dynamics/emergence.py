"""Emergence: when a capability is there, when it shows, and the window in between.

Times are training steps, infinite where it never happened by the last checkpoint.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real

from conceptspace.dynamics.bootstrap import percentile_interval
from conceptspace.dynamics.learning import crossing_steps, median_time

MAX_ENUMERATED = 7
"""Up to this many seeds all permutations are compared (5 040); beyond, as many are drawn."""


def emergence(
    steps: Real[np.ndarray, " checkpoint"],
    accuracy: Float[np.ndarray, "*cell checkpoint"],
    threshold: float,
    consecutive: int = 3,
) -> Float[np.ndarray, "*cell"]:
    """The step at which a capability emerges: the first of `consecutive` above the threshold.

    Args:
        steps: training step of each checkpoint, rising.
        accuracy: joint accuracy at strengths chosen on other samples, such as (seed, checkpoint).
        threshold: what must be exceeded.
        consecutive: checkpoints in a row.

    Returns:
        steps, infinite where it never emerges (censored at the last checkpoint).
    """
    return crossing_steps(steps, accuracy, threshold, consecutive)


@dataclass(frozen=True)
class Window:
    """The hidden-capability window of each seed.

    Attributes:
        opens: step at which the capability emerged; infinite: never, and then there is no window.
        closes: step at which naive prompting succeeded; infinite: not by the last checkpoint.
        length: closes less opens; NaN without a window, infinite where it did not close. At most 0
            where naive prompting was no later: nothing was hidden.
        censored_at: the length by which a window that did not close is cut off.
    """

    opens: Float[np.ndarray, " seed"]
    closes: Float[np.ndarray, " seed"]
    length: Float[np.ndarray, " seed"]
    censored_at: Float[np.ndarray, " seed"]

    @property
    def is_hidden(self) -> np.ndarray:
        """Whether there was a step (seed,) at which the capability was there and did not show."""
        return np.nan_to_num(self.length, nan=0.0) > 0

    @property
    def median_length(self) -> float:
        """Kaplan-Meier median over the seeds with a window; NaN if there are none."""
        known = ~np.isnan(self.length)
        if not known.any():
            return np.nan
        return median_time(self.length[known], self.censored_at[known])


def window(
    naive: Float[np.ndarray, " seed"], capability: Float[np.ndarray, " seed"], last_step: float
) -> Window:
    """Window = naive step less capability step, with censoring kept.

    Args:
        naive: step at which naive prompting succeeds, infinite if never.
        capability: step at which the capability emerged, infinite if never.
        last_step: the last checkpoint's step.

    Raises:
        ValueError: if the seeds are not the same.
    """
    if np.shape(naive) != np.shape(capability):
        raise ValueError(
            "naive and capability must have one step a seed each, not "
            f"{np.shape(naive)} and {np.shape(capability)}"
        )
    censored_at = np.where(np.isfinite(capability), last_step - capability, np.nan)
    return Window(capability, naive, window_length(naive, capability), censored_at)


def window_length(
    naive: Float[np.ndarray, "*cell"], capability: Float[np.ndarray, "*cell"]
) -> Float[np.ndarray, "*cell"]:
    """Length of a window; NaN without a capability, infinite where it does not close."""
    opened = np.isfinite(capability)
    return np.where(opened, naive - np.where(opened, capability, 0.0), np.nan)


@dataclass(frozen=True)
class Coincidence:
    """How close two events of the same seed are, against pairs of different seeds.

    Attributes:
        gap: mean over seeds of the distance in steps; NaN without two seeds that have both.
        permuted: the same, averaged over all pairings.
        p_value: share of pairings (the true one among them) that come at least as close.
        num_seeds: seeds that have both events.
    """

    gap: float
    permuted: float
    p_value: float
    num_seeds: int


def coincidence(
    turns: Float[np.ndarray, " seed"],
    emergences: Float[np.ndarray, " seed"],
    rng: np.random.Generator,
) -> Coincidence:
    """Compare |turn - emergence| with that of permuted runs: seed i's turn, seed j's emergence.

    Args:
        turns: each seed's turn step; infinite or NaN where there is none.
        emergences: each seed's emergence step, likewise.
        rng: draws permutations where there are too many to go through.
    """
    both = np.isfinite(turns) & np.isfinite(emergences)
    first, second = turns[both], emergences[both]
    num = int(both.sum())
    if num < 2:
        gap = float(np.abs(first - second).mean()) if num else np.nan
        return Coincidence(gap, np.nan, np.nan, num)
    if num <= MAX_ENUMERATED:
        orders = np.array(list(itertools.permutations(range(num))))
    else:
        drawn = [rng.permutation(num) for _ in range(math.factorial(MAX_ENUMERATED))]
        orders = np.stack([np.arange(num), *drawn])
    gaps = np.abs(first[None] - second[orders]).mean(axis=1)
    gap = float(np.abs(first - second).mean())
    return Coincidence(gap, float(gaps.mean()), float((gaps <= gap * (1 + 1e-12)).mean()), num)


@dataclass(frozen=True)
class PooledCoincidence:
    """As `Coincidence`, over several settings: seeds are paired within their own.

    Attributes:
        gap: mean over all seeds that have both; NaN if none can be paired.
        interval: of the gap less that of all pairings, from redrawing seeds; NaN likewise.
        permuted: the mean over pairings.
        p_value: share of pairings that come at least as close.
        num_seeds: pairs of events, over all settings with at least two.
        num_pairings: how many pairings there are.
    """

    gap: float
    interval: tuple[float, float]
    permuted: float
    p_value: float
    num_seeds: int
    num_pairings: float


def pooled_coincidence(
    settings: Sequence[tuple[Float[np.ndarray, " seed"], Float[np.ndarray, " seed"]]],
    rng: np.random.Generator,
    num_resamples: int = 1000,
    confidence: float = 0.95,
) -> PooledCoincidence:
    """Compare |turn - emergence| with that of permuted runs, over several settings.

    Args:
        settings: of each, every seed's turn and emergence step; infinite or NaN where none.
        rng: draws pairings and redraws seeds.
        num_resamples: how many redraws of seeds.
        confidence: of the interval.
    """
    pairs = []
    for turns, emergences in settings:
        both = np.isfinite(turns) & np.isfinite(emergences)
        if both.sum() >= 2:
            pairs.append((turns[both], emergences[both]))
    num = sum(len(turns) for turns, _ in pairs)
    if not pairs:
        return PooledCoincidence(np.nan, (np.nan, np.nan), np.nan, np.nan, num, 1.0)
    total = np.zeros(math.factorial(MAX_ENUMERATED))
    less = np.zeros(num_resamples)
    for turns, emergences in pairs:
        orders = rng.permuted(np.tile(np.arange(len(turns)), (len(total), 1)), axis=1)
        orders[0] = np.arange(len(turns))
        total += np.abs(turns - emergences[orders]).sum(axis=1)
        # How much closer each seed's own pair is than its pairs with the others.
        distance = np.abs(turns[:, None] - emergences)
        closer = np.diag(distance) - (distance.mean(axis=0) + distance.mean(axis=1)) / 2
        drawn = rng.integers(len(turns), size=(num_resamples, len(turns)))
        less += closer[drawn].sum(axis=1)
    low, high = percentile_interval(less / num, confidence)
    return PooledCoincidence(
        gap=float(total[0] / num),
        interval=(float(low), float(high)),
        permuted=float(total.mean() / num),
        p_value=float((total <= total[0] * (1 + 1e-12)).mean()),
        num_seeds=num,
        num_pairings=float(np.prod([math.factorial(len(turns)) for turns, _ in pairs])),
    )
