"""What guidance does in one setting: accuracies by weight and checkpoint, and when they rise.

A weight is chosen on the even samples for the odd ones and the other way round, as strengths of all
methods are (`dynamics/accuracy.py`).
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from conceptspace.dynamics.accuracy import (
    ChosenAccuracy,
    chosen_accuracy,
    concept_right,
    mean_measured,
    split_folds,
)
from conceptspace.dynamics.arrays import NAIVE, SAMPLE_DIMS, TrajectoryArrays
from conceptspace.dynamics.bootstrap import (
    mean_over_seeds,
    percentile_interval,
    resample_chosen,
    resample_means,
    resample_seeds,
)
from conceptspace.dynamics.emergence import emergence, window, window_length
from conceptspace.dynamics.learning import first_sustained, median_draws
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.measure.store import doubtful_of
from conceptspace.studies.separations import separation
from conceptspace.studies.study import StudyRun

GUIDANCE = "guidance"
PLAIN = 1.0
"""The weight that is naive prompting."""
WAYS = ("guided", "naive", "again")
"""At the chosen weight; naively; and at weight 1, which is naive prompting on other samples."""


@dataclass
class Setting:
    """One run's findings, and what the leads over all settings are made of.

    Attributes:
        found: the row of the findings.
        times: by threshold and way the step (seed,) from which class 11 is generated.
        drawn: the same in each resample (resample, seed).
    """

    found: dict[str, Any]
    times: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    drawn: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)


def measured_setting(run: StudyRun) -> Setting:
    """Everything that is concluded from one run.

    Raises:
        ValueError: if the run was not prompted with guidance.
    """
    arrays, settings = TrajectoryArrays(run.trajectory), run.experiment.findings
    if GUIDANCE not in arrays.method_names:
        raise ValueError(f"runs: {run.experiment.name} was not prompted with guidance")
    name = arrays.held_out[0]
    right, weights = arrays.joint_right(name, GUIDANCE)
    chosen = chosen_accuracy(right)
    ways = _ways(arrays, name, right, weights)
    accuracy = {"guided": chosen.accuracy} | {
        way: mean_measured(shares, axis=-1) for way, shares in ways.items() if way != "guided"
    }
    banks = _banks(ways, settings)
    off, plain_off = (arrays.off_manifold(name, method) for method in (GUIDANCE, NAIVE))
    setting = Setting(
        {
            "name": run.experiment.name,
            "held_out": name,
            "separation": {c.name: separation(c) for c in run.experiment.space.concepts},
            "num_seeds": arrays.num_seeds,
            "num_classes": len(arrays.classes),
            "steps": arrays.steps,
            "end": arrays.last_step,
            "weights": weights,
            "accuracy": _by_weight(right),
            "concepts": _concepts(run, arrays, name),
            "off_manifold": _by_weight(off[:, :, : len(weights)]),
            "off_manifold_naive": mean_measured(plain_off, axis=(0, 2, 3)),
            "off_manifold_guided": mean_measured(_at_chosen(off, chosen.strength), axis=0),
            "chosen_weight": _middle_weight(weights, chosen.strength),
            "curves": {way: _curve(accuracy[way], banks[way], settings) for way in accuracy},
        }
    )
    _add_times(setting, arrays, accuracy, banks, settings)
    setting.found["there"] = _where_it_emerges(arrays, settings, right, weights, chosen, accuracy)
    if arrays.steps[0] == 0:
        setting.found["untrained"] = float(mean_measured(chosen.accuracy[:, 0], axis=0))
    return setting


def _ways(
    arrays: TrajectoryArrays, name: str, right: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Right samples of each way: (seed, checkpoint, weight, sample), or without the weight."""
    ways = {"guided": right, "naive": arrays.joint_right(name, NAIVE)[0][:, :, 0]}
    if PLAIN in weights:
        ways["again"] = right[:, :, list(weights).index(PLAIN)]
    return ways


def _banks(ways: dict[str, np.ndarray], settings: FindingsSettings) -> dict[str, np.ndarray]:
    """Accuracies (resample, seed, checkpoint) of each way, samples and then seeds redrawn."""
    banks = {}
    for number, (way, right) in enumerate(ways.items()):
        rng = np.random.default_rng([settings.random_seed, number])
        if way == "guided":
            bank = resample_chosen(right, settings.num_resamples, rng)
        else:
            bank = resample_means(right, settings.num_resamples, rng, are_shares=True)
        # The same seeds for every way and setting, so that differences are paired.
        banks[way] = resample_seeds(bank, np.random.default_rng(settings.random_seed))
    return banks


def _by_weight(
    values: Float[np.ndarray, "seed checkpoint weight sample"],
) -> Float[np.ndarray, "weight checkpoint"]:
    return mean_measured(values, axis=(0, 3)).T


def _concepts(run: StudyRun, arrays: TrajectoryArrays, name: str) -> dict[str, np.ndarray]:
    """Each concept's own accuracy (weight, checkpoint) in the held-out class."""
    cell = run.trajectory.sel({"concept_class": name, "method": GUIDANCE})
    dims = [dim for dim in SAMPLE_DIMS if dim in cell["correct"].dims]
    correct = cell["correct"].transpose(*dims, "concept").values
    right = concept_right(correct, doubtful_of(cell).transpose(*dims, "concept").values)
    tried = ~np.isnan(right).all(axis=(0, 1, 3, 4))
    means = mean_measured(right[:, :, tried], axis=(0, 3))  # (checkpoint, weight, concept)
    return {concept: means[..., i].T for i, concept in enumerate(arrays.concepts)}


def _at_chosen(
    values: Float[np.ndarray, "seed checkpoint weight sample"],
    strength: Int[np.ndarray, "seed checkpoint fold"],
) -> Float[np.ndarray, "seed checkpoint"]:
    """Each fold's mean at the weight at which it was scored, over both folds."""
    at = np.maximum(strength, 0)
    folds = [
        np.take_along_axis(mean_measured(part, axis=-1), at[..., fold, None], axis=2)[..., 0]
        for fold, part in enumerate(split_folds(values))
    ]
    return np.mean(folds, axis=0)


def _middle_weight(weights: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Median over seeds and folds of the chosen weight at each checkpoint."""
    values = np.where(strength >= 0, weights[strength], np.nan)
    return np.nanmedian(values, axis=(0, 2))


def _curve(accuracy: np.ndarray, bank: np.ndarray, settings: FindingsSettings) -> dict[str, Any]:
    return {
        "mean": mean_measured(accuracy, axis=0),
        "interval": percentile_interval(mean_over_seeds(bank), settings.confidence),
        "per_seed": accuracy,
    }


def _add_times(
    setting: Setting,
    arrays: TrajectoryArrays,
    accuracy: dict[str, np.ndarray],
    banks: dict[str, np.ndarray],
    settings: FindingsSettings,
) -> None:
    """When each way generates the class at each threshold, and the window in between."""
    trained = arrays.trained
    steps, windows = arrays.steps[trained], {}
    for threshold in settings.thresholds:
        times, drawn = (
            {
                way: emergence(steps, values[..., trained], threshold, settings.consecutive)
                for way, values in table.items()
            }
            for table in (accuracy, banks)
        )
        setting.times[str(threshold)], setting.drawn[str(threshold)] = times, drawn
        lengths = median_draws(window_length(drawn["naive"], drawn["guided"]))
        lengths = lengths[~np.isnan(lengths)]
        known = len(lengths) > 1
        found = window(times["naive"], times["guided"], arrays.last_step)
        windows[str(threshold)] = {
            **times,
            "length": found.length,
            "median": found.median_length,
            "interval": percentile_interval(lengths, settings.confidence) if known else None,
            "is_hidden": found.is_hidden,
        }
    setting.found["windows"] = windows


def _where_it_emerges(
    arrays: TrajectoryArrays,
    settings: FindingsSettings,
    right: np.ndarray,
    weights: np.ndarray,
    chosen: ChosenAccuracy,
    accuracy: dict[str, np.ndarray],
) -> dict[str, Any]:
    """What else is seen at the checkpoints from which guidance works; None for seeds without."""
    name = arrays.held_out[0]
    off = arrays.off_manifold(name, GUIDANCE)
    plain_off = arrays.off_manifold(name, NAIVE)
    curves = {
        "guided": accuracy["guided"],
        "naive": accuracy["naive"],
        "off_manifold_guided": _at_chosen(off, chosen.strength),
        "off_manifold_naive": mean_measured(plain_off, axis=(2, 3)),
    }
    if 0.0 in weights:
        curves["no_condition"] = mean_measured(right[:, :, list(weights).index(0.0)], axis=-1)
    beside = [c for c in arrays.training if GUIDANCE in arrays.measured_methods(c)]
    if beside:
        curves["training_change"] = _change_of(arrays, beside[0], chosen.strength)
    trained = np.flatnonzero(arrays.trained)
    first = first_sustained(
        accuracy["guided"][:, trained], settings.thresholds[0], settings.consecutive
    )
    there: dict[str, Any] = {"training_class": beside[0] if beside else None}
    for key, curve in curves.items():
        there[key] = [
            float(curve[seed, trained[at : at + settings.consecutive]].mean()) if at >= 0 else None
            for seed, at in enumerate(first)
        ]
    return there


def _change_of(
    arrays: TrajectoryArrays, concept_class: str, strength: np.ndarray
) -> Float[np.ndarray, "seed checkpoint"]:
    """What the weights that were chosen for another class change in this one's accuracy."""
    right = arrays.joint_right(concept_class, GUIDANCE)[0]
    means = mean_measured(right, axis=-1)
    at = np.take_along_axis(means, np.maximum(strength, 0), axis=2).mean(axis=-1)
    naive = arrays.joint_right(concept_class, NAIVE)[0][:, :, 0]
    return at - mean_measured(naive, axis=-1)
