"""Study `forecast`: from the path so far, is a turn towards the held-out class still to come?

Looked at half-way through the checkpoints, in each seed whose weaker concept is still wrong. The
turn comes if that concept's coordinate later rises beyond noise. Each setting is forecast from the
others; nothing after the moment of forecasting is used.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from conceptspace.dynamics.accuracy import smooth
from conceptspace.dynamics.bootstrap import percentile_interval
from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.held_out_paths import HeldOutPath, read_paths
from conceptspace.studies.separations import naive_runs
from conceptspace.studies.study import Scale, Study, StudyRun
from conceptspace.theory.forecast import area_under_curve, brier, leave_groups_out, skill

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Claim

MOMENTS = (0.5, 0.25, 0.75)
"""Shares of the checkpoints that have been seen; the first is judged, the others are controls."""
STILL_WRONG = 0.5
"""The weaker concept's coordinate, smoothed, is below this where a turn may still come."""
LEAST_RISE = 0.25
"""Of the smoothed coordinate after the forecast; with 48 samples its noise is about 0.04."""
OTHER_RISES = (0.15, 0.35)
FEATURES = (
    "weaker coordinate",
    "its velocity",
    "stronger coordinate",
    "fall so far",
    "log signal ratio",
)
LEAST_SETTINGS = 2


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """Forecasts at each moment, and how they fared.

    Args:
        runs: of two concepts, at least one.
        scale: not looked at.

    Returns:
        for each moment and least rise the `rows` (setting, seed, chance, happened), Brier score,
        skill and AUC with intervals, and the same of permuted outcomes.

    Raises:
        ValueError: if there is no run, or runs differ in what they must share.
    """
    found, settings = read_paths(runs)
    tries = {
        "judged": (MOMENTS[0], LEAST_RISE),
        **{f"after {moment:g} of the checkpoints": (moment, LEAST_RISE) for moment in MOMENTS[1:]},
        **{f"rise of {rise:g}": (MOMENTS[0], rise) for rise in OTHER_RISES},
    }
    return plain(
        {
            "concepts": found[0].concepts,
            "held_out": found[0].held_out,
            "confidence": settings.confidence,
            "minimum_seeds": settings.minimum_seeds,
            "num_seeds": min(len(path.paths) for path in found),
            "moment": MOMENTS[0],
            "least_rise": LEAST_RISE,
            "features": FEATURES,
            "settings": [_curves(path) for path in found],
            "tries": {
                name: _forecast(found, moment, rise, settings, permute=name == "judged")
                for name, (moment, rise) in tries.items()
            },
        }
    )


def _curves(path: HeldOutPath) -> dict[str, Any]:
    """The weaker concept's smoothed coordinate of each seed, for the picture."""
    return {
        "name": path.name,
        "label": path.label,
        "weaker": path.concepts[path.weaker],
        "steps": path.steps,
        "nearness": _past(path.nearness[..., path.weaker], len(path.steps)),
    }


def _past(curve: np.ndarray, until: int) -> np.ndarray:
    """Smoothed over the first `until` checkpoints alone, so that nothing later leaks in."""
    return smooth(curve[:, :until], FindingsSettings().smoothing)


def rows_of(path: HeldOutPath, moment: float, rise: float) -> tuple[np.ndarray, ...]:
    """What is known at a moment of each seed that may still turn, and whether it did.

    Args:
        path: a setting.
        moment: share of the checkpoints that have been seen.
        rise: of the weaker coordinate, which counts as a turn.

    Returns:
        indices of the seeds, their features (seed, feature), and the outcomes.
    """
    seen = max(round(moment * len(path.steps)), 3)
    weak, strong = path.nearness[..., path.weaker], path.nearness[..., 1 - path.weaker]
    past = _past(weak, seen)
    now = past[:, -1]
    ratio = np.log(np.maximum(path.signal.max(), 1e-9) / np.maximum(path.signal.min(), 1e-9))
    features = np.column_stack(
        [
            now,
            (past[:, -1] - past[:, -3]) / 2,
            _past(strong, seen)[:, -1],
            now - past[:, 0],
            np.full(len(now), ratio),
        ]
    )
    # What comes is smoothed by itself too, so that the past does not lift it.
    later = smooth(weak[:, seen:], FindingsSettings().smoothing)
    came = later.max(axis=1) - now > rise
    at_risk = np.isfinite(features).all(axis=1) & (now < STILL_WRONG)
    return np.flatnonzero(at_risk), features[at_risk], came[at_risk]


def _forecast(
    found: list[HeldOutPath], moment: float, rise: float, settings: FindingsSettings,
    *, permute: bool,
) -> dict[str, Any]:  # fmt: skip
    """Forecasts of every setting from the others, with scores."""
    parts = [rows_of(path, moment, rise) for path in found]
    setting = np.repeat(np.arange(len(found)), [len(part[0]) for part in parts])
    seed, features, happened = (np.concatenate([part[i] for part in parts]) for i in range(3))
    counts = {"num_rows": len(happened), "num_happened": int(happened.sum())}
    if len(np.unique(setting)) < LEAST_SETTINGS or happened.all() or not happened.any():
        return counts | {"rows": [], "scores": None}
    chance = leave_groups_out(features, happened, setting)
    rng = np.random.default_rng([settings.random_seed, 44])
    rows = [
        {"setting": int(a), "seed": int(b), "chance": float(c), "happened": bool(d)}
        for a, b, c, d in zip(setting, seed, chance, happened)
    ]
    scores = _scores(chance, happened, seed, settings, rng)
    if permute:
        own = skill(chance, happened)
        scores |= _permuted(features, happened, setting, own, settings, rng)
    return counts | {"rows": rows, "scores": scores}


def _scores(
    chance: np.ndarray, happened: np.ndarray, seed: np.ndarray, settings: FindingsSettings,
    rng: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    """Scores with intervals from redrawing seeds, all settings of a seed together."""
    kinds = {"brier": brier, "skill": skill, "auc": area_under_curve}
    labels = np.unique(seed)
    draws = {name: [] for name in kinds}
    for _ in range(settings.num_resamples):
        drawn = rng.choice(labels, size=len(labels))
        rows = np.concatenate([np.flatnonzero(seed == label) for label in drawn])
        for name, score in kinds.items():
            draws[name].append(score(chance[rows], happened[rows]))
    found: dict[str, Any] = {
        "base_rate": float(happened.mean()),
        "base_rate_brier": float(happened.var()),
    }
    for name, score in kinds.items():
        known = np.array(draws[name])[np.isfinite(draws[name])]
        ends = percentile_interval(known, settings.confidence) if len(known) > 1 else [np.nan] * 2
        found[name] = {"value": score(chance, happened), "interval": ends}
    return found


def _permuted(
    features: np.ndarray, happened: np.ndarray, setting: np.ndarray, own: float,
    settings: FindingsSettings, rng: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    """Skill once outcomes have changed places among all seeds, everything fitted again."""
    found = []
    for _ in range(settings.num_resamples):
        dealt = rng.permutation(happened)
        found.append(skill(leave_groups_out(features, dealt, setting), dealt))
    found = np.array(found)
    return {
        "permuted_skill": percentile_interval(found, settings.confidence),
        "p_value": (1 + (found >= own).sum()) / (1 + len(found)),
    }


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """Whether the turn can be forecast."""
    from conceptspace.studies.forecast_claims import forecast_claim

    return [forecast_claim(findings)]


def figure(findings: Mapping[str, Any]) -> "Figure":
    """Forecasts against outcomes, the curves they were made from, and the scores."""
    from conceptspace.figures.forecast import forecast_figure

    return forecast_figure(findings)


STUDY = Study(
    name="forecast",
    title="from the path so far, whether a turn is still to come",
    tests=("forecast/turn",),
    experiments=naive_runs,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
