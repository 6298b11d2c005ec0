"""Study `prediction`: learning times and their order from the concept signal alone.

No training run of a setting is looked at before it is predicted: the law of times is fitted on half
of the settings and scored on the other half, both in turn, over many halves.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from conceptspace.dynamics.learning import median_time
from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.held_out_paths import HeldOutPath, read_paths
from conceptspace.studies.separations import naive_runs
from conceptspace.studies.sides import interval_of
from conceptspace.studies.study import Scale, Study, StudyRun
from conceptspace.theory.halves import (
    draw_halves,
    first_by_signal,
    redraw_seeds,
    score_constant,
    score_halves,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Claim

NUM_SPLITS = 10
"""Each gives two halves, both fitted on in turn."""
DRAWS_SHARE = 5
"""One redraw for so many of `num_resamples`, since each fits four halves again."""
LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Of the predicted intervals, whose coverage is the calibration."""
LEAST_SETTINGS = 4


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """Predictions of left-out settings, and how they fared.

    Args:
        runs: of two concepts, at least one.
        scale: not looked at.

    Returns:
        `settings`; by threshold what became of predicted `times` (None where no law can be fitted);
        and the `order` of the two concepts.

    Raises:
        ValueError: if there is no run, or runs differ in what they must share.
    """
    found, settings = read_paths(runs)
    signal = np.stack([path.signal for path in found])
    tables = {str(threshold): _times(found, str(threshold)) for threshold in settings.thresholds}
    ends = np.array([path.end for path in found])
    usable = len(found) >= LEAST_SETTINGS and (signal > 0).all() and np.ptp(signal) > 0
    first = str(settings.thresholds[0])
    scored = {
        key: _score(signal, table, ends, settings, permute=key == first)
        for key, table in tables.items()
    }
    others = {
        "derivative of G": np.stack([path.derivative for path in found]),
        "separation": np.array([path.separation for path in found], dtype=float),
    }
    return plain(
        {
            "concepts": found[0].concepts,
            "held_out": found[0].held_out,
            "confidence": settings.confidence,
            "thresholds": settings.thresholds,
            "minimum_seeds": settings.minimum_seeds,
            "num_seeds": min(len(path.paths) for path in found),
            "levels": LEVELS,
            "settings": [_row(path, first, number, scored) for number, path in enumerate(found)],
            "times": scored if usable else None,
            "instead": {
                name: _correlation(values, tables[first], ends, settings)
                for name, values in others.items()
                if usable
            },
            "order": {key: _order(signal, table, settings) for key, table in tables.items()},
        }
    )


def _times(found: list[HeldOutPath], threshold: str) -> Float[np.ndarray, "setting concept seed"]:
    """Learning times; NaN where a setting has fewer seeds than others."""
    most = max(len(path.paths) for path in found)
    table = np.full((len(found), len(found[0].concepts), most), np.nan)
    for row, path in zip(table, found):
        row[:, : len(path.paths)] = path.times[threshold]
    return table


def _row(
    path: HeldOutPath, threshold: str, number: int, scored: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "name": path.name,
        "label": path.label,
        "separation": dict(zip(path.concepts, path.separation)),
        "signal": path.signal,
        "end": path.end,
        "times": path.times[threshold],
        "median": [median_time(times, path.end) for times in path.times[threshold]],
        "predicted": scored[threshold]["median"][number],
    }


def _halves(num_settings: int, settings: FindingsSettings) -> np.ndarray:
    return draw_halves(num_settings, NUM_SPLITS, np.random.default_rng([settings.random_seed, 3]))


def _correlation(
    signal: np.ndarray, times: np.ndarray, ends: np.ndarray, settings: FindingsSettings
) -> float:
    if not (signal > 0).all() or not np.ptp(signal):
        return float("nan")
    return score_halves(signal, times, ends, _halves(len(signal), settings)).correlation


def _score(
    signal: np.ndarray, times: np.ndarray, ends: np.ndarray, settings: FindingsSettings,
    *, permute: bool,
) -> dict[str, Any]:  # fmt: skip
    """The score of the signal, of redrawn seeds, of permuted signals, and of the concept alone."""
    if len(signal) < LEAST_SETTINGS or not (signal > 0).all() or not np.ptp(signal):
        return {"median": np.full(signal.shape, np.nan)}
    rng = np.random.default_rng([settings.random_seed, 33])
    halves = _halves(len(signal), settings)
    own = score_halves(signal, times, ends, halves, LEVELS)
    alone = -np.broadcast_to(np.log(signal).mean(axis=0), signal.shape)
    draws, gains, permuted = [], [], []
    for _ in range(settings.num_resamples // DRAWS_SHARE):
        # Other halves each time, so that the interval holds which settings were fitted on.
        some, drawn = draw_halves(len(signal), 2, rng), redraw_seeds(times, rng)
        draws.append(score_halves(signal, drawn, ends, some).correlation)
        gains.append(draws[-1] - score_constant(alone, drawn, ends, some))
    for _ in range(settings.num_resamples if permute else 0):
        dealt = signal[rng.permutation(len(signal))]
        one = draw_halves(len(signal), 1, rng)
        permuted.append(score_halves(dealt, times, ends, one).correlation)
    chance = np.array(permuted)
    chance = chance[np.isfinite(chance)]
    return vars(own) | {
        "interval": interval_of(draws, settings.confidence),
        "concept_alone": score_constant(alone, times, ends, halves),
        "ceiling": score_constant(_own_medians(times, ends), times, ends, halves),
        "gain_interval": interval_of(gains, settings.confidence),
        "permuted": interval_of(permuted, settings.confidence),
        "p_value": (1 + (chance >= own.correlation).sum()) / (1 + len(chance)),
        "never": np.isinf(times[~np.isnan(times)]).mean(),
    }


def _own_medians(
    times: Float[np.ndarray, "setting concept seed"], ends: np.ndarray
) -> Float[np.ndarray, "setting concept"]:
    """The measured median of each concept in each setting, as a prediction of the same times: seeds
    of a setting differ, so no prediction that is the same for all of them does much better. What
    was not reached counts as one and the same time after all others."""
    never = 2 * ends.max()
    return np.nanmedian(np.where(np.isinf(times), never, times), axis=2)


def _order(signal: np.ndarray, times: np.ndarray, settings: FindingsSettings) -> dict[str, Any]:
    """How often the stronger signal is learned first, and how often the best constant guess is."""
    rng = np.random.default_rng([settings.random_seed, 34])
    right = first_by_signal(signal, times)
    known = ~np.isnan(right)
    by_setting = [row[there].mean() if there.any() else np.nan for row, there in zip(right, known)]
    ahead = np.argmax(signal, axis=1)
    first = np.where(ahead[:, None] == 0, right, 1 - right)  # whether the first concept is first
    constant = max(np.mean(first[known]), 1 - np.mean(first[known])) if known.any() else np.nan
    draws, permuted = [], []
    for _ in range(settings.num_resamples):
        again = first_by_signal(signal, redraw_seeds(times, rng))
        # Settings are redrawn too: the claim is about settings that were not run.
        again = again[rng.integers(len(again), size=len(again))]
        there = ~np.isnan(again)
        draws.append(again[there].mean() if there.any() else np.nan)
        dealt = first_by_signal(signal[rng.permutation(len(signal))], times)
        there = ~np.isnan(dealt)
        permuted.append(dealt[there].mean() if there.any() else np.nan)
    share = float(right[known].mean()) if known.any() else float("nan")
    chance = np.array(permuted)[np.isfinite(permuted)]
    return {
        "share": share,
        "interval": interval_of(draws, settings.confidence),
        "by_setting": by_setting,
        "num_known": int(known.sum()),
        "constant_guess": constant,
        "names_one_concept": len(np.unique(ahead)) == 1,
        "permuted": interval_of(permuted, settings.confidence),
        "p_value": (1 + (chance >= share - 1e-12).sum()) / (1 + len(chance)),
    }


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """Times and order."""
    from conceptspace.studies.prediction_claims import order_claim, times_claim

    return [times_claim(findings), order_claim(findings)]


def figure(findings: Mapping[str, Any]) -> "Figure":
    """Predicted and measured times, calibration, and order against the ratio of the signals."""
    from conceptspace.figures.prediction_sweep import prediction_sweep_figure

    return prediction_sweep_figure(findings)


STUDY = Study(
    name="prediction",
    title="learning times and their order from the concept signal alone",
    tests=("prediction/times", "prediction/order"),
    experiments=naive_runs,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
