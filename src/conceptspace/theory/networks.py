"""Multilayer perceptrons trained by stochastic gradient descent on the identity task.

The data are turned by a random rotation, so that no concept lies along an input of the network;
what is recorded is turned back. After Yang et al. 2025, section 6.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from conceptspace.theory.settings import IdentityTask, NetworkSettings
from conceptspace.theory.sim import ood_loss, probe


@dataclass(frozen=True)
class NetworkPath:
    """What a network answered at the probe while it was trained.

    Attributes:
        steps: training step of each record, from 0, the untrained network.
        answers: its output at the probe, turned back, so that axis p is concept p.
        ood_loss: half its squared error there.
        training_loss: half the mean squared error on the batch of the next step; NaN at the end.
    """

    steps: Int[np.ndarray, " time"]
    answers: Float[np.ndarray, "time dimension"]
    ood_loss: Float[np.ndarray, " time"]
    training_loss: Float[np.ndarray, " time"]


def train_on_identity(
    task: IdentityTask, settings: NetworkSettings, generator: torch.Generator
) -> NetworkPath:
    """Train one network on the task.

    The loss is half the squared error summed over the outputs and averaged over the batch, as in
    the equations. Batches are drawn without replacement in every epoch; a last incomplete one is
    left out.

    Args:
        task: what is learned; 2 to 64 dimensions are usual.
        settings: the network, and how it is trained.
        generator: draws rotation, weights, points and batches, in this order; on the CPU.

    Raises:
        ValueError: if a batch is larger than all the points there are.
        FloatingPointError: if the network's answers are not finite any more.

    Example:
        >>> few = NetworkSettings(num_points=64, num_epochs=1, batch_size=32)
        >>> path = train_on_identity(IdentityTask(), few, torch.Generator().manual_seed(0))
        >>> path.answers.shape
        (2, 2)
    """
    total = task.num_concepts * settings.num_points
    if settings.batch_size > total:
        raise ValueError(f"batch_size={settings.batch_size} exceeds the {total} points there are")
    rotation = random_rotation(task.num_dimensions, generator)
    network = make_network(task.num_dimensions, settings, generator)
    points = draw_points(task, settings.num_points, generator) @ rotation.T
    asked = torch.as_tensor(probe(task), dtype=torch.float32) @ rotation.T
    steps, answers, losses = [], [], []
    for step, batch in enumerate(_batches(points, settings, generator)):
        recorded = step % settings.record_every == 0
        loss = 0.5 * (network(batch) - batch).square().sum(dim=1).mean()
        if recorded:
            steps.append(step)
            answers.append(_answer(network, asked) @ rotation)
            losses.append(float(loss.detach()))
        descend(network, loss, settings.learning_rate)
    steps.append(step + 1)
    answers.append(_answer(network, asked) @ rotation)
    found = torch.stack(answers).numpy().astype(float)
    if not np.isfinite(found).all():
        raise FloatingPointError(
            "the network's answers are not finite any more: lower "
            f"learning_rate={settings.learning_rate}"
        )
    return NetworkPath(np.array(steps), found, ood_loss(task, found), np.array([*losses, np.nan]))


def draw_points(
    task: IdentityTask, num_points: int, generator: torch.Generator
) -> Float[Tensor, "point dimension"]:
    """So many points of each cluster, cluster by cluster, not rotated."""
    count = task.num_concepts
    points = torch.zeros(count, num_points, task.num_dimensions)
    noise = torch.randn(count, num_points, count, generator=generator)
    points[..., :count] = noise * torch.tensor(task.spreads)
    for concept, mean in enumerate(task.mu):
        points[concept, :, concept] += mean
    return points.reshape(-1, task.num_dimensions)


def random_rotation(
    num_dimensions: int, generator: torch.Generator
) -> Float[Tensor, "dimension dimension"]:
    """An orthogonal matrix, uniform over all of them (Mezzadri 2007)."""
    drawn = torch.randn(num_dimensions, num_dimensions, generator=generator)
    orthogonal, triangle = torch.linalg.qr(drawn)
    return orthogonal * torch.sign(torch.diagonal(triangle))


def make_network(
    num_dimensions: int, settings: NetworkSettings, generator: torch.Generator
) -> nn.Sequential:
    """The network, without biases, so that with linear units it is the theory's model."""
    widths = [num_dimensions, *[settings.width] * settings.num_hidden, num_dimensions]
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(widths):
        if layers and settings.activation == "relu":
            layers.append(nn.ReLU())
        layer = nn.Linear(fan_in, fan_out, bias=False)
        scale = settings.initial_scale / fan_in**0.5
        with torch.no_grad():
            layer.weight.copy_(scale * torch.randn(fan_out, fan_in, generator=generator))
        layers.append(layer)
    return nn.Sequential(*layers)


def descend(network: nn.Module, loss: Tensor, learning_rate: float) -> None:
    """One step of plain gradient descent."""
    weights = list(network.parameters())
    with torch.no_grad():
        for weight, slope in zip(weights, torch.autograd.grad(loss, weights)):
            weight -= learning_rate * slope


def _batches(points: Tensor, settings: NetworkSettings, generator: torch.Generator):
    for _ in range(settings.num_epochs):
        order = torch.randperm(len(points), generator=generator)
        for rows in order.split(settings.batch_size):
            if len(rows) == settings.batch_size:
                yield points[rows]


def _answer(network: nn.Module, asked: Tensor) -> Tensor:
    with torch.no_grad():
        return network(asked[None])[0]
