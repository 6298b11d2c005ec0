"""Data sets that hold one image of every combination of some factors: dSprites, Shapes3D.

Some of the factors are the concepts, with values that are chosen; the others vary freely.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.labelled import DataError
from conceptspace.data.labelled_world import LabelledWorld
from conceptspace.data.readers.balance import balanced_rows

Factors = Mapping[str, tuple[str, ...]]
"""Every factor of a data set, in order, with the words for its values."""


class FactorialWorld(LabelledWorld):
    """What the readers of such data sets share.

    A reader's settings derive from it and have `factors`.
    """

    path: str = Field(min_length=1)
    """The published file."""
    concepts: dict[str, tuple[str, ...]] = Field(min_length=1)
    """Factors that are concepts, and two or more values of each in the order of their index."""
    only: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Factors that are no concept, and the values to which they are restricted."""
    image_size: int = Field(default=64, ge=8, le=1024)
    """Height and width in pixels that the images, 64 x 64, are brought to."""
    images_per_class: int | None = Field(default=4096, ge=2)
    """Images of each class at most; None for all there are."""
    drawn_by: int = Field(default=0, ge=0)
    """Random seed of which images are read, where there are more."""

    @classmethod
    @abstractmethod
    def factors(cls) -> Factors:
        """Every factor of the data, in order, with the words for its values."""

    @field_validator("concepts", "only")
    @classmethod
    def _values_are_known(cls, chosen: dict[str, tuple[str, ...]]):
        for factor, values in chosen.items():
            indices_of(cls.factors(), factor, values)
        return chosen

    @model_validator(mode="after")
    def _concepts_vary(self):
        for factor, values in self.concepts.items():
            if len(values) < 2:
                raise ValueError(f"concepts: {factor} needs two values or more, not {len(values)}")
            if factor in self.only:
                raise ValueError(f"only: {factor} is a concept already; leave it out")
        return self

    @property
    def space(self) -> ConceptSpace:
        return ConceptSpace.named(**self.concepts)

    def chosen_rows(self, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows (num,) to read, in order, and their values (num, concept).

        Args:
            table: the index of each factor's value in each row, (row, factor).

        Raises:
            DataError: if there is no row of a class.
        """
        factors = self.factors()
        names, values = list(factors), []
        for factor, words in self.concepts.items():
            column = table[:, names.index(factor)]
            index = np.full(len(table), -1, dtype=np.int64)
            for value, number in enumerate(indices_of(factors, factor, words)):
                index[column == number] = value
            values.append(index)
        found = np.stack(values, axis=1)
        for factor, words in self.only.items():
            numbers = indices_of(factors, factor, words)
            found[~np.isin(table[:, names.index(factor)], numbers)] = -1
        rows = balanced_rows(
            found,
            self.space,
            self.space.classes,
            most=self.images_per_class,
            seed=self.drawn_by,
            source=self.path,
        )
        return rows, found[rows]


def indices_of(factors: Factors, factor: str, words: Sequence[str]) -> list[int]:
    """The index of each of these values of a factor.

    Raises:
        ValueError: if there is no such factor or value, or a value is there twice.
    """
    if factor not in factors:
        raise ValueError(f"{factor!r} is no factor of these data; they have {', '.join(factors)}")
    if not words or len(set(words)) != len(words):
        raise ValueError(f"{factor}: give different values, each once, not {tuple(words)}")
    known = factors[factor]
    for word in words:
        if word not in known:
            raise ValueError(f"{factor}: {word!r} is no value of it; it has {', '.join(known)}")
    return [known.index(word) for word in words]


def brought_to(images: np.ndarray, size: int, channels: Literal[1, 3]) -> np.ndarray:
    """Images (num, height, width, channel) at another size, in colour or grey."""
    from PIL import Image

    if images.shape[1:] == (size, size, channels):
        return images
    mode = "RGB" if channels == 3 else "L"
    found = np.empty((len(images), size, size, channels), dtype=np.uint8)
    for row, pixels in enumerate(images):
        image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).convert(mode)
        resized = image.resize((size, size), Image.Resampling.BILINEAR)
        found[row] = np.asarray(resized).reshape(size, size, channels)
    return found


def check_table(path: object, name: str, shape: tuple[int, ...], num: int, width: int) -> None:
    """Refuse a table of factors that does not belong to the images.

    Raises:
        DataError: if it has not a row an image, with so many columns.
    """
    if shape != (num, width):
        raise DataError(
            f"path: {path}: array {name!r} must be (image, factor), here ({num}, {width}), not "
            f"{shape}: is this the published file? Download it again"
        )
