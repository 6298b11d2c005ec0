"""The world without images: a narrow Gaussian cluster around each class's point.

It is what Yang et al. 2025 study in theory, and runs in seconds. Coordinates are of the size of
pixel values: points lie in [0, 1]. Torch loads on first use.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from conceptspace.concepts.concept import DIGITS, Concept
from conceptspace.concepts.settings import Settings, SettingsError
from conceptspace.concepts.space import ConceptSpace

if TYPE_CHECKING:
    from torch import Tensor

NUISANCE = "nuisance"
"""The factor that holds the dimensions that are no concept."""
CENTRE = 0.5
"""Around this the nuisance dimensions vary."""


class Axis(Settings, ABC):
    """One dimension of a vector world, and where on it each value of its concept lies."""

    name: str = Field(min_length=1)
    """Of the factor, and of the concept that drives it."""
    points: tuple[float, ...]
    """Coordinate of each value, in [0, 1]; neighbours' distance is the concept's signal."""

    @field_validator("points")
    @classmethod
    def _points_are_in_range(cls, points: tuple[float, ...]):
        if not 2 <= len(points) <= len(DIGITS):
            raise ValueError(f"give 2 to {len(DIGITS)} points, one for each value")
        if not all(0.0 <= point <= 1.0 for point in points):
            raise ValueError("every point must lie in [0, 1], as pixel values do")
        return points

    @property
    @abstractmethod
    def values(self) -> tuple[tuple[float, ...], ...]:
        """What the concept holds, and the model is told, for each value: equally long rows."""

    @property
    def width(self) -> int:
        """How many numbers the factor takes."""
        return len(self.values[0])

    @abstractmethod
    def coordinate(self, factor: "Tensor") -> "Tensor":
        """Where the factor (batch, width) puts an example on the axis, (batch, 1)."""

    def concept(self, labels: tuple[str, ...] = ()) -> Concept:
        """The concept that drives this axis.

        Args:
            labels: a word for each value; by default its index.
        """
        return Concept(name=self.name, factor=self.name, values=self.values, labels=labels)


class OneHotAxis(Axis):
    """The model is told which value it is, and not where that lies.

    Two values may share a point: a signal of 0, which nothing can be learned from.

    Example:
        >>> OneHotAxis(name="height", points=(0.2, 0.8)).values
        ((1.0, 0.0), (0.0, 1.0))
    """

    kind: Literal["one-hot"] = "one-hot"

    @property
    def values(self) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(row) for row in np.eye(len(self.points)).tolist())

    def coordinate(self, factor: "Tensor") -> "Tensor":
        """The weighted sum of the points; linear, so that G has a derivative between values."""
        return factor @ factor.new_tensor(self.points)[:, None]


class PointAxis(Axis):
    """The model is told the coordinate itself."""

    kind: Literal["point"] = "point"

    @model_validator(mode="after")
    def _points_are_distinct(self):
        if len(set(self.points)) != len(self.points):
            raise ValueError(
                "points: two are the same, so the model could not be told their values apart; "
                "a OneHotAxis may hold them"
            )
        return self

    @property
    def values(self) -> tuple[tuple[float, ...], ...]:
        return tuple((point,) for point in self.points)

    def coordinate(self, factor: "Tensor") -> "Tensor":
        """The factor itself."""
        return factor


AnyAxis = Annotated[OneHotAxis | PointAxis, Field(discriminator="kind")]


class VectorWorld(Settings):
    """x is drawn from a Gaussian around the point of its class, one dimension for each axis.

    Example:
        >>> axes = (OneHotAxis(name="a", points=(0.2, 0.8)), PointAxis(name="b", points=(0.4, 0.6)))
        >>> world = VectorWorld(axes=axes, nuisance=(0.1,))
        >>> world.factor_widths, world.image_shape
        ({'a': 2, 'b': 1, 'nuisance': 1}, (3,))
    """

    kind: Literal["vectors"] = "vectors"
    axes: tuple[AnyAxis, ...] = Field(min_length=1)
    """One for each concept of the space, in any order; the dimensions of x in this one."""
    noise: float = Field(default=0.02, gt=0.0, le=0.25)
    """Standard deviation of every cluster in every dimension."""
    nuisance: tuple[float, ...] = ()
    """Standard deviations, in (0, 0.3], of dimensions that are no concept. Each varies around 0.5,
    whatever the class, and carries `noise` besides."""

    @field_validator("axes")
    @classmethod
    def _names_are_free(cls, axes: tuple[Axis, ...]):
        names = [axis.name for axis in axes]
        for name in names:
            if name == NUISANCE or names.count(name) > 1:
                raise ValueError(f"the name {name!r} is taken: give every axis one of its own")
        return axes

    @field_validator("nuisance")
    @classmethod
    def _nuisance_is_narrow(cls, nuisance: tuple[float, ...]):
        if not all(0.0 < deviation <= 0.3 for deviation in nuisance):
            raise ValueError("every standard deviation must be above 0 and at most 0.3")
        return nuisance

    def check(self, space: ConceptSpace) -> None:
        """Refuse a space whose concepts are not the axes of this world.

        Raises:
            SettingsError: naming the concept or the axis, and what would be right.
        """
        axes = {axis.name: axis for axis in self.axes}
        driven = {concept.factor: concept for concept in space.concepts}
        for name, axis in axes.items():
            concept = driven.get(name)
            if concept is None:
                raise SettingsError(
                    f"world.axes: no concept drives axis {name!r}; leave it out, or add its "
                    "`concept()` to the space"
                )
            if concept.values != axis.values or np.ptp(concept.spread.range(np.zeros(1))) != 0.0:
                raise SettingsError(
                    f"space.concepts: concept {concept.name!r} must have the values {axis.values} "
                    "of its axis and no spread; `concept()` of the axis is such a concept, and "
                    "world.noise the width of the clusters"
                )

    def points(self, concept: Concept) -> tuple[float, ...]:
        """Where the values of a concept lie on its axis."""
        return self.axes[self.dimension(concept)].points

    def dimension(self, concept: Concept) -> int:
        """Which dimension of x a concept's axis is."""
        return [axis.name for axis in self.axes].index(concept.factor)

    @property
    def factor_widths(self) -> dict[str, int]:
        widths = {axis.name: axis.width for axis in self.axes}
        return widths | ({NUISANCE: len(self.nuisance)} if self.nuisance else {})

    @property
    def image_shape(self) -> tuple[int, ...]:
        return (len(self.axes) + len(self.nuisance),)

    @property
    def value_range(self) -> tuple[float, float]:
        """Nothing is clipped: clusters around 0 and 1 have two sides like all others."""
        return (-np.inf, np.inf)

    @property
    def deviations(self) -> np.ndarray:
        """Standard deviation (dimension,) of x around the point of its class."""
        own = np.concatenate([np.zeros(len(self.axes)), np.asarray(self.nuisance, dtype=float)])
        return np.hypot(own, self.noise)

    def draw_nuisance(self, factor: str, num: int, rng: np.random.Generator) -> np.ndarray:
        """`num` draws (num, nuisance dimensions); every other factor is a concept's."""
        if factor != NUISANCE or not self.nuisance:
            raise ValueError(
                f"factor {factor!r} is no nuisance of this world; it has the axes "
                f"{', '.join(axis.name for axis in self.axes)}"
            )
        return rng.normal(CENTRE, self.nuisance, size=(num, len(self.nuisance)))

    def render(self, factors: Mapping[str, "Tensor"]) -> "Tensor":
        """Points (batch, dimension), without noise."""
        import torch

        parts = [axis.coordinate(factors[axis.name]) for axis in self.axes]
        return torch.cat([*parts, *([factors[NUISANCE]] if self.nuisance else [])], dim=1)

    def pictures(self, points: "Tensor") -> "Tensor":
        """What is shown of points: a dot in the plane of each two dimensions (see `pictures`)."""
        from conceptspace.data.pictures import plane_pictures

        marks = [axis.points for axis in self.axes] + [(CENTRE,)] * len(self.nuisance)
        return plane_pictures(points, marks)
