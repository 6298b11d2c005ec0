"""A probe as named tensors, and back again, whichever kind it is."""

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

from conceptspace.probes.classifier import ConvolutionalProbe, Probe
from conceptspace.probes.ensemble import EnsembleProbe, is_ensemble
from conceptspace.probes.points import PointProbe


class StorableProbe(Probe, Protocol):
    """A probe that a run can keep on disk."""

    def to_tensors(self) -> dict[str, Tensor]:
        """All of it as named tensors."""
        ...


def probe_from_tensors(tensors: Mapping[str, Tensor]) -> StorableProbe:
    """The probe that `to_tensors` described.

    Raises:
        ValueError: the tensors describe no probe.
    """
    if is_ensemble(tensors):
        return EnsembleProbe.from_tensors(tensors)
    kind = PointProbe if "clusters.noise" in tensors else ConvolutionalProbe
    return kind.from_tensors(tensors)
