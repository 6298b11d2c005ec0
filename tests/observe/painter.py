"""A model, a probe and loops that know nothing of this package: patches of one colour."""

import random

import numpy as np
import torch
from torch import nn

from conceptspace.concepts.space import ConceptSpace
from conceptspace.measure.settings import MeasurementSettings

SPACE = ConceptSpace.named(colour=("red", "blue"), light=("bright", "dark"))
MEASUREMENT = MeasurementSettings(
    num_samples=4, num_control_samples=2, num_directions=1, num_thumbnails=1
)


class Painter(nn.Module):
    """From a condition and noise to the colour of a patch."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.GELU())
        self.paint = nn.Sequential(nn.Linear(8, 3), nn.BatchNorm1d(3))

    def forward(self, vectors, noise):
        colours = self.paint(self.embed(vectors) + 0.1 * noise).sigmoid()
        return colours[:, :, None, None].expand(-1, -1, 4, 4)


def draw(model, vectors, generator):
    """What `Recorder` is given: it forgets on purpose to leave the model as it found it."""
    model.eval()
    torch.rand(3), np.random.rand(3), random.random()  # noqa: NPY002
    return model(vectors, torch.randn((len(vectors), 8), generator=generator))


def read(images):
    """A probe that is a function: red against blue, bright against dark."""
    red, green, blue = images.mean(dim=(2, 3)).unbind(dim=1)
    colour = torch.stack([red, blue], dim=1) + 1e-3
    light = torch.stack([green, 1 - green], dim=1).clamp(1e-3)
    return tuple(part / part.sum(dim=1, keepdim=True) for part in (colour, light))


def batch(step, num=16):
    """Vectors and images of the training classes."""
    rng = np.random.default_rng(step)
    values = np.array([[0, 0], [0, 1], [1, 0]])[rng.integers(3, size=num)]
    vectors = np.eye(2)[values].reshape(num, 4)
    colours = np.stack([1 - values[:, 0], 1 - values[:, 1], values[:, 0]], axis=1)
    return tuple(torch.tensor(part, dtype=torch.float32) for part in (vectors, colours))


def train(steps, after_step=lambda step, model: None, average=None):
    """A plain loop that draws from every global random state."""
    torch.manual_seed(5), np.random.seed(5), random.seed(5)  # noqa: NPY002
    model = Painter()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    after_step(0, model)
    for step in range(1, steps + 1):
        vectors, colours = batch(np.random.randint(100) + random.randrange(100))  # noqa: NPY002
        images = model(vectors, torch.randn(len(vectors), 8))
        loss = (images[:, :, 0, 0] - colours).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        after_step(step, model)
    return model
