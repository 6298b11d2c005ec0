"""How to compute on this machine: precision, memory layout and threads, by a short measurement."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from conceptspace.experiment import Experiment
from conceptspace.models.execution import Execution, Precision

SMALL_STEP = 20e9
"""Floating-point operations of a training step below which nothing is measured: plain float32 on
one thread a process is within a few per cent of the best there."""
LAYOUT_PAYS = 1.1
PRECISION_PAYS = 1.25
# What another layout or precision must gain. Both change the rounding, and a choice that turned on
# the noise of a timing would make two equal runs differ.
_TRIAL_BATCH = 8


@dataclass(frozen=True)
class Trial:
    """One way to compute, and the seconds that it takes for an image of a training step."""

    execution: Execution
    seconds_per_image: float


def choose_execution(
    experiment: Experiment,
    num_processes: int,
    *,
    precision: Precision | None = None,
    threads: int | None = None,
) -> tuple[Execution, list[Trial]]:
    """Choose how to compute an experiment.

    Args:
        experiment: what is trained.
        num_processes: how many share the cores.
        precision: keep to this one; None to choose.
        threads: of each process; None for one where the model is small, else an equal share.

    Returns:
        The choice, and what was measured for it (nothing where the model is small).
    """
    if operations_per_step(experiment) < SMALL_STEP:
        return Execution(precision=precision or "float32", threads=threads or 1), []
    share = threads or max(1, num_cores() // num_processes)
    trials = measure_trials(experiment, share, precision)
    return best_of(trials), trials


def best_of(trials: list[Trial]) -> Execution:
    """The fastest, where it gains enough over plainer ones, which come first."""
    best = trials[0]
    for trial in trials[1:]:
        other_precision = trial.execution.precision != best.execution.precision
        gain = PRECISION_PAYS if other_precision else LAYOUT_PAYS
        if trial.seconds_per_image * gain < best.seconds_per_image:
            best = trial
    return best.execution


def measure_trials(
    experiment: Experiment, threads: int, precision: Precision | None = None
) -> list[Trial]:
    """Time a few training steps in every way that the processor offers, plainer ones first."""
    ways = [
        Execution(precision=each, channels_last=layout, threads=threads)
        for each in _precisions(precision)
        for layout in (False, True)
    ]
    return [Trial(way, _seconds_per_image(experiment, way)) for way in ways]


def _precisions(wanted: Precision | None) -> tuple[Precision, ...]:
    """Those worth a trial: bfloat16 where convolutions have kernels of their own for it."""
    import torch

    if wanted is not None:
        return (wanted,)
    supported = torch.backends.mkldnn.is_available() and (
        torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
    return ("float32", "bfloat16") if supported else ("float32",)


def operations_per_step(experiment: Experiment) -> float:
    """Floating-point operations of a training step, counted by torch; the backward pass takes twice
    the forward's."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from conceptspace.build import build_model

    model = build_model(experiment, 0).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        sites = model.condition(torch.zeros(1, experiment.prompter.width))
        model.predict_noise(torch.zeros(1, *experiment.world.image_shape), torch.zeros(1), sites)
    return 3.0 * counter.get_total_flops() * experiment.training.batch_size


def _seconds_per_image(experiment: Experiment, execution: Execution, num_steps: int = 3) -> float:
    """Seconds that an image takes in a training step: the least of a few steps, after one more."""
    import torch

    from conceptspace.build import build_model
    from conceptspace.data.dataset import Dataset
    from conceptspace.training.loop import training_step
    from conceptspace.training.state import TrainingState

    batch_size = min(_TRIAL_BATCH, experiment.training.batch_size)
    state = TrainingState(build_model(experiment, 0, execution), experiment.training)
    draws = torch.Generator().manual_seed(0)
    vectors = torch.rand(batch_size, experiment.prompter.width, generator=draws)
    images = torch.rand(batch_size, *experiment.world.image_shape, generator=draws)
    batch = Dataset(images, vectors, vectors, torch.zeros(batch_size, 1, dtype=torch.int64))

    def step() -> None:
        training_step(state.model, state.optimiser, batch, draws, experiment.training)

    with using_threads(execution.threads):
        step()
        return min(_timed(step) for _ in range(num_steps)) / batch_size


def _timed(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def num_cores() -> int:
    """Cores this process may use."""
    available: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available else os.cpu_count() or 1


@contextlib.contextmanager
def using_threads(num: int) -> Iterator[None]:
    """So many torch threads inside the block."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(num)
    try:
        yield
    finally:
        torch.set_num_threads(before)
