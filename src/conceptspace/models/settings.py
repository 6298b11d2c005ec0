"""Settings of the networks and of what they learn: diffusion, flows or regression. No torch."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from conceptspace.concepts.settings import Settings, kind_or


class PerBlockEmbedding(Settings):
    """Every residual block embeds h with an MLP of its own, as in the paper's image experiments."""

    kind: Literal["per-block"] = "per-block"


class SharedEmbedding(Settings):
    """One MLP embeds h for all blocks; each block maps it with a linear layer of its own.

    This is the paper's CelebA model, where the linear layers start at zero.
    """

    kind: Literal["shared"] = "shared"
    width: int = Field(default=64, ge=1)
    """Width of both layers of the MLP."""
    starts_at_zero: bool = True
    """Whether the linear layer of each block is initialised to zero."""


ConditionEmbedding = Annotated[PerBlockEmbedding | SharedEmbedding, Field(discriminator="kind")]


class UNetSettings(Settings):
    """The conditional U-Net. The defaults are the paper's (Park et al. 2024, appendix A)."""

    widths: tuple[int, ...] = Field(default=(64, 128, 256), min_length=1)
    """Channels at each resolution, halved between one and the next."""
    num_blocks: int = Field(default=2, ge=1)
    """Residual blocks at each resolution, on the way down and again on the way up."""
    num_heads: int = Field(default=4, ge=0)
    """Heads of the self-attention in the middle; 0 for none."""
    num_groups: int = Field(default=8, ge=1)
    """Groups of every GroupNorm."""
    dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    time_features: int = Field(default=64, ge=4, multiple_of=2)
    """Sines and cosines of the time input; the time embedding is four times as wide."""
    embedding: ConditionEmbedding = PerBlockEmbedding()
    initial_scale: float = Field(default=1.0, gt=0.0)
    """Factor on every parameter of the network at the start."""

    @model_validator(mode="after")
    def _widths_fit_groups_and_heads(self):
        for width in self.widths:
            if width < 1 or width % self.num_groups:
                raise ValueError(
                    f"widths: {width} is not a positive multiple of num_groups={self.num_groups}"
                )
            if width == self.num_groups:
                # A normalisation of each channel by itself removes whatever is added to it.
                raise ValueError(
                    f"widths: {width} leaves one channel in each of num_groups={self.num_groups} "
                    "groups, whose normalisation would remove time and condition; use fewer groups"
                )
        if self.num_heads and self.widths[-1] % self.num_heads:
            raise ValueError(
                f"widths: the last, {self.widths[-1]}, is not a multiple of "
                f"num_heads={self.num_heads}"
            )
        return self


class MLPSettings(Settings):
    """The conditional MLP of one hidden layer, for a `VectorWorld`; the width is the published."""

    kind: Literal["mlp"] = "mlp"
    width: int = Field(default=1024, ge=1)
    """Of the hidden layer."""
    embedding_width: int = Field(default=256, ge=1)
    """Of both layers of the embedders of time and condition; each has its own."""
    time_features: int = Field(default=64, ge=4, multiple_of=2)
    """Sines and cosines of the time input."""
    initial_scale: float = Field(default=1.0, gt=0.0)
    """Factor on every parameter of the network at the start."""


NetworkSettings = Annotated[
    Annotated[UNetSettings, Tag("unet")] | Annotated[MLPSettings, Tag("mlp")],
    Discriminator(kind_or("unet")),
]


def _ordered(data_range: tuple[float, float]) -> tuple[float, float]:
    if not data_range[0] < data_range[1]:
        raise ValueError("give (low, high) with low < high")
    return data_range


DataRange = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""What images in [0, 1] are mapped to before noise is added."""


class DiffusionSettings(Settings):
    """The variational diffusion model's noise schedule and sampler (Kingma et al. 2021)."""

    kind: Literal["diffusion"] = "diffusion"
    gamma_start: float = -5.0
    """gamma(0) = -log SNR at time 0, where training starts."""
    gamma_end: float = 10.0
    """gamma(1), where training starts."""
    learned_schedule: bool = True
    """Whether gamma's two ends are trained with the bound."""
    data_noise: float = Field(default=1e-3, gt=0.0)
    """Standard deviation of the data's pixel noise in the reconstruction term."""
    data_range: DataRange = (0.0, 1.0)
    """What images in [0, 1] are mapped to before noise is added. The paper leaves them as they are;
    (-1, 1) centres them."""
    sampling_steps: int = Field(default=50, ge=1)
    """Steps of the ancestral sampler."""

    @model_validator(mode="after")
    def _noise_grows_with_time(self):
        if not self.gamma_start < self.gamma_end:
            raise ValueError(
                f"gamma_start: {self.gamma_start} must be below gamma_end={self.gamma_end}: "
                "noise grows with time"
            )
        return self


class DDPMSettings(Settings):
    """Noise prediction in discrete steps with an unweighted loss (Ho et al. 2020).

    There is no schedule that learns and no reconstruction term, so none of its gradient is spent on
    anything but the network.
    """

    kind: Literal["ddpm"] = "ddpm"
    num_timesteps: int = Field(default=1000, ge=2)
    """Steps of the noising process."""
    beta_start: float = Field(default=1e-4, gt=0.0, lt=1.0)
    """Share of the variance that is replaced by noise in its first step."""
    beta_end: float = Field(default=0.02, gt=0.0, lt=1.0)
    """The same in its last step; linear in between."""
    data_range: DataRange = (-1.0, 1.0)
    """What images in [0, 1] are mapped to before noise is added."""
    sampling_steps: int = Field(default=50, ge=1)
    """Steps of the ancestral sampler, evenly spaced among those of the noising process (Nichol and
    Dhariwal 2021)."""

    @model_validator(mode="after")
    def _noise_grows_and_covers_the_data(self):
        if not self.beta_start <= self.beta_end:
            raise ValueError(
                f"beta_start: {self.beta_start} must not exceed beta_end={self.beta_end}"
            )
        if self.sampling_steps > self.num_timesteps:
            raise ValueError(
                f"sampling_steps: {self.sampling_steps} is more than "
                f"num_timesteps={self.num_timesteps}"
            )
        return self


class FlowMatchingSettings(Settings):
    """Flow matching on straight lines from data to noise, also called rectified flow (Lipman et al.
    2023; Liu et al. 2023).
    """

    kind: Literal["flow-matching"] = "flow-matching"
    data_range: DataRange = (-1.0, 1.0)
    """What images in [0, 1] are mapped to before noise is added."""
    solver: Literal["euler", "heun"] = "heun"
    """Of the sampler's differential equation: Heun's asks the network twice a step and is of second
    order."""
    sampling_steps: int = Field(default=20, ge=1)
    """Steps of the solver, evenly spaced in time."""


class RegressionSettings(Settings):
    """A deterministic model: the network draws the mean image of a condition (squared error).

    The paper's check that what is seen is not owed to diffusion (Park et al. 2024).
    """

    kind: Literal["regression"] = "regression"


Objective = Annotated[
    DiffusionSettings | DDPMSettings | FlowMatchingSettings | RegressionSettings,
    Field(discriminator="kind"),
]
