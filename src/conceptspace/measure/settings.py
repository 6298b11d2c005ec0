"""When and how much is measured. No torch."""

import numpy as np
from pydantic import Field, model_validator

from conceptspace.concepts.settings import Settings


class MeasurementSettings(Settings):
    """Checkpoints and sample counts. The defaults are the paper's sweeps."""

    num_checkpoints: int = Field(default=60, ge=1)
    """Trained checkpoints, evenly spaced in the square root of the step; step 0 comes on top."""
    first_checkpoint: int = Field(default=100, ge=1)
    """Step of the first trained checkpoint; the last is the last step of training."""
    num_samples: int = Field(default=64, ge=2)
    """Images generated for each class, method and strength; half choose the strength for the
    other half."""
    num_control_samples: int = Field(default=32, ge=2)
    """The same for the control arms."""
    num_directions: int = Field(default=8, ge=1)
    """Random directions of each random-direction control; the samples take turns."""
    num_thumbnails: int = Field(default=8, ge=0)
    """Images kept for each class, method and strength."""
    num_loss_images: int = Field(default=256, ge=1)
    """Images on which each of the three losses is measured."""
    sampling_batch: int = Field(default=256, ge=1)
    """Images sampled at once: more is faster on large devices and takes more memory."""

    @model_validator(mode="after")
    def _counts_are_consistent(self):
        if self.num_control_samples > self.num_samples:
            raise ValueError(
                f"num_control_samples: {self.num_control_samples} must not exceed "
                f"num_samples={self.num_samples}"
            )
        return self

    def steps(self, num_training_steps: int) -> tuple[int, ...]:
        """The steps that are measured: 0, then evenly in the square root of the step.

        Raises:
            ValueError: if training ends before the first checkpoint.
        """
        if self.first_checkpoint > num_training_steps:
            raise ValueError(
                f"first_checkpoint={self.first_checkpoint} lies beyond the last training step "
                f"{num_training_steps}: lower it or train longer"
            )
        roots = np.linspace(
            np.sqrt(self.first_checkpoint), np.sqrt(num_training_steps), self.num_checkpoints
        )
        trained = (
            np.unique(np.rint(roots**2).astype(int))
            if self.num_checkpoints > 1
            else [num_training_steps]
        )
        return (0, *(int(step) for step in trained))
