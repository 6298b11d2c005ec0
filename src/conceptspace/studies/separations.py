"""Colour and size at chosen separations: the worlds and the runs that several studies share."""

import numpy as np

from conceptspace.concepts.space import Concept, ConceptSpace
from conceptspace.data.factors import colour, size
from conceptspace.experiment import Experiment
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.recipes import FAMILIES, paper
from conceptspace.recipes.quick import quick
from conceptspace.studies.study import Scale, Seeded

NUM_SEEDS = 5
QUICK_COLOURS = (0.2, 0.3, 0.4, 0.6, 0.8)
QUICK_SIZES = (0.2, 0.25, 0.3, 0.35, 0.4)
FIXED = 0.4
"""Of the axis that is not swept, as in the published sweeps."""
QUICK_STEPS = 2400
QUICK_MEASUREMENT = MeasurementSettings(
    num_checkpoints=20, first_checkpoint=100, num_samples=48, num_control_samples=2,
    num_loss_images=96,
)  # fmt: skip


def naive_runs(scale: Scale) -> list[Seeded]:
    """Runs that are prompted naively, along both axes.

    Args:
        scale: at `quick` five separations of each axis, the other at 0.4, which share one run; at
            `paper` the published colour sweep, size sweep and grid, which share three.
    """
    if scale == "paper":
        families = ("colour-sweep", "size-sweep", "grid")
        return [(made, paper.NUM_SEEDS) for family in families for made in FAMILIES[family]()]
    pairs = [(d, FIXED) for d in QUICK_COLOURS] + [(FIXED, d) for d in QUICK_SIZES]
    return [(quick_naive(*pair), NUM_SEEDS) for pair in dict.fromkeys(pairs)]


def quick_naive(d_colour: float, d_size: float) -> Experiment:
    """The quick recipe at other separations, shorter, and prompted naively only."""
    base = quick()
    return base.replace(
        name=f"naive-dc{d_colour}-ds{d_size}",
        space=two_concepts(d_colour, d_size),
        training=base.training.replace(steps=QUICK_STEPS),
        measurement=QUICK_MEASUREMENT,
        elicitation=(),
    )


def two_concepts(d_colour: float, d_size: float) -> ConceptSpace:
    """Red and blue, large and small, so far apart."""
    return ConceptSpace(concepts=(colour(d_colour), size(d_size)))


def separation(concept: Concept) -> float:
    """How far apart the first and the last value of a concept are, in the number that moves most.

    Example:
        >>> separation(size(0.3))
        0.3
    """
    values = np.asarray(concept.values)
    return round(float(np.abs(values[-1] - values[0]).max()), 6)
