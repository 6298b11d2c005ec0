"""Studies `three-concepts` and `six-concepts`: corners at convergence against learning times.

Held-out classes that are far from their own corner when training has converged are learned late or
never (Park et al. 2024, appendix). A time that is never is later than the end of its run.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.arrays import NAIVE, TrajectoryArrays
from conceptspace.dynamics.corners import at_checkpoint, converged, distance_to, loss_converged
from conceptspace.dynamics.learning import learning_times
from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.corner_paths import combined, groups, shown_planes
from conceptspace.studies.many_concepts import six_concept_runs, three_concept_runs
from conceptspace.studies.study import Scale, Study, StudyRun
from conceptspace.theory.association import enough_resamples, rank_association

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Claim

LOSS = "loss"
"""The definition of convergence that looks at the training loss; the others are thresholds."""
HALVES = ("even", "odd")
"""Of the samples: the distance is read off one of them, the learning time off the other."""


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """Distances at convergence, learning times, and how they go together.

    Args:
        runs: of three concepts or more, at least one run.
        scale: not looked at.

    Returns:
        `settings`, each with the step of convergence by each definition, each held-out class's
        distance to its corner then, its learning times (None where not by `end`), and what is
        shown; `associations`, the rank correlation of nearness and speed in several forms.

    Raises:
        ValueError: if there is no run, one has no held-out class, or runs differ in concepts or
            findings settings.
    """
    rows: list[dict[str, Any]] = []
    shared: tuple[Any, ...] = ()
    settings = FindingsSettings()
    for run in runs:
        settings = run.experiment.findings
        arrays = TrajectoryArrays(run.trajectory)
        same = (arrays.concepts, arrays.held_out, settings)
        if not arrays.held_out or same != (shared or same):
            raise ValueError(
                f"runs: {run.experiment.name} must hold out a class, and have the concepts, split "
                "and findings settings of the others"
            )
        shared = same
        rows.append({"name": run.experiment.name} | _row(arrays, settings))
    if not rows:
        raise ValueError("runs must hold at least one run")
    return plain(
        {
            "concepts": shared[0],
            "held_out": shared[1],
            "planes": shown_planes(len(shared[0])),
            "confidence": settings.confidence,
            "thresholds": settings.thresholds,
            "minimum_seeds": settings.minimum_seeds,
            "num_seeds": min(row["num_seeds"] for row in rows),
            "settings": rows,
            "associations": _associations(rows, settings),
            "never": _never(observations(rows, str(settings.thresholds[0]))),
        }
    )


def _row(arrays: TrajectoryArrays, settings: FindingsSettings) -> dict[str, Any]:
    """One setting."""
    trained, steps = arrays.trained, arrays.steps[arrays.trained]
    right = {
        name: arrays.joint_right(name, NAIVE)[0][:, trained, 0]
        for name in (*arrays.training, *arrays.held_out)
    }
    of_training = np.array([mean_measured(right[name], axis=-1) for name in arrays.training])
    options = {"consecutive": settings.consecutive, "smoothing": settings.smoothing}
    index = {
        str(threshold): converged(of_training, threshold, **options)
        for threshold in settings.thresholds
    }
    loss = arrays.trajectory["loss"].sel(data_split="train").transpose("seed", "step").values
    index[LOSS] = loss_converged(loss[:, trained], smoothing=settings.smoothing)
    first = index[str(settings.thresholds[0])]
    times = {
        str(threshold): {
            name: learning_times(steps, mean_measured(right[name], axis=-1), threshold, **options)
            for name in arrays.held_out
        }
        for threshold in settings.thresholds
    }
    return {
        "num_seeds": arrays.num_seeds,
        "steps": steps,
        "end": arrays.last_step,
        "converged": {
            name: np.where(found >= 0, steps[np.maximum(found, 0)].astype(float), np.nan)
            for name, found in index.items()
        },
        "distance": {name: _distances(arrays, found) for name, found in index.items()},
        "times": times,
        "halves": {
            half: {
                name: {
                    "distance": at_checkpoint(_distance(arrays, name, part), first),
                    "time": learning_times(
                        steps, mean_measured(right[name][..., part], axis=-1),
                        settings.thresholds[0], **options,
                    ),
                }
                for name in arrays.held_out
            }
            for half, part in zip(HALVES, (slice(0, None, 2), slice(1, None, 2)))
        },
        "training_accuracy": of_training.min(axis=0),
        "groups": groups(arrays, settings),
    }  # fmt: skip


def _distances(arrays: TrajectoryArrays, index: Int[np.ndarray, " seed"]) -> dict[str, Any]:
    return {
        name: at_checkpoint(_distance(arrays, name, slice(None)), index) for name in arrays.held_out
    }


def _distance(
    arrays: TrajectoryArrays, name: str, samples: slice
) -> Float[np.ndarray, "seed checkpoint"]:
    place = arrays.coordinates(name)[:, arrays.trained][:, :, samples]
    return distance_to(arrays.corner(name), place)


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


def _halves(rows: list[dict[str, Any]]) -> Observations:
    """Distances of one half of the samples with learning times of the other, both ways."""
    table = []
    for way, (near, late) in enumerate((HALVES, HALVES[::-1])):
        for i, row in enumerate(rows):
            for name in row["halves"][near]:
                pairs = zip(row["halves"][near][name]["distance"], row["halves"][late][name]["time"])
                for seed, (distance, time) in enumerate(pairs):
                    at = row["converged"][next(iter(row["converged"]))][seed]
                    which = 2 * i + way  # only one way at a time is compared
                    table.append((distance, time, row["end"], at, which, seed, combined(name)))
    return _table(table)


def _associations(rows: list[dict[str, Any]], settings: FindingsSettings) -> dict[str, Any]:
    """The rank correlation of nearness and speed, and the same in other ways."""
    first, *others = map(str, settings.thresholds)
    main = observations(rows, first)
    forms = {"main": (main, main.setting)}
    for threshold in others:
        found = observations(rows, threshold)
        forms[f"threshold {threshold}"] = (found, found.setting)
    by_loss = observations(rows, first, LOSS)
    forms["convergence by the loss"] = (by_loss, by_loss.setting)
    halves = _halves(rows)
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
        return {"value": None, "interval": [None, None], "p_value": None, "chance": [None, None],
                "num_observations": 0, "num_seeds": 0, "num_pairs": 0}  # fmt: skip
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
    return vars(association) | {
        "num_observations": len(found.distance),
        "num_seeds": len(np.unique(found.seed)),
    }


def _never(found: Observations) -> dict[str, float]:
    """Share never learned among the nearer and the farther half of each setting's classes."""
    middle = np.zeros(len(found.distance))
    for setting in np.unique(found.setting):
        of_setting = found.setting == setting
        middle[of_setting] = np.median(found.distance[of_setting])
    far = found.distance > middle
    never = np.isinf(found.time)
    return {
        name: float(never[half].mean()) if half.any() else np.nan
        for name, half in (("nearer", ~far), ("farther", far))
    }


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """C10."""
    from conceptspace.studies.corner_claims import corner_claim

    return [corner_claim(findings)]


def figure(findings: Mapping[str, Any]) -> "Figure":
    """Paths in planes and distances over steps, and distance at convergence against time."""
    from conceptspace.figures.corners import corners_figure

    threshold = str(findings["thresholds"][0])
    table = observations(findings["settings"], threshold)
    return corners_figure(findings, threshold, table.distance, table.time, table.end,
                          table.setting, table.combined)  # fmt: skip


THREE = Study(
    name="three-concepts",
    title="three concepts: corners at convergence against learning times",
    tests=("C10/three",),
    experiments=three_concept_runs,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
SIX = Study(
    name="six-concepts",
    title="six concepts: the same with 57 held-out classes",
    tests=("C10/six",),
    experiments=six_concept_runs,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
