"""Your own images: a folder and a table of concepts become an experiment.

    python examples/5_your_data.py --steps 2000 --seeds 2 --out runs/your-data

Without options it only reads the images, measures their signal and trains the probe, to show that
this works; with a number of steps it trains models too and writes the report. The images are made
on the spot: discs and bars in two colours.
"""

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import conceptspace as cs
from conceptspace.build import build_probe, judge_probe

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--steps", type=int, default=0, help="training steps; 0 for none")
parser.add_argument("--seeds", type=int, default=1, help="how many models")
parser.add_argument("--out", default="runs/your-data", help="run directory")
options = parser.parse_args()


def make_images(folder: Path, table: Path, per_class: int = 30) -> None:
    """Stands for what you have: images, and a table that says what each shows."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1:1:24j, -1:1:24j]
    rows = []
    for colour, rgb in (("red", (200, 50, 50)), ("blue", (50, 50, 200))):
        for shape in ("disc", "bar"):
            for number in range(per_class):
                dx, dy = rng.uniform(-0.3, 0.3, size=2)
                inside = np.hypot(x - dx, y - dy) < 0.5 if shape == "disc" else abs(x - dx) < 0.2
                name = f"{colour}-{shape}-{number}.png"
                pixels = np.where(inside[..., None], rgb, 235).astype(np.uint8)
                Image.fromarray(pixels).save(folder / name)
                rows.append((name, colour, shape))
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("file", "colour", "shape"), *rows])


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder, table = Path(made), Path(made) / "images.csv"
        make_images(folder, table)

        # --- what you write -------------------------------------------------------------------
        world = cs.FolderWorld(
            path=str(folder),
            table=str(table),
            concepts={"colour": ("red", "blue"), "shape": ("disc", "bar")},
            image_size=16,
        )
        base = cs.quick()
        experiment = base.replace(
            name="your-data",
            space=world.space,
            world=world,
            training=base.training.replace(
                steps=options.steps or base.training.steps, images_per_class=24
            ),
            probe=cs.EnsembleProbeSettings(members=3, steps=40),
            elicitation=(cs.OverPrompt(concept="colour", strengths=(0.25, 0.5)),),
        )
        # ----------------------------------------------------------------------------------------

        signal = cs.concept_signal(world, world.space)
        print("signal:", {name: round(found.finite, 2) for name, found in signal.items()})
        probe = build_probe(experiment)
        print("the probe is right on:", judge_probe(experiment, probe)["accuracy"])
        if options.steps:
            run = cs.run(experiment, options.out, seeds=options.seeds)
            print("report:", run / "report.html")


if __name__ == "__main__":
    main()
