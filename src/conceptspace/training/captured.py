"""A training step captured as a CUDA graph and replayed.

Random numbers are drawn before the graph is replayed, into memory that the graph reads: the graph
holds no random state, and the steps of several models can be in flight side by side.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from conceptspace.data.dataset import Dataset
from conceptspace.data.streams import torch_seed
from conceptspace.training.state import TrainingState
from conceptspace.training.step import batch_rows, refuse_empty, with_changes, with_hidden

_WARM_UP = 3  # steps before a capture, as torch's documentation asks
_ROWS_BLOCK = 256  # steps whose batches go to the device in one transfer


@dataclass
class Lane:
    """A CUDA stream, and the memory that the graphs replayed on it share: they take turns."""

    stream: "torch.cuda.Stream"
    pool: Any

    @classmethod
    def open(cls) -> "Lane":
        """A new stream with memory of its own."""
        return cls(torch.cuda.Stream(), torch.cuda.graph_pool_handle())


class CapturedStep:
    """Captures a step once and replays it; the host only draws random numbers.

    Args:
        state: its model is on a GPU; its weights and optimiser are the same before and after.
        dataset: the training set; it is put on the GPU.
        seed: determines the order of the data and all noise.
        lane: where it computes.

    Raises:
        torch.OutOfMemoryError: if the GPU has too little memory left; the state is unchanged.
    """

    def __init__(self, state: TrainingState, dataset: Dataset, seed: int, lane: Lane) -> None:
        refuse_empty(dataset)
        self.state, self.seed, self.lane = state, seed, lane
        device = next(state.model.parameters()).device
        self.dataset = dataset.to(device)
        size = state.settings.batch_size
        state.model.train()
        self.generator = torch.Generator(device)
        self.images = self.dataset.images[:1].repeat_interleave(size, dim=0)
        self.vectors = self.dataset.vectors[:1].repeat_interleave(size, dim=0)
        self.draws = state.model.draw((size, *dataset.images.shape[1:]), self.generator)
        self.loss = torch.zeros((), device=device)
        self.finite = torch.ones((), dtype=torch.bool, device=device)
        self.block: tuple[int, Tensor] = (-1, torch.empty(0, device=device))
        self.graph = torch.cuda.CUDAGraph()
        with _unchanged(state):
            self._capture()

    def _capture(self) -> None:
        stream = self.lane.stream
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP):
                self._compute()
        stream.synchronize()
        self.state.optimiser.zero_grad(set_to_none=True)
        with torch.cuda.graph(self.graph, pool=self.lane.pool, stream=stream):
            self._compute()
        stream.synchronize()
        self.finite.fill_(True)

    def _compute(self) -> None:
        """What the graph holds: everything from the drawn numbers to the changed weights."""
        state = self.state
        state.optimiser.zero_grad(set_to_none=True)
        loss = state.model.bound_given(self.images, self.vectors, self.draws).total.mean()
        loss.backward()
        nn.utils.clip_grad_norm_(state.model.parameters(), state.settings.clip_norm)
        state.optimiser.step()
        # Out of the shared memory, which the next graph on this lane overwrites.
        self.loss.copy_(loss.detach())
        self.finite.logical_and_(self.loss.isfinite())

    def __call__(self) -> None:
        """Queue the next step."""
        state, step = self.state, self.state.step + 1
        with torch.cuda.stream(self.lane.stream):
            rows = self._rows_of(step)
            torch.index_select(self.dataset.images, 0, rows, out=self.images)
            if self.dataset.augmentation is not None:
                self.images.copy_(with_changes(self.images, self.dataset, self.seed, step))
            vectors = self.dataset.vectors[rows]
            self.vectors.copy_(with_hidden(vectors, self.seed, step, state.settings))
            self.generator.manual_seed(torch_seed(self.seed, "noise", step))
            self.draws.redraw(self.generator)
            self.graph.replay()
            state.step = step
            state.update_average()

    def _rows_of(self, step: int) -> Tensor:
        """The rows of a step, from a block that is on the device already."""
        first = max(step - step % _ROWS_BLOCK, 1)  # there is no step 0
        if self.block[0] != first:
            size, num = self.state.settings.batch_size, len(self.dataset)
            steps = range(first, step - step % _ROWS_BLOCK + _ROWS_BLOCK)
            rows = np.stack([batch_rows(self.seed, each, num, size) for each in steps])
            self.block = (first, torch.from_numpy(rows).to(self.loss.device))
        return self.block[1][step - first]

    def bound(self) -> float:
        """The bound of the last step in bits per dimension; waits for it."""
        self.lane.stream.synchronize()
        if not self.finite:
            settings = self.state.settings
            raise FloatingPointError(
                f"the loss became {float(self.loss)} at or before step {self.state.step}: lower "
                f"training.learning_rate={settings.learning_rate} or "
                f"training.clip_norm={settings.clip_norm}"
            )
        return float(self.loss)


class _unchanged:  # reads as what it does: `with _unchanged(state)`
    """Weights and optimiser are after the block what they were before it, in the same memory."""

    def __init__(self, state: TrainingState) -> None:
        self.state = state

    def __enter__(self) -> None:
        self.weights = [value.detach().clone() for value in self._weights()]
        self.slots = [
            {name: value.clone() for name, value in self.state.optimiser.state[p].items()}
            if p in self.state.optimiser.state
            else {}
            for p in self.state.model.parameters()
        ]

    @torch.no_grad()
    def __exit__(self, *error: object) -> None:
        for value, before in zip(self._weights(), self.weights):
            value.copy_(before)
        for parameter, before in zip(self.state.model.parameters(), self.slots):
            for name, value in self.state.optimiser.state.get(parameter, {}).items():
                # A fresh optimiser starts from zeros.
                value.copy_(before[name]) if name in before else value.zero_()

    def _weights(self) -> list[Tensor]:
        return list(self.state.model.parameters())
