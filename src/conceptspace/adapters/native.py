"""The adapter of the built-in models: diffusion of any kind, flow matching, and regression."""

from collections.abc import Mapping

import torch
from torch import Tensor

from conceptspace.adapters.hooks import evaluating
from conceptspace.adapters.protocol import Conditioning
from conceptspace.models.denoiser import Denoiser
from conceptspace.models.guidance import Guide
from conceptspace.models.network import ConditionalNetwork
from conceptspace.models.regression import Model


class NativeAdapter:
    """Shows a `Denoiser` or a `Regression` over a `UNet` or an `MLP` as an `Adapter`.

    Args:
        model: the model to look at.
        image_shape: channels, height, width of its images, or the dimension of its vectors.
        batch_size: rows sampled at once; larger requests are cut into such batches.
    """

    def __init__(self, model: Model, image_shape: tuple[int, ...], batch_size: int = 256) -> None:
        if not isinstance(model.network, ConditionalNetwork):
            raise TypeError(
                f"model.network must be a UNet or an MLP, not {type(model.network).__name__}: "
                "write an adapter of your own for other networks"
            )
        self.model = model
        self.network = model.network
        self.image_shape = image_shape
        self.batch_size = batch_size

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def sites(self) -> tuple[str, ...]:
        return self.network.sites()

    @torch.no_grad()
    def encode(self, vectors: Tensor) -> Conditioning:
        return self.model.condition(vectors.to(self.device))

    @torch.no_grad()
    def sample(self, conditioning: Conditioning, generator: torch.Generator) -> Tensor:
        images = []
        with evaluating(self.model):
            for rows in self._batches(conditioning):
                part = {site: value[rows] for site, value in conditioning.items()}
                images.append(self.model.sample(part, self.image_shape, generator))
        return torch.cat(images)

    @torch.no_grad()
    def sample_guided(
        self,
        conditioning: Conditioning,
        unconditional: Conditioning,
        weights: Tensor,
        generator: torch.Generator,
    ) -> Tensor:
        """Like `sample`, under classifier-free guidance.

        Raises:
            TypeError: if the model is a regression, which has no noise estimate to guide.
        """
        if not isinstance(self.model, Denoiser):
            raise TypeError(
                f"model: {type(self.model).__name__} has no noise estimate that could be guided; "
                "leave Guidance out of the elicitation methods"
            )
        images = []
        with evaluating(self.model):
            for rows in self._batches(conditioning):
                part = {site: value[rows] for site, value in conditioning.items()}
                guide = Guide(unconditional, weights[rows])
                images.append(self.model.sample(part, self.image_shape, generator, guide=guide))
        return torch.cat(images)

    def _batches(self, conditioning: Conditioning) -> list[slice]:
        num = len(next(iter(conditioning.values())))
        starts = range(0, num, self.batch_size)
        return [slice(start, start + self.batch_size) for start in starts]

    def conditioning_parameters(self) -> Mapping[str, Tensor]:
        """Parameters by their name in the model, as the network names them in itself."""
        path = self.network.conditioning_parameters()
        return {f"network.{name}": value for name, value in path.items()}

    def sample_noise(self) -> float:
        return self.model.sample_noise()
