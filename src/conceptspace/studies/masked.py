"""Colour and shape, with the colour masked in a share of one class's prompts: worlds and runs."""

from typing import Any

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import colour, shape
from conceptspace.data.mixing import Conditioning, MaskedMixing
from conceptspace.experiment import Experiment
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.models.settings import SharedEmbedding
from conceptspace.recipes import FAMILIES, paper
from conceptspace.studies.separations import composing
from conceptspace.studies.study import Scale, Seeded

NUM_SEEDS = 5


def masked_runs(scale: Scale) -> list[Seeded]:
    """A run for each masked share: the published ones, or ours of a size for two CPU cores."""
    if scale == "paper":
        return [(made, paper.NUM_SEEDS) for made in FAMILIES["underspecification"]()]
    return [(quick_masked(share), NUM_SEEDS) for share in paper.SHARES]


def quick_masked(share: float) -> Experiment:
    """The composing model with colour and shape, red masked in a share of the red triangles.

    How its sizes were found is in `docs/reproduce/underspecification.md`.
    """
    base = composing()
    return base.replace(
        name=f"underspecification-a{share:g}",
        space=ConceptSpace(concepts=(colour(0.6), shape())),
        world=base.world.replace(size_range=(0.5, 0.5)),
        conditioning=Conditioning(
            mixing=MaskedMixing(concept="colour", concept_class="01", share=share)
        ),
        model=base.model.replace(embedding=SharedEmbedding()),
        training=base.training.replace(steps=2000),
        measurement=MeasurementSettings(
            num_checkpoints=20, first_checkpoint=100, num_samples=48, num_control_samples=2,
            num_loss_images=96,
        ),
        elicitation=(),
    )  # fmt: skip


def roles_of(experiment: Experiment) -> dict[str, Any]:
    """What is masked, and the classes that count: held out, masked, and told its colour always."""
    space, mixing = experiment.space, experiment.conditioning.mixing
    axis = space.names.index(mixing.concept) if isinstance(mixing, MaskedMixing) else None
    if (
        not isinstance(mixing, MaskedMixing)
        or space.num_values != (2, 2)
        or experiment.split.held_out(space) != ("11",)
        or mixing.concept_class != ("01", "10")[axis or 0]
    ):
        raise ValueError(
            f"runs: {experiment.name} must have two concepts of two values, hold out class 11, and "
            "mask a concept in the training class that differs from 11 in that concept alone"
        )
    classes = {"held_out": "11", "masked": ("01", "10")[axis or 0], "told": ("10", "01")[axis or 0]}
    return {
        "concepts": space.names,
        "labels": {concept.name: concept.labels for concept in space.concepts},
        "masked_concept": mixing.concept,
        "classes": classes,
        "words": {role: space.describe(name) for role, name in classes.items()},
    }


def masked_share(experiment: Experiment) -> float:
    """The share of a class's examples whose prompt is masked."""
    mixing = experiment.conditioning.mixing
    assert isinstance(mixing, MaskedMixing)  # or the run would have been refused
    return mixing.share
