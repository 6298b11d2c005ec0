"""Whether one event spreads less over seeds than another, when some seeds never come to it.

Over pairs of seeds of a setting: is |log E_i - log E_j|, of capabilities, smaller than
|log N_i - log N_j|, of naive prompting? The share of pairs in which it is says which event spreads
less, whatever the shape of the times; logarithms, because what comes later spreads more in steps.

A seed that did not get there by the end gives only a lower bound of its distances. Where naive
prompting is cut off and the capability is not, a pair with such a bound can be decided for the
capability alone: leaving out what is undecided would favour it. So both events are first centred
on a common quantile that both reach, and then cut off alike, at the nearer of the two ends. With
equal spreads the two are then exchangeable, and leaving out undecided pairs favours neither. Beside
it stand bounds that assume nothing: every undecided pair counted against, and for, the claim.

An event lies somewhere between its checkpoint and the one before, and checkpoints are wider apart
in logarithms early than late. It is drawn between the two, so that a coarse grid makes no ties.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Real

from conceptspace.dynamics.bootstrap import percentile_interval

NUM_PLACINGS = 100
"""Draws of the events between their checkpoints over which the share is averaged."""
MOST_EXCHANGED = 10
"""Up to this many seeds all exchanges of labels are gone through (1 024); beyond, as many drawn."""


@dataclass(frozen=True)
class SeedEvents:
    """Two events of each seed in one setting; steps, infinite where not by the last checkpoint.

    Attributes:
        steps: training step of each checkpoint, rising.
        capability: step of the event that should spread less.
        naive: step of the other.
        capability_draws, naive_draws: the same from resampled samples.
    """

    steps: Real[np.ndarray, " checkpoint"]
    capability: Float[np.ndarray, " seed"]
    naive: Float[np.ndarray, " seed"]
    capability_draws: Float[np.ndarray, "resample seed"]
    naive_draws: Float[np.ndarray, "resample seed"]


@dataclass(frozen=True)
class Spread:
    """How much less capabilities spread over seeds than naive prompting.

    Attributes:
        share: of decided pairs in which capabilities lie closer, one half if both spread alike; NaN
            without a decided pair.
        interval: from redrawing seeds, then samples; NaN if that gives fewer than two values.
        num_pairs: pairs of seeds within settings.
        num_decided: how many of them are decided, on average over placings; what is not is left
            out.
        bounds: the share with every pair that censoring leaves open against the claim, and for it.
        bounds_interval: lower end of the first bound and upper end of the second.
        p_value: share of exchanges of the two labels within seeds that favour the claim as much.
        num_exchanges: how many exchanges there are, or were drawn.
    """

    share: float
    interval: tuple[float, float]
    num_pairs: int
    num_decided: float
    bounds: tuple[float, float]
    bounds_interval: tuple[float, float]
    p_value: float
    num_exchanges: int


def spread_over_seeds(
    settings: Sequence[SeedEvents], rng: np.random.Generator, confidence: float = 0.95
) -> Spread:
    """Compare the spread of two events over the seeds of one or more settings.

    Pairs are of one setting. The runs of a seed in all settings are redrawn, and their labels
    exchanged, together: they share initial weights.

    Args:
        settings: with the same number of seeds and of resamples, at least two seeds.
        rng: places events between checkpoints, and draws.
        confidence: of the intervals.

    Raises:
        ValueError: if there is no setting, or they differ in their number of seeds.
    """
    numbers = {len(events.naive) for events in settings}
    if len(numbers) != 1 or min(numbers) < 2:
        raise ValueError(f"settings must have the same seeds, two or more, not {sorted(numbers)}")
    num_seeds = numbers.pop()
    everyone = np.broadcast_to(np.arange(num_seeds), (NUM_PLACINGS, num_seeds))
    point = _counts(settings, everyone, rng)
    drawn = _counts(settings, _redrawn(settings, num_seeds, rng), rng, resampled=True)
    p_value, num_exchanges = _exchanged(settings, num_seeds, rng)
    num_pairs = len(settings) * num_seeds * (num_seeds - 1) // 2
    outer = [_interval(end, confidence) for end in drawn.bounds]
    return Spread(
        share=_ratio(point.wins.sum(), point.decided.sum()),
        interval=_interval(drawn.share, confidence),
        num_pairs=num_pairs,
        num_decided=float(point.decided.mean()),
        bounds=(float(point.bounds[0].mean()), float(point.bounds[1].mean())),
        bounds_interval=(outer[0][0], outer[1][1]),
        p_value=p_value,
        num_exchanges=num_exchanges,
    )


@dataclass
class _Counts:
    """Sums over pairs (row,), a pair that is a tie counting half a win."""

    wins: np.ndarray
    decided: np.ndarray
    sure_wins: np.ndarray
    sure_losses: np.ndarray
    pairs: np.ndarray

    @property
    def share(self) -> np.ndarray:
        return np.divide(
            self.wins, self.decided, out=np.full(len(self.wins), np.nan), where=self.decided > 0
        )

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        pairs = np.maximum(self.pairs, 1)
        return self.sure_wins / pairs, 1 - self.sure_losses / pairs


def _counts(
    settings: Sequence[SeedEvents],
    seeds: Int[np.ndarray, "row seed"],
    rng: np.random.Generator,
    resampled: bool = False,
) -> _Counts:
    """Sums over the pairs of all settings, for each row of seeds; a seed makes no pair with
    itself."""
    total = np.zeros((5, len(seeds)))
    first, second = np.triu_indices(seeds.shape[1], 1)
    counted = seeds[:, first] != seeds[:, second]
    for events in settings:
        chosen = (np.arange(len(seeds))[:, None], seeds) if resampled else seeds
        ours = events.capability_draws if resampled else events.capability
        other = events.naive_draws if resampled else events.naive
        e, n = (_placed(times[chosen], events.steps, rng) for times in (ours, other))
        end = np.log(float(events.steps[-1]))
        wins, losses = _decided(*_cut_alike(e, n, end), counted)
        ends = np.full((len(seeds), 1), end)
        sure = _decided(np.minimum(e, end), np.minimum(n, end), ends, counted)
        total += [wins, wins + losses, *sure, counted.sum(axis=1)]
    return _Counts(*total)


def _placed(
    times: Float[np.ndarray, "row seed"], steps: np.ndarray, rng: np.random.Generator
) -> Float[np.ndarray, "row seed"]:
    """Logarithms of steps drawn between each checkpoint and the one before; infinite stays."""
    steps = np.asarray(steps, dtype=float)
    # Before the first there is as much room as before the second, in logarithms.
    before = np.concatenate([[steps[0] ** 2 / steps[min(1, len(steps) - 1)]], steps[:-1]])
    happened = np.isfinite(times)
    place = np.searchsorted(steps, np.where(happened, times, steps[-1]))
    at = before[place] + rng.random(times.shape) * (steps[place] - before[place])
    return np.where(happened, np.log(at), np.inf)


def _cut_alike(
    e: Float[np.ndarray, "row seed"], n: Float[np.ndarray, "row seed"], end: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both centred on the same quantile, which both reach, and cut at the nearer of their ends."""
    reached = np.minimum(np.isfinite(e).sum(axis=1), np.isfinite(n).sum(axis=1))
    middle = np.maximum(-(-reached // 2) - 1, 0)[:, None]
    of_e, of_n = (np.take_along_axis(np.sort(x, axis=1), middle, axis=1) for x in (e, n))
    known = (reached > 0)[:, None]
    of_e, of_n = np.where(known, of_e, 0.0), np.where(known, of_n, 0.0)
    # Where one never happened nothing can be centred: all is cut, and no pair is decided.
    cut = np.where(known, end - np.maximum(of_e, of_n), -np.inf)
    return np.minimum(e - of_e, cut), np.minimum(n - of_n, cut), cut


def _decided(
    e: Float[np.ndarray, "row seed"],
    n: Float[np.ndarray, "row seed"],
    cut: Float[np.ndarray, "row 1"],
    counted: Bool[np.ndarray, "row pair"],
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs decided for and against closer capabilities (row,); at the cut is censored."""
    low_e, high_e = _distances(e, cut)
    low_n, high_n = _distances(n, cut)
    ties = (low_e == high_e) & (low_n == high_n) & (low_e == low_n)
    wins = ((high_e < low_n) + 0.5 * ties) * counted
    losses = ((high_n < low_e) + 0.5 * ties) * counted
    return wins.sum(axis=1), losses.sum(axis=1)


def _distances(
    x: Float[np.ndarray, "row seed"], cut: Float[np.ndarray, "row 1"]
) -> tuple[np.ndarray, np.ndarray]:
    """Bounds (row, pair) of the distance between two seeds."""
    first, second = np.triu_indices(x.shape[1], 1)
    censored = x >= cut
    x = np.where(np.isfinite(x), x, 0.0)
    either = censored[:, first] | censored[:, second]
    both = censored[:, first] & censored[:, second]
    distance = np.abs(x[:, first] - x[:, second])
    return np.where(both, 0.0, distance), np.where(either, np.inf, distance)


def _redrawn(
    settings: Sequence[SeedEvents], num_seeds: int, rng: np.random.Generator
) -> Int[np.ndarray, "resample seed"]:
    num_resamples = min(len(events.naive_draws) for events in settings)
    return rng.integers(num_seeds, size=(num_resamples, num_seeds))


def _exchanged(
    settings: Sequence[SeedEvents], num_seeds: int, rng: np.random.Generator
) -> tuple[float, int]:
    """How often exchanged labels favour the claim as much as the true ones, and of how many."""
    if num_seeds <= MOST_EXCHANGED:
        swaps = np.array(list(itertools.product([False, True], repeat=num_seeds)))
    else:
        swaps = rng.random((2**MOST_EXCHANGED, num_seeds)) < 0.5
        swaps[0] = False  # the true labels
    favour = np.zeros(len(swaps))
    every = np.ones((len(swaps), num_seeds * (num_seeds - 1) // 2), dtype=bool)
    for events in settings:
        end = np.log(float(events.steps[-1]))
        for _ in range(NUM_PLACINGS // 5):
            e, n = (_placed(t[None], events.steps, rng) for t in (events.capability, events.naive))
            e, n, cut = _cut_alike(e, n, end)
            cuts = np.broadcast_to(cut, (len(swaps), 1))
            wins, losses = _decided(np.where(swaps, n, e), np.where(swaps, e, n), cuts, every)
            favour += wins - losses
    return float((favour >= favour[0] - 1e-9).mean()), len(swaps)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _interval(draws: np.ndarray, confidence: float) -> tuple[float, float]:
    draws = draws[np.isfinite(draws)]
    if len(draws) < 2:
        return float("nan"), float("nan")
    low, high = percentile_interval(draws, confidence)
    return float(low), float(high)
