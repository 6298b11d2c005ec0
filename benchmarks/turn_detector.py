"""Calibration of the turn detector: false turns, coverage of intervals, power.

    python benchmarks/turn_detector.py --replicates 1000 --out turn_detector.json

All paths are read by 32 binary samples in each of 5 seeds at 60 checkpoints unless said. Replicates
are made in rounds over all cases, and the tables are written after every round, so an interrupted
run has tables too. `--picture FILE` draws the power curve from the tables.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from conceptspace.dynamics.noise import path_noise
from conceptspace.dynamics.paths import KinkedPaths
from conceptspace.dynamics.progress import exponential, sigmoid
from conceptspace.dynamics.turns import knot_interval, turning_points

CHECKPOINTS, SEEDS, SAMPLES = 60, 5, 32
TIME = np.linspace(0, 1, CHECKPOINTS)
KNOT = 29.5
ROUND = 20
ANGLES = (30, 60, 90, 120, 150, 180)
LENGTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
COVERED = ((60, 0.5), (90, 0.3), (90, 0.5), (90, 0.7), (120, 0.3), (120, 0.5), (150, 0.5))


def straight(progress, start=(0.1, 0.2), end=(0.9, 0.8)):
    """A straight path with any progress."""
    return np.array(start) + np.outer(progress, np.subtract(end, start))


def arc(degrees, progress=TIME, chord=0.7):
    """A circular arc, centred in the square."""
    angle = np.radians(degrees) * progress + 0.4
    path = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return centred(path * chord / 2 / np.sin(np.radians(degrees) / 2))


def independent(rate, ratio):
    """Exponential learning of two concepts, the second `ratio` times as fast."""
    learned = [1 - np.exp(-r * TIME) for r in (rate, rate * ratio)]
    return 0.1 + 0.85 * np.stack(learned, axis=1)


def delayed(first, second, width):
    """Sigmoid learning of two concepts, each with its own delay."""
    return 0.08 + 0.87 * np.stack([sigmoid(TIME, c, width) for c in (first, second)], axis=1)


def two_legs(angle, before, after, knot=KNOT, orientation=0.4):
    """Two straight legs with constant speed each, in checkpoints, centred in the square."""
    index = np.arange(CHECKPOINTS)
    turned = orientation + np.radians(angle)
    first = np.array([np.cos(orientation), np.sin(orientation)])
    second = np.array([np.cos(turned), np.sin(turned)])
    along_first = before * np.minimum(index / KNOT - 1, (knot - KNOT) / KNOT)
    along_second = after * np.maximum((index - knot) / (CHECKPOINTS - 1 - KNOT), 0)
    return centred(np.outer(along_first, first) + np.outer(along_second, second))


def centred(path):
    """The path, in the middle of the unit square."""
    return path - (path.max(axis=0) + path.min(axis=0)) / 2 + 0.5


def read(paths, rng, num_seeds=SEEDS, num_samples=SAMPLES):
    """Binary probe values along one path, or along a path of each seed."""
    paths = np.broadcast_to(paths, (num_seeds, *np.shape(paths)[-2:]))
    shape = (num_seeds, paths.shape[1], num_samples, paths.shape[2])
    return (rng.random(shape) < paths[:, :, None]).astype(float)


def bound(angle, before, after):
    """Cramer-Rao bound of the knot's standard deviation, in checkpoints.

    The model is the one simulated: a corner, two displacements, the knot, known binomial variance.
    """
    path, index = two_legs(angle, before, after), np.arange(CHECKPOINTS)
    legs = [np.ones(CHECKPOINTS), np.minimum(index / KNOT - 1, 0)]
    legs.append(np.maximum((index - KNOT) / (CHECKPOINTS - 1 - KNOT), 0))
    step = 1e-3
    # Moving the knot at constant velocities shifts everything after it by their difference.
    later = two_legs(angle, before, after)
    velocity = [path[1] - path[0], path[-1] - path[-2]]
    moved = np.where(index[:, None] > KNOT, step * (velocity[0] - velocity[1]), 0.0)
    information = np.zeros((7, 7))
    for concept in range(2):
        columns = np.zeros((CHECKPOINTS, 7))
        columns[:, 3 * concept : 3 * concept + 3] = np.stack(legs, axis=1)
        columns[:, 6] = moved[:, concept] / step
        variance = later[:, concept] * (1 - later[:, concept]) / (SEEDS * SAMPLES)
        information += columns.T @ (columns / variance[:, None])
    return float(np.sqrt(np.linalg.inv(information)[6, 6]))


NULLS = {
    "straight, constant speed": straight(TIME),
    "straight, exponential (rate 3)": straight(exponential(TIME, 3.0)),
    "straight into a corner, exponential (rate 10)": straight(
        exponential(TIME, 10.0), (0.5, 0.5), (0.02, 0.98)
    ),
    "straight, sigmoid (width .05)": straight(sigmoid(TIME, 0.3, 0.05)),
    "straight into a corner and a rest, sigmoid": straight(
        sigmoid(TIME, 0.25, 0.06), (0.45, 0.5), (0.03, 0.97)
    ),
    "arc of 30 degrees": arc(30),
    "arc of 60 degrees": arc(60),
    "arc of 90 degrees": arc(90),
    "arc of 90 degrees, sigmoid": arc(90, sigmoid(TIME, 0.4, 0.08)),
} | {f"independent, rate 2, ratio {ratio}": independent(2, ratio) for ratio in (1, 2, 3, 5, 7, 10)}

UNNAMED = {
    "sigmoids, delays .3 and .6, width .05": delayed(0.3, 0.6, 0.05),
    "sigmoids, delays .25 and .75, width .1": delayed(0.25, 0.75, 0.1),
    "sigmoids, delays .4 and .6, width .02": delayed(0.4, 0.6, 0.02),
    "straight, abrupt stop in a corner": straight(
        np.minimum(TIME / 0.5, 1), (0.4, 0.4), (0.02, 0.98)
    ),
}


def finds(path, rng):
    """Whether a turn is found; 19 resamples settle the clear cases, 99 the others."""
    values = read(path, rng)
    if turning_points(np.arange(60.0), values, rng=rng, num_resamples=19).candidate.p_value >= 0.25:
        return False
    return bool(turning_points(np.arange(60.0), values, rng=rng, num_resamples=99).turns)


def locate(paths, rng, **size):
    """Error of the knot in checkpoints, and whether its interval covers the truth."""
    values = read(paths, rng, **size)
    noise, path = path_noise(values), values.mean(axis=(0, 2))
    kinked = KinkedPaths(CHECKPOINTS, noise.weights)
    fit = kinked.best(path)
    low, high = knot_interval(path, fit, kinked, noise.draw(200, rng))
    return fit.knot - KNOT, low <= KNOT <= high, high - low


def spread_paths(spread, rng, angle=120, length=0.5):
    """A path for each seed, whose knots spread around the common one."""
    knots = KNOT + spread * rng.standard_normal(SEEDS)
    return np.stack([two_legs(angle, length, length, knot) for knot in knots])


def one_round(tables, number):
    """Further replicates of every case."""
    rng = np.random.default_rng((7, number))
    for name, path in (NULLS | UNNAMED).items():
        tables["false turns"].setdefault(name, []).extend(finds(path, rng) for _ in range(ROUND))
    for angle, length in COVERED:
        row = tables["two legs"].setdefault(f"{angle} {length}", [])
        path = two_legs(angle, length, length)
        row.extend([float(x) for x in locate(path, rng)] for _ in range(ROUND))
    for spread in (1.0, 3.0, 6.0):
        row = tables["spread"].setdefault(str(spread), [])
        found = (locate(spread_paths(spread, rng), rng) for _ in range(ROUND))
        row.extend([float(x) for x in one] for one in found)
    if number % 5 == 0:
        for angle in ANGLES:
            for length in LENGTHS:
                row = tables["power"].setdefault(f"{angle} {length}", [])
                row.extend(finds(two_legs(angle, length, length), rng) for _ in range(10))


def report(tables):
    """Print the tables as Markdown."""
    print("| null | replicates | false turns |\n| --- | --- | --- |")
    for name, found in tables["false turns"].items():
        print(f"| {name} | {len(found)} | {100 * np.mean(found):.1f} % |")
    print("\n| angle, legs | replicates | covered | median error | bound | ratio | width |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, rows in tables["two legs"].items():
        angle, length = map(float, name.split())
        error, covered, width = np.array(rows).T
        median, least = np.median(abs(error)), bound(angle, length, length)
        print(
            f"| {angle:.0f} degrees, {length} | {len(rows)} | {100 * covered.mean():.1f} % "
            f"| {median:.2f} | {least:.2f} | {median / least:.2f} | {np.median(width):.1f} |"
        )
    print("\n| spread of seeds' knots | replicates | covered | width |\n| --- | --- | --- | --- |")
    for name, rows in tables["spread"].items():
        _, covered, width = np.array(rows).T
        print(f"| {name} | {len(rows)} | {100 * covered.mean():.1f} % | {np.median(width):.1f} |")
    print("\n| angle | " + " | ".join(map(str, LENGTHS)) + " |\n|" + " --- |" * 7)
    for angle in ANGLES:
        cells = [tables["power"][f"{angle} {length}"] for length in LENGTHS]
        print(f"| {angle} | " + " | ".join(f"{np.mean(cell):.2f}" for cell in cells) + " |")


def draw(tables, file):
    """The power curve."""
    from matplotlib.figure import Figure

    axes = (figure := Figure(figsize=(6, 3.6), layout="constrained")).add_subplot()
    colours = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
    for angle, colour, marker in zip(ANGLES, colours, "os^Dv*"):
        power = [np.mean(tables["power"][f"{angle} {length}"]) for length in LENGTHS]
        axes.plot(LENGTHS, power, marker + "-", color=colour, label=f"{angle} degrees")
    axes.axhline(0.05, color="grey", linestyle=":")
    axes.set(xlabel="length of each leg", ylabel="share of turns found", ylim=(0, 1.02))
    axes.set_title("5 seeds, 32 samples, 60 checkpoints, p < 0.05", fontsize=10)
    axes.legend(frameon=False)
    figure.savefig(file, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=100, help="the docs: 1000")
    parser.add_argument("--out", type=Path, default=Path("turn_detector.json"))
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    tables = {"rounds": 0, "false turns": {}, "two legs": {}, "spread": {}, "power": {}}
    if arguments.out.exists():
        tables = json.loads(arguments.out.read_text())
    while tables["rounds"] * ROUND < arguments.replicates:
        one_round(tables, tables["rounds"])
        tables["rounds"] += 1
        arguments.out.write_text(json.dumps(tables))
    report(tables)
    if arguments.picture:
        draw(tables, arguments.picture)


if __name__ == "__main__":
    main()
