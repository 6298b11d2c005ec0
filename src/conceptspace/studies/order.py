"""Study `order`: three concepts, the accuracy of each over training, and which comes first.

After Park et al. 2024, figure 1c. The runs are those of `three-concepts`.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.arrays import TrajectoryArrays
from conceptspace.dynamics.bootstrap import (
    mean_over_seeds,
    percentile_interval,
    resample_means,
    resample_seeds,
)
from conceptspace.dynamics.learning import learning_times
from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.many_concepts import three_concept_runs
from conceptspace.studies.signals import signal_of
from conceptspace.studies.study import Scale, Study, StudyRun
from conceptspace.theory.association import enough_resamples, rank_association

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Claim

KINDS = ("finite", "signal")
"""Distance between class means, by which claims are judged, and the paper's |dG/dz|."""
SPLITS = ("held out", "training")


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """Each concept's accuracy and learning time, and how the order goes with that of the signals.

    The accuracy of a concept is the mean over those classes in which it does not have its first
    value, since every class but one that is trained has that: it is right without being learned.

    Args:
        runs: at least one run, of the same concepts.
        scale: not looked at.

    Returns:
        `settings`, each with the signals, and of the held-out and of the training classes each
        concept's accuracy with its interval and its learning times (None where not by `end`);
        `associations`, the rank correlation of signal and speed in several forms.

    Raises:
        ValueError: if there is no run, or runs differ in concepts or findings settings.
    """
    rows: list[dict[str, Any]] = []
    shared: tuple[Any, ...] = ()
    settings = FindingsSettings()
    for run in runs:
        settings, arrays = run.experiment.findings, TrajectoryArrays(run.trajectory)
        same = (arrays.concepts, arrays.held_out, settings)
        if same != (shared or same):
            raise ValueError(
                f"runs: {run.experiment.name} must have the concepts, split and findings settings "
                "of the others"
            )
        shared = same
        rows.append(
            {"name": run.experiment.name, "signal": signal_of(run.experiment)}
            | _row(arrays, settings)
        )
    if not rows:
        raise ValueError("runs must hold at least one run")
    return plain(
        {
            "concepts": shared[0],
            "confidence": settings.confidence,
            "thresholds": settings.thresholds,
            "minimum_seeds": settings.minimum_seeds,
            "num_seeds": min(row["num_seeds"] for row in rows),
            "settings": rows,
            "associations": _associations(rows, settings),
        }
    )


def _row(arrays: TrajectoryArrays, settings: FindingsSettings) -> dict[str, Any]:
    """One setting."""
    found: dict[str, Any] = {
        "num_seeds": arrays.num_seeds,
        "steps": arrays.steps[arrays.trained],
        "end": arrays.last_step,
    }
    for split, classes in zip(SPLITS, (arrays.held_out, arrays.training)):
        found[split] = {
            concept: _concept(_right(arrays, classes, i), arrays, settings)
            for i, concept in enumerate(arrays.concepts)
        }
    return found


def _right(
    arrays: TrajectoryArrays, classes: list[str], concept: int
) -> Float[np.ndarray, "seed checkpoint sample"]:
    """Right samples of all classes in which the concept does not have its first value."""
    parts = [
        arrays.concept_right(name)[:, arrays.trained][..., concept]
        for name in classes
        if name[concept] != "0"
    ]
    return np.concatenate(parts, axis=-1)


def _concept(
    right: Float[np.ndarray, "seed checkpoint sample"],
    arrays: TrajectoryArrays,
    settings: FindingsSettings,
) -> dict[str, Any]:
    """Accuracy with its interval, seeds redrawn first and samples second, and learning times."""
    accuracy = mean_measured(right, axis=-1)
    rng = np.random.default_rng(settings.random_seed)
    bank = resample_means(right, settings.num_resamples, rng, are_shares=True)
    interval = percentile_interval(mean_over_seeds(resample_seeds(bank, rng)), settings.confidence)
    times = {
        str(threshold): learning_times(
            arrays.steps[arrays.trained],
            accuracy,
            threshold,
            consecutive=settings.consecutive,
            smoothing=settings.smoothing,
        )
        for threshold in settings.thresholds
    }
    return {"accuracy": mean_measured(accuracy, axis=0), "interval": interval, "times": times}


def _associations(rows: list[dict[str, Any]], settings: FindingsSettings) -> dict[str, Any]:
    """The rank correlation of signal and speed, and the same in other ways."""
    first, *others = map(str, settings.thresholds)
    forms = {"main": (first, "finite", SPLITS[0], False)}
    for threshold in others:
        forms[f"threshold {threshold}"] = (threshold, "finite", SPLITS[0], False)
    forms["signal as |dG/dz|"] = (first, "signal", SPLITS[0], False)
    forms["training classes"] = (first, "finite", SPLITS[1], False)
    forms["one concept in several settings"] = (first, "finite", SPLITS[0], True)
    return {name: _association(rows, *form, settings) for name, form in forms.items()}


def _association(
    rows: list[dict[str, Any]],
    threshold: str,
    kind: str,
    split: str,
    across: bool,
    settings: FindingsSettings,
) -> dict[str, Any]:
    """Concepts of one setting are compared; with `across` one concept in several settings."""
    table = [
        (row["signal"][concept][kind], time, row["end"], number if across else i, seed)
        for i, row in enumerate(rows)
        for number, concept in enumerate(row[split])
        for seed, time in enumerate(row[split][concept]["times"][threshold])
    ]
    signal, times, ends, strata, seeds = np.array(table, dtype=float).T
    found = rank_association(
        signal, times, ends,
        strata=strata.astype(int),
        clusters=seeds.astype(int),
        rng=np.random.default_rng(settings.random_seed),
        num_resamples=enough_resamples(settings.num_resamples, settings.confidence),
        confidence=settings.confidence,
    )  # fmt: skip
    return vars(found) | {"never": float(np.isinf(times).mean())}


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """The order of learning follows that of the signals."""
    from conceptspace.studies.order_claims import order_claim

    return [order_claim(findings)]


def figure(findings: Mapping[str, Any]) -> "Figure":
    """Accuracy of each concept over training, and learning time against signal."""
    from conceptspace.figures.order import order_figure

    return order_figure(findings, str(findings["thresholds"][0]), KINDS[0], SPLITS)


STUDY = Study(
    name="order",
    title="three concepts, the accuracy of each over training, and which comes first",
    tests=("C2/three",),
    experiments=three_concept_runs,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
