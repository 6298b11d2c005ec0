"""How far a run or a sweep is, from the names of its files and the ends of its logs. No torch."""

import fcntl
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from conceptspace.folder import EXPERIMENT, WrongFolder, read_description, seed_folder, seeds_there
from conceptspace.log import last_events
from conceptspace.measure.steps import measured_steps
from conceptspace.observation import Observation
from conceptspace.sweeps.directory import REPORT, RUNS, is_sweep, last_of_runs, read_outline
from conceptspace.units import ERRORS

LAST_LINES_BYTES = 300

State = Literal["done", "failed", "running", "waiting"]


@dataclass(frozen=True)
class SeedStatus:
    """How far a seed is.

    Attributes:
        seed: the training seed.
        state: `waiting` is what nobody works on at the moment, begun or not.
        step: of how many `steps`; None where another loop trains, which alone knows.
        measured: checkpoints, of how many `checkpoints`; None likewise.
        seconds_per_step: measuring included, from the end of its log; None if that says nothing.
    """

    seed: int
    state: State
    step: int
    steps: int | None
    measured: int
    checkpoints: int | None
    seconds_per_step: float | None = None


@dataclass(frozen=True)
class RunStatus:
    """How far a run is: all of its seeds and its report."""

    name: str
    state: State
    seeds: tuple[SeedStatus, ...]
    problem: str = ""

    @property
    def seconds_left(self) -> float | None:
        return seconds_left([self])


@dataclass(frozen=True)
class Status:
    """How far the runs in a folder are.

    Attributes:
        runs: one, or those of a sweep in its order.
        seconds_left: at the rates of the logs; None while nothing runs, or nothing is known yet.
    """

    runs: tuple[RunStatus, ...]
    seconds_left: float | None

    def count(self, state: State) -> int:
        """How many runs are in a state."""
        return sum(run.state == state for run in self.runs)


def status(folder: Path | str) -> Status:
    """How far a run or a sweep is. Nothing is changed, and nothing is waited for.

    Args:
        folder: of a run or a sweep.

    Raises:
        WrongFolder: if it is neither.
        RunError: if its settings are damaged.
    """
    folder = Path(folder)
    if is_sweep(folder):
        last = last_of_runs(folder)
        is_worked_on = is_held(folder)
        runs = [
            _of_sweep(folder, run, last.get(run["folder"], {}), is_worked_on)
            for run in read_outline(folder)
        ]
    elif (folder / EXPERIMENT).exists():
        runs = [_of_run(folder)]
    else:
        missing = "there is no such folder" if not folder.is_dir() else "it holds neither"
        raise WrongFolder(f"{folder} is neither a run nor a sweep: {missing}")
    return Status(tuple(runs), seconds_left(runs))


def seconds_left(runs: Sequence[RunStatus]) -> float | None:
    """The time that the seeds which are left take, at the rates and as many at once as now."""
    seeds = [seed for run in runs for seed in run.seeds]
    known = [seed.seconds_per_step for seed in seeds if seed.seconds_per_step is not None]
    at_once = sum(seed.state == "running" for seed in seeds)
    if not known or not at_once:
        return None
    typical = statistics.median(known)
    left = [
        (seed.steps - seed.step) * (seed.seconds_per_step or typical)
        for run in runs
        if run.state != "failed"
        for seed in run.seeds
        if seed.steps is not None
    ]
    return max(sum(left) / at_once, max(left))


def is_held(folder: Path) -> bool:
    """Whether a process holds a folder for itself alone."""
    try:
        with open(folder / ".lock") as file:
            # Shared, and let go at once: who wants the folder meanwhile waits longer than that.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _of_sweep(
    sweep: Path, run: dict[str, Any], last: dict[str, Any], is_worked_on: bool
) -> RunStatus:
    """A run of a sweep. What its log calls done is not looked at any closer."""
    steps, checkpoints = run["steps"], run["checkpoints"]
    event = last.get("event")
    if event == "done" and set(run["seeds"]) <= set(last.get("seeds", ())):
        seeds = tuple(
            SeedStatus(seed, "done", steps, steps, checkpoints, checkpoints)
            for seed in run["seeds"]
        )
        return RunStatus(run["folder"], "done", seeds)
    folder = sweep / RUNS / run["folder"]
    if event is None and not folder.exists():
        seeds = tuple(
            SeedStatus(seed, "waiting", 0, steps, 0, checkpoints) for seed in run["seeds"]
        )
        return RunStatus(run["folder"], "waiting", seeds)
    seeds = tuple(_seed(folder, seed, steps, checkpoints) for seed in run["seeds"])
    if is_worked_on and is_held(folder):
        # A sweep holds every run that it has opened. Where all seeds are done it is reporting.
        states = {seed.state for seed in seeds}
        is_waiting = "running" not in states and "waiting" in states
        return RunStatus(run["folder"], "waiting" if is_waiting else "running", seeds)
    state: State = "failed" if event == "failed" else "waiting"
    problem = str(last.get("message", "")) if event == "failed" else ""
    return RunStatus(run["folder"], state, seeds, problem)


def _of_run(folder: Path) -> RunStatus:
    experiment = read_description(folder)
    if isinstance(experiment, Observation):
        return _of_observation(folder, experiment.name)
    steps, checkpoints = experiment.training.steps, len(experiment.steps)
    seeds = tuple(_seed(folder, seed, steps, checkpoints) for seed in seeds_there(folder))
    if is_held(folder):
        return RunStatus(experiment.name, "running", seeds)
    failed = [seed for seed in seeds if seed.state == "failed"]
    if failed:
        errors = seed_folder(folder, failed[0].seed) / ERRORS
        problem = f"seed {failed[0].seed}: see {errors}"
        return RunStatus(experiment.name, "failed", seeds, problem)
    is_done = bool(seeds) and all(seed.state == "done" for seed in seeds)
    is_done = is_done and (folder / REPORT).exists()
    return RunStatus(experiment.name, "done" if is_done else "waiting", seeds)


def _of_observation(folder: Path, name: str) -> RunStatus:
    """What was measured of a model that is trained elsewhere: how far that is nobody here knows."""
    state: State = "done" if (folder / REPORT).exists() else "waiting"
    seeds = []
    for seed in seeds_there(folder):
        measured = measured_steps(seed_folder(folder, seed))
        last = measured[-1] if measured else 0
        seeds.append(SeedStatus(seed, state, last, None, len(measured), None))
    return RunStatus(name, state if seeds else "waiting", tuple(seeds))


def _seed(run: Path, seed: int, steps: int, checkpoints: int) -> SeedStatus:
    folder = seed_folder(run, seed)
    measured = measured_steps(folder)
    if len(measured) >= checkpoints:
        return SeedStatus(seed, "done", steps, steps, checkpoints, checkpoints)
    is_running = is_held(folder)
    # A rate needs many lines, and only what runs has one.
    events = last_events(run, seed) if is_running else last_events(run, seed, LAST_LINES_BYTES)
    told = [event["step"] for event in events if isinstance(event.get("step"), int)]
    step = max([*told[-1:], *measured[-1:], 0])
    if is_running:
        rate = _seconds_per_step(events)
        return SeedStatus(seed, "running", step, steps, len(measured), checkpoints, rate)
    errors, log = folder / ERRORS, folder / "log.jsonl"
    has_failed = errors.exists() and (
        not log.exists() or errors.stat().st_mtime >= log.stat().st_mtime
    )
    state: State = "failed" if has_failed else "waiting"
    return SeedStatus(seed, state, step, steps, len(measured), checkpoints)


def _seconds_per_step(events: Sequence[dict[str, Any]]) -> float | None:
    """The rate since the last start, as far back as the events go."""
    since: list[tuple[float, int]] = []
    for event in events:
        if event.get("event") == "start":
            since.clear()
        time, step = event.get("time"), event.get("step")
        if isinstance(time, int | float) and isinstance(step, int):
            since.append((time, step))
    if len(since) < 2 or since[-1][1] <= since[0][1]:
        return None
    return (since[-1][0] - since[0][0]) / (since[-1][1] - since[0][1])
