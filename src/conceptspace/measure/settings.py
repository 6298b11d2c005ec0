"""When and how much is measured. No torch."""

import itertools

import numpy as np
from pydantic import Field, field_validator, model_validator

from conceptspace.concepts.settings import Settings


class MeasurementSettings(Settings):
    """Checkpoints and sample counts. The defaults are the paper's sweeps."""

    num_checkpoints: int = Field(default=60, ge=1)
    """Trained checkpoints, evenly spaced in the square root of the step; step 0 comes on top."""
    first_checkpoint: int = Field(default=100, ge=1)
    """Step of the first trained checkpoint; the last is the last step of training."""
    checkpoints: tuple[int, ...] = ()
    """The trained checkpoints step by step, in place of the even spacing; the last step of training
    is measured whether it is named or not."""
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
    """Images on which each of the three losses is measured; all there are, where they are fewer."""
    sampling_batch: int = Field(default=256, ge=1)
    """Images sampled at once: more is faster on large devices and takes more memory."""

    @field_validator("checkpoints")
    @classmethod
    def _checkpoints_rise(cls, checkpoints: tuple[int, ...]):
        if any(a >= b for a, b in itertools.pairwise((0, *checkpoints))):
            raise ValueError("steps must be 1 or more and rise; step 0 is always measured")
        return checkpoints

    @model_validator(mode="after")
    def _counts_are_consistent(self):
        if self.num_control_samples > self.num_samples:
            raise ValueError(
                f"num_control_samples: {self.num_control_samples} must not exceed "
                f"num_samples={self.num_samples}: give both"
            )
        return self

    def steps(self, num_training_steps: int) -> tuple[int, ...]:
        """The steps that are measured: 0, then those named or evenly spaced in the square root.

        Raises:
            ValueError: if training ends before the first checkpoint, or before one that is named.
        """
        if self.checkpoints:
            return (0, *self._named(num_training_steps))
        if self.first_checkpoint > num_training_steps:
            raise ValueError(
                f"first_checkpoint={self.first_checkpoint} lies beyond the last training step "
                f"{num_training_steps}: lower it or train longer"
            )
        trained = evenly_in_the_root(
            self.first_checkpoint, num_training_steps, self.num_checkpoints
        )
        return (0, *trained)

    def _named(self, num_training_steps: int) -> tuple[int, ...]:
        beyond = [step for step in self.checkpoints if step > num_training_steps]
        if beyond:
            raise ValueError(
                f"checkpoints: {beyond[0]} lies beyond the last training step "
                f"{num_training_steps}: leave it out or train longer"
            )
        last = () if self.checkpoints[-1] == num_training_steps else (num_training_steps,)
        return (*self.checkpoints, *last)


def evenly_in_the_root(first: int, last: int, num: int) -> tuple[int, ...]:
    """At most `num` whole steps from `first` to `last`, evenly spaced in the square root.

    Steps that round to the same number are given once; with `num` 1 it is the last.

    Example:
        >>> evenly_in_the_root(100, 400, 3)
        (100, 225, 400)
    """
    if num == 1:
        return (last,)
    roots = np.linspace(np.sqrt(first), np.sqrt(last), num)
    return tuple(int(step) for step in np.unique(np.rint(roots**2).astype(int)))
