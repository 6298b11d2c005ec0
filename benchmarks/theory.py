"""Tables of docs/theory.md: how well fits do on made-up data, and which networks swing by.

    python benchmarks/theory.py [--networks 10] [--epochs 8]

A network takes about 10 seconds for all 40 epochs.
"""

import argparse

import numpy as np
import torch

from conceptspace.theory.landscape import Landscape, nearest_corner
from conceptspace.theory.landscape_fit import judge_shift
from conceptspace.theory.landscape_law import fit_rates, predict_left_out
from conceptspace.theory.networks import train_on_identity
from conceptspace.theory.settings import IdentityTask, NetworkSettings
from conceptspace.theory.swing import swing_by

TIMES = np.linspace(100, 4000, 60)
ORIGIN, GOAL, MIDDLE = np.array([0.0, 1.0]), np.ones(2), np.full(2, 0.5)


def recovery(noise, num=12):
    """Errors of log rates, shift and log width over random settings, and evidence both ways."""
    errors, found, null = [], [], []
    for seed in range(num):
        rng = np.random.default_rng(seed)
        rates = np.exp(rng.uniform(np.log(0.001), np.log(0.01), 2))
        shift, width = rng.uniform(800, 3000), rng.uniform(50, 300)
        true = Landscape(rates, MIDDLE, ORIGIN, GOAL, np.array(shift), np.array(width))
        rest = Landscape(rates, MIDDLE, GOAL, GOAL, np.array(np.inf), np.array(width))
        drawn = noise * rng.standard_normal((2, 60, 2))
        verdict = judge_shift(TIMES, true.path(TIMES) + drawn[0], ORIGIN, GOAL)
        model = verdict.shifting.landscape
        apart = [*np.log(model.rates / rates), (model.shift - shift) / 3900]
        errors.append([*apart, np.log(model.width / width)])
        found.append(verdict.evidence)
        null.append(judge_shift(TIMES, rest.path(TIMES) + drawn[1], ORIGIN, GOAL).evidence)
    return np.abs(errors), found, null


def print_recovery():
    print("| noise | log rates, median and most | shift | log width | evidence, shift | none |")
    print("| --- | --- | --- | --- | --- | --- |")
    for noise in (0.01, 0.03):
        errors, found, null = recovery(noise)
        parts = (errors[:, :2], errors[:, 2], errors[:, 3])
        cells = [f"{np.median(part):.3f}, {part.max():.3f}" for part in parts]
        ends = f"{min(found):.0f} or more | {max(null):.1f} or less"
        print(f"| {noise} | {' | '.join(cells)} | {ends} |")


def print_left_out(num=8):
    print("\n| rates follow from | seed | slope | R² of left-out paths | R² of the others' mean |")
    print("| --- | --- | --- | --- | --- |")
    for seed in range(4):
        for follows in (True, False):
            rng = np.random.default_rng(seed)
            signal = np.stack([rng.uniform(0.5, 2, num), np.full(num, 2.2)], axis=1)
            other = np.exp(rng.uniform(np.log(0.5), np.log(2.2), (num, 2)))
            speed = signal if follows else other
            times = np.linspace(100, 4000, 40)
            model = Landscape(
                0.003 * speed, np.full((num, 2), 0.5), nearest_corner(GOAL, signal),
                np.ones((num, 2)), 1500 / speed.min(axis=1), np.full(num, 200.0),
            )  # fmt: skip
            measured = model.path(times) + 0.02 * rng.standard_normal((num, 40, 2))
            found = predict_left_out(times, measured, signal, GOAL, num_starts=4)
            law = fit_rates(signal, np.stack([fit.landscape.rates for fit in found.fits]))
            low, high = law.slope_interval
            print(
                f"| {'the signal' if follows else 'something else'} | {seed} | {law.slope:.2f} "
                f"({low:.2f} to {high:.2f}) | {found.pooled_r2:.3f} | {found.baseline_r2:.3f} |"
            )


def print_networks(num, num_epochs):
    print("\n| mu | hidden layers | swing by | largest rise | stronger concept first |")
    print("| --- | --- | --- | --- | --- |")
    for mu in ((1.0, 2.0), (1.0, 2.0, 3.0)):
        task = IdentityTask(mu=mu, dimension=64)
        for num_hidden, scale in ((0, 0.1), (1, 0.1), (2, 0.1), (3, 0.3)):
            settings = NetworkSettings(
                num_hidden=num_hidden, initial_scale=scale, num_epochs=num_epochs
            )
            swings, ordered = [], 0
            for seed in range(num):
                path = train_on_identity(task, settings, torch.Generator().manual_seed(seed))
                swings.append(swing_by(path.steps, path.ood_loss))
                above = [path.answers[:, p] > m / 2 for p, m in enumerate(mu)]
                half = [np.argmax(passed) if passed.any() else np.inf for passed in above]
                ordered += half == sorted(half, reverse=True)
            count, rise = sum(s.appears for s in swings), max(s.rise for s in swings)
            print(
                f"| {', '.join(f'{m:g}' for m in mu)} | {num_hidden} | {count} of {num} | "
                f"{100 * rise:.1f} % | {ordered} of {num} |", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", type=int, default=0, help="seeds of each network")
    parser.add_argument("--epochs", type=int, default=40, help="passes over the points")
    arguments = parser.parse_args()
    print_recovery()
    print_left_out()
    if arguments.networks:
        torch.set_num_threads(1)
        print_networks(arguments.networks, arguments.epochs)
