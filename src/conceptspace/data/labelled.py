"""Images whose concepts are known from labels, and not from a process that draws them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from conceptspace.concepts.space import ConceptSpace

ReadingProgress = Callable[[int, int], None]
"""Called while a reader reads, with the number of images read and the number in all."""

_HASHED_AT_ONCE = 4096


class DataError(ValueError):
    """A data set cannot be read, or not used as asked. The message says what to do."""


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """What every reader of a data set returns.

    Attributes:
        images: uint8 (num, height, width, channel), one or three channels; it may be a memory map,
            of which only the rows that are asked for are read.
        values: int64 (num, concept), the index of each concept's value in `space`.
        space: the concepts.
        masks: bool (num, height, width), True where the object is; None where nobody drew any.
        groups: int64 (num,), the same number for images that show the same thing, such as one
            person or one drawing in two colours: they are never in two parts of a data set. None
            where every image is its own.

    Raises:
        ValueError: if the parts do not fit together; the message names the part.
    """

    images: np.ndarray
    values: np.ndarray
    space: ConceptSpace
    masks: np.ndarray | None = None
    groups: np.ndarray | None = None

    def __post_init__(self) -> None:
        num, concepts = len(self.images), len(self.space.concepts)
        if self.images.dtype != np.uint8 or self.images.ndim != 4:
            raise ValueError(
                "images must be uint8 (num, height, width, channel), not "
                f"{self.images.dtype} {self.images.shape}"
            )
        if self.images.shape[3] not in (1, 3):
            raise ValueError(f"images must have 1 or 3 channels, not {self.images.shape[3]}")
        if self.values.shape != (num, concepts):
            raise ValueError(
                f"values must be (num, concept), here ({num}, {concepts}), not {self.values.shape}"
            )
        for concept, column in zip(self.space.concepts, self.values.T):
            if num and not 0 <= column.min() <= column.max() < concept.num_values:
                raise ValueError(
                    f"values of {concept.name!r} must be indices from 0 to "
                    f"{concept.num_values - 1}, not {column.min()} to {column.max()}"
                )
        if self.masks is not None and self.masks.shape != self.images.shape[:3]:
            raise ValueError(
                f"masks must have the images' shape {self.images.shape[:3]}, not {self.masks.shape}"
            )

        if self.groups is not None and self.groups.shape != (num,):
            raise ValueError(
                f"groups must hold one number an image, here ({num},), not {self.groups.shape}"
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def classes(self) -> np.ndarray:
        """The concept class of each image, as text (num,)."""
        digits = np.array([self.space.class_name(row) for row in np.unique(self.values, axis=0)])
        _, inverse = np.unique(self.values, axis=0, return_inverse=True)
        return digits[inverse.ravel()]

    def rows_of(self, concept_class: str) -> np.ndarray:
        """The rows (count,) of a class, in order."""
        wanted = np.asarray(self.space.indices(concept_class))
        return np.flatnonzero((self.values == wanted).all(axis=1))

    def fingerprint(self) -> str:
        """A text that changes with any image, value or word (SHA-256 of all of them)."""
        found = hashlib.sha256()
        words = [(c.name, c.labels) for c in self.space.concepts]
        found.update(repr((words, self.images.shape)).encode())
        for part in (self.values, self.images, self.masks, self.groups):
            if part is None:
                continue
            for start in range(0, len(part), _HASHED_AT_ONCE):
                chunk = np.ascontiguousarray(part[start : start + _HASHED_AT_ONCE])
                found.update(chunk.tobytes())
        return found.hexdigest()
