"""A plain PyTorch loop gains a recorder in five lines; they end in `# added`.

    python examples/3_your_loop.py --steps 2000 --out runs/patches

The model draws patches of one colour from two words. Red and dark never come together in training.
"""

import argparse

import torch
from torch import nn

import conceptspace as cs

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--steps", type=int, default=40, help="training steps")
parser.add_argument("--out", default="runs/patches", help="run directory")
options = parser.parse_args()

space = cs.ConceptSpace.named(colour=("blue", "red"), light=("bright", "dark"))


class Patches(nn.Module):
    """Your model: from a one-hot for each word and noise to the colour of a patch."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4 + 8, 64), nn.GELU(), nn.Linear(64, 3))

    def forward(self, words, noise):
        colour = self.layers(torch.cat([words, noise], dim=1)).sigmoid()
        return colour[:, :, None, None].expand(-1, -1, 8, 8)


def draw(model, vectors, generator):
    """How the recorder draws images: one for each row of the vectors, in [0, 1]."""
    with torch.no_grad():
        return model(vectors, torch.randn((len(vectors), 8), generator=generator))


def read(images):
    """Your probe: how red and how dark each image is, as one distribution a concept."""
    red, green, blue = images.mean(dim=(2, 3)).clamp(1e-3, 1).unbind(dim=1)
    green = green.clamp(max=0.999)
    hue = torch.stack([blue, red], dim=1) / (blue + red)[:, None]
    return hue, torch.stack([green, 1 - green], dim=1)


def batch(num):
    """Words and pictures of three of the four classes: 00, 01 and 10."""
    values = torch.tensor([[0, 0], [0, 1], [1, 0]])[torch.randint(3, (num,))]
    red, dark = values.float().unbind(dim=1)
    colour = torch.stack([red, 1 - dark, 1 - red], dim=1) * 0.8 + 0.1
    return nn.functional.one_hot(values, 2).flatten(1).float(), colour


torch.manual_seed(0)
model = Patches()
optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
recorder = cs.Recorder(space, options.out, sample=draw, probe=read, every=5)  # added
recorder(0, model)  # added: the untrained model, as a control
for step in range(1, options.steps + 1):
    words, colour = batch(64)
    loss = (model(words, torch.randn(64, 8))[:, :, 0, 0] - colour).square().mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    recorder(step, model)  # added
print(recorder.report())  # added
