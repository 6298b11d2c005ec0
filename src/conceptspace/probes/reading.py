"""Reads samples with both probes: distributions, numbers, and what is off-manifold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from conceptspace.concepts import ConceptSpace
from conceptspace.probes.classifier import Probe


class Found(Protocol):
    """What an inverter finds: concept vectors (batch, width), residuals and flags (batch,)."""

    @property
    def z(self) -> Tensor: ...

    @property
    def residual(self) -> Tensor: ...

    @property
    def off_manifold(self) -> Tensor: ...


class Inverter(Protocol):
    """What would have drawn a sample; `Inversion` for images, `PointLocation` for vectors."""

    space: ConceptSpace

    def invert(self, images: Tensor, sample_noise: float) -> Found:
        """What would have drawn each sample, whose noise has this standard deviation."""
        ...


@dataclass(frozen=True)
class Reading:
    """What the probes read off a batch of samples.

    Attributes:
        distributions: the classifier's distribution of each concept, (batch, number of values).
        z: the concept vectors found by inversion (batch, space width), or None without inversion.
        residual: RMS distance from what G draws, less the noise expected (batch,), or None.
        doubtful: whether a sample is unlike anything G draws, or the probes disagree on this
            concept, bool (batch, concept), or None. An object between large and small is doubtful
            in its size, and its colour may be plain to see.
    """

    distributions: tuple[Tensor, ...]
    z: Tensor | None
    residual: Tensor | None
    doubtful: Tensor | None

    @property
    def off_manifold(self) -> Tensor | None:
        """Whether a sample is doubtful in any concept, bool (batch,), or None."""
        return None if self.doubtful is None else self.doubtful.any(dim=1)

    def cpu(self) -> "Reading":
        """The same on the CPU, one transfer a tensor."""
        z, residual, doubtful = (
            None if part is None else part.cpu() for part in (self.z, self.residual, self.doubtful)
        )
        return Reading(tuple(p.cpu() for p in self.distributions), z, residual, doubtful)


def read_samples(
    probe: Probe, inversion: Inverter | None, images: Tensor, sample_noise: float
) -> Reading:
    """Read samples with the classifier and, where there is one, the inversion.

    Everything is computed, and stays, on the device of the images.

    Args:
        probe: the classifier, or any object with its `read`.
        inversion: the inversion of the world, or None where the world cannot be inverted.
        images: (batch, channels, height, width), or points (batch, dimension); values near [0, 1].
        sample_noise: standard deviation of the pixel noise expected of the samples, such as
            exp(gamma(0) / 2).

    Raises:
        ValueError: the images do not fit, hold NaN, or the noise is negative.
    """
    distributions = tuple(part.to(images.device) for part in probe.read(images))
    if inversion is None:
        return Reading(distributions, None, None, None)
    inverted = inversion.invert(images, sample_noise)
    apart = disagrees(distributions, inverted.z, inversion.space)
    doubtful = inverted.off_manifold[:, None] | apart
    return Reading(distributions, inverted.z, inverted.residual, doubtful)


def disagrees(distributions: Sequence[Tensor], z: Tensor, space: ConceptSpace) -> Tensor:
    """Whether the classifier's value is not the one nearest to z, bool (batch, concept).

    Args:
        distributions: one (batch, number of values) for each concept.
        z: concept vectors found by inversion, (batch, space width).
        space: the concepts, in the order of both.

    Raises:
        ValueError: the distributions do not fit the space.
    """
    shapes = [tuple(part.shape) for part in distributions]
    expected = [(len(z), num) for num in space.num_values]
    if shapes != expected:
        raise ValueError(f"distributions must have shapes {expected}, not {shapes}")
    different = []
    for concept, distribution in zip(space.concepts, distributions):
        means = torch.tensor(concept.values, dtype=z.dtype, device=z.device)
        nearest = torch.cdist(z[:, space.slice_of(concept.name)], means).argmin(dim=1)
        different.append(nearest != distribution.argmax(dim=1))
    return torch.stack(different, dim=1)
