"""C4, a sudden turn: the path turns in concept space where losses and accuracies stay smooth."""

from typing import Any

import numpy as np

from conceptspace.dynamics.speed import SIDE, kink
from conceptspace.report.case import Case, Claim, Verdict, control, judge

TURN_KEYS = ("p_value", "angle", "point", "leg_lengths")
MIN_CHECKPOINTS = 12
"""Below this many a kink cannot be told from a curve."""


def turn_claim(case: Case) -> Claim:
    """C4 for one held-out class; see `Claim`.

    Without a turn there is no step at which the curves could be smooth: that is inconclusive, since
    a run may be too short, or too noisy, for a turn to be found.
    """
    name, turns, curves = case.concept_class, case.of_class["turns"], smooth_curves(case)
    # One of several smooth curves looks kinked more often than one alone (Bonferroni).
    level = case.settings.significance / len(curves)
    unknown = [label for label, curve in curves.items() if np.isnan(curve).all()]
    reasons = [f"{label} was not recorded" for label in unknown]
    controls: dict[str, Any] = {}
    verdict: Verdict = "inconclusive"
    if turns:
        controls = {
            f"no kink in {label}": smoothness(case, turns[0]["interval"], curve, level, number)
            for number, (label, curve) in enumerate(curves.items())
        }
        verdict = judge(controls) if case.has_enough_seeds else "inconclusive"
        controls["turn"] = {key: turns[0][key] for key in TURN_KEYS}
    else:
        reasons.insert(0, "no turn was found")
    if reasons:
        controls["reason"] = "; ".join(reasons)
    return case.claim(
        "C4",
        f"The path of the held-out class {name} turns suddenly, and the turn shows only in "
        "concept space.",
        f"A turn is found (p < {case.settings.significance:g}; the value is its step), and within "
        "its interval none of the training, validation and held-out losses and the joint accuracy "
        f"has a kink (p >= {level:.3g} each, which is {case.settings.significance:g} for all "
        "together).",
        value=turns[0]["step"] if turns else None,
        interval=tuple(turns[0]["interval"]) if turns else None,
        verdict=verdict,
        controls=controls,
    )


def smooth_curves(case: Case) -> dict[str, np.ndarray]:
    """The scalar curves (seed, checkpoint) that a turn must not show in."""
    losses = case.arrays.trajectory["loss"].transpose("data_split", "seed", "step")
    curves = {
        f"{str(split).replace('_', '-')} loss": losses.values[i].astype(float)
        for i, split in enumerate(losses["data_split"].values)
    }
    return curves | {"joint accuracy": case.accuracy()}


def smoothness(
    case: Case, interval: list[float], curve: np.ndarray, level: float, number: int
) -> dict[str, Any]:
    """Whether a curve is smooth within an interval of steps that is not too near the run's ends."""
    known = case.arrays.trained & ~np.isnan(curve).any(axis=0)
    steps = case.arrays.steps[known]
    if len(steps) < MIN_CHECKPOINTS:
        return control(None, None, required=True)
    low, high = np.clip(interval, steps[SIDE - 1], steps[-SIDE])
    if low > interval[1] or high < interval[0]:
        return control(None, None, required=True)
    found = kink(steps, curve[:, known], (low, high), rng=case.generator(40 + number))
    return control(
        found.p_value,
        found.p_value >= level,
        required=True,
        slope_change=found.change,
        slope_change_interval=list(found.interval),
    )
