"""Embedding patching: the conditioning path of one checkpoint in the network of another.

(Park et al. 2024, section 4.4: if a late checkpoint's embedding elicits a concept from an early
network, the early network had the capability and lacked only the map from prompt to it.)
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class EmbeddingPatch:
    """The conditioning parameters of a donor, by name in the model.

    Attributes:
        parameters: what the donor adapter's `conditioning_parameters()` returned.
    """

    parameters: Mapping[str, Tensor]

    def into(self, recipient: nn.Module) -> dict[str, Tensor]:
        """The recipient's state with the donor's conditioning path: load it into a fresh model.

        Raises:
            ValueError: if the recipient lacks one of the parameters or has it in another shape.
        """
        state = {name: value.detach().clone() for name, value in recipient.state_dict().items()}
        for name, value in self.parameters.items():
            if name not in state:
                raise ValueError(f"parameters: the recipient has no parameter {name!r}")
            if state[name].shape != value.shape:
                raise ValueError(
                    f"parameters: {name!r} has shape {tuple(value.shape)} in the donor and "
                    f"{tuple(state[name].shape)} in the recipient"
                )
            # The donor's checkpoint may have been loaded to another device.
            state[name] = value.detach().to(state[name].device, copy=True)
        return state
