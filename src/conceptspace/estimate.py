"""How long a run takes, from a few timed steps of it."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from conceptspace.build import build_adapter, build_model, build_probe, draw_training_sets
from conceptspace.data.streams import torch_stream
from conceptspace.elicitation.arms import Arm, plan_arms
from conceptspace.elicitation.intervention import guidance_weights
from conceptspace.experiment import Experiment
from conceptspace.folder import read_execution, seed_folder
from conceptspace.measure.store import MeasurementStore
from conceptspace.models.execution import Device, Execution, Precision
from conceptspace.probes.settings import ProbeSettings
from conceptspace.training.loop import train
from conceptspace.training.state import TrainingState
from conceptspace.tune import choose_execution, num_cores, using_threads

FIXED_SECONDS = 30.0
"""Start of the processes, probe, figures and report, as measured for `quick` on two cores."""
REPORT_SECONDS, REPORT_SECONDS_PER_SEED = 3.5, 1.0
"""Of a core, for findings, figures and report of a run of a sweep, whose processes are used again;
as measured at `quick` scale: 6 s for a naive run of five seeds, 12 s for eight that elicit."""
SIDE_BY_SIDE = 1.3
"""A process takes so much longer where every core has one: 1.33 for a training step of `quick` on
two threads of a Xeon, 1.15 on two cores of an EPYC."""
PROBE_SHARE = 40
"""A probe is timed on so small a part of its images and steps."""


@dataclass(frozen=True)
class Cost:
    """What a run will take."""

    seconds: float
    num_workers: int
    num_measured: int
    execution: Execution


def estimate(
    experiment: Experiment,
    folder: Path,
    num_seeds: int,
    workers: int | None,
    *,
    device: Device | None = None,
    precision: Precision | None = None,
    threads: int | None = None,
) -> Cost:
    """Time what is left of a run, computed as it is or would be. Nothing is written."""
    num_workers = workers or min(num_seeds, num_cores())
    execution = (
        read_execution(folder)
        or choose_execution(
            experiment, num_workers, device=device, precision=precision, threads=threads
        )[0]
    )
    measured = [
        len(MeasurementStore(seed_folder(folder, seed)).steps()) for seed in range(num_seeds)
    ]
    total = len(experiment.steps)
    left = [1 - done / total for done in measured]
    seed_seconds = seconds_per_seed(experiment, execution)
    waves = -(-num_seeds // num_workers)
    seconds = FIXED_SECONDS + waves * max(left) * seed_seconds * slowed(execution, num_workers)
    return Cost(seconds, num_workers, min(measured), execution)


def slowed(execution: Execution, num_workers: int) -> float:
    """How many times longer a process takes beside the others than alone, as it was timed."""
    return SIDE_BY_SIDE if execution.device == "cpu" and num_workers > 1 else 1.0


def seconds_per_seed(experiment: Experiment, execution: Execution) -> float:
    """Time of training and measuring one seed from its first step to its last."""
    training = seconds_per_step(experiment, execution) * experiment.training.steps
    return training + seconds_per_measurement(experiment, execution) * len(experiment.steps)


def seconds_per_report(num_seeds: int) -> float:
    """Time of everything that is derived from a run's measurements, in a process that has loaded
    what that needs."""
    return REPORT_SECONDS + REPORT_SECONDS_PER_SEED * num_seeds


def seconds_per_probe(experiment: Experiment) -> float:
    """Time of training the probe, scaled up from a small part of it; 0 where none is trained."""
    settings = experiment.probe
    if not isinstance(settings, ProbeSettings):
        return 0.0
    steps = -(-settings.steps // PROBE_SHARE)
    images = max(-(-settings.num_images // PROBE_SHARE), settings.batch_size)
    small = experiment.replace(probe=settings.replace(steps=steps, num_images=images))
    with using_threads(1):
        build_probe(small.replace(probe=settings.replace(steps=1, num_images=settings.batch_size)))
        started = time.perf_counter()
        build_probe(small)
        return (time.perf_counter() - started) * settings.steps / steps


def seconds_per_step(
    experiment: Experiment, execution: Execution | None = None, num_steps: int = 8
) -> float:
    """Median time of a training step, data and averaging included."""
    execution = execution or Execution()
    small = experiment.training.replace(
        images_per_class=2 * experiment.training.batch_size, steps=num_steps
    )
    timed = experiment.replace(training=small, measurement=_only_the_last(experiment, num_steps))
    state = TrainingState(build_model(timed, 0, execution), small)
    times = [time.perf_counter()]
    with using_threads(execution.threads):
        train(
            state,
            draw_training_sets(timed, 0)["train"],
            0,
            lambda state, bound: times.append(time.perf_counter()),
        )
    return float(np.median(np.diff(times)))


def seconds_per_measurement(experiment: Experiment, execution: Execution) -> float:
    """Time of sampling one checkpoint, scaled up from one batch; a guided image counts twice."""
    adapter = build_adapter(experiment, build_model(experiment, 0, execution))
    settings = experiment.measurement
    arms = plan_arms(
        adapter,
        experiment.prompter,
        experiment.split,
        experiment.elicitation,
        num_samples=settings.num_samples,
        num_control_samples=settings.num_control_samples,
        num_directions=settings.num_directions,
        generator=torch_stream(0, "estimate"),
    )
    num_images = sum(map(_images_drawn, arms))
    batch = min(num_images, 64)
    conditioning = adapter.encode(torch.zeros(batch, experiment.prompter.width))
    with using_threads(execution.threads):
        started = time.perf_counter()
        adapter.sample(conditioning, torch_stream(0, "estimate"))
        seconds = time.perf_counter() - started
    return seconds * num_images / batch


def _images_drawn(arm: Arm) -> int:
    """How many images cost what an arm does: one that is guided is predicted twice at each step."""
    guided = guidance_weights(arm.intervention, torch.tensor(arm.strengths)) != 1.0
    return arm.num_samples * (len(arm.strengths) + int(guided.sum()))


def _only_the_last(experiment: Experiment, num_steps: int):
    return experiment.measurement.replace(checkpoints=(num_steps,))
