"""From an experiment's settings to the objects that they describe."""

import numpy as np
import torch

from conceptspace.adapters.native import NativeAdapter
from conceptspace.data.dataset import (
    Dataset,
    draw_dataset,
    draw_labelled_sets,
    labelled_dataset,
    split_training,
)
from conceptspace.data.labelled_world import LabelledWorld
from conceptspace.data.pictures import pictures_of
from conceptspace.data.streams import numpy_stream, torch_seed
from conceptspace.data.vectors import VectorWorld
from conceptspace.experiment import Experiment
from conceptspace.measure.measurement import Instrument
from conceptspace.models.ddpm import DDPM
from conceptspace.models.execution import Execution
from conceptspace.models.flow_matching import FlowMatching
from conceptspace.models.mlp import MLP
from conceptspace.models.network import placed
from conceptspace.models.regression import Model, Regression
from conceptspace.models.settings import (
    DDPMSettings,
    FlowMatchingSettings,
    MLPSettings,
    Objective,
    RegressionSettings,
)
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM
from conceptspace.probes.classifier import Probe, train_probe
from conceptspace.probes.ensemble import DoubtfulReadings, EnsembleProbe, train_ensemble
from conceptspace.probes.inversion import Inversion
from conceptspace.probes.points import PointLocation, PointProbe
from conceptspace.probes.quality import calibration, class_accuracy, confusion
from conceptspace.probes.reading import Inverter
from conceptspace.probes.settings import (
    EnsembleProbeSettings,
    PointProbeSettings,
    ProbeSettings,
)
from conceptspace.probes.stored import StorableProbe


def build_model(experiment: Experiment, seed: int, execution: Execution | None = None) -> Model:
    """The untrained model of a seed, in float32 on the CPU unless said otherwise.

    Initial weights do not depend on the execution.
    """
    with torch.random.fork_rng():
        torch.manual_seed(torch_seed(seed, "initial-weights"))
        network = _network(experiment)
        return placed(_model(network, experiment.diffusion), execution or Execution())


def _model(network: UNet | MLP, objective: Objective) -> Model:
    match objective:
        case RegressionSettings():
            return Regression(network, objective)
        case DDPMSettings():
            return DDPM(network, objective)
        case FlowMatchingSettings():
            return FlowMatching(network, objective)
    return VDM(network, objective)


def _network(experiment: Experiment) -> UNet | MLP:
    # The channels of images, or the dimension of vectors.
    width, settings = experiment.world.image_shape[0], experiment.model
    if isinstance(settings, MLPSettings):
        return MLP(width, experiment.prompter.width, settings)
    return UNet(width, experiment.prompter.width, settings)


def build_adapter(experiment: Experiment, model: Model) -> NativeAdapter:
    """The model as measuring sees it."""
    batch_size = experiment.measurement.sampling_batch
    return NativeAdapter(model, experiment.world.image_shape, batch_size)


def draw_training_sets(experiment: Experiment, seed: int) -> dict[str, Dataset]:
    """The data sets of a seed: train, validation, and held_out where a class is held out."""
    rng = numpy_stream(seed, "data")
    prompter, training = experiment.prompter, experiment.training
    classes = experiment.split.training(experiment.space)
    if isinstance(experiment.world, LabelledWorld):
        return _labelled_sets(experiment, experiment.world, rng)
    drawn = draw_dataset(experiment.world, prompter, classes, training.images_per_class, rng)
    train, validation = split_training(drawn, training.training_share)
    sets = {"train": train, "validation": validation}
    held_out = experiment.split.held_out(experiment.space)
    if held_out:
        per_class = -(-experiment.measurement.num_loss_images // len(held_out))
        sets["held_out"] = draw_dataset(experiment.world, prompter, held_out, per_class, rng)
    return sets


def _labelled_sets(
    experiment: Experiment, world: LabelledWorld, rng: np.random.Generator
) -> dict[str, Dataset]:
    training = experiment.split.training(experiment.space)
    held_out = experiment.split.held_out(experiment.space)
    return draw_labelled_sets(
        world,
        experiment.prompter,
        training,
        held_out,
        num_per_class=world.num_to_learn(experiment.training.images_per_class, training),
        training_share=experiment.training.training_share,
        num_held_out=-(-experiment.measurement.num_loss_images // max(1, len(held_out))),
        rng=rng,
    )


def build_probe(experiment: Experiment, progress=None) -> StorableProbe:
    """Make the probe: train the classifier, or for vectors write down the points. It is the same
    for all seeds of a run."""
    world, settings = experiment.world, experiment.probe
    if isinstance(world, VectorWorld):
        return PointProbe.of(world, experiment.space)
    assert isinstance(settings, ProbeSettings)  # or the experiment would have refused it
    if isinstance(settings, EnsembleProbeSettings):
        return train_ensemble(world, experiment.space, settings, 0, progress)
    return train_probe(world, experiment.space, settings, 0, progress)


def _inverter(experiment: Experiment, probe: Probe) -> Inverter | None:
    world, settings = experiment.world, experiment.probe
    if isinstance(world, LabelledWorld):
        if isinstance(probe, EnsembleProbe) and isinstance(settings, EnsembleProbeSettings):
            return DoubtfulReadings(probe, experiment.space, settings.tolerated_disagreement)
        return None
    if isinstance(world, VectorWorld):
        assert isinstance(settings, PointProbeSettings)  # or the experiment would have refused it
        return PointLocation(world, experiment.space, settings)
    return Inversion(world, experiment.space, experiment.inversion)


def build_instrument(experiment: Experiment, probe: Probe) -> Instrument:
    """What measures every checkpoint of a run."""
    return Instrument(
        experiment.prompter,
        experiment.split,
        experiment.elicitation,
        probe,
        _inverter(experiment, probe),
        experiment.measurement,
        pictures_of(experiment.world),
    )


NUM_JUDGED_IMAGES = 2000


def judge_probe(experiment: Experiment, probe: Probe) -> dict[str, object]:
    """The probe's confusion table, calibration and accuracy on images it has not learned from.

    They are fresh renders of every class, or the labelled images that are kept back. Of these,
    `doubtful` says which share an ensemble would not trust itself on.
    """
    space = experiment.space
    images = _judging_images(experiment, numpy_stream(0, "judge-probe"))
    quality = {
        "confusion": confusion(probe, images, space),
        "calibration": calibration(probe, images, space),
        "accuracy": class_accuracy(probe, images, space),
    }
    inverter = _inverter(experiment, probe)
    if isinstance(inverter, DoubtfulReadings):
        flags = inverter.invert(images.images, 0.0).off_manifold
        quality["doubtful"] = float(flags.float().mean())
    return quality


def _judging_images(experiment: Experiment, rng: np.random.Generator) -> Dataset:
    world, prompter, classes = experiment.world, experiment.prompter, experiment.space.classes
    per_class = max(1, NUM_JUDGED_IMAGES // len(classes))
    if isinstance(world, LabelledWorld):
        kept = [rng.permutation(world.rows(name, judged=True))[:per_class] for name in classes]
        return labelled_dataset(world, prompter, np.concatenate(kept), rng)
    return draw_dataset(world, prompter, classes, per_class, rng)
