"""The conditional U-Net, split into `condition` (h to what each block adds) and `denoise`.

The condition does not depend on the diffusion time, so a sampler computes it once for all its
steps, and an intervention can change it in between.
"""

import functools
import itertools
import math
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, Int16
from torch import Tensor, nn
from torch.nn import functional

from conceptspace.models.blocks import (
    GROUP_NORM_EPSILON,
    ResidualBlock,
    SelfAttention,
    embedding_mlp,
    sinusoidal_features,
    zeroed,
)
from conceptspace.models.dropout import random_bits
from conceptspace.models.execution import Execution
from conceptspace.models.settings import SharedEmbedding, UNetSettings

_COMPILED_ROWS = 256


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
        self.time_embedding = embedding_mlp(settings.time_features, time_width, time_width)
        self.shared_embedding: nn.Module = nn.Identity()
        block_condition = condition_width
        if isinstance(settings.embedding, SharedEmbedding):
            block_condition = settings.embedding.width
            self.shared_embedding = embedding_mlp(condition_width, block_condition, block_condition)

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
        self.convolution_out = zeroed(nn.Conv2d(widths[0], image_channels, 3, padding=1))
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

    def sites(self) -> tuple[str, ...]:
        """Every residual block: what the condition adds is added in it."""
        return tuple(self.blocks())

    def conditioning_parameters(self) -> Mapping[str, Tensor]:
        """The shared embedding and each block's own part, by their name in the network."""
        shared = self.shared_embedding.named_parameters()
        path = {f"shared_embedding.{name}": value for name, value in shared}
        blocks = {id(block): name for name, block in self.named_modules()}
        for block in self.blocks().values():
            prefix = f"{blocks[id(block)]}.condition"
            own = block.condition.named_parameters()
            path |= {f"{prefix}.{name}": value for name, value in own}
        return path

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
            return self._run_compiled(z_t, added, bits).float()

    def _run_compiled(
        self, z_t: Tensor, added: dict[str, Tensor], bits: dict[str, Tensor] | None
    ) -> Tensor:
        """`forward`, compiled once for training steps and once for everything else.

        A compiled function is one for one batch size. Where no gradient is asked for, sizes are
        many, and rows go through in parts of one size, the last filled up with copies of its first.
        """
        kind: Any = (self.convolution_in.in_channels, self.width, self.settings)
        compiled = _compiled(*kind)
        parameters: dict[str, Tensor] = dict(self.named_parameters())
        if torch.is_grad_enabled() or bits is not None:
            return compiled(parameters, z_t, added, bits)
        num, parts = len(z_t), []
        for start in range(0, num, _COMPILED_ROWS):
            rows = torch.arange(start, start + _COMPILED_ROWS, device=z_t.device)
            rows = torch.where(rows < num, rows, start)
            part = {site: value[rows % len(value)] for site, value in added.items()}
            parts.append(compiled(parameters, z_t[rows], part, None))
        return torch.cat(parts)[:num]

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

    return torch.compile(call, dynamic=False, fullgraph=True)
