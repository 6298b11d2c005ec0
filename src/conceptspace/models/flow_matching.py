"""Flow matching on straight lines from data to noise, or rectified flow.

Lipman et al. 2023 (arXiv 2210.02747) and Liu et al. 2023 (arXiv 2209.03003), with time in the
direction of the `VDM`: z_t = (1 - t) x + t eps, data at t = 0 and noise at t = 1. The network
learns the velocity eps - x; its mean given z_t moves noise to data along dz/dt = v(z, t).
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from conceptspace.models.denoiser import Bound, Denoiser, Draws
from conceptspace.models.guidance import Guide
from conceptspace.models.network import Sites
from conceptspace.models.schedule import NoSchedule
from conceptspace.models.settings import FlowMatchingSettings


class FlowMatching(Denoiser):
    """A network that predicts the velocity from data to noise.

    Args:
        network: an `nn.Module` with `condition` and `denoise`.
        settings: the solver and its steps.
    """

    loss_unit = "squared error of the velocity"

    def __init__(self, network: nn.Module, settings: FlowMatchingSettings) -> None:
        super().__init__(network, settings.data_range)
        self.settings = settings
        self.schedule = NoSchedule()

    def predict_velocity(
        self,
        z_t: Tensor,
        time: Float[Tensor, " batch_or_one"],
        sites: Sites,
        dropout: Tensor | None = None,
    ) -> Tensor:
        """Estimated velocity: the network's output."""
        return self.run_network(z_t, time, sites, dropout)

    def bound_given(
        self,
        images: Float[Tensor, "batch *shape"],
        vectors: Float[Tensor, "batch condition"],
        draws: Draws,
    ) -> Bound:
        """The squared error of the velocity, a mean over pixels; no bound, all of it in the
        diffusion term."""
        data = self.shift + self.scale * images
        t = draws.times.view(-1, *(1,) * (images.ndim - 1))
        z_t = (1 - t) * data + t * draws.noise
        predicted = self.predict_velocity(z_t, draws.times, self.condition(vectors), draws.dropout)
        error = (predicted - (draws.noise - data)).square().flatten(1).mean(1)
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
        """Solve dz/dt = v from noise at t = 1 to data at t = 0; the arguments are those of every
        `Denoiser`. After the first draw nothing is random.
        """
        z = self.start(sites, shape, generator)
        times = torch.linspace(1.0, 0.0, self.settings.sampling_steps + 1, device=z.device)
        rows = None if guide is None else guide.guided_rows()
        for i in range(self.settings.sampling_steps):
            time, after = times[i : i + 1], times[i + 1 : i + 2]
            velocity = self.estimate(self.predict_velocity, z, time, sites, guide, rows)
            moved = z + (after - time) * velocity
            if self.settings.solver == "heun":
                there = self.estimate(self.predict_velocity, moved, after, sites, guide, rows)
                moved = z + (after - time) * (velocity + there) / 2
            z = moved
            if callback is not None:
                callback(i, z)
        return self.as_images(z)

    def sample_noise(self) -> float:
        """Samples carry no noise: the flow ends at data."""
        return 0.0
