"""How to compute on this machine: precision, memory layout and threads, by a short measurement."""

import contextlib
import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from conceptspace.concepts.settings import SettingsError
from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import colour, size
from conceptspace.experiment import Experiment
from conceptspace.models.execution import Device, Execution, Precision

SMALL_STEP = 20e9
"""Floating-point operations of a training step below which nothing is measured: plain float32 on
one thread a process is within a few per cent of the best there."""
LAYOUT_PAYS = 1.1
PRECISION_PAYS = 1.25
# What another layout or precision must gain. Both change the rounding, and a choice that turned on
# the noise of a timing would make two equal runs differ.
_TRIAL_BATCH = 32  # with few images, layouts differ less than in a whole batch
_SEEDS_PER_PROCESS, _STREAMS = 20, 4  # on a GPU; memory may allow fewer seeds, see `ensemble`


@dataclass(frozen=True)
class Trial:
    """One way to compute, and the seconds that it takes for an image of a training step."""

    execution: Execution
    seconds_per_image: float


def choose_execution(
    experiment: Experiment,
    num_processes: int,
    *,
    device: Device | None = None,
    precision: Precision | None = None,
    threads: int | None = None,
) -> tuple[Execution, list[Trial]]:
    """Choose how to compute an experiment.

    Args:
        experiment: what is trained.
        num_processes: how many share the cores.
        device: keep to this one; None for a GPU where there is one.
        precision: keep to this one; None to choose.
        threads: of each process; None for one where the model is small, else an equal share.

    Returns:
        The choice, and what was measured for it: nothing where the model is small, nor on a GPU,
        whose choice is always the same.

    Raises:
        SettingsError: if a GPU is asked for and there is none, or tf32 on the CPU.
    """
    is_small = operations_per_step(experiment) < SMALL_STEP
    if _device(device) == "cuda":
        return on_gpu(is_small, precision), []
    if is_small:
        return Execution(precision=precision or "float32", threads=threads or 1), []
    share = threads or max(1, num_cores() // num_processes)
    trials = measure_trials(experiment, share, precision)
    return best_of(trials), trials


def _device(wanted: Device | None) -> Device:
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise SettingsError(
            "device: torch sees no GPU here; leave --device out, or give --device cpu"
        )
    return wanted or ("cuda" if torch.cuda.is_available() else "cpu")


def on_gpu(is_small: bool, precision: Precision | None) -> Execution:
    """How a GPU computes: a captured step always; half precision and compiling for large models."""
    large = not is_small
    has_compiler = importlib.util.find_spec("triton") is not None
    return Execution(
        device="cuda",
        precision=precision or ("bfloat16" if large else "float32"),
        channels_last=large,
        compiled=large and has_compiler,
        captured=True,
        seeds_per_process=_SEEDS_PER_PROCESS,
        streams=_STREAMS,
        micro_batch=None,
    )


def paper_sized() -> Experiment:
    """An experiment of the published size, for trials."""
    return Experiment(name="paper-sized", space=ConceptSpace(concepts=(colour(0.4), size(0.4))))


def best_of(trials: list[Trial]) -> Execution:
    """The fastest, where it gains enough over those before it."""
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
    """Time a few training steps in every way that the processor offers; float32 comes first, and
    the layout that convolutions are written for."""
    ways = [
        Execution(precision=each, channels_last=layout, threads=threads)
        for each in _precisions(precision)
        for layout in (True, False)
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
        images = torch.zeros(1, *experiment.world.image_shape)
        model.bound(images, torch.zeros(1, experiment.prompter.width), torch.Generator())
    return 3.0 * counter.get_total_flops() * experiment.training.batch_size


def _seconds_per_image(experiment: Experiment, execution: Execution, num_steps: int = 2) -> float:
    """Seconds that an image takes in a training step: the least of a few steps, after one more."""
    import torch

    from conceptspace.build import build_model
    from conceptspace.data.dataset import Dataset
    from conceptspace.training.state import TrainingState
    from conceptspace.training.step import training_step

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
