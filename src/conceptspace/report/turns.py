"""C4, a sudden turn: the path turns in concept space where losses and accuracies stay smooth."""

from typing import Any

import numpy as np

from conceptspace.report.case import Case, Claim, Verdict, control, judge


def turn_claim(case: Case) -> Claim:
    """C4 for one held-out class; see `Claim`.

    Without a turn there is no step at which the curves could be smooth: that is inconclusive, since
    a run may be too short, or too noisy, for a turn to be found.
    """
    settings, name = case.settings, case.concept_class
    turns = case.of_class["turns"]
    turn = turns[0] if turns else None
    controls = (
        {}
        if turn is None
        else {
            f"no kink in {series}": _smooth_at(case, turn["step"], values, number)
            for number, (series, values) in enumerate(_series(case).items())
        }
    )
    verdict: Verdict = "inconclusive"
    if turn is None:
        controls = {"reason": "no turn was found"}
    elif case.has_enough_seeds:
        verdict = judge(controls)
    if turn is not None:
        controls |= {"turn": {key: turn[key] for key in ("p_value", "angle", "point")}}
    return case.claim(
        "C4",
        f"The path of the held-out class {name} turns suddenly, and the turn shows only in "
        "concept space.",
        f"A turn is found (p < {settings.significance:g}; value: its step), and at that step none "
        "of the training, validation and held-out losses and the joint accuracy has a kink "
        f"(p >= {settings.significance:g} each).",
        value=None if turn is None else turn["step"],
        interval=None if turn is None else tuple(turn["interval"]),
        verdict=verdict,
        controls=controls,
    )


def _series(case: Case) -> dict[str, np.ndarray]:
    """The scalar curves (seed, checkpoint) that a turn must not show in."""
    losses = case.arrays.trajectory["loss"].transpose("data_split", "seed", "step")
    series = {
        f"{str(split).replace('_', '-')} loss": losses.values[i].astype(float)
        for i, split in enumerate(losses["data_split"].values)
    }
    return series | {"joint accuracy": case.accuracy()}


def _smooth_at(case: Case, step: float, values: np.ndarray, number: int) -> dict[str, Any]:
    from conceptspace.dynamics.speed import kink

    trained = case.arrays.trained & ~np.isnan(values).any(axis=0)
    found = kink(
        case.arrays.steps[trained],
        values[:, trained],
        step,
        rng=case.generator(40 + number),
    )
    passed = found.p_value >= case.settings.significance
    return control(found.p_value, passed, required=True)
