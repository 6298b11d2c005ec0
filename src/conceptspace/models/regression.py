"""A deterministic model with the face of a diffusion model: the network draws the mean image.

Park et al. 2024 use it to show that their curves are not owed to diffusion. The network sees an
image of zeros in place of z_t, and time 0, so that its time path only adds a constant to every
block. It has neither noise nor a schedule, and its samples are all the same for one condition.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from conceptspace.models.denoiser import Bound, Denoiser, Draws
from conceptspace.models.network import Sites
from conceptspace.models.schedule import NoSchedule
from conceptspace.models.settings import RegressionSettings


class Regression(nn.Module):
    """A network that is trained to draw an image from its condition alone, by squared error.

    Args:
        network: an `nn.Module` with `condition` and `denoise`.
        settings: there is nothing to set.
    """

    loss_unit = "squared error per pixel"

    def __init__(self, network: nn.Module, settings: RegressionSettings) -> None:
        super().__init__()
        self.network = network
        self.settings = settings
        self.schedule = NoSchedule()

    def condition(self, vectors: Float[Tensor, "batch condition"]) -> Sites:
        """What the condition adds at each site of the network."""
        return self.network.condition(vectors)  # type: ignore[operator]

    def predict_image(
        self, sites: Sites, shape: tuple[int, ...], dropout: Tensor | None = None
    ) -> Float[Tensor, "batch *shape"]:
        """The mean image of each row of the sites; `shape` is channels, height, width."""
        some_site = next(iter(sites.values()))
        blank = some_site.new_zeros((len(some_site), *shape))
        more = () if dropout is None else (dropout,)
        return self.network.denoise(blank, blank.new_zeros(1), sites, *more)  # type: ignore[operator]

    def draw(self, shape: tuple[int, ...], generator: torch.Generator) -> Draws:
        """Draw what `bound_given` needs for images of a shape: only dropout is random."""
        nothing = torch.zeros(shape[0], device=generator.device)
        draw_dropout = getattr(self.network, "draw_dropout", None)
        if not self.training or draw_dropout is None:
            return Draws(nothing, nothing, None)
        return Draws(nothing, nothing, draw_dropout(shape, generator))

    def bound(
        self,
        images: Float[Tensor, "batch *shape"],
        vectors: Float[Tensor, "batch condition"],
        generator: torch.Generator,
    ) -> Bound:
        """The loss, by the name that it has in a diffusion model."""
        return self.bound_given(images, vectors, self.draw(tuple(images.shape), generator))

    def bound_given(
        self,
        images: Float[Tensor, "batch *shape"],
        vectors: Float[Tensor, "batch condition"],
        draws: Draws,
    ) -> Bound:
        """The mean squared error of each image, all of it in the reconstruction term."""
        shape = tuple(images.shape[1:])
        predicted = self.predict_image(self.condition(vectors), shape, draws.dropout)
        error = (predicted - images).square().flatten(1).mean(1)
        none = torch.zeros_like(error)
        return Bound(error, none, none, error)

    @torch.no_grad()
    def sample(
        self,
        sites: Sites,
        shape: tuple[int, ...],
        generator: torch.Generator,
        callback: Callable[[int, Tensor], None] | None = None,
    ) -> Tensor:
        """The mean image of each row of the sites (batch, *shape); nothing is drawn.

        Args:
            sites: what `condition` returned, perhaps changed by an intervention.
            shape: channels, height, width.
            generator: not used.
            callback: called once, with 0 and the images.
        """
        images = self.predict_image(sites, shape)
        if callback is not None:
            callback(0, images)
        return images

    def sample_noise(self) -> float:
        """Samples carry no noise."""
        return 0.0


Model = Denoiser | Regression
"""What the built-in loop trains."""
