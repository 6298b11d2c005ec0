"""Colour and size at chosen separations: the worlds and the runs that several studies share."""

import numpy as np

from conceptspace.concepts.concept import Concept
from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import colour, size
from conceptspace.elicitation.settings import LatentSteering, OverPrompt
from conceptspace.experiment import Experiment
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.recipes import FAMILIES, paper
from conceptspace.recipes.quick import quick
from conceptspace.studies.study import Scale, Seeded

NUM_SEEDS = 5
QUICK_COLOURS = (0.15, 0.2, 0.3, 0.4, 0.6)
"""Up to 0.6: at 0.8 a small model's blots are so strong that most samples are off the manifold."""
QUICK_SIZES = (0.1, 0.15, 0.2, 0.25, 0.3)
FIXED_COLOUR = 0.3
"""While sizes are swept. Published is 0.4; here the order of the two concepts turns round within
the sizes only below that."""
FIXED_SIZE = 0.2
"""While colours are swept. Published is 0.4, where a small object has a radius of two pixels of
these images, and models leave many of them out; at 0.3 colour hardly ever comes first."""
ELICITED_SIZE = 0.3
"""While class 11 is elicited or guided: size is learned first, and it is colour that is hidden."""
QUICK_ELICITED = (0.2, 0.25)
"""Colour separations at which class 11 is elicited. At 0.15 training classes are not learned within
3000 steps."""
NUM_ELICITED_SEEDS = 8
QUICK_STEPS = 2400
LONG_STEPS = 2800
"""Of the runs whose learning times are compared: at the weakest colours it is learned last."""
ELICITED_STEPS = 3200
"""Naive prompting comes after elicitation, in some seeds by a thousand steps."""
QUICK_MEASUREMENT = MeasurementSettings(
    num_checkpoints=20, first_checkpoint=100, num_samples=48, num_control_samples=2,
    num_loss_images=96,
)  # fmt: skip


def naive_runs(scale: Scale) -> list[Seeded]:
    """Runs that are prompted naively, along both axes.

    Args:
        scale: at `quick` five separations of each axis, the other held, which share one run; at
            `paper` the published colour sweep, size sweep and grid, which share three.
    """
    if scale == "paper":
        families = ("colour-sweep", "size-sweep", "grid")
        return [(made, paper.NUM_SEEDS) for family in families for made in FAMILIES[family]()]
    pairs = [(d, FIXED_SIZE) for d in QUICK_COLOURS] + [(FIXED_COLOUR, d) for d in QUICK_SIZES]
    return [(quick_naive(*pair), NUM_SEEDS) for pair in dict.fromkeys(pairs)]


def quick_naive(d_colour: float, d_size: float) -> Experiment:
    """The composing model at chosen separations, prompted naively only."""
    base = composing()
    return base.replace(
        name=f"naive-dc{d_colour}-ds{d_size}",
        space=two_concepts(d_colour, d_size),
        training=base.training.replace(steps=LONG_STEPS),
        measurement=QUICK_MEASUREMENT,
        elicitation=(),
    )


def elicited_runs(scale: Scale) -> list[Seeded]:
    """Runs in which class 11 is elicited by over-prompting and latent steering.

    Args:
        scale: at `quick` the composing model at two colour separations, with eight seeds, because
            claims about the spread over seeds need them; at `paper` the published elicitation.
    """
    if scale == "paper":
        return [(made, paper.NUM_SEEDS) for made in FAMILIES["elicitation"]()]
    return [(quick_elicited(d), NUM_ELICITED_SEEDS) for d in QUICK_ELICITED]


def quick_elicited(d_colour: float) -> Experiment:
    """The composing model at a colour separation, elicited in either way at two strengths."""
    base = composing()
    return base.replace(
        name=f"elicited-dc{d_colour}",
        space=two_concepts(d_colour, ELICITED_SIZE),
        training=base.training.replace(steps=ELICITED_STEPS),
        measurement=QUICK_MEASUREMENT.replace(
            num_checkpoints=22, first_checkpoint=200, num_control_samples=8
        ),
        elicitation=(
            OverPrompt(concept="colour", strengths=(0.15, 0.3), away_from=(0.5, 0.5, 0.5)),
            LatentSteering(concept="colour", strengths=(0.5, 1.0)),
        ),
    )


def composing() -> Experiment:
    """The quick recipe with the training under which naive prompting comes to compose.

    With the recipe's own weight decay (0.01) class 11 is drawn back to red for good at strong
    colours; with twice this decay a quarter of the large objects stays off the manifold; see
    `docs/quick-scale.md`.
    """
    base = quick()
    return base.replace(
        diffusion=base.diffusion.replace(gamma_start=-6.0, data_noise=0.05, sampling_steps=25),
        training=base.training.replace(steps=QUICK_STEPS, learning_rate=4e-3, weight_decay=0.3),
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
