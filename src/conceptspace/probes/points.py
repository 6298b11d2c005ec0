"""Reading points of a vector world: the nearest point along each axis, in closed form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from conceptspace.concepts import ConceptSpace
from conceptspace.data.vectors import VectorWorld
from conceptspace.probes.classifier import check_images
from conceptspace.probes.inversion import check_noise
from conceptspace.probes.precision import full_precision
from conceptspace.probes.settings import PointProbeSettings


class PointProbe:
    """Bayes' rule for Gaussian clusters of one width: nothing is trained.

    On draws of the world its probabilities are exact. A model's samples spread more, so there it is
    surer of itself than it should be; which value it reads is the nearest all the same. Values that
    share a point are equally probable, and the first of them is read.

    Args:
        image_shape: the number of dimensions, alone in a tuple.
        axes: for each concept the dimension of x in which it shows, and its values' points there.
        noise: standard deviation of the clusters.
    """

    def __init__(
        self,
        image_shape: tuple[int, ...],
        axes: Sequence[tuple[int, Sequence[float]]],
        noise: float,
    ) -> None:
        self.image_shape = tuple(image_shape)
        self.axes = [(dimension, tuple(points)) for dimension, points in axes]
        self.noise = noise

    @classmethod
    def of(cls, world: VectorWorld, space: ConceptSpace) -> Self:
        """The probe of a world's axes, in the order of the space."""
        axes = [(world.dimension(concept), world.points(concept)) for concept in space.concepts]
        return cls(world.image_shape, axes, world.noise)

    def read(
        self, images: Float[Tensor, "batch dimension"]
    ) -> tuple[Float[Tensor, "batch value"], ...]:
        """Each concept's distribution over its values.

        Args:
            images: points, as the world draws them or a model samples them.

        Returns:
            For each concept of the space a tensor (batch, number of values) whose rows sum to 1.

        Raises:
            ValueError: the points have another dimension than the world's, or hold NaN.
        """
        check_images(images, self.image_shape)
        read = []
        for dimension, points in self.axes:
            distance = images[:, dimension, None] - images.new_tensor(points)
            read.append((-0.5 * (distance / self.noise).square()).softmax(dim=1))
        return tuple(read)

    def to_tensors(self) -> dict[str, Tensor]:
        """The probe as named tensors, such as safetensors stores."""
        tensors = {
            "clusters.noise": torch.tensor(self.noise, dtype=torch.float64),
            "clusters.image_shape": torch.tensor(self.image_shape),
            "clusters.dimensions": torch.tensor([dimension for dimension, _ in self.axes]),
        }
        return tensors | {
            f"clusters.points.{i}": torch.tensor(points, dtype=torch.float64)
            for i, (_, points) in enumerate(self.axes)
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The probe that `to_tensors` described.

        Raises:
            ValueError: the tensors do not describe such a probe.
        """
        try:
            dimensions = tensors["clusters.dimensions"].tolist()
            points = [tensors[f"clusters.points.{i}"].tolist() for i in range(len(dimensions))]
            shape = tuple(tensors["clusters.image_shape"].tolist())
            return cls(shape, list(zip(dimensions, points)), float(tensors["clusters.noise"]))
        except KeyError as error:
            raise ValueError(
                f"tensors do not describe a point probe ({error} is missing); give what "
                "`to_tensors` returned"
            ) from None


@dataclass(frozen=True)
class Located:
    """The class point nearest to each sample.

    Attributes:
        z: concept vectors of the nearest class (batch, space width).
        residual: RMS distance from its point over all dimensions, less the noise expected (batch,).
        off_manifold: whether it is too far from every cluster, bool (batch,).
    """

    z: Float[Tensor, "batch width"]
    residual: Float[Tensor, " batch"]
    off_manifold: Bool[Tensor, " batch"]


class PointLocation:
    """Finds the nearest class point, and what lies too far from any: the inversion of this world.

    A sample's squared distance from the nearest point, each dimension in units of its variance, is
    compared with the chi-squared distribution that draws of the world follow. The variance is the
    cluster's, plus the sample noise of the step, plus the tolerance's square.

    Args:
        world: a vector world.
        space: the concepts to read.
        settings: share of true draws that is kept, and the tolerance.
    """

    def __init__(
        self, world: VectorWorld, space: ConceptSpace, settings: PointProbeSettings | None = None
    ) -> None:
        from scipy.stats import chi2

        world.check(space)
        self.world, self.space = world, space
        self.settings = settings or PointProbeSettings()
        self.largest = float(chi2.ppf(self.settings.kept_share, world.image_shape[0]))
        self.probe = PointProbe.of(world, space)

    def invert(self, images: Float[Tensor, "batch dimension"], sample_noise: float) -> Located:
        """Find the nearest class of every point, and say whether the world could have drawn it.

        Args:
            images: points (batch, dimension).
            sample_noise: standard deviation of the noise expected of the samples on top of the
                world's own, such as exp(gamma(0) / 2).

        Raises:
            ValueError: wrong shape or type, NaN, or a negative noise.
        """
        check_images(images, self.world.image_shape)
        check_noise(sample_noise)
        with torch.no_grad(), full_precision(images.device):
            return self._located(images, sample_noise)

    def _located(self, images: Tensor, sample_noise: float) -> Located:
        nearest = torch.full_like(images, 0.5)  # nuisance varies around it
        parts = []
        for concept, (dimension, points) in zip(self.space.concepts, self.probe.axes):
            places = images.new_tensor(points)
            value = (images[:, dimension, None] - places).abs().argmin(dim=1)
            nearest[:, dimension] = places[value]
            parts.append(images.new_tensor(concept.values)[value])
        squared = (images - nearest).square()
        variance = np.square(self.world.deviations) + sample_noise**2
        allowed = images.new_tensor(variance + self.settings.tolerance**2)
        residual = (squared.mean(1) - float(variance.mean())).clamp(min=0.0).sqrt()
        off_manifold = (squared / allowed).sum(1) > self.largest
        return Located(torch.cat(parts, dim=1), residual, off_manifold)
