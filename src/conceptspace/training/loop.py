"""The built-in training loop for one model, and its loss on a data set."""

from collections.abc import Callable

import torch

from conceptspace.adapters.hooks import evaluating
from conceptspace.data.dataset import Dataset
from conceptspace.data.streams import torch_stream
from conceptspace.models.denoiser import Bound
from conceptspace.models.regression import Model
from conceptspace.training.ensemble import Member, train_together
from conceptspace.training.state import TrainingState
from conceptspace.training.step import refuse_empty


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
    train_together([Member(state, dataset, seed, lambda state, bound: after_step(state, bound()))])


@torch.no_grad()
def mean_bound(model: Model, dataset: Dataset, seed: int, batch_size: int = 256) -> Bound:
    """The mean bound and its terms on a dataset, bits per dimension.

    The draw of times and noise follows from the seed alone, so that the difference between two
    checkpoints is not blurred by it.

    Raises:
        ValueError: if the dataset is empty.
    """
    refuse_empty(dataset)
    device = next(model.parameters()).device
    generator = torch_stream(seed, "loss", device=device)
    parts: list[Bound] = []
    with evaluating(model):
        for start in range(0, len(dataset), batch_size):
            part = dataset.part(slice(start, start + batch_size)).to(device)
            parts.append(model.bound(part.images, part.vectors, generator))
    return Bound(*(torch.cat(terms).mean() for terms in zip(*parts)))
