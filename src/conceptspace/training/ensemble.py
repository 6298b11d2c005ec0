"""Several models trained side by side in one process, each exactly as it would be alone.

Every member has weights, optimiser, data and random numbers of its own, so gradients are clipped
for each member and a member's bits do not depend on who trains beside it. What is shared is the
GPU: the members' steps are queued on a few CUDA streams, so that small kernels of one fill what
those of another leave idle.
"""

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch

from conceptspace.data.dataset import Dataset
from conceptspace.training.captured import CapturedStep, Lane
from conceptspace.training.state import TrainingState
from conceptspace.training.step import EagerStep, Step

SPARE_MEMORY = 0.15
"""Share of a GPU's memory that is left free for measuring."""


@dataclass
class Member:
    """One model of an ensemble.

    Attributes:
        state: changed in place.
        dataset: the training set.
        seed: determines the order of the data and all noise.
        after_step: called after every step with the state and a function that waits for the step
            and returns its bound in bits per dimension.
        stops: steps after which the state is looked at, so that they must be complete when
            `after_step` is called; None for every step.
    """

    state: TrainingState
    dataset: Dataset
    seed: int
    after_step: Callable[[TrainingState, Callable[[], float]], None]
    stops: Collection[int] | None = None

    @property
    def is_done(self) -> bool:
        return self.state.step >= self.state.settings.steps


def train_together(
    members: Sequence[Member], on_note: Callable[[str], None] = lambda message: None
) -> None:
    """Train every member from where it is to its last step.

    Where not all fit into the GPU's memory, as many as do are trained first, and then the others.

    Args:
        members: what to train; they may differ in everything.
        on_note: told when the members do not fit together.

    Raises:
        torch.OutOfMemoryError: if not even one fits.
        FloatingPointError: if a loss is not finite.
    """
    waiting = [member for member in members if not member.is_done]
    while waiting:
        steps = _as_many_as_fit(waiting)
        if len(steps) < len(waiting):
            on_note(
                f"the GPU's memory holds {len(steps)} of {len(waiting)} models at once; the others "
                "are trained after them"
            )
        _train_group(waiting[: len(steps)], steps)
        waiting = waiting[len(steps) :]
        del steps  # the memory of its graphs


def _as_many_as_fit(members: Sequence[Member]) -> list[Step]:
    """The steps of the first members, all of them where there is room."""
    num_lanes = max(member.state.execution.streams for member in members)
    lanes: dict[int, Lane] = {}
    turns = itertools.cycle(range(num_lanes))

    def next_lane() -> Lane:
        turn = next(turns)
        if turn not in lanes:
            lanes[turn] = Lane.open()
        return lanes[turn]

    steps: list[Step] = []
    for member in members:
        if steps and _memory_is_short(member):
            break
        try:
            given = (member.state, member.dataset, member.seed)
            captured = member.state.execution.captured
            steps.append(CapturedStep(*given, next_lane()) if captured else EagerStep(*given))
        except torch.OutOfMemoryError:
            if not steps:
                raise
            torch.cuda.empty_cache()
            break
    return steps


def _memory_is_short(member: Member) -> bool:
    device = next(member.state.model.parameters()).device
    if device.type != "cuda":
        return False
    free, total = torch.cuda.mem_get_info(device)
    return free < SPARE_MEMORY * total


def _train_group(members: Sequence[Member], steps: Sequence[Step]) -> None:
    """One step of each member in turn, until all are done."""
    running = list(zip(members, steps))
    while running:
        for _, step in running:
            step()
        for member, step in running:
            if member.stops is None or member.state.step in member.stops or member.is_done:
                step.bound()
            member.after_step(member.state, step.bound)
        running = [(member, step) for member, step in running if not member.is_done]
