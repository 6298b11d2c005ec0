"""Settings of the built-in training loop. No torch."""

from pydantic import Field

from conceptspace.concepts.settings import Settings


class TrainingSettings(Settings):
    """Data and optimisation. The defaults are the paper's."""

    steps: int = Field(default=20_000, ge=1)
    """Training steps."""
    batch_size: int = Field(default=64, ge=1)
    images_per_class: int = Field(default=2048, ge=2)
    """Images drawn for each training class."""
    training_share: float = Field(default=0.85, gt=0.0, lt=1.0)
    """Share of the images that is trained on; the rest is for validation."""
    learning_rate: float = Field(default=1e-3, gt=0.0)
    weight_decay: float = Field(default=0.01, ge=0.0)
    """Decoupled weight decay of AdamW."""
    adam_epsilon: float = Field(default=1e-8, gt=0.0)
    clip_norm: float = Field(default=0.01, gt=0.0)
    """Largest norm of the gradient over all parameters, the noise schedule's included. With the
    published value and schedule the network hardly moves until gamma(0) has fallen."""
    condition_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Probability that an example's condition is hidden in a step: every entry of h becomes -1.
    Guidance needs it (Park et al. 2024: 0.1)."""
    average_decay: float | None = Field(default=None, gt=0.0, lt=1.0)
    """Decay of the exponential average of the weights, which is measured; none for raw weights."""
