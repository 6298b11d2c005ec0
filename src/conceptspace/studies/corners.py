"""Studies `three-concepts` and `six-concepts`: corners at convergence against learning times.

Held-out classes that are far from their own corner when training has converged are learned late or
never (Park et al. 2024, appendix). A time that is never is later than the end of its run.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.arrays import NAIVE, TrajectoryArrays
from conceptspace.dynamics.corners import at_checkpoint, converged, distance_to, loss_converged
from conceptspace.dynamics.learning import learning_times
from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.corner_paths import groups, shown_planes
from conceptspace.studies.corner_table import HALVES, LOSS, associations, never, observations
from conceptspace.studies.many_concepts import six_concept_runs, three_concept_runs
from conceptspace.studies.study import Scale, Study, StudyRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Claim


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
            "associations": associations(rows, settings),
            "never": never(observations(rows, str(settings.thresholds[0]))),
        }
    )


def _row(arrays: TrajectoryArrays, settings: FindingsSettings) -> dict[str, Any]:
    """One setting."""
    steps = arrays.steps[arrays.trained]
    right = {
        name: arrays.joint_right(name, NAIVE)[0][:, arrays.trained, 0]
        for name in (*arrays.training, *arrays.held_out)
    }
    index = _convergence(arrays, right, settings)
    accuracy = {name: mean_measured(right[name], axis=-1) for name in arrays.held_out}
    return {
        "num_seeds": arrays.num_seeds,
        "steps": steps,
        "end": arrays.last_step,
        "converged": {
            name: np.where(found >= 0, steps[np.maximum(found, 0)].astype(float), np.nan)
            for name, found in index.items()
        },
        "distance": {name: _distances(arrays, found) for name, found in index.items()},
        "times": {
            str(threshold): {
                name: _learned(steps, values, threshold, settings)
                for name, values in accuracy.items()
            }
            for threshold in settings.thresholds
        },
        "halves": _halves(arrays, right, index[str(settings.thresholds[0])], settings),
        "groups": groups(arrays, settings),
    }


def _convergence(
    arrays: TrajectoryArrays, right: Mapping[str, np.ndarray], settings: FindingsSettings
) -> dict[str, Int[np.ndarray, " seed"]]:
    """The checkpoint of each seed by each definition."""
    of_training = np.array([mean_measured(right[name], axis=-1) for name in arrays.training])
    found = {
        str(threshold): converged(
            of_training,
            threshold,
            consecutive=settings.consecutive,
            smoothing=settings.smoothing,
        )
        for threshold in settings.thresholds
    }
    loss = arrays.trajectory["loss"].sel(data_split="train").transpose("seed", "step").values
    found[LOSS] = loss_converged(loss[:, arrays.trained], smoothing=settings.smoothing)
    return found


def _learned(
    steps: np.ndarray, accuracy: np.ndarray, threshold: float, settings: FindingsSettings
) -> Float[np.ndarray, " seed"]:
    return learning_times(
        steps,
        accuracy,
        threshold,
        consecutive=settings.consecutive,
        smoothing=settings.smoothing,
    )


def _halves(
    arrays: TrajectoryArrays,
    right: Mapping[str, np.ndarray],
    index: Int[np.ndarray, " seed"],
    settings: FindingsSettings,
) -> dict[str, Any]:
    """Distance and learning time of each held-out class from either half of its samples."""
    steps, found = arrays.steps[arrays.trained], {}
    for half, part in zip(HALVES, (slice(0, None, 2), slice(1, None, 2))):
        found[half] = {}
        for name in arrays.held_out:
            accuracy = mean_measured(right[name][..., part], axis=-1)
            found[half][name] = {
                "distance": at_checkpoint(_distance(arrays, name, part), index),
                "time": _learned(steps, accuracy, settings.thresholds[0], settings),
            }
    return found


def _distances(arrays: TrajectoryArrays, index: Int[np.ndarray, " seed"]) -> dict[str, Any]:
    return {
        name: at_checkpoint(_distance(arrays, name, slice(None)), index) for name in arrays.held_out
    }


def _distance(
    arrays: TrajectoryArrays, name: str, samples: slice
) -> Float[np.ndarray, "seed checkpoint"]:
    place = arrays.coordinates(name)[:, arrays.trained][:, :, samples]
    return distance_to(arrays.corner(name), place)


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
