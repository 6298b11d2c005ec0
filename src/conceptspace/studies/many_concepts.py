"""Runs with three and with six concepts, of which several classes are held out."""

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import background, colour, size
from conceptspace.data.vectors import PointAxis, VectorWorld
from conceptspace.experiment import Experiment
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.recipes import FAMILIES, RECIPES, paper
from conceptspace.recipes.quick import quick
from conceptspace.recipes.vectors import vectors
from conceptspace.studies.study import Scale, Seeded

NUM_SEEDS = 5
QUICK_PAIRS = ((0.2, 0.3), (0.4, 0.2), (0.6, 0.1))
"""Separations of colour and background: where one has the strong signal the other's is weak, so
that the order of the three signals is another in each."""
QUICK_SIZE = 0.35
"""As published."""
QUICK_STEPS = 2000
QUICK_MEASUREMENT = MeasurementSettings(
    num_checkpoints=16, first_checkpoint=100, num_samples=32, num_control_samples=2,
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
    """The quick recipe with a third concept, shorter, and prompted naively only."""
    base = quick()
    concepts = (colour(d_colour), size(QUICK_SIZE), background(d_background))
    return base.replace(
        name=f"three-dc{d_colour}-db{d_background}",
        space=ConceptSpace(concepts=concepts),
        training=base.training.replace(steps=QUICK_STEPS),
        measurement=QUICK_MEASUREMENT,
        elicitation=(),
    )
