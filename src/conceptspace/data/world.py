"""The world: G and the prior over the factors that are no concept. Torch loads on first use."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from conceptspace.concepts.settings import Settings, SettingsError
from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import FACTOR_WIDTHS

if TYPE_CHECKING:
    from torch import Tensor


COMMON_SIZES = (0.25, 0.65)
"""Radii that the paper's sweeps cover."""


class World(Protocol):
    """What a data-generating process must offer; `SyntheticWorld` and `VectorWorld` are built in.

    It may offer more: `value_range`, to which data are clipped, in place of (0, 1); `pictures`,
    which turns data that are no images into what is shown of them; `differentiable`, a G with
    derivatives in its place.
    """

    @property
    def factor_widths(self) -> Mapping[str, int]:
        """How many numbers each factor takes."""
        ...

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Channels, height, width; or the number of dimensions alone, where data are vectors."""
        ...

    @property
    def noise(self) -> float:
        """Standard deviation of the noise that data carry in every pixel or dimension."""
        ...

    def draw_nuisance(self, factor: str, num: int, rng: np.random.Generator) -> np.ndarray:
        """`num` draws (num, factor width) of a factor that is no concept."""
        ...

    def render(self, factors: Mapping[str, "Tensor"]) -> "Tensor":
        """Data (batch, *image_shape) without noise, differentiable in the factors."""
        ...


class SyntheticWorld(Settings):
    """One blurred object on a plain background (Park et al. 2024, section 4.1)."""

    image_size: int = Field(default=32, ge=8, le=256)
    """Height and width in pixels."""
    rasterisation: Literal["smooth", "published"] = "smooth"
    """`smooth` blurs the exact silhouette; `published` blurs one sampled at pixel centres."""
    noise: float = Field(default=0.001, ge=0.0, le=0.5)
    """Standard deviation of the Gaussian pixel noise in the data."""
    position_range: float = Field(default=0.5, ge=0.0, le=1.0)
    """x and y are uniform within this of the centre when they are no concept."""
    background_range: tuple[float, float] = (0.8, 1.0)
    """Each background channel is uniform in this range when it is no concept."""
    size_range: tuple[float, float] = COMMON_SIZES
    """The object's radius is uniform in this range when it is no concept."""

    @field_validator("background_range")
    @classmethod
    def _background_is_visible(cls, ends: tuple[float, float]):
        if not 0.0 <= ends[0] <= ends[1] <= 1.0:
            raise ValueError("the two ends must be rising, between 0 and 1")
        return ends

    @field_validator("size_range")
    @classmethod
    def _object_is_visible(cls, ends: tuple[float, float]):
        if not 0.1 <= ends[0] <= ends[1] <= 1.0:
            raise ValueError("the two ends must be rising, between 0.1 and 1")
        return ends

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # There was no such choice once: what was saved then is known by the same text now.
        fields = write(self)
        if self.size_range == COMMON_SIZES:
            fields.pop("size_range", None)
        return fields

    @property
    def factor_widths(self) -> dict[str, int]:
        return FACTOR_WIDTHS

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (3, self.image_size, self.image_size)

    @property
    def differentiable(self) -> "SyntheticWorld":
        """This world with the mask that is smooth in every factor: the published one jumps from
        pixel to pixel, so it has no derivative with size, position or shape."""
        return self.replace(rasterisation="smooth")

    def draw_nuisance(self, factor: str, num: int, rng: np.random.Generator) -> np.ndarray:
        """`num` draws (num, factor width) of a factor that is no concept.

        Colour and size have no prior in the paper; here they cover what its sweeps cover.
        """
        if factor in ("x", "y"):
            return rng.uniform(-self.position_range, self.position_range, size=(num, 1))
        if factor == "background":
            return rng.uniform(*self.background_range, size=(num, 3))
        if factor == "shape":
            return np.tile([1.0, 0.0], (num, 1))
        if factor == "colour":
            return rng.uniform(0.0, 0.5, size=(num, 3))
        if factor == "size":
            return rng.uniform(*self.size_range, size=(num, 1))
        raise ValueError(f"factor {factor!r} is not one of {', '.join(FACTOR_WIDTHS)}")

    def render(self, factors: Mapping[str, "Tensor"]) -> "Tensor":
        """Images (batch, 3, height, width) in [0, 1], without noise."""
        from conceptspace.data.render import render

        return render(factors, image_size=self.image_size, rasterisation=self.rasterisation)


def check_space(space: ConceptSpace, world: World) -> None:
    """Refuse a space whose concepts the world cannot draw.

    Raises:
        SettingsError: naming the concept, its factor, and the factors the world has.
    """
    widths = world.factor_widths
    for concept in space.concepts:
        if concept.factor not in widths:
            raise SettingsError(
                f"space.concepts: concept {concept.name!r} drives factor {concept.factor!r}, which "
                f"this world does not have; it has {', '.join(widths)}"
            )
        if concept.width != widths[concept.factor]:
            raise SettingsError(
                f"space.concepts: concept {concept.name!r} has values of {concept.width} numbers, "
                f"but factor {concept.factor!r} takes {widths[concept.factor]}"
            )


def draw_factors(
    world: World, space: ConceptSpace, z: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Every factor of G for concept vectors z (batch, width): concepts from z, the rest drawn."""
    from_concepts = space.factors(z)
    return {
        factor: from_concepts[factor]
        if factor in from_concepts
        else world.draw_nuisance(factor, len(z), rng)
        for factor in world.factor_widths
    }
