"""Study `vectors`: the world without images, judged by a run's own claims C3, C4 and C5.

After the theory of Yang et al. 2025, and the Gaussian mixtures of Park et al. 2024: an MLP learns
narrow clusters in seconds a seed.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.vectors import PointAxis, VectorWorld
from conceptspace.dynamics.plain import plain
from conceptspace.experiment import Experiment
from conceptspace.recipes import paper
from conceptspace.recipes.vectors import vectors
from conceptspace.studies.study import Scale, Seeded, Study, StudyRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.figures.evidence import Evidence
    from conceptspace.report.case import Claim

NUM_SEEDS = 8
"""More than of images: a seed takes seconds."""
PLAIN, THREE_VALUES = "vectors", "vectors-three-values"
PREFIXES = {PLAIN: "vectors", THREE_VALUES: "vectors/three-values"}
"""What the ids of a setting's claims begin with."""
THREE_POINTS = (0.1, 0.5, 0.9)
NUISANCE = (0.1, 0.1)
"""Standard deviations of two dimensions that say nothing of the class."""
PUBLISHED_WIDTH = 1024
PUBLISHED_STEPS = 600_000


def experiments(scale: Scale) -> list[Seeded]:
    """The recipe, and the same with a third value and dimensions that are no concept.

    Args:
        scale: at `paper` with the published hidden layer and number of steps.
    """
    made = [vectors().replace(name=PLAIN), three_values()]
    if scale == "paper":
        return [(_published(experiment), paper.NUM_SEEDS) for experiment in made]
    return [(experiment, NUM_SEEDS) for experiment in made]


def three_values() -> Experiment:
    """The recipe with three values of the strong axis; classes 11 and 12 are held out."""
    base = vectors()
    world = base.world
    assert isinstance(world, VectorWorld)  # the recipe's
    axes = (world.axes[0], PointAxis(name="strong", points=THREE_POINTS))
    concepts = (base.space.concepts[0], axes[1].concept(("low", "middle", "high")))
    return base.replace(
        name=THREE_VALUES,
        space=ConceptSpace(concepts=concepts),
        world=world.replace(axes=axes, nuisance=NUISANCE),
    )


def _published(experiment: Experiment) -> Experiment:
    return experiment.replace(
        scale="paper",
        model=experiment.model.replace(width=PUBLISHED_WIDTH),
        training=experiment.training.replace(steps=PUBLISHED_STEPS),
    )


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """Each run's own findings and claims, as its report has them, and the paths of its seeds.

    Args:
        runs: of vector worlds.
        scale: not looked at.

    Raises:
        ValueError: if there is no run.
    """
    rows = [_row(run) for run in runs]
    if not rows:
        raise ValueError("runs must hold at least one run")
    return plain({"num_seeds": min(row["num_seeds"] for row in rows), "settings": rows})


def _row(run: StudyRun) -> dict[str, Any]:
    from conceptspace.data.signal import concept_signal
    from conceptspace.dynamics.arrays import ATTRIBUTES, TrajectoryArrays
    from conceptspace.dynamics.findings import findings
    from conceptspace.report.claims import claims as judge

    experiment, trajectory = run.experiment, run.trajectory
    signals = concept_signal(experiment.world, experiment.space)
    signal = {
        name: {"signal": found.derivative, "finite": found.finite}
        for name, found in signals.items()
    }
    found = findings(trajectory, experiment.findings, signal=signal)
    arrays = TrajectoryArrays(trajectory)
    made = judge(found, trajectory, experiment.findings, scale=experiment.scale)
    return {
        "name": experiment.name,
        "num_seeds": arrays.num_seeds,
        "signal": signal,
        "findings": {key: found[key] for key in ("seeds", "steps", "classes")},
        "paths": {name: np.mean(arrays.coordinates(name), axis=2) for name in arrays.classes},
        "concepts": arrays.concepts,
        "attributes": {
            name: trajectory.attrs[name]
            for name in (*ATTRIBUTES, "class_labels")
            if name in trajectory.attrs
        },
        "claims": [claim.model_dump(mode="json") for claim in made],
    }


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """Every run's own claims, with the setting in their ids."""
    from conceptspace.report.case import Claim

    return [
        Claim.model_validate(
            claim | {"id": f"{PREFIXES[row['name']]}/{claim['id']}", "scale": findings["scale"]}
        )
        for row in findings["settings"]
        for claim in row["claims"]
    ]


def evidence_of(row: Mapping[str, Any]) -> "Evidence":
    """What a setting's figure is drawn from: its findings and the paths of its seeds.

    Args:
        row: one of the `settings` in the findings.
    """
    import xarray

    from conceptspace.figures.evidence import NAIVE, Evidence, numbers

    classes = list(row["paths"])
    paths = np.stack([numbers(row["paths"][name]) for name in classes], axis=2)
    dims = ("seed", "step", "concept_class", "method", "strength", "sample", "concept")
    trajectory = xarray.Dataset(
        {"coordinate": (dims, paths[:, :, :, None, None, None])},
        coords={
            "seed": row["findings"]["seeds"],
            "step": row["findings"]["steps"],
            "concept_class": classes,
            "method": [NAIVE],
            "concept": row["concepts"],
        },
        attrs=dict(row["attributes"]),
    )
    return Evidence(row["findings"], trajectory)


def figure(findings: Mapping[str, Any]) -> "Figure":
    """The plane with every class's path beside accuracy over steps, a row a setting."""
    from conceptspace.figures.vectors import vectors_figure

    rows = findings["settings"]
    return vectors_figure([evidence_of(row) for row in rows], [_title(row) for row in rows])


def _title(row: Mapping[str, Any]) -> str:
    words = {PLAIN: "Two values an axis", THREE_VALUES: "Three values, two nuisance dimensions"}
    signal = ", ".join(f"{name} {value['finite']:.2g}" for name, value in row["signal"].items())
    return f"{words.get(row['name'], row['name'])} (signal: {signal})"


STUDY = Study(
    name="vectors",
    title="the world without images: Gaussian clusters and an MLP",
    tests=(
        *(f"vectors/{claim}" for claim in ("C3", "C4", "C5")),
        *(
            f"vectors/three-values/{claim}/{name}"
            for name in ("11", "12")
            for claim in ("C3", "C4", "C5")
        ),
    ),
    experiments=experiments,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
