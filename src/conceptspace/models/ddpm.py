"""Denoising diffusion in discrete steps, trained to predict the noise (Ho et al. 2020).

Equation numbers are those of arXiv 2006.11239. abar_t, the share of the data's variance that is
left after t steps, is kept as gamma_t = log((1 - abar_t) / abar_t), which is -log SNR as in the
`VDM`: z_t = sqrt(abar_t) x + sqrt(1 - abar_t) eps, and q(z_s | z_t, x) is the same function of it.
"""

import itertools
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from conceptspace.models.denoiser import Bound, Denoiser, Draws
from conceptspace.models.guidance import Guide
from conceptspace.models.network import Sites
from conceptspace.models.schedule import NoSchedule
from conceptspace.models.settings import DDPMSettings
from conceptspace.models.vdm import alpha_sigma, ancestral_step


class DDPM(Denoiser):
    """A network that predicts the noise in data, all noise levels counting alike.

    Args:
        network: an `nn.Module` with `condition` and `denoise`.
        settings: the noising process and the steps of the sampler.
    """

    loss_unit = "squared error of the noise"
    gammas: Tensor

    def __init__(self, network: nn.Module, settings: DDPMSettings) -> None:
        super().__init__(network, settings.data_range)
        self.settings = settings
        self.schedule = NoSchedule()
        # It follows from the settings, so no checkpoint needs to hold it.
        self.register_buffer("gammas", noise_levels(settings), persistent=False)

    def predict_noise(
        self,
        z_t: Tensor,
        time: Float[Tensor, " batch_or_one"],
        sites: Sites,
        dropout: Tensor | None = None,
    ) -> Tensor:
        """Estimated noise at time t / T, for t = 1 to T: the network's output plus z_t.

        That is the `VDM`'s form, so that the loss is all that differs.
        """
        return self.run_network(z_t, time, sites, dropout) + z_t

    def bound_given(
        self,
        images: Float[Tensor, "batch *shape"],
        vectors: Float[Tensor, "batch condition"],
        draws: Draws,
    ) -> Bound:
        """The squared error of the noise, a mean over pixels (equation 14); no bound, all of it in
        the diffusion term."""
        last = self.settings.num_timesteps
        t = (draws.times * last).long().clamp(max=last - 1) + 1
        alpha, sigma = alpha_sigma(self.gammas[t], images.ndim)
        z_t = alpha * (self.shift + self.scale * images) + sigma * draws.noise
        predicted = self.predict_noise(z_t, t / last, self.condition(vectors), draws.dropout)
        error = (predicted - draws.noise).square().flatten(1).mean(1)
        none = torch.zeros_like(error)
        return Bound(error, error, none, none)

    @torch.no_grad()
    def sample(
        self,
        sites: Sites,
        shape: tuple[int, ...],
        generator: torch.Generator,
        callback: Callable[[int, Tensor], None] | None = None,
        guide: Guide | None = None,
    ) -> Tensor:
        """Ancestral sampling (equations 6 and 7, with the posterior's own variance); the arguments
        are those of every `Denoiser`. The last step draws nothing, since its variance is 0.
        """
        z = self.start(sites, shape, generator)
        steps = [*sampled_steps(self.settings), 0]
        rows = None if guide is None else guide.guided_rows()
        for i, (t, s) in enumerate(itertools.pairwise(steps)):
            time = torch.full((1,), t / self.settings.num_timesteps, device=z.device)
            predicted = self.estimate(self.predict_noise, z, time, sites, guide, rows)
            noise = torch.randn(z.shape, generator=generator, device=z.device)
            z = ancestral_step(z, predicted, noise, self.gammas[t : t + 1], self.gammas[s : s + 1])
            if callback is not None:
                callback(i, z)
        return self.as_images(z)

    def sample_noise(self) -> float:
        """Samples carry no noise: the last step adds none."""
        return 0.0


def noise_levels(settings: DDPMSettings) -> Float[Tensor, " step"]:
    """gamma_t after t = 0 to T steps; minus infinity before the first, where there is no noise."""
    betas = np.linspace(settings.beta_start, settings.beta_end, settings.num_timesteps)
    log_left = np.cumsum(np.log1p(-betas))
    gammas = np.log(-np.expm1(log_left)) - log_left
    return torch.from_numpy(np.concatenate([[-np.inf], gammas]).astype(np.float32))


def sampled_steps(settings: DDPMSettings) -> list[int]:
    """The steps, falling from T to 1, that the sampler looks at."""
    if settings.sampling_steps == 1:
        return [settings.num_timesteps]
    steps = np.linspace(settings.num_timesteps, 1, settings.sampling_steps)
    return [int(step) for step in np.rint(steps)]
