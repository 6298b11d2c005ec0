"""Classifier-free guidance (Ho and Salimans 2022): away from what is drawn without a condition."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from conceptspace.models.network import Sites

Predict = Callable[[Tensor, Tensor, Sites], Tensor]
"""From z_t, gamma_t and sites to the noise estimate."""


@dataclass(frozen=True)
class Guide:
    """Guidance of a batch, each row at a weight of its own.

    Attributes:
        unconditional: what the hidden condition adds at each site, one row.
        weights: w of each row (batch,); rows of weight 1 are left as they are, bit for bit, and
            cost nothing.
    """

    unconditional: Sites
    weights: Float[Tensor, " batch"]

    def guided_rows(self) -> Tensor:
        """The rows (num,) that need an estimate without the condition."""
        return (self.weights != 1.0).nonzero()[:, 0]


def guided(
    predicted: Float[Tensor, "batch *shape"],
    predict: Predict,
    z_t: Float[Tensor, "batch *shape"],
    gamma_t: Float[Tensor, " one"],
    guide: Guide,
    rows: Tensor,
) -> Float[Tensor, "batch *shape"]:
    """eps_0 + w (eps - eps_0) in the rows that are guided.

    Args:
        predicted: the estimate with the condition, eps.
        predict: the network, asked again for the rows that are guided.
        z_t: what the estimate is for.
        gamma_t: where in the schedule, the same for every row.
        guide: the hidden condition and the weights.
        rows: `guide.guided_rows()`, found once for all steps of a sampler.
    """
    if not len(rows):
        return predicted
    hidden = {
        site: value.expand(len(rows), *value.shape[1:])
        for site, value in guide.unconditional.items()
    }
    without = predict(z_t[rows], gamma_t, hidden)
    weights = guide.weights[rows].view(-1, *(1,) * (z_t.ndim - 1))
    return predicted.index_copy(0, rows, without + weights * (predicted[rows] - without))
