"""Measured paths beside what the identity task expects of their signals: order, turn, slowing."""

from typing import Any

import numpy as np
from scipy import stats

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.learning import median_time
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.held_out_paths import HeldOutPath
from conceptspace.studies.sides import interval_of
from conceptspace.theory.halves import first_by_signal, rank_of_prediction, redraw_seeds
from conceptspace.theory.sim_path import ExpectedPath, expected_path, lowest_point, slowing

LEAST_RISE = 0.15
"""Of the measured weaker coordinate after its lowest point, from which it has turned."""
DRAWS_SHARE = 5
"""One redraw of the slowing for so many of `num_resamples`."""
POINTS_KEPT = 150
"""Of an expected path, for the picture."""


def overlay(found: list[HeldOutPath], settings: FindingsSettings) -> dict[str, Any]:
    """What the signals predict of each setting, beside what came, and scores.

    Args:
        found: settings with signals above 0, at least two.
        settings: what they are judged by.
    """
    threshold = str(settings.thresholds[0])
    unit = float(np.exp(np.mean([np.log(path.signal).mean() for path in found])))
    expected = [expected_path(path.signal, unit, settings.thresholds[0]) for path in found]
    rows = [_row(path, sim, threshold, settings) for path, sim in zip(found, expected)]
    clock = _clock(rows)
    return {
        "unit": unit,
        "clock": clock,
        "settings": rows,
        "order": _order(found, expected, threshold, settings),
        "turn": _turn(found, expected, settings),
        "slowing": _slowing(found, expected, settings),
    }


def _row(
    path: HeldOutPath, sim: ExpectedPath, threshold: str, settings: FindingsSettings
) -> dict[str, Any]:
    """One setting; coordinates are read towards the class's own corner."""
    mean = mean_measured(path.nearness, axis=0)
    low = _lowest(mean, path, settings)
    # Denser early: a run may end long before the weaker concept is expected.
    part = np.square(np.linspace(0, 1, POINTS_KEPT))
    kept = np.unique((part * (len(sim.times) - 1)).round().astype(int))
    medians = [median_time(times, path.end) for times in path.times[threshold]]
    return {
        "name": path.name,
        "label": path.label,
        "separation": dict(zip(path.concepts, path.separation)),
        "signal": path.signal,
        "weaker": path.weaker,
        "steps": path.steps,
        "measured": mean,
        "times": medians,
        "turn": float(path.steps[low]) if low >= 0 else float("inf"),
        "slowing": measured_slowing(mean, path, settings),
        "expected": {
            "times": sim.times[kept],
            "path": sim.path[kept],
            "arrivals": sim.arrivals,
            "turn": sim.turn,
            "slowing": sim.slowing,
        },
    }


def _clock(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Steps per unit of gradient flow, from learning times of every other setting; and the rest.

    Returns:
        `steps_per_time`, and the median factor by which left-out settings miss, for each kind.
    """
    fitted = [_logs(row) for row in rows[::2]]
    scored = [_logs(row) for row in rows[1::2]]
    known = [gap for gaps in fitted for gap in (gaps["stronger"], gaps["weaker"])]
    known = np.array(known)[np.isfinite(known)]
    if not len(known):
        return {"steps_per_time": float("nan"), "factor": {}}
    scale = float(np.median(known))
    factor = {}
    for kind in ("stronger", "weaker", "turn"):
        gaps = np.array([gaps[kind] for gaps in scored])
        gaps = np.abs(gaps[np.isfinite(gaps)] - scale)
        factor[kind] = {
            "value": float(np.exp(np.median(gaps))) if len(gaps) else None, "num": len(gaps),
        }  # fmt: skip
    return {"steps_per_time": float(np.exp(scale)), "factor": factor}


def _logs(row: dict[str, Any]) -> dict[str, float]:
    """Log of measured steps over expected times; not finite where either is unknown."""
    weak, arrivals = row["weaker"], row["expected"]["arrivals"]
    pairs = {
        "stronger": (row["times"][1 - weak], arrivals[1 - weak]),
        "weaker": (row["times"][weak], arrivals[weak]),
        "turn": (row["turn"], row["expected"]["turn"]),
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        return {kind: float(np.log(a) - np.log(b)) for kind, (a, b) in pairs.items()}


def _order(
    found: list[HeldOutPath], expected: list[ExpectedPath], threshold: str,
    settings: FindingsSettings,
) -> dict[str, Any]:  # fmt: skip
    """How often the concept that arrives first in the model is learned first, seed by seed."""
    rng = np.random.default_rng([settings.random_seed, 71])
    ahead = 1 / np.stack([sim.arrivals for sim in expected])
    most = max(len(path.paths) for path in found)
    times = np.full((len(found), 2, most), np.nan)
    for table, path in zip(times, found):
        table[:, : len(path.paths)] = path.times[threshold]
    right = first_by_signal(ahead, times)
    first = np.where(ahead.argmax(axis=1)[:, None] == 0, right, 1 - right)
    draws = []
    for _ in range(settings.num_resamples):
        again = first_by_signal(ahead, redraw_seeds(times, rng))
        draws.append(_mean(again[rng.integers(len(again), size=len(again))]))
    constant = _mean(first)
    return {
        "share": _mean(right),
        "interval": interval_of(draws, settings.confidence),
        "by_setting": mean_measured(right, axis=1),
        "constant_guess": max(constant, 1 - constant),
        "num_known": int((~np.isnan(right)).sum()),
        "names_one_concept": len(np.unique(ahead.argmax(axis=1))) == 1,
    }


def _turn(
    found: list[HeldOutPath], expected: list[ExpectedPath], settings: FindingsSettings
) -> dict[str, Any]:
    """Rank correlation of expected and measured turn steps over settings, seed by seed."""
    rng = np.random.default_rng([settings.random_seed, 72])
    kept = [i for i, sim in enumerate(expected) if np.isfinite(sim.turn)]
    most = max(len(path.paths) for path in found)
    times = np.full((len(kept), 1, most), np.nan)
    for table, index in zip(times, kept):
        table[0, : len(found[index].paths)] = seed_turns(found[index], settings)
    predicted = np.array([[expected[i].turn] for i in kept]).reshape(-1, 1)
    ends = np.array([found[i].end for i in kept])
    own = rank_of_prediction(predicted, times, ends) if len(kept) > 1 else float("nan")
    draws, dealt = [], []
    for _ in range(settings.num_resamples if len(kept) > 1 else 0):
        draws.append(rank_of_prediction(predicted, redraw_seeds(times, rng), ends))
        dealt.append(rank_of_prediction(predicted[rng.permutation(len(kept))], times, ends))
    chance = np.array(dealt)[np.isfinite(dealt)]
    return {
        "correlation": own,
        "interval": interval_of(draws, settings.confidence),
        "permuted": interval_of(dealt, settings.confidence),
        "p_value": (1 + (chance >= own - 1e-12).sum()) / (1 + len(chance)),
        "num_settings": len(kept),
        "num_turned": int(np.isfinite(times).sum()),
        "num_seeds": int((~np.isnan(times)).sum()),
    }


def _slowing(
    found: list[HeldOutPath], expected: list[ExpectedPath], settings: FindingsSettings
) -> dict[str, Any]:
    """Rank correlation over settings of expected and measured speed after over before the turn."""
    rng = np.random.default_rng([settings.random_seed, 73])
    said = np.array([sim.slowing for sim in expected])
    came = np.array([_of_seeds(path, path.nearness, settings) for path in found])
    own, draws, dealt = _rank(said, came), [], []
    for _ in range(settings.num_resamples // DRAWS_SHARE):
        again = [
            _of_seeds(path, path.nearness[rng.integers(num, size=num)], settings)
            for path, num in ((path, len(path.nearness)) for path in found)
        ]
        draws.append(_rank(said, np.array(again)))
    both = np.isfinite(said) & np.isfinite(came)
    for _ in range(settings.num_resamples):
        dealt.append(_rank(rng.permutation(said[both]), came[both]))
    chance = np.array(dealt)
    chance = chance[np.isfinite(chance)]
    return {
        "correlation": own,
        "interval": interval_of(draws, settings.confidence),
        "permuted": interval_of(dealt, settings.confidence),
        "p_value": (1 + (chance >= own - 1e-12).sum()) / (1 + len(chance)),
        "num_settings": int(both.sum()),
        "median": np.median(came[both]) if both.any() else float("nan"),
        "median_expected": np.median(said[both]) if both.any() else float("nan"),
    }


def _of_seeds(path: HeldOutPath, seeds: np.ndarray, settings: FindingsSettings) -> float:
    return measured_slowing(mean_measured(seeds, axis=0), path, settings)


def _rank(said: np.ndarray, came: np.ndarray) -> float:
    """Kendall's tau of what is known on both sides; NaN of fewer than three."""
    both = np.isfinite(said) & np.isfinite(came)
    if both.sum() < 3:
        return float("nan")
    found: Any = stats.kendalltau(said[both], came[both])  # scipy types it as a tuple
    return float(found.statistic)


def measured_slowing(mean: np.ndarray, path: HeldOutPath, settings: FindingsSettings) -> float:
    """Speed after the turn over speed before it, up to where the weaker concept is learned.

    Args:
        mean: a path (checkpoint, concept), read towards the class's own corner.
        path: the setting.
        settings: the threshold, and the smoothing behind the turn.
    """
    low = _lowest(mean, path, settings)
    learned = np.flatnonzero(mean[:, path.weaker] > settings.thresholds[0])
    learned = learned[learned > low]
    end = int(learned[0]) if len(learned) else len(mean) - 1
    return slowing(path.steps[: end + 1], mean[: end + 1], low)


def _lowest(mean: np.ndarray, path: HeldOutPath, settings: FindingsSettings) -> int:
    return lowest_point(
        mean[:, path.weaker], settings.start_checkpoints, settings.smoothing, LEAST_RISE
    )


def seed_turns(path: HeldOutPath, settings: FindingsSettings) -> np.ndarray:
    """The step at which each seed's weaker coordinate is lowest; infinite if it never rises."""
    lows = [_lowest(seed, path, settings) for seed in path.nearness]
    return np.array([path.steps[low] if low >= 0 else np.inf for low in lows])


def _mean(values: np.ndarray) -> float:
    return float(mean_measured(values.ravel(), axis=0))
