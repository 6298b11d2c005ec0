"""A small conditional variational autoencoder: a model that is no diffusion model and no U-Net.

It proves that measuring and elicitation need nothing but the adapter protocol.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class ConditionalVAE(nn.Module):
    """Encoder and decoder are MLPs; the condition is embedded once and joined to the latent."""

    def __init__(self, image_shape: tuple[int, int, int], condition_width: int) -> None:
        super().__init__()
        self.image_shape = image_shape
        pixels = image_shape[0] * image_shape[1] * image_shape[2]
        self.embedding = nn.Sequential(nn.Linear(condition_width, 32), nn.GELU(), nn.Linear(32, 16))
        self.encoder = nn.Sequential(nn.Linear(pixels + 16, 128), nn.GELU(), nn.Linear(128, 16))
        self.decoder = nn.Sequential(nn.Linear(8 + 16, 128), nn.GELU(), nn.Linear(128, pixels))

    def decode(self, latent: Tensor, embedded: Tensor) -> Tensor:
        flat = self.decoder(torch.cat([latent, embedded], dim=1))
        return flat.view(-1, *self.image_shape).sigmoid()

    def loss(self, images: Tensor, vectors: Tensor, generator: torch.Generator) -> Tensor:
        embedded = self.embedding(vectors)
        mean, log_variance = self.encoder(torch.cat([images.flatten(1), embedded], 1)).chunk(2, 1)
        noise = torch.randn(mean.shape, generator=generator)
        decoded = self.decode(mean + (0.5 * log_variance).exp() * noise, embedded)
        error = (decoded - images).square().flatten(1).sum(1) / (2 * 0.1**2)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
        return (error + divergence).mean()


class VAEAdapter:
    """The autoencoder's decoder as an adapter, with one site: the embedding."""

    def __init__(self, model: ConditionalVAE) -> None:
        self.model = model

    def encode(self, vectors: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            return {"embedding": self.model.embedding(vectors)}

    def sample(self, conditioning: dict[str, Tensor], generator: torch.Generator) -> Tensor:
        embedded = conditioning["embedding"]
        with torch.no_grad():
            return self.model.decode(torch.randn((len(embedded), 8), generator=generator), embedded)

    def sites(self) -> tuple[str, ...]:
        return ("embedding",)

    def conditioning_parameters(self) -> Mapping[str, Tensor]:
        return {f"embedding.{name}": p for name, p in self.model.embedding.named_parameters()}

    def sample_noise(self) -> float:
        return 0.0
