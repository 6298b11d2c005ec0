"""Networks trained on the identity task, deep and shallow, on three concepts and on two."""

import functools
from typing import Any

import numpy as np

from conceptspace.theory.settings import IdentityTask, NetworkSettings
from conceptspace.theory.swing import swing_by

NUM_NETWORKS = 10
DEEP, SHALLOW = 3, 1
"""Hidden layers."""
TASKS = {"three concepts": (1.0, 2.0, 3.0), "two concepts": (1.0, 2.0)}
NETWORK = NetworkSettings()
"""Published learning rate, batch, points and epochs."""
DIMENSION = 64
NUM_DRAWN = 80
"""Records of a curve that are kept for the picture."""


@functools.cache
def train_networks() -> dict[str, Any]:
    """All four cells of tasks and depths, trained once a process: no level of a claim enters.

    Returns:
        for each, whether each seed swings by and its largest rise, and its losses thinned out.
    """
    cells = []
    for name, mu in TASKS.items():
        for depth in (DEEP, SHALLOW):
            cells.append({"task": name, "mu": mu, "hidden": depth} | _cell(mu, depth))
    return {"num_networks": NUM_NETWORKS, "epochs": NETWORK.num_epochs, "cells": cells}


def _cell(mu: tuple[float, ...], depth: int) -> dict[str, Any]:
    import torch

    from conceptspace.theory.networks import train_on_identity

    task = IdentityTask(mu=mu, dimension=DIMENSION)
    settings = NETWORK.replace(num_hidden=depth)
    appears, rises, curves, steps = [], [], [], np.empty(0)
    for seed in range(NUM_NETWORKS):
        path = train_on_identity(task, settings, torch.Generator().manual_seed(seed))
        swing = swing_by(path.steps, path.ood_loss)
        appears.append(swing.appears)
        rises.append(swing.rise)
        kept = np.unique(np.linspace(0, len(path.steps) - 1, NUM_DRAWN).round().astype(int))
        steps = path.steps[kept]
        curves.append(path.ood_loss[kept] / path.ood_loss[0])
    return {"appears": appears, "rises": rises, "steps": steps, "loss": np.array(curves)}
