"""The classifier probe: a small convolutional network that reads each concept's value off an image.

It is a measuring instrument, not a model under study, so it is trained on renders of every class,
the held-out ones included.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from conceptspace.concepts import ConceptSpace
from conceptspace.data.dataset import render_images
from conceptspace.data.labelled_world import LabelledWorld
from conceptspace.data.world import World, check_space
from conceptspace.probes.precision import full_precision
from conceptspace.probes.settings import ProbeSettings

_COARSEST = 8
# Convolutions take strides of 2 down to this height and width. At 8 x 8 three layers still see
# the whole of a large object, and it costs a quarter of 16 x 16.

_READING_BATCH = 1024

ProgressCallback = Callable[[int, int], None]
"""Called with the number of steps done and the number of steps in all."""


class Probe(Protocol):
    """What measuring needs of a probe; anything with this method will do."""

    def read(self, images: Tensor) -> tuple[Tensor, ...]:
        """Each concept's distribution over its values, (batch, number of values) a concept.

        The images are where the model that drew them is, such as on a GPU.
        """
        ...


class ConvolutionalProbe(nn.Module):
    """Convolutions, a global max pool, and one linear head a concept.

    (Park et al. 2024, appendix on the classifier; widths and strides are ours.)

    Args:
        image_shape: channels, height and width of the images it reads.
        num_values: number of values of each concept, in the order of the space.
        widths: output channels of each convolution.
        generator: source of the initial weights.
    """

    def __init__(
        self,
        image_shape: tuple[int, ...],
        num_values: Sequence[int],
        widths: Sequence[int],
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.image_shape = tuple(image_shape)
        self.num_values = tuple(num_values)
        self.widths = tuple(widths)
        width, smaller_side = image_shape[0], min(image_shape[1:])
        self.convolutions = nn.ModuleList()
        for next_width in widths:
            stride = 2 if smaller_side > _COARSEST else 1
            layer = nn.Conv2d(
                width, next_width, kernel_size=3, stride=stride, padding=1, device="meta"
            ).to_empty(device="cpu")
            nn.init.kaiming_normal_(layer.weight, generator=generator)
            nn.init.zeros_(layer.get_parameter("bias"))
            self.convolutions.append(layer)
            width, smaller_side = next_width, math.ceil(smaller_side / stride)
        self.heads = nn.ModuleList()
        for num in num_values:
            head = nn.Linear(width, num, device="meta").to_empty(device="cpu")
            nn.init.normal_(head.weight, std=width**-0.5, generator=generator)
            nn.init.zeros_(head.bias)
            self.heads.append(head)

    def forward(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> tuple[Float[Tensor, "batch value"], ...]:
        """Logits of each concept's values, (batch, number of values) a concept."""
        features = 4 * (images - 0.5)  # about unit variance for values in [0, 1]
        features = features.contiguous(memory_format=torch.channels_last)
        for convolution in self.convolutions:
            features = functional.relu(convolution(features))
        pooled = features.amax(dim=(2, 3))
        return tuple(head(pooled) for head in self.heads)

    @torch.no_grad()
    def read(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> tuple[Float[Tensor, "batch value"], ...]:
        """Each concept's distribution over its values, without gradient, in evaluation mode.

        The probe moves to the device of the images.

        Args:
            images: values near [0, 1]; samples of a model need not be clipped.

        Returns:
            For each concept of the space a tensor (batch, number of values) whose rows sum to 1.

        Raises:
            ValueError: the images have another shape than the probe was built for, or hold NaN.
        """
        check_images(images, self.image_shape)
        training = self.training
        self.to(images.device).eval()
        try:
            with full_precision(images.device):
                read = [self(part) for part in images.split(_READING_BATCH)]
        finally:
            self.train(training)
        return tuple(torch.cat(logits).softmax(dim=1) for logits in zip(*read))

    def to_tensors(self) -> dict[str, Tensor]:
        """Weights and architecture as named tensors on the CPU, such as safetensors stores."""
        architecture = {
            f"architecture.{name}": torch.tensor(getattr(self, name), dtype=torch.int64)
            for name in ("image_shape", "num_values", "widths")
        }
        weights = self.state_dict().items()
        return architecture | {name: value.detach().cpu().contiguous() for name, value in weights}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The probe that `to_tensors` described.

        Raises:
            ValueError: the tensors do not describe a probe.
        """
        weights = dict(tensors)
        try:
            image_shape, num_values, widths = (
                weights.pop(f"architecture.{name}").tolist()
                for name in ("image_shape", "num_values", "widths")
            )
            probe = cls(tuple(image_shape), num_values, widths, torch.Generator())
            probe.load_state_dict(weights)
        except (KeyError, TypeError, RuntimeError) as error:
            raise ValueError(
                f"tensors do not describe a convolutional probe ({error}); "
                "give what `to_tensors` returned"
            ) from None
        return probe.eval()


def train_probe(
    world: World,
    space: ConceptSpace,
    settings: ProbeSettings,
    seed: int,
    progress: ProgressCallback | None = None,
    device: torch.device | str = "cpu",
) -> ConvolutionalProbe:
    """Train a probe on images of every class of the space, held-out classes included.

    Every image carries the world's pixel noise and, on top, noise of a standard deviation drawn
    afresh from `settings.noise_range`. Samples of a variational diffusion model carry noise of
    exp(gamma(0) / 2), 0.08 early and 0.018 late in training; a probe that has only seen clean
    renders would read them outside of what it was trained for.

    Args:
        world: G and the prior of the factors that are no concept, or labelled images.
        space: the concepts to read.
        settings: network, number of images, training.
        seed: of images, noise, order and initial weights. Equal seeds give equal probes on one
            machine with one number of threads.
        progress: called after each step with steps done and steps in all.
        device: where it is trained. All random numbers are drawn on the CPU, so another device
            gives the same probe but for rounding.

    Returns:
        The probe, in evaluation mode.

    Raises:
        SettingsError: the world cannot draw the space's concepts.
        ValueError: the world draws no images.
    """
    check_space(space, world)
    if len(world.image_shape) != 3:
        raise ValueError(
            f"world: its data have shape {world.image_shape} and are no images; a PointProbe reads "
            "the points of a VectorWorld"
        )
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    images, labels = draw_labelled(world, space, settings.num_images, rng)
    probe = ConvolutionalProbe(world.image_shape, space.num_values, settings.widths, generator)
    probe.to(device)
    return fit_probe(probe, images.to(device), labels.to(device), settings, generator, progress)


def fit_probe(
    probe: ConvolutionalProbe,
    images: Tensor,
    labels: Tensor,
    settings: ProbeSettings,
    generator: torch.Generator,
    progress: ProgressCallback | None = None,
    *,
    shift: int = 0,
) -> ConvolutionalProbe:
    """Train a probe on labelled images.

    Args:
        probe: where the images are.
        images: (num, channel, height, width) in [0, 1], or as bytes.
        labels: value index of each concept (num, concept).
        settings: steps, batches, learning rate and noise.
        generator: on the CPU; of order and noise.
        progress: called after each step with steps done and steps in all.
        shift: pixels at most by which a batch is moved.

    Returns:
        The same probe, in evaluation mode.
    """
    optimiser = torch.optim.AdamW(probe.parameters(), lr=settings.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=settings.steps + 1, pct_start=0.2
    )
    rows = _shuffled_rows(len(images), settings.steps, settings.batch_size, generator)
    for step, row in enumerate(rows):
        row = row.to(images.device)
        batch = _shifted(_as_values(images[row]), shift, generator)
        batch = _add_noise(batch, settings.noise_range, generator)
        losses = [
            functional.cross_entropy(logits, label)
            for logits, label in zip(probe(batch), labels[row].unbind(dim=1))
        ]
        optimiser.zero_grad()
        torch.stack(losses).sum().backward()
        optimiser.step()
        schedule.step()
        if progress is not None:
            progress(step + 1, settings.steps)
    return probe.eval()


def check_images(images: Tensor, image_shape: Sequence[int]) -> None:
    """Refuse what is not a batch of finite images, or points, of one shape, with values anywhere
    near [0, 1].

    Raises:
        ValueError: naming the argument, what it is and what would be right.
    """
    if images.ndim < 2 or tuple(images.shape[1:]) != tuple(image_shape):
        expected = ", ".join(map(str, image_shape))
        raise ValueError(f"images must have shape (batch, {expected}), not {tuple(images.shape)}")
    if len(images) == 0:
        raise ValueError("images is empty: give at least one image")
    if not images.is_floating_point():
        raise ValueError(f"images must be of a floating type in [0, 1], not {images.dtype}")
    if not torch.isfinite(images).all():
        raise ValueError("images must be finite, but hold NaN or infinity")
    typical = images.abs().median().item()
    if typical > _LARGEST_TYPICAL:
        raise ValueError(
            f"images must hold values in about [0, 1], but their median magnitude is {typical:g}; "
            "scale them first"
        )


_LARGEST_TYPICAL = 32.0
# Bytes from 0 to 255 have a median far above; a few wild samples of a model do not move it.


def draw_labelled(
    world: World, space: ConceptSpace, num: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """At least `num` images, as many of each class, and their labels (num, concept).

    Of a labelled world `num` images at most, as bytes: those that models may learn from too, as
    many of each class as there are or, of a class with fewer, all; rare ones count as often as
    others by being there several times.
    """
    if isinstance(world, LabelledWorld):
        return _balanced(world, space, num, rng)
    num_per_class = math.ceil(num / len(space.classes))
    z = np.concatenate([space.draw(name, num_per_class, rng) for name in space.classes])
    labels = np.repeat([space.indices(name) for name in space.classes], num_per_class, axis=0)
    return render_images(world, space, z, rng), torch.from_numpy(labels)


def _balanced(
    world: LabelledWorld, space: ConceptSpace, num: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    of_class = [rows for name in space.classes if len(rows := world.rows(name))]
    most = min(math.ceil(num / len(of_class)), max(map(len, of_class)))
    repeated = [np.resize(rng.permutation(rows), most) for rows in of_class]
    rows = np.concatenate(repeated)
    data = world.loaded()
    images = np.ascontiguousarray(data.images[rows].transpose(0, 3, 1, 2))
    return torch.from_numpy(images), torch.from_numpy(data.values[rows])


def _as_values(images: Tensor) -> Tensor:
    """Bytes as values in [0, 1]; values as they are."""
    return images.float() / 255 if images.dtype == torch.uint8 else images


def _shifted(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """All images moved by up to so many pixels, the same for all; their edges are repeated."""
    if not most:
        return images
    down, right = torch.randint(0, 2 * most + 1, (2,), generator=generator).tolist()
    height, width = images.shape[2:]
    padded = functional.pad(images, (most,) * 4, mode="replicate")
    return padded[:, :, down : down + height, right : right + width]


def _shuffled_rows(num: int, steps: int, batch_size: int, generator: torch.Generator):
    """Row indices of each batch: passes through all images, each in a new order."""
    batch_size = min(batch_size, num)
    batches: list[Tensor] = []
    for _ in range(steps):
        if not batches:
            order = torch.randperm(num, generator=generator)
            batches = list(order[: num - num % batch_size].split(batch_size))
        yield batches.pop()


def _add_noise(images: Tensor, noise_range: tuple[float, float], generator: torch.Generator):
    """Images with Gaussian pixel noise, its standard deviation uniform for each image."""
    low, high = noise_range
    deviation = low + (high - low) * torch.rand(len(images), 1, 1, 1, generator=generator)
    noise = deviation * torch.randn(images.shape, generator=generator)
    return images + noise.to(images.device)
