"""The built-in training loop. It calls the recorder as any user's loop would."""

import functools
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from conceptspace.adapters.native import evaluating
from conceptspace.data.dataset import Dataset
from conceptspace.data.streams import numpy_stream, torch_stream
from conceptspace.models.vdm import VDM, Bound
from conceptspace.training.settings import TrainingSettings
from conceptspace.training.state import TrainingState


def train(
    state: TrainingState,
    dataset: Dataset,
    seed: int,
    after_step: Callable[[TrainingState, float], None],
) -> None:
    """Train from where the state is to the last step of its settings.

    Every random number of a step, dropout's included, follows from the seed and the step.

    Args:
        state: changed in place.
        dataset: the training set.
        seed: determines the order of the data and all noise.
        after_step: called after every step with the state and the step's bound in bits per
            dimension.

    Raises:
        ValueError: if the dataset is empty.
        FloatingPointError: if the loss is not finite.
    """
    settings = state.settings
    _refuse_empty(dataset)
    while state.step < settings.steps:
        step = state.step + 1
        rows = batch_rows(seed, step, len(dataset), settings.batch_size)
        bound = training_step(
            state.model,
            state.optimiser,
            dataset.part(torch.from_numpy(rows)),
            torch_stream(seed, "noise", step),
            settings,
        )
        state.step = step
        state.update_average()
        after_step(state, bound)


def training_step(
    model: VDM,
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
    loss = model.bound(batch.images, batch.vectors, generator).total.mean()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
    optimiser.step()
    value = float(loss.detach())
    if not np.isfinite(value):
        raise FloatingPointError(
            f"the loss became {value}: lower training.learning_rate={settings.learning_rate} or "
            f"training.clip_norm={settings.clip_norm}"
        )
    return value


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


@torch.no_grad()
def mean_bound(model: VDM, dataset: Dataset, seed: int, batch_size: int = 256) -> Bound:
    """The mean bound and its terms on a dataset, bits per dimension.

    The draw of times and noise follows from the seed alone, so that the difference between two
    checkpoints is not blurred by it.

    Raises:
        ValueError: if the dataset is empty.
    """
    _refuse_empty(dataset)
    generator = torch_stream(seed, "loss")
    parts: list[Bound] = []
    with evaluating(model):
        for start in range(0, len(dataset), batch_size):
            part = dataset.part(slice(start, start + batch_size))
            parts.append(model.bound(part.images, part.vectors, generator))
    return Bound(*(torch.cat(terms).mean() for terms in zip(*parts)))


def _refuse_empty(dataset: Dataset) -> None:
    if not len(dataset):
        raise ValueError(
            "dataset has no images: raise training.images_per_class, or move "
            "training.training_share away from 0 and 1"
        )
