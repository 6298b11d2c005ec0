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
    ever touched. The model may be on any device: conditioning and images stay where it is, and an
    attribute `device` says where that is (see `device_of`).
    """

    def encode(self, vectors: Tensor) -> Conditioning:
        """What the conditioning vectors (batch, width) contribute at each site.

        The vectors come on the CPU, all prompts of a checkpoint at once, which may be thousands;
        what is returned is on the model's device. Row i must depend on vector i alone.
        """
        ...

    def sample(self, conditioning: Conditioning, generator: torch.Generator) -> Tensor:
        """One image (batch, channels, height, width) for each row of the conditioning.

        All noise comes from `generator`, which is on the adapter's device, as the images are. The
        model's mode is restored.
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


@runtime_checkable
class GuidableAdapter(Adapter, Protocol):
    """An adapter whose model can also be guided: it was trained with the condition hidden at times.

    Only `Guidance` among the elicitation methods needs it.
    """

    def sample_guided(
        self,
        conditioning: Conditioning,
        unconditional: Conditioning,
        weights: Tensor,
        generator: torch.Generator,
    ) -> Tensor:
        """Like `sample`, under classifier-free guidance.

        Args:
            conditioning: what the condition contributes at each site, one row an image.
            unconditional: the same where the condition is hidden; a single row, for all images.
            weights: one a row (batch,), on the model's device. Rows of weight 1 must come out as
                `sample` would make them.
            generator: as in `sample`.
        """
        ...


def device_of(adapter: Adapter) -> torch.device:
    """Where an adapter's model is: its attribute `device`, or else where its parameters are.

    An adapter without either is taken to be on the CPU.
    """
    stated = getattr(adapter, "device", None)
    if stated is not None:
        return torch.device(stated)
    first = next(iter(adapter.conditioning_parameters().values()), None)
    return torch.device("cpu") if first is None else first.device
