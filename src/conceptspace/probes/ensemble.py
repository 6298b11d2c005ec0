"""Several probes that learned apart: the average reads, disagreement says what is doubtful."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from conceptspace.concepts import ConceptSpace
from conceptspace.data.world import World, check_space
from conceptspace.probes.classifier import (
    ConvolutionalProbe,
    Probe,
    ProgressCallback,
    draw_labelled,
    fit_probe,
)
from conceptspace.probes.settings import EnsembleProbeSettings

_MEMBER = "member."


class EnsembleProbe:
    """Reads the average of its members' distributions.

    (Lakshminarayanan et al. 2017, on ensembles and what their members disagree on.)

    Args:
        members: probes of one space; at least two, or there is nothing to disagree.

    Raises:
        ValueError: if there are fewer than two.
    """

    def __init__(self, members: Sequence[Probe]) -> None:
        if len(members) < 2:
            raise ValueError(f"members must be two probes or more, not {len(members)}")
        self.members = tuple(members)

    def read(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> tuple[Float[Tensor, "batch value"], ...]:
        """Each concept's distribution over its values, the mean over members."""
        return tuple(part.mean(dim=0) for part in self._apart(images))

    def disagreement(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch concept"]:
        """Mean over members of the total variation between its distribution and the average, in
        [0, 1)."""
        return torch.stack([_variation(part) for part in self._apart(images)], dim=1)

    def _apart(self, images: Tensor) -> tuple[Float[Tensor, "member batch value"], ...]:
        read = [member.read(images) for member in self.members]
        return tuple(torch.stack(concept) for concept in zip(*read))

    def to_tensors(self) -> dict[str, Tensor]:
        """All members as named tensors, such as safetensors stores.

        Raises:
            TypeError: if a member is a probe of another kind, which cannot be written down.
        """
        tensors = {}
        for index, member in enumerate(self.members):
            if not isinstance(member, ConvolutionalProbe):
                raise TypeError(
                    f"member {index} is a {type(member).__name__}; only ensembles of "
                    "ConvolutionalProbe can be stored"
                )
            own = member.to_tensors().items()
            tensors |= {f"{_MEMBER}{index}.{name}": value for name, value in own}
        return tensors

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The ensemble that `to_tensors` described.

        Raises:
            ValueError: the tensors do not describe an ensemble.
        """
        members: dict[str, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            index, dot, rest = name.removeprefix(_MEMBER).partition(".")
            if not (name.startswith(_MEMBER) and dot and index.isdecimal()):
                raise ValueError(
                    f"tensors do not describe an ensemble of probes ({name} is in none); give what "
                    "`to_tensors` returned"
                )
            members.setdefault(index, {})[rest] = value
        ordered = sorted(members, key=int)
        return cls([ConvolutionalProbe.from_tensors(members[index]) for index in ordered])


def is_ensemble(tensors: Mapping[str, Tensor]) -> bool:
    """Whether tensors are those of an ensemble."""
    return any(name.startswith(_MEMBER) for name in tensors)


def _variation(distributions: Float[Tensor, "member batch value"]) -> Float[Tensor, " batch"]:
    away = (distributions - distributions.mean(dim=0)).abs()
    return away.sum(dim=2).mean(dim=0) / 2


@dataclass(frozen=True)
class Doubt:
    """How sure the ensemble is of each sample.

    Attributes:
        z: concept vectors of the class that is read (batch, space width).
        residual: the disagreement on the concept where it is largest (batch,).
        off_manifold: whether that is beyond what is tolerated, bool (batch,).
    """

    z: Float[Tensor, "batch width"]
    residual: Float[Tensor, " batch"]
    off_manifold: Bool[Tensor, " batch"]


class DoubtfulReadings:
    """Flags samples on which the members of an ensemble disagree, in the place of an inversion.

    Args:
        probe: the ensemble.
        space: the concepts it reads.
        tolerated: disagreement beyond which a reading is doubtful, in (0, 1).
    """

    def __init__(self, probe: EnsembleProbe, space: ConceptSpace, tolerated: float = 0.25) -> None:
        self.probe, self.space, self.tolerated = probe, space, tolerated

    def invert(
        self, images: Float[Tensor, "batch channel height width"], sample_noise: float
    ) -> Doubt:
        """What is read, and whether it is doubtful; the noise of the samples changes nothing."""
        read = self.probe.read(images)
        parts = [
            images.new_tensor(concept.values)[distribution.argmax(dim=1)]
            for concept, distribution in zip(self.space.concepts, read)
        ]
        most = self.probe.disagreement(images).amax(dim=1)
        return Doubt(torch.cat(parts, dim=1), most, most > self.tolerated)


def train_ensemble(
    world: World,
    space: ConceptSpace,
    settings: EnsembleProbeSettings,
    seed: int,
    progress: ProgressCallback | None = None,
) -> EnsembleProbe:
    """Train an ensemble on images of every class of the space, held-out classes included.

    Args:
        world: labelled images, or a G that draws them.
        space: the concepts to read.
        settings: number of members, network and training.
        seed: of everything random. Equal seeds give equal probes on one machine with one number of
            threads.
        progress: called after each step of each member with steps done and steps in all.

    Raises:
        SettingsError: the world cannot show the space's concepts.
    """
    check_space(space, world)
    rng = np.random.default_rng(seed)
    images, labels = draw_labelled(world, space, settings.num_images, rng)
    members = []
    for member in range(settings.members):
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        own = torch.from_numpy(rng.integers(len(images), size=len(images)))
        probe = ConvolutionalProbe(world.image_shape, space.num_values, settings.widths, generator)
        advance = _after(progress, member, settings)
        members.append(
            fit_probe(
                probe, images[own], labels[own], settings, generator, advance, shift=settings.shift
            )
        )
    return EnsembleProbe(members)


def _after(
    progress: ProgressCallback | None, member: int, settings: EnsembleProbeSettings
) -> ProgressCallback | None:
    """Progress over all members, told by one of them."""
    if progress is None:
        return None
    whole = settings.members * settings.steps
    return lambda done, of: progress(member * of + done, whole)
