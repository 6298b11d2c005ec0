"""The conditional U-Net, split into `condition` (h to what each block adds) and `denoise`.

The condition does not depend on the diffusion time, so a sampler computes it once for all its
steps, and an intervention can change it in between.
"""

import functools
import itertools
import math
from typing import Any, TypeVar

import torch
from jaxtyping import Float, Int16
from torch import Tensor, nn
from torch.nn import functional

from conceptspace.models.dropout import dropped, random_bits
from conceptspace.models.execution import Execution
from conceptspace.models.settings import SharedEmbedding, UNetSettings

GROUP_NORM_EPSILON = 1e-6  # published


Placeable = TypeVar("Placeable", bound=nn.Module)


class UNet(nn.Module):
    """Predicts a correction to the noise from a noisy image, a time and a condition.

    With the default settings and 11 conditioning entries it has the paper's 10 635 011 parameters.

    Args:
        image_channels: channels of the image.
        condition_width: number of entries of h.
        settings: sizes.
    """

    def __init__(self, image_channels: int, condition_width: int, settings: UNetSettings) -> None:
        super().__init__()
        self.settings = settings
        self.execution = Execution()
        self.width = condition_width
        widths = settings.widths
        time_width = 4 * settings.time_features
        self.time_embedding = _mlp(settings.time_features, time_width, time_width)
        self.shared_embedding: nn.Module = nn.Identity()
        block_condition = condition_width
        if isinstance(settings.embedding, SharedEmbedding):
            block_condition = settings.embedding.width
            self.shared_embedding = _mlp(condition_width, block_condition, block_condition)

        def blocks(width_in: int, width_out: int, num: int) -> nn.ModuleList:
            inputs = [width_in] + [width_out] * (num - 1)
            return nn.ModuleList(
                ResidualBlock(width, width_out, time_width, block_condition, settings)
                for width in inputs
            )

        self.convolution_in = nn.Conv2d(image_channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            blocks(widths[max(i - 1, 0)], width, settings.num_blocks)
            for i, width in enumerate(widths)
        )
        self.shrink = nn.ModuleList(nn.Conv2d(w, w, 2, stride=2) for w in widths[:-1])
        self.middle = blocks(widths[-1], widths[-1], 2)
        self.attention = (
            SelfAttention(widths[-1], settings.num_heads, settings.num_groups)
            if settings.num_heads
            else nn.Identity()
        )
        # Going up, a level's input is the level below and, but at the bottom, the skip.
        skips = [*widths[:-1], 0]
        self.up = nn.ModuleList(
            blocks(width + skip, width, settings.num_blocks) for width, skip in zip(widths, skips)
        )
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(deep, wide, 2, stride=2) for wide, deep in itertools.pairwise(widths)
        )
        self.norm_out = nn.GroupNorm(settings.num_groups, widths[0], eps=GROUP_NORM_EPSILON)
        self.convolution_out = _zeroed(nn.Conv2d(widths[0], image_channels, 3, padding=1))
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.mul_(settings.initial_scale)

    def blocks(self) -> dict[str, "ResidualBlock"]:
        """Every residual block by its site name, in the order of computation."""
        named = {
            f"down.{i}.{j}": block
            for i, level in enumerate(self.down)
            for j, block in enumerate(level)  # type: ignore[arg-type]
        }
        named |= {f"middle.{j}": block for j, block in enumerate(self.middle)}
        named |= {
            f"up.{i}.{j}": block
            for i in reversed(range(len(self.up)))
            for j, block in enumerate(self.up[i])  # type: ignore[arg-type]
        }
        return named

    def condition(
        self, vectors: Float[Tensor, "batch condition"]
    ) -> dict[str, Float[Tensor, "batch _"]]:
        """What the condition adds inside each residual block: site name to (batch, width)."""
        embedded = self.shared_embedding(vectors)
        return {site: block.condition(embedded) for site, block in self.blocks().items()}

    def denoise(
        self,
        z_t: Float[Tensor, "batch channel height width"],
        time: Float[Tensor, " batch_or_one"],
        sites: dict[str, Float[Tensor, "batch _"]],
        dropout_bits: Int16[Tensor, "batch bits"] | None = None,
    ) -> Float[Tensor, "batch channel height width"]:
        """The network's output for noisy images at scaled times in [0, 1].

        Time and condition are embedded in float32 whatever the precision of the convolutions: they
        cost little, and a rounded condition would be another condition.

        Args:
            z_t: noisy images.
            time: one a row, or one for all.
            sites: what `condition` returned, perhaps changed by an intervention.
            dropout_bits: what `draw_dropout` returned; none for no dropout.
        """
        times = self.time_embedding(sinusoidal_features(time, self.settings.time_features))
        added = {site: block.time(times) + sites[site] for site, block in self.blocks().items()}
        bits = None if dropout_bits is None else self._split(dropout_bits, z_t)
        half = self.execution.precision == "bfloat16"
        with torch.autocast(z_t.device.type, torch.bfloat16, enabled=half):
            if not self.execution.compiled:
                return self(z_t, added, bits).float()
            kind: Any = (self.convolution_in.in_channels, self.width, self.settings)
            compiled = _compiled(*kind)
            return compiled(dict(self.named_parameters()), z_t, added, bits).float()

    def forward(
        self,
        z_t: Float[Tensor, "batch channel height width"],
        added: dict[str, Float[Tensor, "batch _"]],
        bits: dict[str, Int16[Tensor, "batch _ _ _"]] | None = None,
    ) -> Float[Tensor, "batch channel height width"]:
        """The convolutional part, given what time and condition add in each block."""

        def run(level: str, blocks: nn.ModuleList, hidden: Tensor) -> Tensor:
            for j, block in enumerate(blocks):
                site = f"{level}.{j}"
                hidden = block(hidden, added[site], None if bits is None else bits[site])
            return hidden

        hidden = self.convolution_in(z_t)
        skips: list[Tensor] = []
        for i, blocks in enumerate(self.down):
            hidden = run(f"down.{i}", blocks, hidden)  # type: ignore[arg-type]
            if i < len(self.shrink):
                skips.append(hidden)
                hidden = self.shrink[i](hidden)
        first, second = self.middle
        hidden = first(hidden, added["middle.0"], None if bits is None else bits["middle.0"])
        hidden = self.attention(hidden)
        hidden = second(hidden, added["middle.1"], None if bits is None else bits["middle.1"])
        for i in reversed(range(len(self.up))):
            if i < len(self.grow):
                hidden = torch.cat([self.grow[i](hidden), skips[i]], dim=1)
            hidden = run(f"up.{i}", self.up[i], hidden)  # type: ignore[arg-type]
        return self.convolution_out(functional.gelu(self.norm_out(hidden)))

    def draw_dropout(
        self, shape: tuple[int, ...], generator: torch.Generator
    ) -> Int16[Tensor, "batch bits"] | None:
        """The random bits that dropout needs for images of a shape (batch, channels, height,
        width), a row an image; None where nothing is dropped."""
        if self.settings.dropout == 0.0:
            return None
        batch = shape[0]
        num = sum(math.prod(size) for size in self._hidden_shapes(shape).values()) // batch
        return random_bits(batch * num, generator).view(batch, num)

    def _hidden_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, int, int, int]]:
        """Shape (batch, channel, height, width) inside of each block, for images of a shape."""
        batch, _, height, width = shape
        shapes = {}
        for site in self.blocks():
            part, *numbers = site.split(".")
            level = len(self.settings.widths) - 1 if part == "middle" else int(numbers[0])
            channels, shrink = self.settings.widths[level], 2**level
            shapes[site] = (batch, channels, height // shrink, width // shrink)
        return shapes

    def _split(self, bits: Tensor, images: Tensor) -> dict[str, Tensor]:
        """Every block's share of the bits, laid out in memory as the features are."""
        split, start = {}, 0
        for site, (batch, channels, height, width) in self._hidden_shapes(images.shape).items():
            part = bits[:, start : start + channels * height * width]
            start += part.shape[1]
            if self.execution.channels_last:
                split[site] = part.view(batch, height, width, channels).permute(0, 3, 1, 2)
            else:
                split[site] = part.view(batch, channels, height, width)
        return split


def placed(model: Placeable, execution: Execution) -> Placeable:
    """A model over a `UNet`, set to be computed in another way; its weights stay what they are.

    A copy of it is computed like it, and so are weights that are loaded into it.

    Args:
        model: with the U-Net as its `network`.
        execution: device, precision and layout in memory.
    """
    network = model.network
    if isinstance(network, UNet):
        layout = torch.channels_last if execution.channels_last else torch.contiguous_format
        network.to(memory_format=layout)  # type: ignore[call-overload]
        network.execution = execution
    return model.to(execution.device)


@functools.cache
def _compiled(image_channels: int, condition_width: int, settings: UNetSettings):
    """The convolutional part as a compiled function of its parameters.

    One for all networks of a kind: compiled by itself each would count as another function, and
    torch gives up after a few.
    """
    with torch.device("meta"):
        template = UNet(image_channels, condition_width, settings)

    def call(parameters: dict[str, Tensor], *inputs: object) -> Tensor:
        return torch.func.functional_call(template, parameters, inputs)

    return torch.compile(call, dynamic=False)


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
        self.time = _mlp(time_width, width_out, width_out)
        if isinstance(settings.embedding, SharedEmbedding):
            self.condition = nn.Linear(condition_width, width_out)
            if settings.embedding.starts_at_zero:
                _zeroed(self.condition)
        else:
            self.condition = _mlp(condition_width, width_out, width_out)
        self.norm2 = nn.GroupNorm(groups, width_out, eps=GROUP_NORM_EPSILON)
        self.dropout = settings.dropout
        self.convolution2 = _zeroed(nn.Conv2d(width_out, width_out, 3, padding=1))
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


def _mlp(width_in: int, width_hidden: int, width_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width_in, width_hidden), nn.GELU(), nn.Linear(width_hidden, width_out), nn.GELU()
    )


def _zeroed(layer: nn.Module) -> nn.Module:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
