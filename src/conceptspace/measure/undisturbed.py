"""Measuring leaves no trace in training: modes, buffers and random states come back."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from conceptspace.adapters.hooks import evaluating


@contextmanager
def undisturbed(*models: Any) -> Iterator[None]:
    """The models, those that are modules, are evaluated in the block, and after it everything that
    training goes by is as it was before.

    That is: the mode and the buffers of every submodule, such as the running statistics of a batch
    normalisation, and the random states of Python, of NumPy's global generator, and of torch on the
    CPU and, once this process has used one, on every GPU.
    """
    modules = [model for model in models if isinstance(model, nn.Module)]
    buffers = {buffer: buffer.clone() for module in modules for buffer in module.buffers()}
    gpus = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    own, numpys = random.getstate(), np.random.get_state()  # noqa: NPY002 (it is the user's)
    # The GPUs are named, since torch warns of a fork that takes in all of several.
    with evaluating(*modules), torch.random.fork_rng(gpus):
        try:
            yield
        finally:
            random.setstate(own)
            np.random.set_state(numpys)  # noqa: NPY002
            with torch.no_grad():
                for buffer, kept in buffers.items():
                    buffer.copy_(kept)
