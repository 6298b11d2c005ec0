"""How well a linear read-out finds each concept at each conditioning site."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from conceptspace.adapters.protocol import Adapter
from conceptspace.concepts.split import Split
from conceptspace.data.mixing import Prompter
from conceptspace.probes.precision import full_precision


def linear_decodability(
    adapter: Adapter,
    prompter: Prompter,
    split: Split,
    rng: np.random.Generator,
    num_per_class: int = 64,
    ridge: float = 1e-3,
) -> np.ndarray:
    """Accuracy of a ridge read-out trained on the training classes' prompts, (site, concept).

    It is scored on prompts of the held-out classes, so that it tells whether the concepts lie on
    shared directions; on fresh prompts of the training classes where nothing is held out. Chance is
    one over the number of values, for balanced classes.
    """
    space = prompter.space
    training = split.training(space)
    scored = split.held_out(space) or training
    fit_sites, fit_labels = _embed(adapter, prompter, training, num_per_class, rng)
    score_sites, score_labels = _embed(adapter, prompter, scored, num_per_class, rng)
    accuracy = []
    with full_precision(fit_labels.device):
        for site in adapter.sites():
            features, scale = _standardised(fit_sites[site])
            tested = scale(score_sites[site])
            solve = _ridge(features, ridge * len(features))
            for true, wanted, num in zip(fit_labels.T, score_labels.T, space.num_values):
                targets = torch.nn.functional.one_hot(true, num).float()
                offset = targets.mean(0)
                read = (tested @ solve(targets - offset) + offset).argmax(1)
                accuracy.append((read == wanted).float().mean())
    # One transfer from the device, not one for each site and concept.
    shape = (len(adapter.sites()), len(space.concepts))
    return torch.stack(accuracy).double().cpu().numpy().reshape(shape)


def _ridge(features: Tensor, ridge: float) -> Callable[[Tensor], Tensor]:
    """From targets (row, value) to the weights (feature, value) of a ridge regression."""
    # The ridge keeps either matrix regular, so nothing need be waited for to be checked.
    num, width = features.shape
    if width <= 8 * num:
        gram = features.T @ features + ridge * torch.eye(width, device=features.device)
        return lambda targets: torch.linalg.solve_ex(gram, features.T @ targets)[0]
    # The same weights from a matrix over rows: one over the features of an encoded text is huge.
    among_rows = features @ features.T + ridge * torch.eye(num, device=features.device)
    return lambda targets: features.T @ torch.linalg.solve_ex(among_rows, targets)[0]


def _embed(
    adapter: Adapter,
    prompter: Prompter,
    classes: tuple[str, ...],
    num: int,
    rng: np.random.Generator,
) -> tuple[dict[str, Tensor], Tensor]:
    """Sites (batch, width) and labels (batch, concept) of prompts, on the model's device."""
    z = np.concatenate([prompter.space.draw(c, num, rng) for c in classes])
    labels = np.repeat([prompter.space.indices(c) for c in classes], num, axis=0)
    sites = adapter.encode(torch.from_numpy(prompter.vectors(z)))
    flat = {site: value.flatten(1).float() for site, value in sites.items()}
    device = next(iter(flat.values())).device
    return flat, torch.from_numpy(labels).to(device)


def _standardised(features: Tensor):
    """Features with zero mean and unit spread, and the map that does the same to others."""
    mean, spread = features.mean(0), features.std(0)
    # An entry that never changes says nothing; dividing by its rounding noise would invent some.
    keep = (spread > 1e-6 * spread.max().clamp_min(1e-12)).float()
    factor = keep / spread.clamp_min(1e-12)

    def scale(values: Tensor) -> Tensor:
        return (values - mean) * factor

    return scale(features), scale
