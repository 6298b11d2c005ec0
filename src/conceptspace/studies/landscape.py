"""Study `landscape`: the phenomenological model fitted to measured paths, and settings left out.

After Park et al. 2024, figure 5. Every coordinate of a class falls towards a target; that of the
held-out class is first the training corner that is right in the stronger concept, then its own.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.bootstrap import percentile_interval
from conceptspace.dynamics.plain import plain
from conceptspace.studies.held_out_paths import HeldOutPath, read_paths
from conceptspace.studies.separations import naive_runs
from conceptspace.studies.sides import interval_of
from conceptspace.studies.study import Scale, Study, StudyRun
from conceptspace.theory.landscape_fit import fit_landscape
from conceptspace.theory.landscape_sweep import (
    LAW,
    SweepDraws,
    SweepFits,
    can_have_law,
    fit_sweep,
    permuted_scores,
    redraw_sweep,
    score_left_out,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Claim

NUM_STARTS = 4
"""Of each fit of a mean path."""
DRAWS_SHARE = 10
"""One redraw for so many of `num_resamples`, since each fits every setting again."""


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """Fits of every setting, with intervals, and predictions of settings left out.

    Args:
        runs: of two concepts, all measured at the same steps.
        scale: not looked at.

    Returns:
        `settings` with the measured, fitted and predicted path of each; `left_out` with R2 and its
        interval, of the law from the signal and of what knows less.

    Raises:
        ValueError: if there is no run, or runs differ in what they must share.
    """
    found, settings = read_paths(runs)
    first = found[0]
    if any(not np.array_equal(path.steps, first.steps) for path in found):
        raise ValueError("runs must all be measured at the same steps")
    signal = np.stack([path.signal for path in found])
    measured = np.stack([mean_measured(path.nearness, axis=0) for path in found])
    goal, steps = np.ones(len(first.concepts)), first.steps
    rng = np.random.default_rng([settings.random_seed, 8])
    fits = fit_sweep(steps, measured, signal, goal, NUM_STARTS)
    draws = redraw_sweep(
        steps, [path.nearness for path in found], signal, goal, fits, rng,
        settings.num_resamples // DRAWS_SHARE,
    )  # fmt: skip
    predicted, scores = None, None
    if can_have_law(signal):
        left = score_left_out(fits, signal, goal)
        predicted = left.predicted
        permuted = permuted_scores(fits, signal, goal, rng, settings.num_resamples)
        own = left.r2(LAW)
        scores = {
            "r2": {kind: left.r2(kind) for kind in left.lost},
            "interval": {k: interval_of(v, settings.confidence) for k, v in draws.left_out.items()},
            "above": {
                kind: interval_of(draws.left_out[LAW] - values, settings.confidence)
                for kind, values in draws.left_out.items()
                if kind != LAW
            },
            "permuted": interval_of(permuted, settings.confidence),
            "p_value": (1 + (permuted >= own).sum()) / (1 + len(permuted)),
        }
    rows = _rows(found, fits, draws, settings.confidence)
    for number, row in enumerate(rows):
        row["predicted"] = None if predicted is None else predicted[number]
    return plain(
        {
            "concepts": first.concepts,
            "held_out": first.held_out,
            "confidence": settings.confidence,
            "minimum_seeds": settings.minimum_seeds,
            "num_seeds": min(len(path.paths) for path in found),
            "steps": steps,
            "settings": rows,
            "left_out": scores,
        }
    )


def _rows(
    found: list[HeldOutPath], fits: SweepFits, draws: SweepDraws, confidence: float
) -> list[dict[str, Any]]:
    """Each setting's fit; coordinates are read towards the class's own corner."""
    intervals = percentile_interval(draws.r2, confidence)
    rows = []
    for number, path in enumerate(found):
        fit, resting = fits.shifting[number], fits.resting[number]
        rows.append(
            {
                "name": path.name,
                "label": path.label,
                "separation": dict(zip(path.concepts, path.separation)),
                "signal": path.signal,
                "num_seeds": len(path.paths),
                "measured": fit.measured,
                "fitted": fit.fitted,
                "rates": fit.landscape.rates,
                "shift": fit.landscape.shift,
                "width": fit.landscape.width,
                "heads_for": fit.landscape.origin,
                "r2": fit.r2,
                "r2_interval": intervals[number],
                "r2_resting": resting.r2,
                "residual": fit.residual,
                "evidence": fits.evidence[number],
                "evidence_for_corner": fits.evidence_for_corner[number],
                "training": _training(path),
            }
        )
    return rows


def _training(path: HeldOutPath) -> dict[str, dict[str, float]]:
    """Fits of the training classes, whose targets should rest; a shift from 0...0 is tried too."""
    found = {}
    for name, seeds in path.training.items():
        corner, mean = path.corners[name], mean_measured(seeds, axis=0)
        resting = fit_landscape(path.steps, mean, corner, corner, num_starts=2)
        entry = {"r2": resting.r2, "residual": resting.residual}
        if corner.any():
            moved = fit_landscape(path.steps, mean, np.zeros(len(corner)), corner, num_starts=2)
            entry["evidence"] = resting.criterion - moved.criterion
        found[name] = entry
    return found


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """C8, for the fits and for the settings left out."""
    from conceptspace.studies.landscape_claims import fit_claim, held_out_claim

    return [fit_claim(findings), held_out_claim(findings)]


def figure(findings: Mapping[str, Any]) -> "Figure":
    """The model simulated, R2 of every setting, and measured beside fitted and predicted paths."""
    from conceptspace.figures.landscape_sweep import landscape_sweep_figure

    return landscape_sweep_figure(findings)


STUDY = Study(
    name="landscape",
    title="the landscape model fitted to measured paths, and settings left out",
    tests=("C8/fit", "C8/held-out"),
    experiments=naive_runs,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
