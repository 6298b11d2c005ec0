"""What the U-Net is made of: residual blocks, self-attention, and the embedding of the time."""

import math

import torch
from jaxtyping import Float, Int16
from torch import Tensor, nn
from torch.nn import functional

from conceptspace.models.dropout import dropped
from conceptspace.models.settings import SharedEmbedding, UNetSettings

GROUP_NORM_EPSILON = 1e-6  # published


class ResidualBlock(nn.Module):
    """Two convolutions; time and condition are added after the first."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        time_width: int,
        condition_width: int,
        settings: UNetSettings,
    ) -> None:
        super().__init__()
        groups = settings.num_groups
        self.norm1 = nn.GroupNorm(groups, width_in, eps=GROUP_NORM_EPSILON)
        self.convolution1 = nn.Conv2d(width_in, width_out, 3, padding=1)
        self.time = embedding_mlp(time_width, width_out, width_out)
        if isinstance(settings.embedding, SharedEmbedding):
            self.condition = nn.Linear(condition_width, width_out)
            if settings.embedding.starts_at_zero:
                zeroed(self.condition)
        else:
            self.condition = embedding_mlp(condition_width, width_out, width_out)
        self.norm2 = nn.GroupNorm(groups, width_out, eps=GROUP_NORM_EPSILON)
        self.dropout = settings.dropout
        self.convolution2 = zeroed(nn.Conv2d(width_out, width_out, 3, padding=1))
        self.shortcut = (
            nn.Conv2d(width_in, width_out, 1) if width_in != width_out else nn.Identity()
        )

    def forward(
        self,
        hidden: Float[Tensor, "batch channel height width"],
        added: Float[Tensor, "batch_or_one out"],
        bits: Int16[Tensor, "batch out height width"] | None,
    ) -> Float[Tensor, "batch out height width"]:
        inner = self.convolution1(functional.gelu(self.norm1(hidden)))
        # In the features' own type: a float32 term would make all that follows float32.
        inner = functional.gelu(self.norm2(inner + added[:, :, None, None].to(inner.dtype)))
        if bits is not None:
            inner = dropped(inner, bits, self.dropout)
        return self.shortcut(hidden) + self.convolution2(inner)


class SelfAttention(nn.Module):
    """Multi-head self-attention over the pixels, added to its input."""

    def __init__(self, width: int, num_heads: int, num_groups: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm = nn.GroupNorm(num_groups, width, eps=GROUP_NORM_EPSILON)
        self.query_key_value = nn.Conv2d(width, 3 * width, 1)
        self.project = nn.Conv2d(width, width, 1)

    def forward(
        self, hidden: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch channel height width"]:
        batch, channels, height, width = hidden.shape
        packed = self.query_key_value(self.norm(hidden)).flatten(2)
        heads = packed.view(batch, 3, self.num_heads, channels // self.num_heads, height * width)
        query, key, value = heads.transpose(-1, -2).unbind(1)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return hidden + self.project(
            mixed.transpose(-1, -2).reshape(batch, channels, height, width)
        )


def sinusoidal_features(
    time: Float[Tensor, " batch"], num_features: int
) -> Float[Tensor, "batch features"]:
    """Sines and cosines of time x 1000 with periods from 1 to 1e4 times 2 pi, evenly in the log."""
    half = num_features // 2
    exponents = torch.arange(half, device=time.device, dtype=time.dtype) / max(half - 1, 1)
    angles = 1000.0 * time[:, None] * torch.exp(-math.log(1e4) * exponents)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def embedding_mlp(width_in: int, width_hidden: int, width_out: int) -> nn.Sequential:
    """The published embedding of a time or a condition: GELU after both layers."""
    return nn.Sequential(
        nn.Linear(width_in, width_hidden), nn.GELU(), nn.Linear(width_hidden, width_out), nn.GELU()
    )


def zeroed(layer: nn.Module) -> nn.Module:
    """The layer, its weights set to zero."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
