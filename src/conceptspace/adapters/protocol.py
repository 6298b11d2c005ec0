"""The one face that measuring and elicitation see of any conditional generative model."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

Conditioning = dict[str, Tensor]
"""What the condition contributes at each site of the model: site name to (batch, ...)."""


@runtime_checkable
class Adapter(Protocol):
    """A conditional generative model, whatever its kind.

    To bring a model of your own, write a class with these methods. Nothing else of the model is
    ever touched.
    """

    def encode(self, vectors: Tensor) -> Conditioning:
        """What the conditioning vectors (batch, width) contribute at each site.

        Row i must depend on vector i alone.
        """
        ...

    def sample(self, conditioning: Conditioning, generator: torch.Generator) -> Tensor:
        """One image (batch, channels, height, width) for each row of the conditioning.

        All noise comes from `generator`. The model's mode is restored.
        """
        ...

    def sites(self) -> tuple[str, ...]:
        """The names of the sites at which the condition enters, as in `encode`."""
        ...

    def conditioning_parameters(self) -> Mapping[str, Tensor]:
        """The parameters of the path from prompt to sites: what embedding patching swaps."""
        ...

    def sample_noise(self) -> float:
        """Standard deviation of the pixel noise that samples carry by construction; 0 for none."""
        ...
