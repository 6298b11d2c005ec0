"""Labelled images drawn from the world: the training, validation and held-out sets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.mixing import Prompter
from conceptspace.data.world import World, draw_factors


@dataclass(frozen=True)
class Dataset:
    """Images, or the points of a vector world, with what they show.

    Attributes:
        images: (num, channels, height, width) in [0, 1], or points (num, dimension).
        vectors: conditioning vectors (num, width).
        z: concept vectors (num, space width).
        labels: value index of each concept (num, concept).
    """

    images: Tensor
    vectors: Tensor
    z: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device | str) -> "Dataset":
        """The same on a device."""
        fields = (self.images, self.vectors, self.z, self.labels)
        return Dataset(*(field.to(device) for field in fields))

    def part(self, rows: slice | Tensor) -> "Dataset":
        """The rows asked for."""
        return Dataset(self.images[rows], self.vectors[rows], self.z[rows], self.labels[rows])


def draw_dataset(
    world: World,
    prompter: Prompter,
    classes: Sequence[str],
    num_per_class: int,
    rng: np.random.Generator,
) -> Dataset:
    """Draw `num_per_class` images of each class, in shuffled order.

    Raises:
        ValueError: if `classes` is empty or names a class that is not in the space, or if
            `num_per_class` is below 1.
    """
    if not classes:
        raise ValueError("classes is empty: name at least one concept class to draw")
    if num_per_class < 1:
        raise ValueError(f"num_per_class must be 1 or more, not {num_per_class}")
    space = prompter.space
    names = np.repeat(np.asarray(classes), num_per_class)
    z = np.concatenate([space.draw(name, num_per_class, rng) for name in classes])
    order = rng.permutation(len(z))
    names, z = names[order], z[order]
    images = render_images(world, space, z, rng)
    labels = np.asarray([space.indices(str(name)) for name in names])
    return Dataset(
        images,
        torch.from_numpy(prompter.mixed(z, names.tolist(), rng)),
        torch.from_numpy(z.astype(np.float32)),
        torch.from_numpy(labels),
    )


def render_images(
    world: World, space: ConceptSpace, z: np.ndarray, rng: np.random.Generator, chunk: int = 1024
) -> Tensor:
    """Draw images (batch, channels, height, width), or points (batch, dimension), of concept
    vectors z, with the world's noise."""
    factors = draw_factors(world, space, z, rng)
    images = []
    for start in range(0, len(z), chunk):
        part = {
            name: torch.from_numpy(values[start : start + chunk].astype(np.float32))
            for name, values in factors.items()
        }
        images.append(world.render(part))
    rendered = torch.cat(images)
    noise = rng.standard_normal(size=tuple(rendered.shape), dtype=np.float32) * world.noise
    return (rendered + torch.from_numpy(noise)).clamp_(*getattr(world, "value_range", (0.0, 1.0)))


def split_training(dataset: Dataset, training_share: float) -> tuple[Dataset, Dataset]:
    """The first share for training, the rest for validation. Rows are shuffled already.

    Raises:
        ValueError: if `training_share` is outside [0, 1].
    """
    if not 0.0 <= training_share <= 1.0:
        raise ValueError(f"training_share must be between 0 and 1, not {training_share}")
    num_training = round(len(dataset) * training_share)
    return dataset.part(slice(0, num_training)), dataset.part(slice(num_training, None))
