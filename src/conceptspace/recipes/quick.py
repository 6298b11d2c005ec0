"""The main job at a size that two CPU cores finish in minutes."""

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import colour, size
from conceptspace.data.world import SyntheticWorld
from conceptspace.elicitation.settings import LatentSteering, OverPrompt
from conceptspace.experiment import Experiment
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.models.settings import DiffusionSettings, UNetSettings
from conceptspace.training.settings import TrainingSettings


def quick() -> Experiment:
    """Colour and size at 16 x 16 pixels; class 11, blue and small, is held out.

    Its sizes are ours; how they were chosen is in `docs/quick-scale.md`.
    """
    return Experiment(
        name="quick",
        scale="quick",
        space=ConceptSpace(concepts=(colour(0.25), size(0.4))),
        world=SyntheticWorld(image_size=16),
        model=UNetSettings(
            widths=(16, 32),
            num_blocks=1,
            num_heads=0,
            dropout=0.0,
            time_features=16,
        ),
        diffusion=DiffusionSettings(
            gamma_start=-7.0,
            gamma_end=9.0,
            learned_schedule=False,
            # About exp(gamma(0) / 2). With gamma fixed it only shifts the bound by a constant.
            data_noise=0.03,
            sampling_steps=15,
        ),
        training=TrainingSettings(
            steps=3200, batch_size=32, learning_rate=4e-3, clip_norm=1.0, average_decay=0.995
        ),
        measurement=MeasurementSettings(
            num_checkpoints=22,
            first_checkpoint=100,
            num_samples=64,
            num_control_samples=24,
            num_loss_images=192,
        ),
        elicitation=(
            OverPrompt(concept="colour", strengths=(0.15, 0.3), away_from=(0.5, 0.5, 0.5)),
            LatentSteering(concept="colour", strengths=(1.0, 2.0)),
        ),
    )
