"""Your own model and training loop: a conditional autoencoder gains a recorder in a few lines.

    python examples/2_own_model.py --steps 4000 --out runs/autoencoder

Without options it trains for a few steps only, to show that all of it works.
"""

import argparse

import numpy as np
import torch
from torch import nn

import conceptspace as cs
from conceptspace.data.dataset import draw_dataset
from conceptspace.data.factors import FACTOR_WIDTHS

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--steps", type=int, default=40, help="training steps")
parser.add_argument("--out", default="runs/autoencoder", help="folder of the measurements")
options = parser.parse_args()

world = cs.SyntheticWorld(image_size=16)
space = cs.ConceptSpace(concepts=(cs.colour(0.4), cs.size(0.4)))
split = cs.Split()
prompter = cs.Prompter(space=space, conditioning=cs.Conditioning(), factor_widths=FACTOR_WIDTHS)
data = draw_dataset(world, prompter, split.training(space), 1024, np.random.default_rng(0))


class Autoencoder(nn.Module):
    """Your model: a conditional variational autoencoder."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Sequential(nn.Linear(4, 64), nn.GELU(), nn.Linear(64, 32))
        self.encoder = nn.Sequential(nn.Linear(768 + 32, 256), nn.GELU(), nn.Linear(256, 32))
        self.decoder = nn.Sequential(nn.Linear(16 + 32, 256), nn.GELU(), nn.Linear(256, 768))

    def decode(self, latent, embedded):
        return self.decoder(torch.cat([latent, embedded], 1)).sigmoid().view(-1, 3, 16, 16)

    def loss(self, images, vectors):
        embedded = self.embedding(vectors)
        mean, log_variance = self.encoder(torch.cat([images.flatten(1), embedded], 1)).chunk(2, 1)
        latent = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        error = (self.decode(latent, embedded) - images).square().sum((1, 2, 3)) / 0.02
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
        return (error + divergence).mean()


class AutoencoderAdapter:
    """How measuring sees it: one site, the embedding of the condition."""

    def __init__(self, model):
        self.model = model

    def encode(self, vectors):
        with torch.no_grad():
            return {"embedding": self.model.embedding(vectors)}

    def sample(self, conditioning, generator):
        embedded = conditioning["embedding"]
        with torch.no_grad():
            return self.model.decode(torch.randn(len(embedded), 16, generator=generator), embedded)

    def sites(self):
        return ("embedding",)

    def conditioning_parameters(self):
        return dict(self.model.embedding.named_parameters())

    def sample_noise(self):
        return 0.0


# What is measured, when, and with which probes.
num = 32 if options.steps >= 1000 else 4
steps = np.unique(np.linspace(0, options.steps**0.5, 16).round(1) ** 2 // 1).astype(int)
recorder = cs.Recorder(
    space,
    options.out,
    adapt=AutoencoderAdapter,
    probe=cs.train_probe(world, space, cs.ProbeSettings(steps=800 if num == 32 else 60), seed=0),
    every=steps,
    world=world,
    inversion=cs.Inversion(world, space),
    elicitation=(cs.LatentSteering(concept="colour", strengths=(1.0, 2.0, 4.0)),),
    measurement=cs.MeasurementSettings(num_samples=num, num_control_samples=num),
)

torch.manual_seed(0)
model = Autoencoder()
optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
for step in range(options.steps + 1):
    recorder(step, model)
    rows = torch.randint(len(data), (64,))
    optimiser.zero_grad()
    model.loss(data.images[rows], data.vectors[rows]).backward()
    optimiser.step()

last = cs.load_run(options.out).measurement(seed=0, step=recorder.steps[-1])
for method in ("naive", "latent-steering", "latent-steering/random-direction"):
    cell = last.sel({"concept_class": "11", "method": method}).isel(seed=0, step=0)
    right = ((cell.correct == 1).all("concept") & (cell.off_manifold == 0)).mean("sample")
    print(f"step {recorder.steps[-1]}, class 11, {method}: right {float(right.max()):.2f}")
print(recorder.report())
