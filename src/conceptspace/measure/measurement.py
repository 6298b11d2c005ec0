"""One checkpoint measured: an xarray dataset of what the probe read off every arm's samples."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
import xarray

from conceptspace.adapters.protocol import Adapter, device_of
from conceptspace.concepts.split import Split
from conceptspace.data.mixing import Prompter
from conceptspace.data.pictures import image_pictures
from conceptspace.data.streams import numpy_stream, torch_stream
from conceptspace.elicitation.arms import Arm, MethodLabel, method_labels, plan_arms
from conceptspace.elicitation.settings import ElicitationMethod
from conceptspace.measure.decodability import linear_decodability
from conceptspace.measure.sampling import ArmSamples, sample_arms
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.probes.reading import Inverter, Probe, Reading, read_samples

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
        pictures: from samples to what is shown of them, uint8 (batch, height, width, channel).
    """

    prompter: Prompter
    split: Split
    methods: tuple[ElicitationMethod, ...]
    probe: Probe
    inversion: Inverter | None
    settings: MeasurementSettings
    pictures: Callable[[torch.Tensor], torch.Tensor] = image_pictures

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
    loss_unit: str = "bits per dimension",
    gamma: tuple[float, float] | None = None,
) -> xarray.Dataset:
    """Measure a model at one step. The same model, seed and step give the same bits.

    Args:
        adapter: the model.
        instrument: what to measure, with which probe.
        seed: the training seed; all random numbers of measuring follow from it and the step.
        step: the training step.
        losses: by name: train, validation, held_out.
        loss_unit: what a loss is, for the axes of figures.
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
        torch_stream(seed, "sampling", step, device=device_of(adapter)),
    )
    dataset = _read(instrument, samples, adapter.sample_noise(), seed, step)
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
    dataset.attrs["loss_unit"] = json.dumps(loss_unit)
    return dataset.assign_coords(site=list(sites), data_split=list(LOSSES), end=[0, 1])


def readable(images: torch.Tensor) -> torch.Tensor:
    """Images without NaN and within [-1, 2]: an untrained model's samples may be anything."""
    return torch.nan_to_num(images, nan=-1.0, posinf=2.0, neginf=-1.0).clamp(-1.0, 2.0)


def _read(
    instrument: Instrument, samples: list[ArmSamples], sample_noise: float, seed: int, step: int
) -> xarray.Dataset:
    """What the probes read off all samples, where the images are, brought to the CPU at the end."""
    drawn = torch.cat([part.images.flatten(0, 1) for part in samples])
    broken = ~torch.isfinite(drawn.flatten(1)).all(dim=1).cpu().numpy()
    images = readable(drawn)
    reading = read_samples(instrument.probe, instrument.inversion, images, sample_noise).cpu()
    arms = _arm_rows(samples)
    thumbnails = _thumbnails(images, arms, instrument)
    arrays = _Arrays(instrument, thumbnails[0].shape[2:])
    for arm, shown in zip(arms, thumbnails):
        arrays.put(arm, reading, broken, shown)
    return _labelled(arrays, instrument, seed, step)


@dataclass(frozen=True)
class _ArmRows:
    """Which rows of all samples are an arm's; those of one strength follow each other.

    Attributes:
        arm: the arm.
        start: its first row.
        shape: its numbers of strengths and of samples.
    """

    arm: Arm
    start: int
    shape: tuple[int, int]

    @property
    def rows(self) -> slice:
        return slice(self.start, self.start + self.shape[0] * self.shape[1])

    def first(self, num: int) -> np.ndarray:
        """The rows of the first samples of each strength, (strength, at most num)."""
        return np.arange(self.rows.start, self.rows.stop).reshape(self.shape)[:, :num]


def _arm_rows(samples: list[ArmSamples]) -> list[_ArmRows]:
    arms, start = [], 0
    for part in samples:
        num, per_strength = part.images.shape[:2]
        arms.append(_ArmRows(part.arm, start, (num, per_strength)))
        start = arms[-1].rows.stop
    return arms


def _thumbnails(
    images: torch.Tensor, arms: list[_ArmRows], instrument: Instrument
) -> list[np.ndarray]:
    """Each arm's thumbnails (strength, thumbnail, row, column, channel), as bytes on the CPU.

    Those of all arms are made where the images are, and come over in one transfer.
    """
    rows = [arm.first(instrument.settings.num_thumbnails) for arm in arms]
    chosen = torch.from_numpy(np.concatenate([part.ravel() for part in rows]))
    pictures = instrument.pictures(images[chosen.to(images.device)]).cpu().numpy()
    ends = np.cumsum([part.size for part in rows])
    own = np.split(pictures, ends[:-1])
    return [part.reshape(*row.shape, *part.shape[1:]) for part, row in zip(own, rows)]


class _Arrays:
    """What was measured, in its place; what was not is NaN, -1 or a black image."""

    def __init__(self, instrument: Instrument, image_shape: tuple[int, ...]) -> None:
        self.space, self.settings = instrument.prompter.space, instrument.settings
        self.names = [label.name for label in instrument.labels]
        num_strengths = max(len(label.strengths) for label in instrument.labels)
        num_concepts, num_values = len(self.space.concepts), max(self.space.num_values)
        arms = (1, 1, len(self.space.classes), len(self.names), num_strengths)
        shape = (*arms, self.settings.num_samples)
        self.probability = np.full((*shape, num_concepts, num_values), np.nan, dtype=np.float32)
        self.correct = np.full((*shape, num_concepts), -1, dtype=np.int8)
        self.doubtful = np.full((*shape, num_concepts), -1, dtype=np.int8)
        self.residual = np.full(shape, np.nan, dtype=np.float32)
        thumbnails = (*arms, self.settings.num_thumbnails, *image_shape)
        self.thumbnail = np.zeros(thumbnails, dtype=np.uint8)

    def put(
        self, part: _ArmRows, reading: Reading, broken: np.ndarray, thumbnails: np.ndarray
    ) -> None:
        """Put an arm's readings and thumbnails in their place.

        What a probe reads off images that are `broken`, by NaN or infinity, is doubtful whatever
        it is.
        """
        arm, shape = part.arm, part.shape
        at_arm = (
            0, 0, self.space.classes.index(arm.concept_class), self.names.index(arm.method),
            slice(shape[0]),
        )  # fmt: skip
        place = (*at_arm, slice(shape[1]))
        indices = self.space.indices(arm.concept_class)
        for i, distribution in enumerate(reading.distributions):
            values = distribution[part.rows].numpy().reshape(*shape, -1)
            self.probability[(*place, i, slice(values.shape[-1]))] = values
            self.correct[(*place, i)] = values.argmax(-1) == indices[i]
        self.doubtful[place] = 0
        if reading.doubtful is not None and reading.residual is not None:
            self.doubtful[place] = reading.doubtful[part.rows].numpy().reshape(*shape, -1)
            self.residual[place] = reading.residual[part.rows].numpy().reshape(shape)
        self.doubtful[place] |= broken[part.rows].reshape(*shape, 1)
        self.thumbnail[(*at_arm, slice(thumbnails.shape[1]))] = thumbnails


def _labelled(arrays: _Arrays, instrument: Instrument, seed: int, step: int) -> xarray.Dataset:
    """The arrays with the names of their dimensions and what stands along them."""
    space = arrays.space
    dims = ("seed", "step", "concept_class", "method", "strength", "sample")
    shown = (*dims[:-1], "thumbnail", "row", "column", "channel")
    coordinate = _coordinates(arrays.probability, space.num_values)
    return xarray.Dataset(
        {
            "probability": ((*dims, "concept", "value"), arrays.probability),
            "coordinate": ((*dims, "concept"), coordinate),
            "correct": ((*dims, "concept"), arrays.correct),
            "doubtful": ((*dims, "concept"), arrays.doubtful),
            "off_manifold": (dims, arrays.doubtful.max(axis=-1)),
            "residual": (dims, arrays.residual),
            "strength_value": (("method", "strength"), _strength_values(instrument.labels)),
            "thumbnail": (shown, arrays.thumbnail),
        },
        coords={
            "seed": [seed],
            "step": [step],
            "concept_class": list(space.classes),
            "method": arrays.names,
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
