"""An intervention is a value: a pure function (site, tensor, strength per row) -> tensor.

The conditioning vector itself is the site `PROMPT`; the other sites are the adapter's. Since an
intervention acts row by row, one batch can hold many methods, strengths and classes.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

PROMPT = "prompt"


class Intervention(Protocol):
    """Changes what a model is told at each site. Values never change their input in place."""

    def __call__(
        self, site: str, value: Float[Tensor, "batch *width"], strength: Float[Tensor, " batch"]
    ) -> Float[Tensor, "batch *width"]:
        """The changed value at a site; sites that it does not know are returned as they are."""
        ...


@dataclass(frozen=True)
class Naive:
    """The intervention that does nothing: plain prompting."""

    def __call__(self, site: str, value: Tensor, strength: Tensor) -> Tensor:
        return value


@dataclass(frozen=True)
class Guided:
    """Classifier-free guidance at the strengths as weights; 1 is plain prompting.

    It changes no site: it is how the model samples that differs, so only adapters that can guide
    (`adapters.protocol.GuidableAdapter`) know what to do with it.
    """

    def __call__(self, site: str, value: Tensor, strength: Tensor) -> Tensor:
        return value


def guidance_weights(intervention: Intervention, strength: Tensor) -> Tensor:
    """The guidance weight of each row (batch,) under an intervention: 1 unless it guides."""
    parts = intervention.parts if isinstance(intervention, Composed) else (intervention,)
    guides = any(isinstance(part, Guided) for part in parts)
    return strength if guides else torch.ones_like(strength)


@dataclass(frozen=True)
class AddDirections:
    """Adds strength x direction at the sites it knows.

    Attributes:
        directions: site to (num_directions, width); row i of a batch uses direction
            i modulo num_directions. At a site of several positions (batch, tokens, width), either
            that, for every position alike, or (num_directions, tokens, width).

    Example:
        >>> push = AddDirections({PROMPT: torch.tensor([[0.0, 1.0]])})
        >>> push(PROMPT, torch.zeros(2, 2), torch.tensor([1.0, 3.0])).tolist()
        [[0.0, 1.0], [0.0, 3.0]]
        >>> (2 * push)(PROMPT, torch.zeros(1, 2), torch.tensor([1.0])).tolist()
        [[0.0, 2.0]]
    """

    directions: Mapping[str, Tensor]

    def __call__(self, site: str, value: Tensor, strength: Tensor) -> Tensor:
        if site not in self.directions:
            return value
        directions, strength = self.directions[site].to(value), strength.to(value)
        chosen = directions[torch.arange(len(value), device=value.device) % len(directions)]
        if directions.ndim < value.ndim:  # the same at every position, such as a token
            chosen = chosen.view(len(value), *(1,) * (value.ndim - 2), -1)
        scaled = strength.view(-1, *(1,) * (value.ndim - 1)) * chosen
        return value + scaled

    def __mul__(self, factor: float) -> "AddDirections":
        return AddDirections({site: factor * d for site, d in self.directions.items()})

    __rmul__ = __mul__

    def __add__(self, other: "AddDirections") -> "AddDirections":
        both = dict(self.directions)
        for site, direction in other.directions.items():
            both[site] = both[site] + direction if site in both else direction
        return AddDirections(both)

    def __sub__(self, other: "AddDirections") -> "AddDirections":
        return self + (-1.0) * other

    def to_tensors(self) -> dict[str, Tensor]:
        """A plain dictionary, ready for safetensors."""
        return {site: direction.contiguous() for site, direction in self.directions.items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> "AddDirections":
        """The intervention that `to_tensors` described."""
        return cls(dict(tensors))


@dataclass(frozen=True)
class Composed:
    """Several interventions, one after the other, at the same strengths."""

    parts: tuple[Intervention, ...]

    def __call__(self, site: str, value: Tensor, strength: Tensor) -> Tensor:
        for part in self.parts:
            value = part(site, value, strength)
        return value


@contextmanager
def applied(
    intervention: Intervention, model: nn.Module, strength: Tensor | float
) -> Iterator[None]:
    """Apply an intervention to the outputs of a foreign model's submodules inside the block.

    Sites are submodule names; the model is restored when the block is left, however it is left.

    Args:
        intervention: what to apply; only sites named like a submodule have an effect.
        model: any module.
        strength: one number, or one a row (batch,).
    """

    def hook_for(site: str):
        def hook(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
            given = torch.as_tensor(strength, dtype=output.dtype, device=output.device)
            return intervention(site, output, given.expand(len(output)))

        return hook

    handles = [
        module.register_forward_hook(hook_for(name))
        for name, module in model.named_modules()
        if name
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
