"""Runs with three and with six concepts, of which several classes are held out."""

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import background, colour, size
from conceptspace.data.vectors import PointAxis, VectorWorld
from conceptspace.experiment import Experiment
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.recipes import FAMILIES, RECIPES, paper
from conceptspace.recipes.vectors import vectors
from conceptspace.studies.separations import composing
from conceptspace.studies.study import Scale, Seeded

NUM_SEEDS = 5
SIX_SEPARATIONS = (0.2, 0.28, 0.36, 0.44, 0.52, 0.6)
"""Of the six axes of the vector world; the distance of the two points is the signal, exactly."""
SIX_STEPS = 3000
SIX_MEASUREMENT = MeasurementSettings(
    num_checkpoints=24, first_checkpoint=20, num_samples=32, num_control_samples=2,
    num_loss_images=256, sampling_batch=4096, num_thumbnails=0,
)  # fmt: skip
QUICK_PAIRS = ((0.3, 0.3), (0.4, 0.2), (0.6, 0.1))
"""Separations of colour and background: where one has the strong signal the other's is weak, so
that the order of the three signals is another in each."""
QUICK_SIZE = 0.35
"""As published."""
QUICK_MEASUREMENT = MeasurementSettings(
    num_checkpoints=18, first_checkpoint=100, num_samples=32, num_control_samples=2,
    num_loss_images=64,
)  # fmt: skip
"""Eight classes are measured, not four: fewer samples of each, less often."""


def three_concept_runs(scale: Scale) -> list[Seeded]:
    """Colour, size and background; four classes are trained and four held out.

    Args:
        scale: at `quick` three settings at the size of the quick recipe, prompted naively; at
            `paper` the published family.
    """
    if scale == "paper":
        return [(made, paper.NUM_SEEDS) for made in FAMILIES["three-concepts"]()]
    return [(quick_three(*pair), NUM_SEEDS) for pair in QUICK_PAIRS]


def quick_three(d_colour: float, d_background: float) -> Experiment:
    """The composing model with a third concept, prompted naively only."""
    concepts = (colour(d_colour), size(QUICK_SIZE), background(d_background))
    return composing().replace(
        name=f"three-dc{d_colour}-db{d_background}",
        space=ConceptSpace(concepts=concepts),
        measurement=QUICK_MEASUREMENT,
        elicitation=(),
    )


def six_concept_runs(scale: Scale) -> list[Seeded]:
    """Six concepts; 7 of 64 classes are trained.

    Args:
        scale: at `quick` in the world without images, where a seed takes seconds; at `paper` the
            published recipe, all factors of the image world.
    """
    made = RECIPES["six-concepts"]() if scale == "paper" else quick_six()
    return [(made, paper.NUM_SEEDS if scale == "paper" else NUM_SEEDS)]


def quick_six() -> Experiment:
    """The recipe of vectors with six axes of rising separation, prompted naively only."""
    base = vectors()
    axes = tuple(
        PointAxis(name=f"axis {number}", points=(0.5 - d / 2, 0.5 + d / 2))
        for number, d in enumerate(SIX_SEPARATIONS, start=1)
    )
    return base.replace(
        name="six-vectors",
        space=ConceptSpace(concepts=tuple(axis.concept(("low", "high")) for axis in axes)),
        world=VectorWorld(axes=axes, noise=0.02),
        model=base.model.replace(initial_scale=1.0),
        training=base.training.replace(steps=SIX_STEPS, learning_rate=2e-3, weight_decay=0.01),
        measurement=SIX_MEASUREMENT,
        elicitation=(),
    )
