"""What all models of noisy data share: conditions, random numbers, and estimates while sampling.

What is predicted, how noise is added and how it is taken away again is each model's own.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from conceptspace.models.dropout import refill
from conceptspace.models.guidance import Guide, Predict, guided
from conceptspace.models.network import Sites


class Draws(NamedTuple):
    """Every random number of one evaluation of the loss.

    Attributes:
        times: antithetic in [0, 1], (batch,): one uniform offset, then evenly spaced.
        noise: standard normal, shaped like the images.
        dropout: what the network's `draw_dropout` gave, a row an image; None for no dropout.
    """

    times: Tensor
    noise: Tensor
    dropout: Tensor | None

    def rows(self, rows: slice) -> "Draws":
        """Those of some images."""
        dropout = None if self.dropout is None else self.dropout[rows]
        return Draws(self.times[rows], self.noise[rows], dropout)

    def redraw(self, generator: torch.Generator) -> None:
        """Draw all of it anew, into the same memory, on a GPU."""
        self.times.copy_(antithetic_times(len(self.times), generator))
        self.noise.normal_(generator=generator)
        if self.dropout is not None:
            refill(self.dropout, generator)


class Bound(NamedTuple):
    """The loss and its terms, one row an image: for a `VDM` the variational bound (equation 11) in
    bits per dimension. A loss that is no bound has one term only.
    """

    total: Float[Tensor, " batch"]
    diffusion: Float[Tensor, " batch"]
    prior: Float[Tensor, " batch"]
    reconstruction: Float[Tensor, " batch"]


class Denoiser(nn.Module, ABC):
    """A network that learns from data with noise added, and samples by taking noise away.

    Args:
        network: an `nn.Module` with `condition` and `denoise`.
        data_range: what images in [0, 1] are mapped to before noise is added.
    """

    loss_unit: str

    def __init__(self, network: nn.Module, data_range: tuple[float, float]) -> None:
        super().__init__()
        self.network = network
        low, high = data_range
        self.shift, self.scale = low, high - low

    def condition(self, vectors: Float[Tensor, "batch condition"]) -> Sites:
        """What the condition adds at each site of the network."""
        return self.network.condition(vectors)  # type: ignore[operator]

    def draw(self, shape: tuple[int, ...], generator: torch.Generator) -> Draws:
        """Draw what `bound_given` needs for images of a shape, on the generator's device."""
        times = antithetic_times(shape[0], generator)
        noise = torch.randn(shape, generator=generator, device=generator.device)
        draw_dropout = getattr(self.network, "draw_dropout", None)
        if not self.training or draw_dropout is None:
            return Draws(times, noise, None)
        return Draws(times, noise, draw_dropout(shape, generator))

    def bound(
        self,
        images: Float[Tensor, "batch *shape"],
        vectors: Float[Tensor, "batch condition"],
        generator: torch.Generator,
    ) -> Bound:
        """The loss at one antithetic draw of times and noise."""
        return self.bound_given(images, vectors, self.draw(tuple(images.shape), generator))

    @abstractmethod
    def bound_given(
        self,
        images: Float[Tensor, "batch *shape"],
        vectors: Float[Tensor, "batch condition"],
        draws: Draws,
    ) -> Bound:
        """The loss as a function of its random numbers, for loops that draw them elsewhere."""

    @abstractmethod
    def sample(
        self,
        sites: Sites,
        shape: tuple[int, ...],
        generator: torch.Generator,
        callback: Callable[[int, Tensor], None] | None = None,
        guide: Guide | None = None,
    ) -> Tensor:
        """Draw as many images as `sites` has rows.

        Args:
            sites: what `condition` returned, perhaps changed by an intervention.
            shape: channels, height, width.
            generator: where all noise comes from.
            callback: called with the step's index and z after each step.
            guide: the hidden condition and each row's guidance weight; none for weight 1.

        Returns:
            the images, not clipped: (batch, *shape).
        """

    @abstractmethod
    def sample_noise(self) -> float:
        """Standard deviation of the pixel noise that samples carry by construction."""

    def run_network(
        self, z_t: Tensor, time: Tensor, sites: Sites, dropout: Tensor | None = None
    ) -> Tensor:
        """The network's output at times in [0, 1], one a row or one for all."""
        more = () if dropout is None else (dropout,)
        return self.network.denoise(z_t, time, sites, *more)  # type: ignore[operator]

    def start(
        self, sites: Sites, shape: tuple[int, ...], generator: torch.Generator
    ) -> Float[Tensor, "batch *shape"]:
        """Pure noise for as many images as `sites` has rows."""
        some_site = next(iter(sites.values()))
        size = (len(some_site), *shape)
        return torch.randn(size, generator=generator, device=some_site.device)

    def as_images(self, data: Tensor) -> Tensor:
        """From the data range back to [0, 1]."""
        return (data - self.shift) / self.scale

    def estimate(
        self,
        predict: Predict,
        z_t: Tensor,
        at: Float[Tensor, " one"],
        sites: Sites,
        guide: Guide | None,
        guided_rows: Tensor | None,
    ) -> Tensor:
        """What a sampler goes by: `predict` for all rows, guided where that is asked for.

        As many rows go through the network at a time as its execution puts through at once.

        Args:
            predict: the network with what turns its output into an estimate.
            z_t: noisy data.
            at: where in the schedule, the same for every row.
            sites: the condition of each row.
            guide: the hidden condition and the weights.
            guided_rows: `guide.guided_rows()`, found once for all steps of a sampler.
        """
        execution = getattr(self.network, "execution", None)
        parts = row_parts(len(z_t), None if execution is None else execution.micro_batch)
        predicted = [
            predict(z_t[rows], at, {site: value[rows] for site, value in sites.items()})
            for rows in parts
        ]
        whole = predicted[0] if len(parts) == 1 else torch.cat(predicted)
        if guide is None or guided_rows is None:
            return whole
        return guided(whole, predict, z_t, at, guide, guided_rows)


def row_parts(num: int, most: int | None) -> list[slice]:
    """Rows 0 to `num` in parts of at most so many; in one part for None."""
    size = num if most is None else min(num, most)
    return [slice(start, start + size) for start in range(0, num, max(size, 1))]


def antithetic_times(batch: int, generator: torch.Generator) -> Float[Tensor, " batch"]:
    """Evenly spaced times in [0, 1], moved by one uniform offset (Kingma et al. 2021, I.1)."""
    offset = torch.rand((), generator=generator, device=generator.device)
    return (offset + torch.arange(batch, device=generator.device)) / batch
