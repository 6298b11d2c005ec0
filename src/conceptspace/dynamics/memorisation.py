"""Memorisation: a coordinate first falls below where it began, and rises only later.

The lowest point of a noisy curve is low partly by luck. So it is located on one half of the samples
and read off the other, then the other way round, and both readings are averaged: on a flat curve
the fall found is zero on average. Resamples keep the places that were located: they are
independent of the samples read there, and locating them anew would only blur them.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from conceptspace.dynamics.accuracy import mean_measured, smooth, split_folds
from conceptspace.dynamics.bootstrap import (
    mean_over_seeds,
    percentile_interval,
    resample_means,
    resample_seeds,
)
from conceptspace.dynamics.settings import FindingsSettings

POOLING = 0.5
"""Weight of all seeds' mean curve beside the seed's own when places are located: with 16 samples a
seed's own curve often misplaces a shallow fall, and the mean curve misses seeds that differ in
step. With 5 seeds of 32 binary samples at 40 checkpoints, a fall of 0.1 that lasts 8 of them is
found in 45 % of runs with one half, 23 % without pooling; one of 0.2 at steps that differ by 8
checkpoints in 83 % with one half, 34 % with the mean curve alone; one that is not there in 1 %."""


@dataclass(frozen=True)
class Memorisation:
    """The fall of a coordinate, and its later rise.

    Attributes:
        fall: lowest value less starting value, mean over seeds; negative if it fell.
        fall_interval: its bootstrap interval, seeds first, samples second.
        rise: highest value after the lowest, less the lowest, mean over seeds.
        rise_interval: likewise.
        fall_per_seed: fall of each seed; NaN where there is nothing to look at.
        lowest: index of the checkpoint at which each seed's curve is lowest, on all samples.
    """

    fall: float
    fall_interval: tuple[float, float]
    rise: float
    rise_interval: tuple[float, float]
    fall_per_seed: Float[np.ndarray, " seed"]
    lowest: Int[np.ndarray, " seed"]

    @property
    def memorises(self) -> bool:
        return self.fall_interval[1] < 0

    @property
    def turns_later(self) -> bool:
        return self.rise_interval[0] > 0


def memorisation(
    values: Float[np.ndarray, "seed checkpoint sample"],
    *,
    rng: np.random.Generator,
    settings: FindingsSettings | None = None,
    until: Int[np.ndarray, " seed"] | None = None,
) -> Memorisation:
    """How far a coordinate falls below its start, and how far it rises again.

    Args:
        values: nearness to the class's own corner along one concept, 0 to 1, at the checkpoints
            after training began. The start is the mean of the first few of them
            (`settings.start_checkpoints`); the lowest point is looked for after these.
        rng: draws the resamples.
        settings: smoothing and resampling.
        until: for each seed, the last checkpoint that counts; by default all do.

    Raises:
        ValueError: if there are too few samples or checkpoints to look at.
    """
    settings = settings or FindingsSettings()
    if values.ndim != 3 or values.shape[2] < 2 or values.shape[1] <= settings.start_checkpoints:
        raise ValueError(
            "values must have shape (seed, checkpoint, sample) with at least 2 samples and "
            f"{settings.start_checkpoints + 1} checkpoints, not {values.shape}"
        )
    last = np.full(len(values), values.shape[1] - 1) if until is None else np.asarray(until)
    halves = split_folds(values)
    means = [mean_measured(half, axis=-1) for half in halves]
    places = [_places(mean, last, settings) for mean in means]
    # Each half is read where the other half was lowest, and highest after that.
    point = _read_off(means, places[::-1], last, settings)
    banks = [resample_means(half, settings.num_resamples, rng) for half in halves]
    drawn = _read_off(banks, places[::-1], last, settings)
    draws = mean_over_seeds(resample_seeds(drawn, rng))
    draws = draws[~np.isnan(draws).any(axis=-1)]
    intervals = (
        percentile_interval(draws, settings.confidence)
        if len(draws) > 1
        else np.full((2, 2), np.nan)
    )
    fall, rise = (float(value) for value in mean_measured(point, axis=0))
    return Memorisation(
        fall=fall,
        fall_interval=(float(intervals[0, 0]), float(intervals[0, 1])),
        rise=rise,
        rise_interval=(float(intervals[1, 0]), float(intervals[1, 1])),
        fall_per_seed=point[:, 0],
        lowest=_places(mean_measured(values, axis=-1), last, settings)[0],
    )


def _places(
    means: np.ndarray, last: np.ndarray, settings: FindingsSettings
) -> tuple[np.ndarray, np.ndarray]:
    """The checkpoints (seed,) of the lowest value, and of the highest after it."""
    pooled = mean_measured(means, axis=0)
    curve = smooth((1 - POOLING) * means + POOLING * pooled, settings.smoothing)
    low = _extreme(curve, settings.start_checkpoints, last, lowest=True)
    return low, _extreme(curve, low, last, lowest=False)


def _read_off(
    halves: list[np.ndarray],
    places: list[tuple[np.ndarray, np.ndarray]],
    last: np.ndarray,
    settings: FindingsSettings,
) -> np.ndarray:
    """Fall and rise (..., seed, 2) at given places, averaged over both halves."""
    total = 0.0
    for means, (low, high) in zip(halves, places):
        start = mean_measured(means[..., : settings.start_checkpoints], axis=-1)
        curve = smooth(means, settings.smoothing)
        seeds = np.arange(len(last))
        at_low, at_high = curve[..., seeds, low], curve[..., seeds, high]
        total = total + np.stack([at_low - start, at_high - at_low], axis=-1)
    known = last >= settings.start_checkpoints
    return np.where(known[:, None], total / len(halves), np.nan)


def _extreme(
    curve: np.ndarray, begin: int | np.ndarray, last: np.ndarray, *, lowest: bool
) -> np.ndarray:
    """Index (..., seed) of the lowest or highest value from `begin` to `last`."""
    index = np.arange(curve.shape[-1])
    inside = (index >= np.asarray(begin)[..., None]) & (index <= last[:, None])
    signed = -curve if lowest else curve
    return np.argmax(np.where(inside & ~np.isnan(curve), signed, -np.inf), axis=-1)
