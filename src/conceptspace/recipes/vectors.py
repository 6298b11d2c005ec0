"""The world without images, at a size that takes seconds a seed."""

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.vectors import PointAxis, VectorWorld
from conceptspace.elicitation.settings import LatentSteering, OverPrompt
from conceptspace.experiment import Experiment
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.models.settings import DiffusionSettings, MLPSettings
from conceptspace.probes.settings import PointProbeSettings
from conceptspace.training.settings import TrainingSettings


def vectors() -> Experiment:
    """Two axes, one with twice the other's separation; the model is told the class's point, and
    class 11 is held out.

    The published size is a hidden layer of 1024, 1024 points a class, batches of 32 and 600 000
    steps; what differs here is in `docs/vectors.md`.
    """
    axes = (
        PointAxis(name="weak", points=(0.35, 0.65)),
        PointAxis(name="strong", points=(0.2, 0.8)),
    )
    return Experiment(
        name="vectors",
        scale="quick",
        space=ConceptSpace(concepts=tuple(axis.concept(("low", "high")) for axis in axes)),
        world=VectorWorld(axes=axes, noise=0.03),
        model=MLPSettings(width=256, embedding_width=64, time_features=32, initial_scale=0.85),
        diffusion=DiffusionSettings(
            gamma_start=-7.0,
            gamma_end=9.0,
            learned_schedule=False,
            data_noise=0.03,
            data_range=(-1.0, 1.0),
            sampling_steps=20,
        ),
        training=TrainingSettings(
            steps=3000,
            batch_size=32,
            images_per_class=1024,
            learning_rate=1.5e-3,
            weight_decay=0.05,
            clip_norm=1.0,
            average_decay=0.995,
        ),
        probe=PointProbeSettings(),
        measurement=MeasurementSettings(
            num_checkpoints=22,
            first_checkpoint=6,
            num_samples=64,
            num_control_samples=24,
            sampling_batch=2048,
        ),
        elicitation=(
            OverPrompt(concept="weak", strengths=(0.05, 0.1, 0.2)),
            LatentSteering(concept="weak", strengths=(0.25, 0.5, 1.0)),
        ),
    )
