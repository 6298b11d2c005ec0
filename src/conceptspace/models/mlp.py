"""The conditional MLP of one hidden layer, for worlds without images.

Time and condition have an embedder each; what they give is added in the hidden layer, before its
nonlinearity. That is the one site at which the condition enters.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from conceptspace.models.blocks import embedding_mlp, sinusoidal_features, zeroed
from conceptspace.models.execution import Execution
from conceptspace.models.settings import MLPSettings

SITE = "hidden"


class MLP(nn.Module):
    """Predicts a correction to the noise from a noisy vector, a time and a condition.

    Args:
        dimensions: of the vectors.
        condition_width: number of entries of h.
        settings: sizes.
    """

    def __init__(self, dimensions: int, condition_width: int, settings: MLPSettings) -> None:
        super().__init__()
        self.settings = settings
        self.execution = Execution()
        width, embedded = settings.width, settings.embedding_width
        self.time_embedding = embedding_mlp(settings.time_features, embedded, embedded)
        self.time = nn.Linear(embedded, width)
        self.condition_embedding = embedding_mlp(condition_width, embedded, embedded)
        self.condition_in = nn.Linear(embedded, width, bias=False)  # layer_in has one already
        self.layer_in = nn.Linear(dimensions, width)
        self.layer_out = zeroed(nn.Linear(width, dimensions))
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.mul_(settings.initial_scale)

    def condition(
        self, vectors: Float[Tensor, "batch condition"]
    ) -> dict[str, Float[Tensor, "batch _"]]:
        """What the condition adds in the hidden layer: `hidden` to (batch, width)."""
        return {SITE: self.condition_in(self.condition_embedding(vectors))}

    def denoise(
        self,
        z_t: Float[Tensor, "batch dimension"],
        time: Float[Tensor, " batch_or_one"],
        sites: dict[str, Float[Tensor, "batch _"]],
    ) -> Float[Tensor, "batch dimension"]:
        """The network's output for noisy vectors at scaled times in [0, 1].

        Args:
            z_t: noisy vectors.
            time: one a row, or one for all.
            sites: what `condition` returned, perhaps changed by an intervention.
        """
        times = self.time(
            self.time_embedding(sinusoidal_features(time, self.settings.time_features))
        )
        return self.layer_out(functional.gelu(self.layer_in(z_t) + times + sites[SITE]))

    def sites(self) -> tuple[str, ...]:
        """The one site at which the condition enters."""
        return (SITE,)

    def conditioning_parameters(self) -> Mapping[str, Tensor]:
        """The parameters of the path from h to the hidden layer, by their name in the network."""
        parts = {
            "condition_embedding": self.condition_embedding,
            "condition_in": self.condition_in,
        }
        return {
            f"{part}.{name}": value
            for part, module in parts.items()
            for name, value in module.named_parameters()
        }
