"""Checks of the installation and the machine, and what they mean for speed."""

import importlib
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from conceptspace.environment import processor_name

NEEDED = (
    "torch", "numpy", "scipy", "xarray", "h5netcdf", "safetensors", "pydantic", "tyro", "rich",
    "matplotlib", "plotly", "PIL",
)  # fmt: skip
OLDEST_TORCH = (2, 10)
FREE_GIGABYTES = 2.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    grade: Literal["good", "note", "bad"]
    subject: str
    message: str


def examine() -> list[Finding]:
    """Look at everything that decides whether and how fast an experiment runs."""
    return [_python(), *_packages(), *_processor(), _accelerator(), _rate(), _large(), _disk()]


def _python() -> Finding:
    return Finding("good", "Python", sys.version.split()[0])


def _packages() -> list[Finding]:
    broken = []
    for name in NEEDED:
        try:
            importlib.import_module(name)
        except Exception as error:
            fix = f"pip install --force-reinstall {name}"
            broken.append(Finding("bad", name, f"cannot be imported ({error}): {fix}"))
    if broken:
        return broken
    import torch

    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if version < OLDEST_TORCH:
        wanted = ".".join(map(str, OLDEST_TORCH))
        return [Finding("bad", "torch", f"{torch.__version__} is too old: {wanted} is needed")]
    return [Finding("good", "Packages", f"all there; torch {torch.__version__}")]


def _processor() -> list[Finding]:
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    found = [Finding("good", "Processor", f"{processor_name()}, {cores} cores to use")]
    if cores == 1:
        found.append(
            Finding("note", "Seeds", "with one core, seeds run one after the other: expect the sum")
        )
    else:
        found.append(
            Finding("good", "Seeds", f"{cores} seeds run at once, one single-thread process each")
        )
    return found


def _accelerator() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding(
            "note",
            "GPU",
            f"{torch.cuda.get_device_name(0)} is there, but this version trains on the CPU",
        )
    if torch.version.cuda is None:
        return Finding("good", "GPU", "none used: this torch is a CPU build")
    return Finding("note", "GPU", "none found; a CPU build of torch would be gigabytes smaller")


def _rate() -> Finding:
    """Time the quick recipe's training step on one thread."""
    from conceptspace.estimate import seconds_per_step
    from conceptspace.recipes.quick import quick

    experiment = quick()
    seconds = seconds_per_step(experiment, num_steps=5)
    minutes = seconds * experiment.training.steps / 60
    message = (
        f"{1000 * seconds:.0f} ms a training step of `quick` on one thread: about {minutes:.1f} "
        "minutes of training a seed"
    )
    return Finding("good" if minutes < 5 else "note", "Speed", message)


def _large() -> Finding:
    """Time the paper's network in every way that the processor offers."""
    from conceptspace.tune import best_of, measure_trials, num_cores, paper_sized

    trials = measure_trials(paper_sized(), num_cores())
    times = "; ".join(
        f"{trial.execution.in_words()}: "
        f"{trial.seconds_per_image * paper_sized().training.batch_size:.2f} s"
        for trial in trials
    )
    return Finding(
        "good",
        "Large models",
        f"the paper's training step would take {times}. Chosen: {best_of(trials).in_words()}",
    )


def _disk() -> Finding:
    """Whether run directories can be written here, and how much room there is."""
    here = Path.cwd()
    try:
        started = time.monotonic()
        with tempfile.NamedTemporaryFile(dir=here) as file:
            file.write(b"x" * 2**20)
            file.flush()
            os.fsync(file.fileno())
        seconds = time.monotonic() - started
    except OSError as error:
        return Finding(
            "bad", "Disk", f"cannot write in {here} ({error.strerror}): use --out elsewhere"
        )
    free = shutil.disk_usage(here).free / 1e9
    message = f"{free:.0f} GB free in {here}; 1 MB is safe on disk after {1000 * seconds:.0f} ms"
    return Finding("good" if free > FREE_GIGABYTES else "note", "Disk", message)
