"""The conditional variational diffusion model in continuous time (Kingma et al. 2021).

Equation numbers are those of arXiv 2107.00630. gamma(t) = -log SNR(t), alpha^2 = sigmoid(-gamma),
sigma^2 = sigmoid(gamma), z_t = alpha x + sigma eps.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from conceptspace.models.dropout import refill
from conceptspace.models.guidance import Guide, guided
from conceptspace.models.network import Sites
from conceptspace.models.schedule import LinearSchedule
from conceptspace.models.settings import DiffusionSettings


class Draws(NamedTuple):
    """Every random number of one evaluation of the bound.

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
    """The variational bound and its terms (equation 11), bits per dimension, one row an image."""

    total: Float[Tensor, " batch"]
    diffusion: Float[Tensor, " batch"]
    prior: Float[Tensor, " batch"]
    reconstruction: Float[Tensor, " batch"]


class VDM(nn.Module):
    """A denoising network with a noise schedule.

    Args:
        network: an `nn.Module` with `condition` and `denoise`.
        settings: schedule, data noise and sampling steps.
    """

    loss_unit = "bits per dimension"

    def __init__(self, network: nn.Module, settings: DiffusionSettings) -> None:
        super().__init__()
        self.network = network
        self.settings = settings
        low, high = settings.data_range
        self.shift, self.scale = low, high - low
        self.schedule = LinearSchedule(
            settings.gamma_start, settings.gamma_end, learned=settings.learned_schedule
        )

    def condition(self, vectors: Float[Tensor, "batch condition"]) -> Sites:
        """What the condition adds at each site of the network."""
        return self.network.condition(vectors)  # type: ignore[operator]

    def predict_noise(
        self,
        z_t: Tensor,
        gamma_t: Float[Tensor, " batch"],
        sites: Sites,
        dropout: Tensor | None = None,
    ) -> Tensor:
        """Estimated noise: the network's output plus z_t, as published."""
        span = self.settings.gamma_end - self.settings.gamma_start
        time = (gamma_t - self.settings.gamma_start) / span
        more = () if dropout is None else (dropout,)
        return self.network.denoise(z_t, time, sites, *more) + z_t  # type: ignore[operator]

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
        """The bound at one antithetic draw of times and noise (equations 11, 15 and 17).

        The reconstruction term is its expectation in closed form; published code draws it.
        """
        return self.bound_given(images, vectors, self.draw(tuple(images.shape), generator))

    def bound_given(
        self,
        images: Float[Tensor, "batch *shape"],
        vectors: Float[Tensor, "batch condition"],
        draws: Draws,
    ) -> Bound:
        """The bound as a function of its random numbers, for loops that draw them elsewhere."""
        batch, noise = len(images), draws.noise
        images = self.shift + self.scale * images
        gamma_t = self.schedule(draws.times)
        alpha, sigma = alpha_sigma(gamma_t, images.ndim)
        predicted = self.predict_noise(
            alpha * images + sigma * noise, gamma_t, self.condition(vectors), draws.dropout
        )
        squared_error = (predicted - noise).square().flatten(1).sum(1)
        bits = 1.0 / (images[0].numel() * math.log(2.0))
        diffusion = bits * 0.5 * self.schedule.derivative() * squared_error
        prior = bits * self._prior(images)
        reconstruction = self._reconstruction().expand(batch) / math.log(2.0)
        return Bound(diffusion + prior + reconstruction, diffusion, prior, reconstruction)

    def _prior(self, images: Tensor) -> Tensor:
        """KL(q(z_1 | x) || N(0, 1)) in nats, summed over pixels."""
        gamma_end = self.schedule(images.new_ones(()))
        variance = torch.sigmoid(gamma_end)
        kl = 0.5 * ((1 - variance) * images.square() + variance - 1 - torch.log(variance))
        return kl.flatten(1).sum(1)

    def _reconstruction(self) -> Tensor:
        """-E log N(x; z_0 / alpha_0, data_noise) in nats a dimension; the same for every image.

        It is the density of images in [0, 1], whatever range they are mapped to.
        """
        gamma_start = self.schedule(self.schedule.intercept.new_zeros(()))
        # (z_0 / alpha_0 - x)^2 = exp(gamma(0)) eps^2 where x has the data range.
        squared_error = gamma_start.exp() / self.scale**2
        scale = self.settings.data_noise
        return 0.5 * squared_error / scale**2 + math.log(scale) + 0.5 * math.log(2 * math.pi)

    @torch.no_grad()
    def sample(
        self,
        sites: Sites,
        shape: tuple[int, ...],
        generator: torch.Generator,
        callback: Callable[[int, Tensor], None] | None = None,
        guide: Guide | None = None,
    ) -> Tensor:
        """Ancestral sampling (equations 32 to 34) of as many images as `sites` has rows.

        Args:
            sites: what `condition` returned, perhaps changed by an intervention.
            shape: channels, height, width.
            generator: where all noise comes from.
            callback: called with the step's index and z after each step.
            guide: the hidden condition and each row's guidance weight; none for weight 1.

        Returns:
            z_0, the image, not clipped: (batch, *shape).
        """
        some_site = next(iter(sites.values()))
        batch, device = len(some_site), some_site.device
        z = torch.randn((batch, *shape), generator=generator, device=device)
        times = torch.linspace(1.0, 0.0, self.settings.sampling_steps + 1, device=device)
        gammas = self.schedule(times)
        rows = None if guide is None else guide.guided_rows()
        for i in range(self.settings.sampling_steps):
            gamma_t, gamma_s = gammas[i : i + 1], gammas[i + 1 : i + 2]
            predicted = self._predict_in_parts(z, gamma_t, sites)
            if guide is not None and rows is not None:
                predicted = guided(predicted, self.predict_noise, z, gamma_t, guide, rows)
            noise = torch.randn(z.shape, generator=generator, device=device)
            z = ancestral_step(z, predicted, noise, gamma_t, gamma_s)
            if callback is not None:
                callback(i, z)
        return (z - self.shift) / self.scale

    def _predict_in_parts(self, z_t: Tensor, gamma_t: Tensor, sites: Sites) -> Tensor:
        """`predict_noise` for as many rows at a time as the execution puts through at once."""
        execution = getattr(self.network, "execution", None)
        parts = row_parts(len(z_t), None if execution is None else execution.micro_batch)
        if len(parts) == 1:
            return self.predict_noise(z_t, gamma_t, sites)
        predicted = [
            self.predict_noise(z_t[rows], gamma_t, {s: value[rows] for s, value in sites.items()})
            for rows in parts
        ]
        return torch.cat(predicted)

    def sample_noise(self) -> float:
        """Standard deviation of the noise that samples carry: exp(gamma(0)/2) over the range."""
        return math.exp(self.schedule.ends()[0] / 2) / self.scale


def row_parts(num: int, most: int | None) -> list[slice]:
    """Rows 0 to `num` in parts of at most so many; in one part for None."""
    size = num if most is None else min(num, most)
    return [slice(start, start + size) for start in range(0, num, max(size, 1))]


def antithetic_times(batch: int, generator: torch.Generator) -> Float[Tensor, " batch"]:
    """Evenly spaced times in [0, 1], moved by one uniform offset (appendix I.1)."""
    offset = torch.rand((), generator=generator, device=generator.device)
    return (offset + torch.arange(batch, device=generator.device)) / batch


def alpha_sigma(gamma: Float[Tensor, " batch"], ndim: int) -> tuple[Tensor, Tensor]:
    """alpha and sigma, shaped to multiply a batch with `ndim` dimensions."""
    shaped = gamma.view(-1, *(1,) * (ndim - 1))
    return torch.sigmoid(-shaped).sqrt(), torch.sigmoid(shaped).sqrt()


def ancestral_step(
    z_t: Tensor, predicted_noise: Tensor, noise: Tensor, gamma_t: Tensor, gamma_s: Tensor
) -> Tensor:
    """A draw of z_s given z_t, for s < t (equations 32 to 34)."""
    alpha_t, sigma_t = alpha_sigma(gamma_t, z_t.ndim)
    alpha_s, sigma_s = alpha_sigma(gamma_s, z_t.ndim)
    share = -torch.expm1(gamma_s - gamma_t)
    mean = alpha_s / alpha_t * (z_t - share * sigma_t * predicted_noise)
    return mean + sigma_s * share.sqrt() * noise
