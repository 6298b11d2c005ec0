"""One training step after another, each following from the seed and the step alone."""

import functools
import math
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from conceptspace.data.augment import augmented
from conceptspace.data.dataset import Dataset
from conceptspace.data.dropping import drop_conditions
from conceptspace.data.streams import numpy_stream, torch_stream
from conceptspace.models.denoiser import row_parts
from conceptspace.models.execution import Execution
from conceptspace.models.regression import Model
from conceptspace.training.settings import TrainingSettings
from conceptspace.training.state import TrainingState


class Step(Protocol):
    """Moves a training state on, one step a call."""

    state: TrainingState

    def __call__(self) -> None:
        """Start the next step; on a GPU it may still be computing when this returns."""
        ...

    def bound(self) -> float:
        """The bound of the last step in bits per dimension; waits for it.

        Raises:
            FloatingPointError: if this or an earlier step's bound was not finite.
        """
        ...


class EagerStep:
    """Computes each step as it is called."""

    def __init__(self, state: TrainingState, dataset: Dataset, seed: int) -> None:
        refuse_empty(dataset)
        self.state, self.seed = state, seed
        self.device = next(state.model.parameters()).device
        self.dataset = dataset.to(self.device)
        self._bound = math.nan

    def __call__(self) -> None:
        """Compute the next step."""
        state, step = self.state, self.state.step + 1
        rows = batch_rows(self.seed, step, len(self.dataset), state.settings.batch_size)
        batch = self.dataset.part(torch.from_numpy(rows).to(self.device))
        vectors = with_hidden(batch.vectors, self.seed, step, state.settings)
        self._bound = training_step(
            state.model,
            state.optimiser,
            replace(
                batch,
                images=with_changes(batch.images, self.dataset, self.seed, step),
                vectors=vectors,
            ),
            torch_stream(self.seed, "noise", step, device=self.device),
            state.settings,
        )
        state.step = step
        state.update_average()

    def bound(self) -> float:
        """The bound of the last step in bits per dimension."""
        return self._bound


def training_step(
    model: Model,
    optimiser: torch.optim.Optimizer,
    batch: Dataset,
    generator: torch.Generator,
    settings: TrainingSettings,
) -> float:
    """One step on one batch; the mean bound in bits per dimension.

    Raises:
        FloatingPointError: if the bound is not finite.
    """
    model.train()
    optimiser.zero_grad(set_to_none=True)
    draws, batch_size = model.draw(tuple(batch.images.shape), generator), len(batch)
    most = getattr(model.network, "execution", Execution()).micro_batch
    value = 0.0
    for rows in row_parts(batch_size, most):
        bound = model.bound_given(batch.images[rows], batch.vectors[rows], draws.rows(rows))
        loss = bound.total.sum() / batch_size
        loss.backward()
        value += float(loss.detach())
    nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
    optimiser.step()
    if not np.isfinite(value):
        raise FloatingPointError(
            f"the loss became {value}: lower training.learning_rate={settings.learning_rate} or "
            f"training.clip_norm={settings.clip_norm}"
        )
    return value


def with_hidden(vectors: Tensor, seed: int, step: int, settings: TrainingSettings) -> Tensor:
    """A batch's conditioning vectors (batch, width) with those hidden that the step hides."""
    rng = numpy_stream(seed, "condition-dropout", step)
    return drop_conditions(vectors, settings.condition_dropout, rng)


def with_changes(images: Tensor, dataset: Dataset, seed: int, step: int) -> Tensor:
    """A batch's images, changed as the data set says and the step draws."""
    if dataset.augmentation is None:
        return images
    return augmented(images, dataset.augmentation, numpy_stream(seed, "augmentation", step))


def batch_rows(seed: int, step: int, num_rows: int, batch_size: int) -> np.ndarray:
    """The rows (batch,) of a step: every epoch is a permutation that follows from the seed."""
    positions = np.arange((step - 1) * batch_size, step * batch_size)
    epochs, offsets = np.divmod(positions, num_rows)
    rows = np.empty(batch_size, dtype=np.int64)
    for epoch in np.unique(epochs):
        here = epochs == epoch
        rows[here] = _epoch_order(seed, int(epoch), num_rows)[offsets[here]]
    return rows


@functools.lru_cache(maxsize=2)
def _epoch_order(seed: int, epoch: int, num_rows: int) -> np.ndarray:
    return numpy_stream(seed, "order", epoch).permutation(num_rows)


def refuse_empty(dataset: Dataset) -> None:
    """Raise a ValueError for a data set without images."""
    if not len(dataset):
        raise ValueError(
            "dataset has no images: raise training.images_per_class, or move "
            "training.training_share away from 0 and 1"
        )
