"""Learning times predicted from the signal, over many halves of a sweep, each half in turn.

The law is that of `conceptspace.theory.censored`. What is scored is the rank correlation of
predicted and measured times of settings that the law has not seen: Somers' D with censoring, which
leaves out pairs within a cell (the seeds of one concept in one setting), for which all predictions
are the same. A tie between cells counts as neither for nor against.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Real

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.theory.censored import comparable_pairs, fit_times
from conceptspace.theory.prediction import coverage

Times = Float[np.ndarray, "setting concept seed"]


@dataclass(frozen=True)
class HalvesScore:
    """What became of the predictions, over all halves.

    Attributes:
        correlation: mean over halves; NaN where no half could be scored.
        median: predicted median time, geometric mean over the halves that did not see the setting.
        coverage: share of times within predicted intervals, one a level, mean over halves.
        slope: of log T against log signal, mean over halves.
        num_scored: halves that could be fitted and scored.
    """

    correlation: float
    median: Float[np.ndarray, "setting concept"]
    coverage: Float[np.ndarray, " level"]
    slope: float
    num_scored: int


def draw_halves(
    num_settings: int, num_splits: int, rng: np.random.Generator
) -> Bool[np.ndarray, "half setting"]:
    """Settings that are fitted on: random halves, and after each what it leaves.

    Args:
        num_settings: at least 2.
        num_splits: how many; each gives two halves.
        rng: draws.
    """
    first = np.zeros((num_splits, num_settings), dtype=bool)
    for row in first:
        row[rng.permutation(num_settings)[: num_settings // 2]] = True
    return np.stack([first, ~first], axis=1).reshape(-1, num_settings)


def score_halves(
    signal: Real[np.ndarray, "setting concept"],
    times: Times,
    ends: Real[np.ndarray, " setting"],
    halves: Bool[np.ndarray, "half setting"],
    levels: tuple[float, ...] = (),
) -> HalvesScore:
    """Fit on each half and score on the other.

    Args:
        signal: above 0.
        times: infinite where never, NaN where there is no such seed.
        ends: the last step of each setting.
        halves: the settings that are fitted on.
        levels: of predicted intervals whose coverage is asked for.
    """
    wide, last = _broadcast(signal, times), _broadcast(ends[:, None], times)
    there = ~np.isnan(times)
    medians, values, covered, slopes = [], [], [], []
    for half in halves:
        fitting, scored = there & half[:, None, None], there & ~half[:, None, None]
        try:
            law = fit_times(wide[fitting], times[fitting], last[fitting])
        except ValueError:
            continue  # too few of this half were learned at all
        values.append(rank_of_prediction(law.median(signal)[~half], times[~half], ends[~half]))
        medians.append(np.where(half[:, None], np.nan, np.log(law.median(signal))))
        slopes.append(law.slope)
        covered.append(
            [coverage(law, wide[scored], times[scored], last[scored], c) for c in levels]
        )
    if not values:
        nothing = np.full(signal.shape, np.nan)
        return HalvesScore(np.nan, nothing, np.full(len(levels), np.nan), np.nan, 0)
    return HalvesScore(
        float(_mean(np.array(values))), np.exp(_mean(np.array(medians))),
        _mean(np.array(covered)), float(np.mean(slopes)), len(values),
    )  # fmt: skip


def score_constant(
    predicted: Real[np.ndarray, "setting concept"],
    times: Times,
    ends: Real[np.ndarray, " setting"],
    halves: Bool[np.ndarray, "half setting"],
) -> float:
    """The same correlation of a prediction that needs no fit.

    Args:
        predicted: any number that rises with the predicted time.
        times: infinite where never, NaN where there is no such seed.
        ends: the last step of each setting.
        halves: the settings that are not scored.
    """
    values = [rank_of_prediction(predicted[~h], times[~h], ends[~h]) for h in halves]
    return float(_mean(np.array(values)))


def rank_of_prediction(
    predicted: Real[np.ndarray, "setting concept"], times: Times, ends: Real[np.ndarray, " setting"]
) -> float:
    """Rank correlation of predicted and measured times, pairs within a cell left out.

    Args:
        predicted: any number that rises with the predicted time.
        times: infinite where never, NaN where there is no such seed.
        ends: the last step of each setting.

    Returns:
        1 if every comparable pair is in order, -1 if none is; NaN without pairs.
    """
    there = ~np.isnan(times)
    last = _broadcast(ends[:, None], times)[there]
    found, expected = times[there], _broadcast(predicted, times)[there]
    cell = _broadcast(np.arange(predicted.size).reshape(predicted.shape), times)[there]
    happened = np.isfinite(found)
    known = comparable_pairs(np.where(happened, found, last), happened) & (cell[:, None] != cell)
    order = np.sign(expected - expected[:, None])  # 1 where the earlier is predicted so
    total = known.sum()
    return float((order * known).sum() / total) if total else float("nan")


def redraw_seeds(times: Times, rng: np.random.Generator) -> Times:
    """Each setting's seeds redrawn, concepts of a seed together; absent seeds stay absent."""
    drawn = np.full_like(times, np.nan)
    for setting, row in enumerate(times):
        there = np.flatnonzero(~np.isnan(row).all(axis=0))
        if len(there):
            drawn[setting, :, : len(there)] = row[:, rng.choice(there, size=len(there))]
    return drawn


def first_by_signal(
    signal: Real[np.ndarray, "setting concept"], times: Times
) -> Float[np.ndarray, "setting seed"]:
    """1 where the concept of the stronger signal is learned first, 0 where last, one half if tied.

    NaN where neither concept was learned or the signals are equal.
    """
    ahead = np.sign(signal[:, 0] - signal[:, 1])[:, None]
    with np.errstate(invalid="ignore"):
        sooner = np.sign(times[:, 1] - times[:, 0])  # inf - inf is NaN: neither was learned
    return np.where(ahead == 0, np.nan, (ahead * sooner + 1) / 2)


def _broadcast(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.asarray(values)[..., None], times.shape)


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is not NaN."""
    return mean_measured(values, axis=0)
