"""Measuring leaves no trace in training: modes and random states come back."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn


@contextmanager
def undisturbed(*models: Any) -> Iterator[None]:
    """After the block everything that training goes by is as it was before it.

    That is: the mode of every submodule of the models (those that are modules), and the random
    states of Python, of NumPy's global generator, and of torch on the CPU and, once this process
    has used one, on every GPU.
    """
    modules = {
        module: module.training
        for model in models
        if isinstance(model, nn.Module)
        for module in model.modules()
    }
    gpus = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    own, numpys = random.getstate(), np.random.get_state()  # noqa: NPY002 (it is the user's)
    # The GPUs are named, since torch warns of a fork that takes in all of several.
    with torch.random.fork_rng(gpus):
        try:
            yield
        finally:
            random.setstate(own)
            np.random.set_state(numpys)  # noqa: NPY002
            for module, mode in modules.items():
                module.training = mode
