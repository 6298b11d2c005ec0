"""Checkpoints of a model that nobody watched: the path of each class, and a second look.

    python examples/4_your_checkpoints.py

It first makes some checkpoints, as your own training will have done.
"""

import pathlib

import safetensors.torch
import torch
from torch import nn

import conceptspace as cs

space = cs.ConceptSpace.named(colour=("blue", "red"), light=("bright", "dark"))
folder = pathlib.Path("checkpoints")


class Patches(nn.Module):
    """From a one-hot for each word and noise to the colour of a patch."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4 + 8, 64), nn.GELU(), nn.Linear(64, 3))

    def forward(self, words, noise):
        colour = self.layers(torch.cat([words, noise], dim=1)).sigmoid()
        return colour[:, :, None, None].expand(-1, -1, 8, 8)


def train():
    """What you have done already: a checkpoint every ten steps."""
    torch.manual_seed(0)
    model = Patches()
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    folder.mkdir(exist_ok=True)
    for step in range(201):
        if step % 10 == 0:
            safetensors.torch.save_file(model.state_dict(), folder / f"step={step}.safetensors")
        values = torch.tensor([[0, 0], [0, 1], [1, 0]])[torch.randint(3, (64,))]
        red, dark = values.float().unbind(dim=1)
        colour = torch.stack([red, 1 - dark, 1 - red], dim=1) * 0.8 + 0.1
        words = nn.functional.one_hot(values, 2).flatten(1).float()
        loss = (model(words, torch.randn(64, 8))[:, :, 0, 0] - colour).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def load(path):
    """From a checkpoint to a model. `read_weights` runs nothing that is in the file."""
    model = Patches()
    model.load_state_dict(cs.read_weights(path))
    return model.eval()


def draw(model, vectors, generator):
    """One image for each row of the vectors, in [0, 1]."""
    with torch.no_grad():
        return model(vectors, torch.randn((len(vectors), 8), generator=generator))


def read(images):
    """How red and how dark each image is, as one distribution a concept."""
    red, green, blue = images.mean(dim=(2, 3)).clamp(1e-3, 1).unbind(dim=1)
    green = green.clamp(max=0.999)
    hue = torch.stack([blue, red], dim=1) / (blue + red)[:, None]
    return hue, torch.stack([green, 1 - green], dim=1)


# What `conceptspace analyse checkpoints --adapter 4_your_checkpoints:adapter` would be given.
adapter = {"space": space, "load": load, "sample": draw, "probe": read}

if __name__ == "__main__":
    train()
    # Six checkpoints spread over training, then four more where the held-out class moves most.
    (run,) = cs.analyse(folder, "runs/patches", first=6, look_again=4, **adapter)
    opened = cs.load_run(run)
    path = opened.trajectory.coordinate.sel({"concept_class": "11", "method": "naive"})
    print(path.isel(strength=0).mean(["seed", "sample"]).to_pandas().round(2))
    print(run / "report.html")
