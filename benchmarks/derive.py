"""Where the time goes that it takes to make everything derived from a run's measurements.

    python benchmarks/derive.py [RUN]

Without a run, one is made up: two seeds with 23 checkpoints. A run that is given is copied, and
stays as it is. The first round in a process also loads what is loaded when first needed; of the
others the table has the least. "processor" is the time that this process computed: where the
machine does other things too, it says more than the time that passed.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from conceptspace import derived
from conceptspace.figures.apart import SavedApart
from conceptspace.folder import open_run, seed_folder
from conceptspace.measure.store import MeasurementStore
from conceptspace.recipes.quick import quick

STAGES = {
    "read_measurements": "reading the measurements",
    "join": "joining them",
    "to_netcdf": "the trajectory as netCDF",
    "tidy": "the trajectory as a table",
    "_signal": "concept signals",
    "findings": "findings",
    "judge": "claims",
    "gather_pictures": "gathering sample pictures",
    "draw_all": "drawing the report's figures",
    "save_figures": "saving them",
    "render_report": "the report",
}
REST = "waiting for the other figures"


def make_up(folder, num_seeds=2, num_checkpoints=23):
    """A run that was never computed, of a size as the quick recipe's."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from dynamics.synthetic import synthetic_trajectory

    rng = np.random.default_rng(0)
    sizes = {"num_seeds": num_seeds, "num_checkpoints": num_checkpoints, "num_samples": 64}
    whole = synthetic_trajectory(rng, **sizes)
    open_run(folder, quick())
    cells = ("seed", "step", "concept_class", "method", "strength")
    pictures = ("thumbnail", "row", "column", "channel")
    for seed in range(num_seeds):
        for step in range(num_checkpoints):
            measured = whole.isel(seed=[seed], step=[step])
            shape = (*(measured.sizes[cell] for cell in cells), 8, 16, 16, 3)
            measured["thumbnail"] = (cells + pictures, rng.integers(0, 256, shape, np.uint8))
            MeasurementStore(seed_folder(folder, seed)).write(measured)


def timed(function, name, times):
    """The function, which adds the seconds it takes, passed and computed, to its entry."""

    def measured(*arguments, **named):
        passed, computed = time.perf_counter(), time.process_time()
        try:
            return function(*arguments, **named)
        finally:
            spent = time.perf_counter() - passed, time.process_time() - computed
            times[name] = tuple(map(sum, zip(times.get(name, (0.0, 0.0)), spent)))

    return measured


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", type=Path, help="a run directory; made up by default")
    parser.add_argument("--rounds", type=int, default=3, help="after the first")
    arguments = parser.parse_args()
    times = {}
    for name, stage in STAGES.items():
        setattr(derived, name, timed(getattr(derived, name), stage, times))
    SavedApart.finish = timed(SavedApart.finish, REST, times)
    derive = timed(derived.derive, "everything", times)
    rounds = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        if arguments.run:
            shutil.copytree(arguments.run, folder, ignore=shutil.ignore_patterns("state"))
        else:
            make_up(folder)
        for _ in range(1 + arguments.rounds):
            times.clear()
            derive(folder)
            rounds.append(dict(times))
    print("| | first: seconds | processor | later: seconds | processor |")
    print("| --- | --- | --- | --- | --- |")
    for stage in [*STAGES.values(), REST, "everything"]:
        least = np.min([spent[stage] for spent in rounds[1:] or rounds], axis=0)
        cells = " | ".join(f"{value:.2f}" for value in (*rounds[0][stage], *least))
        print(f"| {stage} | {cells} |")


if __name__ == "__main__":
    main()
