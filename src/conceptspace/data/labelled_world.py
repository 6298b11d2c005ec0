"""A world that is a data set: its images are those that a reader finds, and there is no G.

A reader's own settings derive from `LabelledWorld` and say which concepts there are and how the
images are read; everything else is done here. Torch loads on first use.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NoReturn, Self

import numpy as np
from pydantic import Field

from conceptspace.concepts.settings import Settings, SettingsError
from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.labelled import DataError, LabelledImages, ReadingProgress
from conceptspace.data.streams import numpy_stream

if TYPE_CHECKING:
    from torch import Tensor

PICK = "which image"
"""The factor that is no concept: which of a class's images is shown, a number in [0, 1)."""

_MEAN_IMAGES = 2048
# Images of a class at most that its mean is taken over: a pixel's error is then 1/45 of its spread.


@dataclass(frozen=True)
class Augmentation:
    """How training images are changed at random, anew whenever they are shown."""

    flip: bool = False
    """Whether half of them are mirrored, left to right."""
    colour_jitter: float = 0.0
    """Brightness, contrast and saturation are multiplied by up to so much more or less than 1."""


class LabelledWorld(Settings, ABC):
    """Labelled images in place of a G.

    The images of every class are divided once and for all: a share is kept back to judge the probe,
    and is never seen by a model or a probe that learns. Models and the probe learn from the rest;
    the probe sees the held-out classes too, since it is an instrument.

    A reader's settings derive from it and have `space` and `read`.
    """

    image_size: int = Field(default=32, ge=8, le=1024)
    """Height and width in pixels that images are brought to."""
    channels: Literal[1, 3] = 3
    """3 for colour, 1 for grey."""
    noise: float = Field(default=0.0, ge=0.0, le=0.5)
    """Standard deviation of the Gaussian noise that is added to every pixel."""
    judged_share: float = Field(default=0.2, gt=0.0, lt=1.0)
    """Share of each class's images that is kept back to judge the probe."""
    fingerprint: str | None = None
    """Of the data that were read (SHA-256). A run writes it down, and refuses other data."""

    @property
    @abstractmethod
    def space(self) -> ConceptSpace:
        """The concepts, from the settings alone: nothing is read for it."""

    @abstractmethod
    def read(self, progress: ReadingProgress | None = None) -> LabelledImages:
        """Read the data: square images of `image_size` with `channels`, labelled in `space`.

        Raises:
            DataError: if they cannot be read; the message says which file, and what to do.
        """

    def loaded(self, progress: ReadingProgress | None = None) -> LabelledImages:
        """The data, read on first use and kept.

        Raises:
            DataError: if they cannot be read, are not what the settings say, or have changed.
        """
        if "_loaded" not in vars(self):
            found = self.read(progress)
            self._check(found)
            vars(self)["_loaded"] = found
        return vars(self)["_loaded"]

    def identified(self, progress: ReadingProgress | None = None) -> Self:
        """The same with the fingerprint of what is read; checked where there is one already."""
        found = self.loaded(progress)
        if self.fingerprint is not None:
            return self
        known = self.replace(fingerprint=found.fingerprint())
        vars(known)["_loaded"] = found
        return known

    def _check(self, found: LabelledImages) -> None:
        shape = (self.image_size, self.image_size, self.channels)
        if found.images.shape[1:] != shape:
            raise DataError(
                f"world: the images are (height, width, channel) {found.images.shape[1:]}, not "
                f"{shape}: set image_size and channels, or resize them"
            )
        if _axes(found.space) != _axes(self.space):
            raise DataError(
                f"world: the data have the concepts {_in_words(found.space)}, not "
                f"{_in_words(self.space)}"
            )
        if not len(found):
            raise DataError("world: there is not one image of the classes asked for")
        if self.fingerprint is not None and self.fingerprint != (now := found.fingerprint()):
            raise DataError(
                f"world: the data have changed since they were first read (fingerprint "
                f"{self.fingerprint[:12]}, now {now[:12]}): bring the old data back, or take the "
                "new ones with fingerprint=None in a run directory of their own"
            )

    def check(self, space: ConceptSpace) -> None:
        """Refuse a space that is not that of the data. Words may differ.

        Raises:
            SettingsError: saying which concepts the data have.
        """
        if _axes(space) != _axes(self.space):
            raise SettingsError(
                f"space: the data have the concepts {_in_words(self.space)}, each value a one-hot, "
                f"not {_in_words(space)}; give space=world.space"
            )

    @property
    def factor_widths(self) -> dict[str, int]:
        return {concept.factor: concept.width for concept in self.space.concepts} | {PICK: 1}

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (self.channels, self.image_size, self.image_size)

    @cached_property
    def judged(self) -> np.ndarray:
        """Whether an image is kept back to judge the probe, bool (num,)."""
        data = self.loaded()
        rng = numpy_stream(0, "judged-images")
        return stratified(data, np.ones(len(data), dtype=bool), self.judged_share, rng)

    def rows(self, concept_class: str, *, judged: bool = False) -> np.ndarray:
        """The rows (count,) of a class's images to learn from, or those that judge the probe."""
        rows = self.loaded().rows_of(concept_class)
        return rows[self.judged[rows] == judged]

    @property
    def augmentation(self) -> Augmentation | None:
        """How images are changed at random while a model trains; by default they are not."""
        return None

    def num_to_learn(self, wanted: int, classes: Sequence[str]) -> int:
        """How many images of each of these classes a model learns from: those it wants."""
        return wanted

    def check_enough(
        self, training: Sequence[str], held_out: Sequence[str], wanted: int, training_share: float
    ) -> None:
        """Refuse a class with too few images, before anything is trained.

        Where images come in groups, each seed divides them in another way, and drawing may still
        find too few.

        Args:
            training: the classes that a model learns from.
            held_out: the others, of which one image each must be there.
            wanted: images of each training class that are asked for.
            training_share: how many of these are trained on; the others validate.

        Raises:
            DataError: naming the class, how many images it has, and what to change.
        """
        num = self.num_to_learn(wanted, training)
        for name in training:
            if len(self.rows(name)) < num:
                self._refuse_class(name, f"training.images_per_class={wanted}")
        for name in held_out:
            if not len(self.rows(name)):
                self._refuse_class(name, "the one that a held-out class needs")
        num_training = round(num * training_share)
        if not 0 < num_training < num:
            raise DataError(
                f"training.training_share={training_share} makes of {num} images of each class "
                f"{num_training} for training and {num - num_training} for validation, where both "
                "need one at least: raise training.images_per_class, bring more images of the "
                "rarest class, or move the share towards 0.5"
            )

    def _refuse_class(self, name: str, asked: str) -> NoReturn:
        there, judging = len(self.rows(name)), len(self.rows(name, judged=True))
        fixes = [f"set training.images_per_class to {there} at most"] if there > 1 else []
        fixes += ["lower world.judged_share"] if judging else []
        raise DataError(
            f"class {name} ({self.space.describe(name)}) has {there + judging} images, of which "
            f"{judging} are kept back to judge the probe and {there} are there to learn from, "
            f"fewer than {asked}: {', or '.join([*fixes, 'bring more of it'])}"
        )

    def tensor(self, rows: np.ndarray) -> "Tensor":
        """The images (row, channel, height, width) of these rows, in [0, 1], without noise."""
        import torch

        chosen = np.ascontiguousarray(self.loaded().images[rows].transpose(0, 3, 1, 2))
        return torch.from_numpy(chosen).float().div_(255)

    def class_mean(self, concept_class: str) -> tuple[np.ndarray, float, int]:
        """The mean image (height, width, channel) of a class, in [0, 1]; the variance of an image
        around it, summed over pixels; and how many images (evenly spaced ones) it is the mean of.
        """
        rows = self.loaded().rows_of(concept_class)
        if len(rows) > _MEAN_IMAGES:
            rows = rows[np.linspace(0, len(rows) - 1, _MEAN_IMAGES).round().astype(int)]
        if not len(rows):
            return np.zeros(self.loaded().images.shape[1:]), 0.0, 0
        images = self.loaded().images[rows].astype(np.float32) / 255
        variance = images.var(axis=0, ddof=min(1, len(rows) - 1), dtype=np.float64).sum()
        return images.mean(axis=0, dtype=np.float64), float(variance), len(rows)

    def draw_nuisance(self, factor: str, num: int, rng: np.random.Generator) -> np.ndarray:
        """`num` draws (num, 1) of which image of its class is shown."""
        if factor != PICK:
            raise ValueError(f"factor {factor!r} is a concept of this world and is not drawn")
        return rng.uniform(size=(num, 1))

    def render(self, factors: Mapping[str, "Tensor"]) -> "Tensor":
        """An image of the nearest class for each row of the factors; mid-grey where it has none."""
        import torch

        values = torch.stack([factors[c.factor].argmax(dim=1) for c in self.space.concepts], dim=1)
        pick = factors[PICK][:, 0]
        shown = pick.new_full((len(pick), *self.image_shape), 0.5)
        for row in values.unique(dim=0):
            at = (values == row).all(dim=1).nonzero()[:, 0]
            rows = self.rows(self.space.class_name(row.tolist()))
            if len(rows):
                # A pick that float32 has rounded up to 1 is that of the last image.
                chosen = (pick[at].double() * len(rows)).long().clamp(max=len(rows) - 1)
                shown[at] = self.tensor(rows[chosen.numpy()]).to(pick.dtype)
        return shown


def stratified(
    data: LabelledImages, among: np.ndarray, share: float, rng: np.random.Generator
) -> np.ndarray:
    """A share of the images of each class, whole groups only.

    A group counts for the class of its first image. The share is rounded; a class with two groups
    or more is never taken whole, nor left out.

    Args:
        data: the images.
        among: bool (num,), which images may be taken.
        share: in [0, 1].
        rng: which groups are taken.

    Returns:
        Which images are taken, bool (num,).
    """
    groups = np.arange(len(data)) if data.groups is None else data.groups
    candidates = np.flatnonzero(among)
    known, first, of_row = np.unique(groups[candidates], return_index=True, return_inverse=True)
    _, kind = np.unique(data.values[candidates[first]], axis=0, return_inverse=True)
    taken = np.zeros(len(known), dtype=bool)
    for stratum in np.unique(kind):
        members = rng.permutation(np.flatnonzero(kind.ravel() == stratum))
        num = round(share * len(members))
        if len(members) > 1 and 0.0 < share < 1.0:
            num = min(max(num, 1), len(members) - 1)
        taken[members[:num]] = True
    chosen = np.zeros(len(data), dtype=bool)
    chosen[candidates] = taken[of_row.ravel()]
    return chosen


def _axes(space: ConceptSpace) -> list[tuple[str, str, tuple[tuple[float, ...], ...]]]:
    return [(concept.name, concept.factor, concept.values) for concept in space.concepts]


def _in_words(space: ConceptSpace) -> str:
    return ", ".join(
        f"{c.name} ({', '.join(c.label(i) for i in range(c.num_values))})" for c in space.concepts
    )
