"""Real images at a size that two CPU cores finish in minutes: handwritten digits in two colours."""

from conceptspace.data.readers.digits import DigitsWorld
from conceptspace.elicitation.settings import LatentSteering, OverPrompt
from conceptspace.experiment import Experiment
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.models.settings import DiffusionSettings, UNetSettings
from conceptspace.probes.settings import EnsembleProbeSettings
from conceptspace.training.settings import TrainingSettings


def digits() -> Experiment:
    """Zero or one, red or blue, in the handwriting that comes with scikit-learn; a blue one is held
    out.

    The model is told a one-hot for each concept, as of any labelled images. Network and training
    are those of `quick`.
    """
    world = DigitsWorld(digits=(0, 1), separation=0.4)
    return Experiment(
        name="digits",
        scale="quick",
        space=world.space,
        world=world,
        model=UNetSettings(
            widths=(16, 32), num_blocks=1, num_heads=0, dropout=0.0, time_features=16
        ),
        diffusion=DiffusionSettings(
            gamma_start=-7.0,
            gamma_end=9.0,
            learned_schedule=False,
            data_noise=0.03,
            sampling_steps=15,
        ),
        training=TrainingSettings(
            steps=2400,
            batch_size=32,
            images_per_class=120,
            learning_rate=4e-3,
            clip_norm=1.0,
            average_decay=0.995,
        ),
        probe=EnsembleProbeSettings(),
        measurement=MeasurementSettings(
            num_checkpoints=20,
            first_checkpoint=100,
            num_samples=64,
            num_control_samples=24,
            num_loss_images=96,
        ),
        elicitation=(
            OverPrompt(concept="digit", strengths=(0.25, 0.5)),
            LatentSteering(concept="digit", strengths=(1.0, 2.0)),
        ),
    )
