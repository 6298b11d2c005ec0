"""Runs with many concepts that are made up: samples are drawn around paths that are known."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray

from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.experiment import Experiment
from conceptspace.studies.many_concepts import quick_six, quick_three
from conceptspace.studies.study import StudyRun

LAST_STEP = 4000
SPREAD = 0.15
"""Standard deviation of samples around their path."""
NEVER = 1e9

Path3 = Callable[[str, int, np.ndarray], np.ndarray]
"""A class, a seed and steps to how much (step, concept) of each concept is as in that class."""


def rise(steps, at, width):
    """From 0 to 1 around a step."""
    return 1 / (1 + np.exp(-np.clip((steps - at) / width, -60, 60)))


def made_up_trajectory(
    experiment: Experiment, progress: Path3, *, num_seeds=5, num_checkpoints=24, num_samples=16,
    rng=None,
) -> xarray.Dataset:  # fmt: skip
    """A naive trajectory whose classes go from class 0...0's corner as `progress` says.

    Training classes are there from about step 500 on.
    """
    rng = rng or np.random.default_rng(0)
    space, split = experiment.space, experiment.split
    training, held_out = split.training(space), split.held_out(space)
    classes, names = space.classes, [concept.name for concept in space.concepts]
    steps = np.concatenate([[0], np.linspace(10, LAST_STEP**0.5, num_checkpoints - 1) ** 2])
    steps = np.rint(steps).astype(int)
    curve = np.zeros((num_seeds, len(steps), len(classes), len(names)))
    for i, name in enumerate(classes):
        digits = np.array([int(digit) for digit in name])
        for seed in range(num_seeds):
            done = (
                rise(steps, 300, 60)[:, None] * np.ones(len(names))
                if name in training
                else progress(name, seed, steps)
            )
            curve[seed, :, i] = digits * done
    shape = (*curve.shape[:3], 1, 1, num_samples, len(names))
    noise = SPREAD * rng.standard_normal(shape)
    coordinate = np.clip(curve[:, :, :, None, None, None] + noise, 0, 1).astype(np.float32)
    corner = np.array([[digit == "1" for digit in name] for name in classes])
    right = (coordinate > 0.5) == corner[:, None, None, None]
    dims = ("seed", "step", "concept_class", "method", "strength", "sample")
    loss = np.broadcast_to(2 + 5 * np.exp(-steps / 150)[:, None], (num_seeds, len(steps), 3))
    made = xarray.Dataset(
        {
            "coordinate": ((*dims, "concept"), coordinate),
            "correct": ((*dims, "concept"), right.astype(np.int8)),
            "off_manifold": (dims, np.zeros(shape[:-1], dtype=np.int8)),
            "strength_value": (("method", "strength"), np.zeros((1, 1), dtype=np.float32)),
            "loss": (("seed", "step", "data_split"), loss.astype(np.float32)),
            "gamma": (("seed", "step", "end"), np.zeros((num_seeds, len(steps), 2))),
        },
        coords={
            "seed": np.arange(num_seeds),
            "step": steps,
            "concept_class": list(classes),
            "method": ["naive"],
            "concept": names,
            "data_split": ["train", "validation", "held_out"],
        },
    )
    naive = {"name": "naive", "kind": "naive", "of": None, "concept": None, "control": None}
    made.attrs = {
        "training_classes": json.dumps(training),
        "held_out_classes": json.dumps(held_out),
        "concept_labels": json.dumps({c.name: list(c.labels) for c in space.concepts}),
        "methods": json.dumps([naive | {"label": "naive prompting"}]),
    }
    return made


def made_up_run(experiment: Experiment, progress: Path3, **sizes) -> StudyRun:
    """A finished run of an experiment with fewer resamples."""
    findings = FindingsSettings(num_resamples=200)
    made = experiment.replace(findings=findings)
    return StudyRun(made, made_up_trajectory(made, progress, **sizes), Path("nowhere"))


def arrivals(num: int, rng: np.random.Generator, num_seeds: int = 5) -> np.ndarray:
    """When classes are learned (class, seed): around 800 the first, beyond the end the last."""
    return np.geomspace(800, 9000, num)[:, None] * rng.uniform(0.85, 1.15, size=(num, num_seeds))


def near_is_early(experiment: Experiment, seed: int = 0) -> Path3:
    """Slow classes are still far away when training has converged."""
    held_out = experiment.split.held_out(experiment.space)
    times = arrivals(len(held_out), np.random.default_rng(seed))
    order = np.random.default_rng(seed + 1).permutation(len(held_out))
    at = {name: times[order[i]] for i, name in enumerate(held_out)}

    def progress(name, seed, steps):
        time = at[name][seed]
        return rise(steps, time, time / 2)[:, None] * np.ones(len(name))

    return progress


def near_says_nothing(experiment: Experiment, seed: int = 0) -> Path3:
    """Classes wait anywhere on their way, and arrive at times that have nothing to do with it."""
    held_out = experiment.split.held_out(experiment.space)
    rng = np.random.default_rng(seed)
    waits = {name: rng.uniform(0.0, 0.45, size=5) for name in held_out}
    times = {name: rng.uniform(1500, 5000, size=5) for name in held_out}

    def progress(name, seed, steps):
        waiting, time = waits[name][seed], times[name][seed]
        return (waiting + (1 - waiting) * (steps > time))[:, None] * np.ones(len(name))

    return progress


def never_learned(name, seed, steps):
    """No held-out class is ever learned."""
    return np.full((len(steps), len(name)), 0.2)


def by_concept(times: np.ndarray) -> Path3:
    """Every held-out class gets its concepts at times (concept, seed)."""

    def progress(name, seed, steps):
        return np.stack([rise(steps, time[seed], 0.05 * time[seed]) for time in times], axis=1)

    return progress


def three(d_colour=0.4, d_background=0.2) -> Experiment:
    """Three concepts, as the study's runs."""
    return quick_three(d_colour, d_background)


def six() -> Experiment:
    """Six concepts, as the study's run."""
    return quick_six()
