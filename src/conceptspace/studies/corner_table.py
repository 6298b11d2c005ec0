"""Distances at convergence beside learning times: the table of all classes, and correlations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.corner_paths import combined
from conceptspace.studies.correlated import NOTHING
from conceptspace.theory.association import enough_resamples, rank_association

LOSS = "loss"
"""The definition of convergence that looks at the training loss; the others are thresholds."""
HALVES = ("even", "odd")
"""Of the samples: the distance is read off one of them, the learning time off the other."""


@dataclass(frozen=True)
class Observations:
    """One entry for each setting, held-out class and seed whose training converged.

    Attributes:
        distance: to the own corner at convergence.
        time: learning time, infinite where never.
        end: last step of the run.
        convergence: its step.
        setting, seed: their numbers.
        combined: how many concepts the class combines.
    """

    distance: Float[np.ndarray, " observation"]
    time: Float[np.ndarray, " observation"]
    end: Float[np.ndarray, " observation"]
    convergence: Float[np.ndarray, " observation"]
    setting: Int[np.ndarray, " observation"]
    seed: Int[np.ndarray, " observation"]
    combined: Int[np.ndarray, " observation"]

    def where(self, kept: np.ndarray) -> "Observations":
        """Some of them."""
        return Observations(*(values[kept] for values in vars(self).values()))


def observations(
    rows: Iterable[Mapping[str, Any]], threshold: str, convergence: str = ""
) -> Observations:
    """The table of all settings; what is censored or missing may be None or not finite.

    Args:
        rows: `settings` of the findings.
        threshold: of the learning times.
        convergence: the definition; by default the threshold's own.
    """
    convergence = convergence or threshold
    table = [
        (distance, np.inf if time is None else time, row["end"], at, i, seed, combined(name))
        for i, row in enumerate(rows)
        for name, distances in row["distance"][convergence].items()
        for seed, (distance, time, at) in enumerate(
            zip(distances, row["times"][threshold][name], row["converged"][convergence])
        )
    ]
    return _table(table)


def _table(rows: list[tuple[Any, ...]]) -> Observations:
    values = np.array(rows, dtype=float).reshape(-1, 7)
    known = values[~np.isnan(values[:, 0])]
    whole = known[:, 4:].astype(int)
    return Observations(*known[:, :4].T, *whole.T)


def _halves(rows: list[dict[str, Any]], threshold: str) -> Observations:
    """Distances of one half of the samples with learning times of the other, both ways."""
    table = []
    for way, (near, late) in enumerate((HALVES, HALVES[::-1])):
        for i, row in enumerate(rows):
            for name in row["halves"][near]:
                pairs = zip(
                    row["halves"][near][name]["distance"], row["halves"][late][name]["time"]
                )
                for seed, (distance, time) in enumerate(pairs):
                    at = row["converged"][next(iter(row["converged"]))][seed]
                    which = 2 * i + way  # only one way at a time is compared
                    table.append((distance, time, row["end"], at, which, seed, combined(name)))
    return _table(table)


def associations(rows: list[dict[str, Any]], settings: FindingsSettings) -> dict[str, Any]:
    """The rank correlation of nearness and speed, and the same in other ways.

    Args:
        rows: `settings` of the findings, before they are made plain.
        settings: thresholds and resampling.
    """
    first, *others = map(str, settings.thresholds)
    main = observations(rows, first)
    forms = {"main": (main, main.setting)}
    for threshold in others:
        found = observations(rows, threshold)
        forms[f"threshold {threshold}"] = (found, found.setting)
    by_loss = observations(rows, first, LOSS)
    forms["convergence by the loss"] = (by_loss, by_loss.setting)
    halves = _halves(rows, first)
    forms["distance and time on different samples"] = (halves, halves.setting)
    later = main.where(main.time > main.convergence)
    forms["classes not learned at convergence"] = (later, later.setting)
    labels = 100 * main.setting + main.combined
    forms["classes of equally many concepts"] = (main, labels)
    forms["classes of one seed"] = (main, main.setting * (main.seed.max(initial=0) + 1) + main.seed)
    return {name: _association(*form, settings) for name, form in forms.items()}


def _association(
    found: Observations, strata: Int[np.ndarray, " observation"], settings: FindingsSettings
) -> dict[str, Any]:
    if not len(found.distance):
        return dict(NOTHING) | {"num_seeds": 0}
    association = rank_association(
        np.exp(-found.distance),  # its rank alone counts, and it must be above 0
        found.time,
        found.end,
        strata=strata,
        clusters=found.seed,
        rng=np.random.default_rng(settings.random_seed),
        num_resamples=enough_resamples(settings.num_resamples, settings.confidence),
        confidence=settings.confidence,
    )
    return vars(association) | {"num_seeds": len(np.unique(found.seed))}


def never(found: Observations) -> dict[str, float]:
    """Share never learned among the nearer and the farther half of each setting's classes.

    Args:
        found: one entry for each class, seed and setting.
    """
    middle = np.zeros(len(found.distance))
    for setting in np.unique(found.setting):
        of_setting = found.setting == setting
        middle[of_setting] = np.median(found.distance[of_setting])
    far = found.distance > middle
    censored = np.isinf(found.time)
    return {
        name: float(censored[half].mean()) if half.any() else np.nan
        for name, half in (("nearer", ~far), ("farther", far))
    }
