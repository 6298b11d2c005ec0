"""Guided runs that are made up: planted leads of guidance, none, and what spoils the claim."""

import json
from pathlib import Path

import numpy as np

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import colour, size
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.study import StudyRun
from dynamics.synthetic import Phenomenon, synthetic_trajectory
from runs.tiny import tiny_experiment

WEIGHTS = (0.0, 1.0, 2.0, 3.0, 5.0)
EFFECT = {2.0: 0.5, 3.0: 1.0, 5.0: 1.0}
"""How much of the way from naive prompting to the class a weight goes once guidance works."""


def guided_run(
    d_colour=0.25,
    *,
    works_from=1000.0,
    naive_step=2300.0,
    num_seeds=5,
    spoils_training=False,
    composes_anyway=False,
    num_samples=24,
    seed=0,
):
    """A run in which guidance generates class 11 from one step on and naive prompting later.

    Args:
        works_from: infinite for guidance that does nothing.
        spoils_training: whether guidance gets training class 01 wrong.
        composes_anyway: whether class 11 comes without a condition too.
    """
    rng = np.random.default_rng([seed, int(1000 * d_colour)])
    data = synthetic_trajectory(
        rng,
        Phenomenon(turn_step=500.0, naive_step=naive_step, elicitable=False),
        num_seeds=num_seeds,
        num_checkpoints=16,
        num_samples=num_samples,
        last_step=2400,
    )
    naive = data.sel({"method": ["naive"]})
    steps = data["step"].values
    guided = naive.isel(strength=np.zeros(len(WEIGHTS), dtype=int)).copy(deep=True)
    guided = guided.assign_coords(method=["guidance"])
    coordinate, correct, off = (
        guided[name].values for name in ("coordinate", "correct", "off_manifold")
    )  # (seed, step, class, method, strength, sample, ...)
    held_out, beside = 3, 1
    shape = coordinate.shape[:2] + coordinate.shape[5:]
    for index, weight in enumerate(WEIGHTS):
        plain = naive["coordinate"].values[:, :, held_out, 0, 0].mean(axis=2, keepdims=True)
        works = EFFECT.get(weight, 0.0) * (steps > works_from)[None, :, None, None]
        centre = plain + works * np.maximum(0.98 - plain, 0.0)
        if weight == 0.0:
            centre = np.array([0.95, 0.95]) if composes_anyway else np.array([0.2, 0.3])
        drawn = np.clip(centre + 0.15 * rng.standard_normal(shape), 0, 1)
        coordinate[:, :, held_out, 0, index] = drawn
        correct[:, :, held_out, 0, index] = drawn > 0.5
        pushed = 0.05 * weight / WEIGHTS[-1]
        off[:, :, held_out, 0, index] = rng.random(shape[:-1]) < pushed
        off[:, :, beside, 0, index] = spoils_training and weight > 1
    off[:, 0, held_out] = 1  # of the untrained model nothing is an object
    for other in (0, 2):
        correct[:, :, other], off[:, :, other] = -1, -1
    return StudyRun(_experiment(d_colour), _joined(naive, guided), Path("nowhere"))


def _joined(naive, guided):
    """Both methods on one grid, what was not measured left out."""
    import xarray

    wide = {"strength": len(WEIGHTS)}
    plain = naive.isel(strength=[0]).pad(
        strength=(0, wide["strength"] - 1), constant_values={"correct": -1, "off_manifold": -1}
    )
    for name in ("correct", "off_manifold"):
        plain[name] = plain[name].fillna(-1).astype(np.int8)
    cells = ["coordinate", "correct", "off_manifold", "probability", "residual"]
    both = xarray.concat([plain[cells], guided[cells]], dim="method")
    values = np.full((2, len(WEIGHTS)), np.nan, dtype=np.float32)
    values[0, 0], values[1] = 0.0, WEIGHTS
    both["strength_value"] = (("method", "strength"), values)
    for name in ("loss", "gamma", "decodability"):
        both[name] = naive[name]
    label = {"of": None, "concept": None, "control": None}
    methods = [
        label | {"name": "naive", "kind": "naive", "label": "naive prompting"},
        label | {"name": "guidance", "kind": "elicitation", "label": "classifier-free guidance"},
    ]
    return both.assign_attrs(naive.attrs | {"methods": json.dumps(methods)})


def _experiment(d_colour):
    return tiny_experiment().replace(
        name=f"made-up-dc{d_colour}",
        space=ConceptSpace(concepts=(colour(d_colour), size(0.4))),
        findings=FindingsSettings(num_resamples=200),
    )
