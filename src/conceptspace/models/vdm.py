"""The conditional variational diffusion model in continuous time (Kingma et al. 2021).

Equation numbers are those of arXiv 2107.00630. gamma(t) = -log SNR(t), alpha^2 = sigmoid(-gamma),
sigma^2 = sigmoid(gamma), z_t = alpha x + sigma eps.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from conceptspace.models.denoiser import Bound, Denoiser, Draws
from conceptspace.models.guidance import Guide
from conceptspace.models.network import Sites
from conceptspace.models.schedule import LinearSchedule
from conceptspace.models.settings import DiffusionSettings


class VDM(Denoiser):
    """A denoising network with a noise schedule.

    Args:
        network: an `nn.Module` with `condition` and `denoise`.
        settings: schedule, data noise and sampling steps.
    """

    loss_unit = "bits per dimension"

    def __init__(self, network: nn.Module, settings: DiffusionSettings) -> None:
        super().__init__(network, settings.data_range)
        self.settings = settings
        self.schedule = LinearSchedule(
            settings.gamma_start, settings.gamma_end, learned=settings.learned_schedule
        )

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
        return self.run_network(z_t, time, sites, dropout) + z_t

    def bound_given(
        self,
        images: Float[Tensor, "batch *shape"],
        vectors: Float[Tensor, "batch condition"],
        draws: Draws,
    ) -> Bound:
        """The bound at given times and noise (equations 11, 15 and 17).

        The reconstruction term is its expectation in closed form; published code draws it.
        """
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
        """Ancestral sampling (equations 32 to 34); the arguments are those of every `Denoiser`.

        Returns:
            z_0, the image, not clipped: (batch, *shape).
        """
        z = self.start(sites, shape, generator)
        times = torch.linspace(1.0, 0.0, self.settings.sampling_steps + 1, device=z.device)
        gammas = self.schedule(times)
        rows = None if guide is None else guide.guided_rows()
        for i in range(self.settings.sampling_steps):
            gamma_t, gamma_s = gammas[i : i + 1], gammas[i + 1 : i + 2]
            predicted = self.estimate(self.predict_noise, z, gamma_t, sites, guide, rows)
            noise = torch.randn(z.shape, generator=generator, device=z.device)
            z = ancestral_step(z, predicted, noise, gamma_t, gamma_s)
            if callback is not None:
                callback(i, z)
        return self.as_images(z)

    def sample_noise(self) -> float:
        """Standard deviation of the noise that samples carry: exp(gamma(0)/2) over the range."""
        return math.exp(self.schedule.ends()[0] / 2) / self.scale


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
