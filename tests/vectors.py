"""Vector worlds that several tests share, and the smallest run of one."""

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.vectors import OneHotAxis, PointAxis, VectorWorld
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.elicitation.settings import LatentSteering, OverPrompt
from conceptspace.experiment import Experiment
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.models.settings import DiffusionSettings, MLPSettings
from conceptspace.probes.settings import PointProbeSettings
from conceptspace.training.settings import TrainingSettings

AXES = (
    OneHotAxis(name="first", points=(0.2, 0.5, 0.9)),
    PointAxis(name="second", points=(0.3, 0.7)),
)
WORLD = VectorWorld(axes=AXES, noise=0.03, nuisance=(0.1,))
SPACE = ConceptSpace(concepts=(AXES[1].concept(), AXES[0].concept()))  # not the world's order


def small_run(weak: tuple[float, float] = (0.35, 0.65), steps: int = 40) -> Experiment:
    """Two axes, a hidden layer of 16, and a few checkpoints: about a second a seed."""
    axes = (OneHotAxis(name="weak", points=weak), OneHotAxis(name="strong", points=(0.2, 0.8)))
    return Experiment(
        name="small-vectors",
        space=ConceptSpace(concepts=tuple(axis.concept() for axis in axes)),
        world=VectorWorld(axes=axes),
        model=MLPSettings(width=16, embedding_width=8, time_features=8),
        diffusion=DiffusionSettings(
            gamma_start=-7.0, gamma_end=9.0, learned_schedule=False, sampling_steps=4
        ),
        training=TrainingSettings(
            steps=steps,
            batch_size=16,
            images_per_class=64,
            learning_rate=5e-3,
            clip_norm=1.0,
            average_decay=0.9,
        ),
        probe=PointProbeSettings(),
        measurement=MeasurementSettings(
            num_checkpoints=4,
            first_checkpoint=8,
            num_samples=8,
            num_control_samples=4,
            num_directions=2,
            num_thumbnails=2,
            num_loss_images=16,
        ),
        elicitation=(
            OverPrompt(concept="weak", strengths=(0.5, 1.0)),
            LatentSteering(concept="weak", strengths=(1.0, 2.0)),
        ),
        findings=FindingsSettings(num_resamples=100),
    )
