"""Memorisation: a coordinate first falls below where it began, and rises only later.

The lowest point of a noisy curve is low partly by luck. So it is located on one half of the samples
and read off the other, then the other way round, and both readings are averaged: on a flat curve
the fall found is zero on average.
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
    banks = [resample_means(half, settings.num_resamples, rng) for half in halves]
    means = [mean_measured(half, axis=-1) for half in halves]
    drawn = _swapped(banks[0], banks[1], last, settings)
    point = _swapped(means[0], means[1], last, settings)
    draws = mean_over_seeds(resample_seeds(np.stack(drawn, axis=-1), rng))
    draws = draws[~np.isnan(draws).any(axis=-1)]
    intervals = (
        percentile_interval(draws, settings.confidence)
        if len(draws) > 1
        else np.full((2, 2), np.nan)
    )
    curve = smooth(mean_measured(values, axis=-1), settings.smoothing)
    return Memorisation(
        fall=float(mean_measured(point[0], axis=0)),
        fall_interval=(float(intervals[0, 0]), float(intervals[0, 1])),
        rise=float(mean_measured(point[1], axis=0)),
        rise_interval=(float(intervals[1, 0]), float(intervals[1, 1])),
        fall_per_seed=point[0],
        lowest=_extreme(curve, settings.start_checkpoints, last, lowest=True),
    )


def _swapped(
    first: np.ndarray, second: np.ndarray, last: np.ndarray, settings: FindingsSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Fall and rise, located on one half of the samples and read off the other, both ways."""
    ways = [_located(first, second, last, settings), _located(second, first, last, settings)]
    falls, rises = zip(*ways)
    return (falls[0] + falls[1]) / 2, (rises[0] + rises[1]) / 2


def _located(
    locate: np.ndarray, read: np.ndarray, last: np.ndarray, settings: FindingsSettings
) -> tuple[np.ndarray, np.ndarray]:
    start = mean_measured(read[..., : settings.start_checkpoints], axis=-1)
    locate, read = smooth(locate, settings.smoothing), smooth(read, settings.smoothing)
    low = _extreme(locate, settings.start_checkpoints, last, lowest=True)
    high = _extreme(locate, low, last, lowest=False)
    at_low = np.take_along_axis(read, low[..., None], axis=-1)[..., 0]
    at_high = np.take_along_axis(read, high[..., None], axis=-1)[..., 0]
    known = last >= settings.start_checkpoints
    return np.where(known, at_low - start, np.nan), np.where(known, at_high - at_low, np.nan)


def _extreme(
    curve: np.ndarray, begin: int | np.ndarray, last: np.ndarray, *, lowest: bool
) -> np.ndarray:
    """Index (..., seed) of the lowest or highest value from `begin` to `last`."""
    index = np.arange(curve.shape[-1])
    inside = (index >= np.asarray(begin)[..., None]) & (index <= last[:, None])
    signed = -curve if lowest else curve
    return np.argmax(np.where(inside & ~np.isnan(curve), signed, -np.inf), axis=-1)
