"""What the probes get right, and how fast: classifier, inversion, and the off-manifold flag.

Everything on one thread, on the paper's colour (D_c) and size (D_s = 0.4) space. Images carry the
noise of a step, which the inversion is told. Two-object images have outlines two pixels apart and
no object that is lost in the noise (`conceptspace.probes.counterexamples`).

    python benchmarks/probes.py --images 4000 --json probes.json
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from conceptspace.concepts import ConceptSpace
from conceptspace.data.dataset import draw_dataset
from conceptspace.data.factors import colour, size
from conceptspace.data.mixing import Conditioning, Prompter
from conceptspace.data.world import SyntheticWorld
from conceptspace.probes.classifier import train_probe
from conceptspace.probes.counterexamples import (
    blank_images,
    noise_images,
    random_factors,
    two_object_images,
)
from conceptspace.probes.inversion import Inversion
from conceptspace.probes.quality import class_accuracy
from conceptspace.probes.settings import ProbeSettings

Row = dict[str, float | int | str]
NOISES = (0.001, 0.02, 0.05, 0.08)


def classifier_row(world: SyntheticWorld, space: ConceptSpace, images: int) -> Row:
    """Training time, and the worst class's share of held-out renders that are read right."""
    start = time.process_time()
    probe = train_probe(world, space, ProbeSettings(), seed=0)
    seconds = time.process_time() - start
    dataset = draw(world, space, images)
    start = time.process_time()
    accuracy = class_accuracy(probe, dataset, space)
    milliseconds = (time.process_time() - start) / len(dataset) * 1e3
    return {
        "training CPU s": round(seconds, 1),
        "worst class": min(accuracy.values()),
        "renders a class": images,
        "ms an image": round(milliseconds, 3),
    }


def precision_row(world: SyntheticWorld, space: ConceptSpace, images: int) -> Row:
    """95th percentile of the errors on clean renders, and the time of an image."""
    dataset, inversion = draw(world, space, images // 4), Inversion(world, space)
    inversion.invert(dataset.images[:64], 0.0)
    start = time.process_time()
    inverted = inversion.invert(dataset.images, 0.0)
    milliseconds = (time.process_time() - start) / len(dataset) * 1e3
    error = (inverted.z - dataset.z).abs()
    return {
        "colour 95 %": round(error[:, :3].amax(1).quantile(0.95).item(), 5),
        "size 95 %": round(error[:, 3].quantile(0.95).item(), 5),
        "CPU ms an image": round(milliseconds, 3),
    }


def flag_row(world: SyntheticWorld, space: ConceptSpace, noise: float, images: int) -> Row:
    """Share of images flagged as off-manifold, of renders and of what G does not draw."""
    rng, inversion = np.random.default_rng(1), Inversion(world, space)
    generator = torch.Generator().manual_seed(1)

    def flagged(pictures: Tensor, clip: bool = False) -> float:
        noisy = pictures + noise * torch.randn(pictures.shape, generator=generator)
        noisy = noisy.clamp(0, 1) if clip else noisy
        return round(inversion.invert(noisy, noise).off_manifold.float().mean().item(), 4)

    renders = world.render(random_factors(world, space, images, rng))
    return {
        "renders": flagged(renders),
        "clipped renders": flagged(renders, clip=True),
        "blank": flagged(blank_images(world, space, images, rng)),
        "pure noise": flagged(noise_images(world, space, images, rng)),
        "two objects": flagged(two_object_images(world, space, images, rng, noise)),
    }


def draw(world: SyntheticWorld, space: ConceptSpace, num_per_class: int):
    prompter = Prompter(space=space, conditioning=Conditioning(), factor_widths=world.factor_widths)
    return draw_dataset(world, prompter, space.classes, num_per_class, np.random.default_rng(7))


def show(title: str, rows: list[Row]) -> None:
    print(f"\n{title}\n")
    print("| " + " | ".join(rows[0]) + " |")
    print("|---" * len(rows[0]) + "|")
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000, help="images for each number")
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 32], help="image sizes")
    parser.add_argument("--separations", type=float, nargs="+", default=[0.2, 0.4, 0.8])
    parser.add_argument("--parts", nargs="+", default=["classifier", "precision", "flags"])
    parser.add_argument("--json", type=Path, help="also write the tables to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    tables: dict[str, list[Row]] = {part: [] for part in arguments.parts}
    for image_size in arguments.sizes:
        for separation in arguments.separations:
            world = SyntheticWorld(image_size=image_size)
            space = ConceptSpace(concepts=(colour(separation), size(0.4)))
            setting: Row = {"pixels": image_size, "D_c": separation}
            if "classifier" in tables:
                row = classifier_row(world, space, arguments.images)
                tables["classifier"].append(setting | row)
            if "precision" in tables:
                tables["precision"].append(setting | precision_row(world, space, arguments.images))
            if "flags" in tables:
                for noise in NOISES:
                    row = flag_row(world, space, noise, arguments.images)
                    tables["flags"].append(setting | {"noise": noise} | row)
    for title, rows in tables.items():
        show(title, rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(tables, indent=2) + "\n")


if __name__ == "__main__":
    main()
