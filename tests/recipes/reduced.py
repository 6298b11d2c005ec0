"""Recipes cut down to a test: two steps, two images at a time."""

from conceptspace.data.labelled_world import LabelledWorld
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.experiment import Experiment, shortened
from conceptspace.models.settings import DiffusionSettings
from conceptspace.probes.settings import EnsembleProbeSettings, InversionSettings, ProbeSettings


def reduced(experiment: Experiment, steps: int = 2) -> Experiment:
    """The first steps of an experiment with its own network, on small batches."""
    short = shortened(experiment, steps)
    if isinstance(short.probe, EnsembleProbeSettings):
        short = short.replace(probe=EnsembleProbeSettings(members=2, steps=2, batch_size=8))
    elif isinstance(short.world, LabelledWorld):
        short = short.replace(probe=short.probe.replace(steps=2, num_images=64, batch_size=8))
    elif isinstance(short.probe, ProbeSettings):
        short = short.replace(
            probe=ProbeSettings(steps=2, num_images=64, batch_size=8),
            inversion=InversionSettings(max_iterations=1),
        )
    sampling = {"sampling_steps": 2} if isinstance(experiment.diffusion, DiffusionSettings) else {}
    return short.replace(
        training=short.training.replace(batch_size=2, images_per_class=4),
        diffusion=short.diffusion.replace(**sampling),
        measurement=short.measurement.replace(
            num_samples=2,
            num_control_samples=2,
            num_directions=1,
            num_thumbnails=1,
            num_loss_images=4,
        ),
        findings=FindingsSettings(num_resamples=100),
    )


def narrow(experiment: Experiment) -> Experiment:
    """The same with a network that takes next to no time."""
    small = reduced(experiment)
    return small.replace(
        world=small.world.replace(image_size=8),
        model=small.model.replace(widths=(8,), num_blocks=1, num_heads=0, num_groups=4),
    )
