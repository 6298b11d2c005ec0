"""What every built-in network offers, so that one adapter and one loop serve all of them."""

from collections.abc import Mapping
from typing import Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from conceptspace.models.execution import Execution

Sites = dict[str, Tensor]
"""What the condition adds at each site of a network: site name to (batch, width)."""


@runtime_checkable
class ConditionalNetwork(Protocol):
    """A denoising network whose condition enters by additions at named sites."""

    execution: Execution

    def condition(self, vectors: Tensor) -> Sites:
        """What the condition adds at each site."""
        ...

    def denoise(self, z_t: Tensor, time: Tensor, sites: Sites) -> Tensor:
        """The correction to the noise estimate. A network with `draw_dropout` takes its bits, or
        None, as a fourth argument."""
        ...

    def sites(self) -> tuple[str, ...]:
        """The names of the sites, in the order of computation."""
        ...

    def conditioning_parameters(self) -> Mapping[str, Tensor]:
        """The parameters of the path from h to the sites, by their name in the network."""
        ...


Placeable = TypeVar("Placeable", bound=nn.Module)


def placed(model: Placeable, execution: Execution) -> Placeable:
    """A model over one of our networks, set to be computed in another way; its weights stay.

    A copy of it is computed like it, and so are weights that are loaded into it.

    Args:
        model: with a `ConditionalNetwork` as its `network`.
        execution: device, precision and layout in memory.
    """
    network = model.network
    if isinstance(network, nn.Module) and isinstance(network, ConditionalNetwork):
        layout = torch.channels_last if execution.channels_last else torch.contiguous_format
        network.to(memory_format=layout)  # type: ignore[call-overload]
        network.execution = execution
    return model.to(execution.device)
