"""One checkpoint measured: an xarray dataset of what the probe read off every arm's samples."""

import json
from dataclasses import asdict, dataclass

import numpy as np
import torch
import xarray

from conceptspace.adapters.protocol import Adapter
from conceptspace.concepts.split import Split
from conceptspace.data.mixing import Prompter
from conceptspace.data.streams import numpy_stream, torch_stream
from conceptspace.elicitation.arms import MethodLabel, method_labels, plan_arms
from conceptspace.elicitation.settings import ElicitationMethod
from conceptspace.measure.decodability import linear_decodability
from conceptspace.measure.sampling import ArmSamples, sample_arms
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.probes.inversion import Inversion
from conceptspace.probes.reading import Probe, Reading, read_samples

LOSSES = ("train", "validation", "held_out")


@dataclass(frozen=True)
class Instrument:
    """Everything that measuring needs besides the model.

    Attributes:
        prompter: how concepts become conditioning vectors.
        split: training and held-out classes.
        methods: the elicitation methods; naive prompting is always measured.
        probe: reads each concept's value off images.
        inversion: fits G to images and flags those off its manifold; None where there is no G.
        settings: sample counts.
    """

    prompter: Prompter
    split: Split
    methods: tuple[ElicitationMethod, ...]
    probe: Probe
    inversion: Inversion | None
    settings: MeasurementSettings

    @property
    def labels(self) -> tuple[MethodLabel, ...]:
        return method_labels(self.methods, self.prompter.space)


def measure_checkpoint(
    adapter: Adapter,
    instrument: Instrument,
    *,
    seed: int,
    step: int,
    losses: dict[str, float] | None = None,
    gamma: tuple[float, float] | None = None,
) -> xarray.Dataset:
    """Measure a model at one step. The same model, seed and step give the same bits.

    Args:
        adapter: the model.
        instrument: what to measure, with which probe.
        seed: the training seed; all random numbers of measuring follow from it and the step.
        step: the training step.
        losses: bits per dimension by name: train, validation, held_out.
        gamma: gamma(0) and gamma(1), for models with a noise schedule.

    Returns:
        A dataset with `seed` and `step` of length 1; see the documentation of the run directory.
    """
    settings = instrument.settings
    rng = numpy_stream(seed, "measure", step)
    arms = plan_arms(
        adapter,
        instrument.prompter,
        instrument.split,
        instrument.methods,
        num_samples=settings.num_samples,
        num_control_samples=settings.num_control_samples,
        num_directions=settings.num_directions,
        generator=torch_stream(seed, "directions", step),
    )
    samples = sample_arms(
        adapter,
        instrument.prompter,
        instrument.split,
        arms,
        rng,
        torch_stream(seed, "sampling", step),
    )
    images = torch.cat([part.images.flatten(0, 1) for part in samples])
    images = readable(images)
    reading = read_samples(instrument.probe, instrument.inversion, images, adapter.sample_noise())
    dataset = _assemble(instrument, samples, reading, seed, step)
    sites = adapter.sites()
    decoded = linear_decodability(adapter, instrument.prompter, instrument.split, rng)
    dataset["decodability"] = (
        ("seed", "step", "site", "concept"),
        decoded[None, None].astype(np.float32),
    )
    values = [np.nan if losses is None else losses.get(name, np.nan) for name in LOSSES]
    dataset["loss"] = (("seed", "step", "data_split"), np.array([[values]], dtype=np.float32))
    ends = (np.nan, np.nan) if gamma is None else gamma
    dataset["gamma"] = (("seed", "step", "end"), np.array([[ends]], dtype=np.float32))
    return dataset.assign_coords(site=list(sites), data_split=list(LOSSES), end=[0, 1])


def readable(images: torch.Tensor) -> torch.Tensor:
    """Images without NaN and within [-1, 2]: what lies beyond is off the manifold either way, and
    an untrained model's samples may be anything."""
    return torch.nan_to_num(images, nan=-1.0, posinf=2.0, neginf=-1.0).clamp(-1.0, 2.0)


def _assemble(
    instrument: Instrument, samples: list[ArmSamples], reading: Reading, seed: int, step: int
) -> xarray.Dataset:
    """Put each arm's readings in its place; what was not measured is NaN or -1."""
    space, settings, labels = instrument.prompter.space, instrument.settings, instrument.labels
    classes, names = space.classes, [label.name for label in labels]
    num_strengths = max(len(label.strengths) for label in labels)
    num_values = max(space.num_values)
    shape = (1, 1, len(classes), len(names), num_strengths, settings.num_samples)
    probability = np.full((*shape, len(space.concepts), num_values), np.nan, dtype=np.float32)
    correct = np.full((*shape, len(space.concepts)), -1, dtype=np.int8)
    off_manifold = np.full(shape, -1, dtype=np.int8)
    residual = np.full(shape, np.nan, dtype=np.float32)
    channels, height, width = samples[0].images.shape[2:]
    thumbnail_shape = (*shape[:-1], settings.num_thumbnails, height, width, channels)
    thumbnail = np.zeros(thumbnail_shape, dtype=np.uint8)
    start = 0
    for part in samples:
        arm, (num, per_strength) = part.arm, part.images.shape[:2]
        rows = slice(start, start + num * per_strength)
        start = rows.stop
        place = (
            0, 0, classes.index(arm.concept_class), names.index(arm.method),
            slice(num), slice(per_strength),
        )  # fmt: skip
        indices = space.indices(arm.concept_class)
        for i, distribution in enumerate(reading.distributions):
            values = distribution[rows].numpy().reshape(num, per_strength, -1)
            probability[(*place, i, slice(values.shape[-1]))] = values
            correct[(*place, i)] = values.argmax(-1) == indices[i]
        off_manifold[place] = 0
        if reading.off_manifold is not None and reading.residual is not None:
            off_manifold[place] = reading.off_manifold[rows].numpy().reshape(num, per_strength)
            residual[place] = reading.residual[rows].numpy().reshape(num, per_strength)
        kept = part.images[:, : settings.num_thumbnails].clamp(0, 1).mul(255).round()
        pictures = kept.to(torch.uint8).permute(0, 1, 3, 4, 2).numpy()
        thumbnail[(*place[:5], slice(pictures.shape[1]))] = pictures
    dims = ("seed", "step", "concept_class", "method", "strength", "sample")
    return xarray.Dataset(
        {
            "probability": ((*dims, "concept", "value"), probability),
            "coordinate": ((*dims, "concept"), _coordinates(probability, space.num_values)),
            "correct": ((*dims, "concept"), correct),
            "off_manifold": (dims, off_manifold),
            "residual": (dims, residual),
            "strength_value": (("method", "strength"), _strength_values(labels)),
            "thumbnail": ((*dims[:-1], "thumbnail", "row", "column", "channel"), thumbnail),
        },
        coords={
            "seed": [seed],
            "step": [step],
            "concept_class": list(classes),
            "method": names,
            "concept": list(space.names),
        },
        attrs=attributes(instrument),
    )


def _strength_values(labels: tuple[MethodLabel, ...]) -> np.ndarray:
    """The numbers behind the strength indices (method, strength), NaN beyond a method's own."""
    values = np.full(
        (len(labels), max(len(label.strengths) for label in labels)), np.nan, dtype=np.float32
    )
    for row, label in zip(values, labels):
        row[: len(label.strengths)] = label.strengths
    return values


def _coordinates(probability: np.ndarray, num_values: tuple[int, ...]) -> np.ndarray:
    """Expected value index over the number of values less one: (..., concept)."""
    coordinate = np.empty(probability.shape[:-1], dtype=np.float32)
    for i, num in enumerate(num_values):
        index = np.arange(num, dtype=np.float32) / (num - 1)
        coordinate[..., i] = probability[..., i, :num] @ index
    return coordinate


def attributes(instrument: Instrument) -> dict[str, str]:
    """What the names in a dataset mean, as JSON text."""
    space, split = instrument.prompter.space, instrument.split
    methods = [
        {k: v for k, v in asdict(label).items() if k != "strengths"} for label in instrument.labels
    ]
    return {
        "training_classes": json.dumps(split.training(space)),
        "held_out_classes": json.dumps(split.held_out(space)),
        "class_labels": json.dumps({c: space.describe(c) for c in space.classes}),
        "concept_labels": json.dumps(
            {c.name: [c.label(i) for i in range(c.num_values)] for c in space.concepts}
        ),
        "methods": json.dumps(methods),
    }
