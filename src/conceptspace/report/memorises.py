"""C3, concept memorisation: the held-out class first looks like the training class that has only
the stronger concept right, and turns towards its own corner later.
"""

from typing import Any

import numpy as np

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.arrays import NAIVE
from conceptspace.dynamics.memorisation import Memorisation, memorisation
from conceptspace.report.case import (
    Case,
    Claim,
    control,
    judge,
    rounded,
    weaker_and_stronger,
)


def memorisation_claim(case: Case) -> Claim:
    """C3 for one held-out class; see `Claim`."""
    settings, name = case.settings, case.concept_class
    statement = (
        f"Prompted for the held-out class {name}, the model first generates the training class "
        "that has the stronger concept right, and turns towards the held-out class only later."
    )
    criterion = (
        "The coordinate of the weaker-signal concept falls below the mean of the first "
        f"{settings.start_checkpoints} trained checkpoints ({settings.confidence:.0%} interval of "
        "the fall below 0; lowest point located on one half of the samples, read off the other); "
        "at its lowest the path is nearest to the training class that has the stronger concept "
        "right; and afterwards the coordinate rises (interval above 0)."
    )
    order = weaker_and_stronger(case)
    too_short = case.arrays.trained.sum() <= settings.start_checkpoints
    if order is None or too_short:
        reason = "the concepts' signals are equal or unknown"
        if too_short:
            reason = f"only {case.arrays.trained.sum()} trained checkpoints are measured"
        return case.claim(
            "C3",
            statement,
            criterion,
            value=None,
            interval=None,
            verdict="inconclusive",
            controls={"reason": reason},
        )
    weaker, stronger, source = order
    found, controls = heading(case, weaker, stronger)
    controls["weaker concept"] = {"name": weaker, "stronger": stronger, "known by": source}
    verdict = judge(controls) if case.has_enough_seeds else "inconclusive"
    return case.claim(
        "C3",
        statement,
        criterion,
        value=found.fall,
        interval=found.fall_interval,
        verdict=verdict,
        controls=controls,
    )


def heading(case: Case, weaker: str, stronger: str) -> tuple[Memorisation, dict[str, Any]]:
    """Whether a held-out class first heads to where one concept is right and the other not.

    Args:
        case: of the held-out class.
        weaker: the concept whose coordinate is to fall first and to rise later.
        stronger: the other one.

    Returns:
        the fall and the rise; the parts of the claim, and what stands beside them.
    """
    found = weaker_coordinate(case, weaker)
    return found, _controls(case, found, weaker, stronger)


def _controls(case: Case, found: Memorisation, weaker: str, stronger: str) -> dict[str, Any]:
    nearest, expected = _nearest_at_lowest(case, weaker, stronger, found)
    turns = [turn["step"] for turn in case.of_class["turns"]]
    steps = case.arrays.steps[case.arrays.trained]
    return {
        "memorises": control(
            found.fall,
            found.memorises,
            required=True,
            interval=found.fall_interval,
            lowest_step=rounded(np.median(steps[found.lowest])),
            share_of_seeds_below_start=rounded(np.mean(found.fall_per_seed < 0)),
        ),
        "falls below a trained class": _against_trained_class(case, weaker, found),
        "start off the manifold": _start_off_manifold(case),
        "heads to the training class": {
            "value": nearest,
            "expected": expected,
            "passed": nearest in expected,
            "required": True,
        },
        "turns later": control(
            found.rise,
            found.turns_later,
            required=True,
            interval=found.rise_interval,
            turn_found_at=turns,
        ),
    }


def weaker_coordinate(case: Case, weaker: str, until: np.ndarray | None = None) -> Memorisation:
    """The fall and rise of the weaker concept's coordinate, read towards the class's own corner."""
    arrays, name = case.arrays, case.concept_class
    index = arrays.concepts.index(weaker)
    coordinate = arrays.coordinates(name)[..., index][:, arrays.trained]
    nearness = 1 - np.abs(coordinate - arrays.corner(name)[index])
    return memorisation(nearness, rng=case.generator(3), settings=case.settings, until=until)


def _against_trained_class(case: Case, weaker: str, found: Memorisation) -> dict[str, Any]:
    """The class's fall less that of a training class that has the same value of the concept.

    Early samples show hardly any object, so the probe reads values near one half off every class.
    What memorisation adds is that the held-out class falls where a trained one does not.
    """
    arrays, name = case.arrays, case.concept_class
    index = arrays.concepts.index(weaker)
    same = [other for other in arrays.training if other[index] == name[index]]
    if not same:
        return control(None, None, required=False)
    seeds, start = np.arange(arrays.num_seeds), slice(None, case.settings.start_checkpoints)

    def falls(concept_class: str) -> np.ndarray:
        coordinate = arrays.coordinates(concept_class)[..., index][:, arrays.trained]
        nearness = mean_measured(1 - np.abs(coordinate - arrays.corner(name)[index]), axis=2)
        return nearness[seeds, found.lowest] - nearness[:, start].mean(axis=1)

    gaps = falls(name) - falls(same[0])
    gap = float(np.mean(gaps))
    share = rounded(np.mean(gaps < 0))
    return control(gap, gap < 0, required=False, trained_class=same[0], share_of_seeds_below=share)


def _start_off_manifold(case: Case) -> dict[str, Any]:
    """Share of samples at the start that are unlike anything the world draws."""
    off = case.arrays.off_manifold(case.concept_class, NAIVE)[:, case.arrays.trained]
    share = float(mean_measured(off[:, : case.settings.start_checkpoints], axis=(0, 1, 2, 3)))
    return control(share, share <= 0.5, required=False)


def _nearest_at_lowest(
    case: Case, weaker: str, stronger: str, found: Memorisation
) -> tuple[str, list[str]]:
    """The training class nearest to where the path is lowest, and those it may be."""
    arrays, name = case.arrays, case.concept_class
    path = mean_measured(arrays.coordinates(name)[:, arrays.trained], axis=2)
    place = mean_measured(path[np.arange(arrays.num_seeds), found.lowest], axis=0)
    nearest = min(
        arrays.training, key=lambda other: float(np.linalg.norm(arrays.corner(other) - place))
    )
    at = {concept: i for i, concept in enumerate(arrays.concepts)}
    expected = [
        other
        for other in arrays.training
        if other[at[stronger]] == name[at[stronger]] and other[at[weaker]] != name[at[weaker]]
    ]
    return nearest, expected
