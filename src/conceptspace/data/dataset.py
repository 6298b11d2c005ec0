"""Labelled images drawn from the world: the training, validation and held-out sets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.labelled import DataError
from conceptspace.data.labelled_world import Augmentation, LabelledWorld, stratified
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
        augmentation: how the images are changed at random while a model trains on them; None for
            not at all.
    """

    images: Tensor
    vectors: Tensor
    z: Tensor
    labels: Tensor
    augmentation: Augmentation | None = None

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device | str) -> "Dataset":
        """The same on a device."""
        fields = (self.images, self.vectors, self.z, self.labels)
        return Dataset(*(field.to(device) for field in fields), self.augmentation)

    def part(self, rows: slice | Tensor) -> "Dataset":
        """The rows asked for."""
        fields = (self.images, self.vectors, self.z, self.labels)
        return Dataset(*(field[rows] for field in fields), self.augmentation)


def draw_dataset(
    world: World,
    prompter: Prompter,
    classes: Sequence[str],
    num_per_class: int,
    rng: np.random.Generator,
) -> Dataset:
    """Draw `num_per_class` images of each class, in shuffled order.

    Of a labelled world, each image is drawn at most once, and none that is kept back to judge the
    probe.

    Raises:
        ValueError: if `classes` is empty or names a class that is not in the space, or if
            `num_per_class` is below 1.
        DataError: if a class of a labelled world has fewer images.
    """
    if not classes:
        raise ValueError("classes is empty: name at least one concept class to draw")
    if num_per_class < 1:
        raise ValueError(f"num_per_class must be 1 or more, not {num_per_class}")
    space = prompter.space
    if isinstance(world, LabelledWorld):
        chosen = [_drawn(world, name, world.rows(name), num_per_class, rng) for name in classes]
        return labelled_dataset(world, prompter, rng.permutation(np.concatenate(chosen)), rng)
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


def labelled_dataset(
    world: LabelledWorld, prompter: Prompter, rows: np.ndarray, rng: np.random.Generator
) -> Dataset:
    """These rows of a labelled world, in this order."""
    data, space = world.loaded(), prompter.space
    labels = data.values[rows]
    names = [space.class_name(row) for row in labels]
    z = np.stack([space.mean(name) for name in names])
    images = world.tensor(rows)
    if world.noise:
        noise = rng.standard_normal(size=tuple(images.shape), dtype=np.float32) * world.noise
        images = (images + torch.from_numpy(noise)).clamp_(0.0, 1.0)
    return Dataset(
        images,
        torch.from_numpy(prompter.mixed(z, names, rng)),
        torch.from_numpy(z.astype(np.float32)),
        torch.from_numpy(labels),
    )


def draw_labelled_sets(
    world: LabelledWorld,
    prompter: Prompter,
    training: Sequence[str],
    held_out: Sequence[str],
    *,
    num_per_class: int,
    training_share: float,
    num_held_out: int,
    rng: np.random.Generator,
) -> dict[str, Dataset]:
    """The training, validation and held-out sets of a labelled world, without a common image.

    No group of images has some in training and others in validation or held out. Of a held-out
    class with fewer than `num_held_out` images, all are taken.

    Raises:
        DataError: if a class has too few images; the message says how many it has.
    """
    data = world.loaded()
    learning = ~world.judged
    for_training = learning & stratified(data, learning, training_share, rng)
    num_training = round(num_per_class * training_share)
    wanted = {"train": num_training, "validation": num_per_class - num_training}
    parts = {"train": for_training, "validation": learning & ~for_training}
    sets, rows = {}, {}
    for part, num in wanted.items():
        drawn = []
        for name in training:
            own = world.rows(name)
            drawn.append(_drawn(world, name, own[parts[part][own]], num, rng, part))
        rows[part] = rng.permutation(np.concatenate(drawn))
        sets[part] = labelled_dataset(world, prompter, rows[part], rng)
    sets["train"] = replace(sets["train"], augmentation=world.augmentation)
    if held_out:
        seen = np.zeros(len(data), dtype=bool)
        seen[rows["train"]] = True
        if data.groups is not None:
            seen = np.isin(data.groups, data.groups[seen])
        drawn = []
        for name in held_out:
            own = world.rows(name)
            own = own[~seen[own]]
            num = min(max(len(own), 1), num_held_out)
            drawn.append(_drawn(world, name, own, num, rng, "held out"))
        chosen = rng.permutation(np.concatenate(drawn))
        sets["held_out"] = labelled_dataset(world, prompter, chosen, rng)
    return sets


def _drawn(
    world: LabelledWorld,
    name: str,
    rows: np.ndarray,
    num: int,
    rng: np.random.Generator,
    part: str = "drawing",
) -> np.ndarray:
    """`num` of a class's rows, none twice."""
    if len(rows) < num:
        total = len(world.loaded().rows_of(name))
        judge = len(world.rows(name, judged=True))
        raise DataError(
            f"class {name} ({world.space.describe(name)}) has {total} images, of which {judge} are "
            f"kept back to judge the probe and {len(rows)} are there for {part}, fewer than {num}: "
            f"{'' if part == 'held out' else 'lower training.images_per_class, or '}bring more "
            "images of it"
        )
    return rng.permutation(rows)[:num]


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
