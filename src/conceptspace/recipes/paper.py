"""The published experiments, setting by setting (Park et al. 2024, and its published code).

A family is a function that returns one experiment for each of its settings. Whatever a function
does not say is a default of the settings classes, which are the paper's: see `docs/recipes.md`.
"""

import itertools

import numpy as np

from conceptspace.concepts.concept import Concept
from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import FACTOR_WIDTHS, background, colour, position, shape, size
from conceptspace.data.mixing import Conditioning, MaskedMixing
from conceptspace.data.world import SyntheticWorld
from conceptspace.elicitation.settings import Guidance, LatentSteering, OverPrompt
from conceptspace.experiment import Experiment
from conceptspace.measure.settings import MeasurementSettings, evenly_in_the_root
from conceptspace.models.settings import RegressionSettings, UNetSettings
from conceptspace.probes.settings import ProbeSettings
from conceptspace.training.settings import TrainingSettings

NUM_SEEDS = 5
"""Every setting of the paper was trained with five seeds."""

SWEPT_COLOURS = tuple(round(float(d), 3) for d in np.linspace(0.1, 0.8, 20))
"""Colour separations; the published files round them to three digits, and so do we."""
SWEPT_SIZES = tuple(round(float(d), 3) for d in np.linspace(0.2, 0.4, 20))
GRID_COLOURS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
GRID_SIZES = (0.2, 0.233, 0.266, 0.3, 0.333, 0.366, 0.4)
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of the red triangles whose prompt does not say red."""
ELICITED_COLOURS = (0.175, 0.2, 0.225, 0.25, 0.275, 0.3)
GUIDED_COLOURS = (0.1, 0.137, 0.174, 0.247, 0.321, 0.432, 0.579, 0.726, 0.8)

SWEEP_CHECKPOINTS = MeasurementSettings(num_checkpoints=60, first_checkpoint=500)
"""The published file of the colour sweep begins at 500; others of the paper's at 100."""


def colour_sweep() -> tuple[Experiment, ...]:
    """C1 to C4: twenty colour separations, the sizes 0.4 apart."""
    return tuple(_two_concepts("colour-sweep", d, 0.4, label=f"dc{d}") for d in SWEPT_COLOURS)


def size_sweep() -> tuple[Experiment, ...]:
    """C1 and C2: twenty size separations, the colours 0.4 apart."""
    return tuple(_two_concepts("size-sweep", 0.4, d, label=f"ds{d}") for d in SWEPT_SIZES)


def grid() -> tuple[Experiment, ...]:
    """C1 and C2: seven colour separations by seven size separations."""
    return tuple(
        _two_concepts("grid", d_colour, d_size, label=f"dc{d_colour}-ds{d_size}")
        for d_colour, d_size in itertools.product(GRID_COLOURS, GRID_SIZES)
    )


def elicitation() -> tuple[Experiment, ...]:
    """C5: over-prompting and latent steering of class 11, blue and small, at 211 steps."""
    checkpoints = (*evenly_in_the_root(50, 2400, 10), *evenly_in_the_root(2500, 15_000, 200))
    return tuple(
        _two_concepts(
            "elicitation",
            d,
            0.4,
            label=f"dc{d}",
            training=TrainingSettings(steps=15_000),
            measurement=MeasurementSettings(checkpoints=checkpoints),
            elicitation=(
                # From the class mean: at D_c = 0.2 the published colours, (.4, .4, .6) to
                # (.05, .05, .95). The first is the mean itself.
                OverPrompt(
                    concept="colour",
                    strengths=(0.0, 0.05, 0.15, 0.25, 0.35),
                    away_from=(0.5, 0.5, 0.5),
                ),
                # Published as "from 0 to 4", without the steps; 0 is naive prompting.
                LatentSteering(concept="colour", strengths=(0.5, 1.0, 2.0, 3.0, 4.0)),
            ),
        )
        for d in ELICITED_COLOURS
    )


def guidance() -> tuple[Experiment, ...]:
    """Classifier-free guidance in place of over-prompting; the prompt is hidden at times."""
    return tuple(
        _two_concepts(
            "guidance",
            d,
            0.4,
            label=f"dc{d}",
            training=TrainingSettings(steps=60_000, condition_dropout=0.1),
            measurement=MeasurementSettings(num_checkpoints=120, first_checkpoint=50),
            elicitation=(Guidance(weights=(0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0)),),
        )
        for d in GUIDED_COLOURS
    )


def weight_decay() -> tuple[Experiment, ...]:
    """Robustness: the colour sweep with five times the weight decay."""
    training = TrainingSettings(weight_decay=0.05)
    return tuple(
        _two_concepts("weight-decay", d, 0.4, label=f"dc{d}", training=training)
        for d in SWEPT_COLOURS
    )


def small_weights() -> tuple[Experiment, ...]:
    """Robustness: the colour sweep with all initial weights a tenth of what they are."""
    model = UNetSettings(initial_scale=0.1)
    return tuple(
        _two_concepts("small-weights", d, 0.4, label=f"dc{d}", model=model) for d in SWEPT_COLOURS
    )


def regression() -> tuple[Experiment, ...]:
    """Robustness: the colour sweep with a deterministic model instead of diffusion."""
    return tuple(
        _two_concepts("regression", d, 0.4, label=f"dc{d}", diffusion=RegressionSettings())
        for d in SWEPT_COLOURS
    )


def underspecification() -> tuple[Experiment, ...]:
    """C7: colour and shape; the prompts of a share of the red triangles do not say red."""
    return tuple(
        _published(
            f"underspecification-a{share:g}",
            (colour(0.6), shape()),
            conditioning=Conditioning(
                factors=tuple(FACTOR_WIDTHS),
                mixing=MaskedMixing(concept="colour", concept_class="01", share=share),
            ),
        )
        for share in SHARES
    )


def three_concepts() -> tuple[Experiment, ...]:
    """C10: colour, size and background; four classes are held out."""
    return tuple(
        _published(
            f"three-concepts-dc{d_colour}-db{d_background}",
            (colour(d_colour), size(0.35), background(d_background)),
            training=TrainingSettings(steps=40_000),
            measurement=MeasurementSettings(num_checkpoints=120, first_checkpoint=50),
        )
        for d_colour, d_background in itertools.product((0.2, 0.4, 0.6), (0.1, 0.2, 0.3))
    )


def six_concepts() -> Experiment:
    """C10: all factors of the world are concepts; 7 of 64 classes are trained."""
    return _published(
        "six-concepts",
        (shape(), position("x"), position("y"), colour(0.6), size(0.35), background(0.3)),
        model=UNetSettings(widths=(64, 128, 128), initial_scale=0.5),
        training=TrainingSettings(steps=1_000_000, images_per_class=4096),
        # Our default probe reads about one render in a few hundred wrong here.
        probe=ProbeSettings.published(),
        # 32 images of each of 64 classes, as published: half the samples of the other recipes.
        measurement=MeasurementSettings(
            num_checkpoints=200, first_checkpoint=50, num_samples=32, num_control_samples=32
        ),
    )


def _two_concepts(
    family: str, d_colour: float, d_size: float, *, label: str, **changes
) -> Experiment:
    return _published(f"{family}-{label}", (colour(d_colour), size(d_size)), **changes)


def _published(name: str, concepts: tuple[Concept, ...], **changes) -> Experiment:
    """An experiment at paper scale. Without changes: 20 000 steps, naive prompting only.

    The probe is our default one and not the published, which takes more than twelve times as long
    to train and can read clean renders no better: the default reads all of them right.
    """
    fields = {
        "name": name,
        "scale": "paper",
        "space": ConceptSpace(concepts=concepts),
        "world": SyntheticWorld(image_size=32, rasterisation="published"),
        # Eleven numbers, whichever of them are concepts; the others are 0.
        "conditioning": Conditioning(factors=tuple(FACTOR_WIDTHS)),
        "measurement": SWEEP_CHECKPOINTS,
    }
    return Experiment(**(fields | changes))
