"""One axis of concept space: its values, and how a class's draws lie around them."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from conceptspace.concepts.settings import Settings, SettingsError

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Uniform(Settings):
    """Values uniform within `half_width` of the class mean, each component on its own."""

    kind: Literal["uniform"] = "uniform"
    half_width: float = Field(default=0.0, ge=0.0)
    minimum: float | None = None
    """Lower end that no draw goes below, such as the smallest radius that can be seen."""

    def draw(self, mean: np.ndarray, num: int, rng: np.random.Generator) -> np.ndarray:
        """`num` draws around `mean` (width,), as an array (num, width)."""
        low, high = self.range(mean)
        return rng.uniform(low, high, size=(num, mean.size))

    def range(self, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest value of each component."""
        low, high = mean - self.half_width, mean + self.half_width
        if self.minimum is not None:
            low = np.maximum(low, self.minimum)
        return low, high


class Normal(Settings):
    """Values normal around the class mean, each component on its own."""

    kind: Literal["normal"] = "normal"
    standard_deviation: float = Field(gt=0.0)

    def draw(self, mean: np.ndarray, num: int, rng: np.random.Generator) -> np.ndarray:
        """`num` draws around `mean` (width,), as an array (num, width)."""
        return rng.normal(mean, self.standard_deviation, size=(num, mean.size))

    def range(self, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The mean plus and minus three standard deviations."""
        return mean - 3 * self.standard_deviation, mean + 3 * self.standard_deviation


Spread = Annotated[Uniform | Normal, Field(discriminator="kind")]


class Concept(Settings):
    """One axis of concept space.

    Example:
        >>> colour = Concept(
        ...     name="colour",
        ...     factor="colour",
        ...     values=((0.7, 0.3, 0.3), (0.3, 0.3, 0.7)),
        ...     labels=("red", "blue"),
        ... )
        >>> colour.num_values, colour.width
        (2, 3)
    """

    name: str = Field(min_length=1)
    """What the axis is called, in tables and on plots."""
    factor: str = Field(min_length=1)
    """The factor of the world's G that this concept drives."""
    values: tuple[tuple[float, ...], ...]
    """Mean of each class value; every value has as many numbers as the factor is wide."""
    spread: Spread = Uniform()
    """How a class's draws lie around its mean."""
    labels: tuple[str, ...] = ()
    """A word for each value, such as red and blue; by default the value's index."""

    @field_validator("values")
    @classmethod
    def _values_are_distinct(cls, values: tuple[tuple[float, ...], ...]):
        if not 2 <= len(values) <= len(DIGITS):
            raise ValueError(f"a concept needs 2 to {len(DIGITS)} values, one for each class index")
        if len({len(value) for value in values}) != 1 or not values[0]:
            raise ValueError("every value must have the same number of components, at least one")
        if len(set(values)) != len(values):
            raise ValueError("two values are the same, so their classes could not be told apart")
        return values

    @model_validator(mode="after")
    def _spread_leaves_room(self):
        for index in range(self.num_values):
            low, high = self.spread.range(self.mean(index))
            if np.any(low > high):
                raise ValueError(
                    f"spread: the minimum of concept {self.name!r} lies above all that value "
                    f"{index} can take, {self.values[index]}"
                )
        return self

    @model_validator(mode="after")
    def _labels_match_values(self):
        if self.labels and len(self.labels) != len(self.values):
            raise ValueError(
                f"labels: give one word for each of the {len(self.values)} values of "
                f"concept {self.name!r}, not {len(self.labels)}"
            )
        return self

    @classmethod
    def named(cls, name: str, labels: Sequence[str]) -> Self:
        """A concept whose values are known by their words alone: each is a one-hot.

        Example:
            >>> Concept.named("hair", ("fair", "black")).values
            ((1.0, 0.0), (0.0, 1.0))
        """
        if isinstance(labels, str) or not isinstance(labels, Sequence):
            raise SettingsError(
                f"concept {name!r}: give its words in brackets, as in {name}=('red', 'blue'), not "
                f"{labels!r}"
            )
        words = [str(label).strip() for label in labels]
        if len(words) < 2 or "" in words or len(set(words)) < len(words):
            raise SettingsError(
                f"concept {name!r}: give two or more words, none empty and all different, not "
                f"{tuple(labels)!r}"
            )
        rows = tuple(tuple(float(i == k) for k in range(len(labels))) for i in range(len(labels)))
        return cls(name=name, factor=name, values=rows, labels=tuple(labels))

    @property
    def num_values(self) -> int:
        return len(self.values)

    @property
    def width(self) -> int:
        """How many components of z this concept takes."""
        return len(self.values[0])

    def label(self, index: int) -> str:
        """The word for the value with this index."""
        return self.labels[index] if self.labels else f"{self.name} {index}"

    def mean(self, index: int) -> np.ndarray:
        """Mean (width,) of the value with this index."""
        return np.asarray(self.values[index], dtype=np.float64)

    def range(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest value (width,) over all class values and their spread."""
        lows, highs = zip(*(self.spread.range(self.mean(i)) for i in range(self.num_values)))
        return np.min(lows, axis=0), np.max(highs, axis=0)
