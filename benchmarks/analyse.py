"""Many large checkpoints analysed: peak memory against how many there are.

    python benchmarks/analyse.py [--megabytes 40] [--counts 20 200]

Each checkpoint is a tiny generator padded to a size; every count has a process of its own.
"""

import argparse
import multiprocessing
import re
import tempfile
from pathlib import Path

import safetensors.torch
import torch

import conceptspace as cs

SPACE = cs.ConceptSpace.named(colour=("blue", "red"), light=("bright", "dark"))


class Model:
    """Whatever holds the weights."""

    def __init__(self, weights):
        self.weights = weights


def load(path):
    return Model(cs.read_weights(path))


def draw(model, vectors, generator):
    colour = (vectors @ model.weights["colour"]).sigmoid()[:, :, None, None]
    return colour.expand(-1, -1, 8, 8) + 0.01 * torch.randn(
        (len(vectors), 3, 8, 8), generator=generator
    )


def read(images):
    red, green, blue = images.mean(dim=(2, 3)).clamp(1e-3, 1).unbind(dim=1)
    light = torch.stack([green, 1 - green], dim=1).clamp(1e-3)
    return torch.stack([blue, red], dim=1), light


def measure(folder, out, count):
    """Peak memory in megabytes of an analysis of the first so many checkpoints."""
    pairs = cs.find_checkpoints(folder)[:count]
    settings = cs.MeasurementSettings(num_samples=8, num_control_samples=2)
    cs.analyse(pairs, out, space=SPACE, load=load, sample=draw, probe=read, measurement=settings)
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+)", status).group(1)) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=40)
    parser.add_argument("--counts", type=int, nargs="+", default=[20, 200])
    given = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "checkpoints"
        folder.mkdir()
        padding = torch.zeros(given.megabytes * 2**18)
        generator = torch.Generator().manual_seed(0)
        for step in range(max(given.counts)):
            colour = torch.randn(4, 3, generator=generator)
            path = folder / f"step={step}.safetensors"
            safetensors.torch.save_file({"colour": colour, "padding": padding}, path)
        for count in given.counts:
            with context.Pool(1) as pool:
                peak = pool.apply(measure, (folder, Path(name) / f"run-{count}", count))
            print(f"{count:4d} checkpoints of {given.megabytes} MB: peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
