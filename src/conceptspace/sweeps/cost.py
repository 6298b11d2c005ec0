"""What is left of a sweep, and about how long it takes. What costs the same is timed once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conceptspace.estimate import (
    seconds_per_probe,
    seconds_per_report,
    seconds_per_seed,
    slowed,
)
from conceptspace.experiment import Experiment
from conceptspace.folder import PROBE, check_folder, seed_folder
from conceptspace.measure.steps import measured_steps
from conceptspace.models.execution import Execution
from conceptspace.sweeps.directory import check_sweep, is_sweep, read_history, run_folder
from conceptspace.sweeps.plan import Plan, PlannedRun, compute_key, cost_key, probe_key
from conceptspace.tune import choose_execution
from conceptspace.units import Wanted


@dataclass(frozen=True)
class RunCost:
    """What is left of a run.

    Attributes:
        run: which.
        is_done: whether it is finished, report included.
        shares: of each seed's checkpoints, the share that is not measured.
        once: seconds of a core for its probe, unless another run has it, and its report.
        per_seed: seconds of a core for a whole seed, alone on the machine; 0 where none is left.
    """

    run: PlannedRun
    is_done: bool
    shares: Mapping[int, float]
    once: float
    per_seed: float

    @property
    def seconds(self) -> float:
        return self.once + sum(self.shares.values()) * self.per_seed


@dataclass(frozen=True)
class SweepCost:
    """What is asked for, what is there of it, and what the rest takes.

    Attributes:
        runs: the cost of each.
        num_timed: settings that were timed.
        at_once: seeds that are worked on side by side.
        execution: how the first run is computed.
    """

    runs: tuple[RunCost, ...]
    num_timed: int
    at_once: int
    execution: Execution

    @property
    def num_runs(self) -> int:
        return len(self.runs)

    @property
    def num_done(self) -> int:
        """Runs that are finished, reports included."""
        return sum(run.is_done for run in self.runs)

    @property
    def num_seeds(self) -> int:
        """Pairs of a run and a seed."""
        return sum(len(run.shares) for run in self.runs)

    @property
    def num_measured(self) -> int:
        """Pairs that are fully measured."""
        return sum(share == 0.0 for run in self.runs for share in run.shares.values())

    @property
    def seconds(self) -> float:
        """Until the whole sweep is finished."""
        return self.side_by_side(sum(run.seconds for run in self.runs))

    def side_by_side(self, seconds: float) -> float:
        """How long seconds of a core take, the work being done side by side."""
        return seconds * slowed(self.execution, self.at_once) / self.at_once


def estimate_sweep(
    folder: Path, plan: Plan, num_workers: int, wanted: Wanted, *, is_part: bool = False
) -> SweepCost:
    """Time what is left of a sweep. Nothing is written.

    Args:
        folder: the sweep's folder; need not be there.
        plan: what is asked for.
        num_workers: processes at once.
        wanted: how to compute.
        is_part: whether the plan may leave out experiments that are there.

    Raises:
        WrongFolder: if the sweep cannot be there.
    """
    whole = check_sweep(folder, plan, is_part=is_part)
    there = {run.key: run for run in whole.runs}
    runs = [there[run.key].replace(seeds=run.seeds) for run in plan.runs]
    history = read_history(folder, whole)
    timer = _Timer(num_workers, wanted, dict(history.executions), set(history.probes))
    costs = []
    for run in runs:
        place = run_folder(folder, run)
        if is_sweep(folder):
            check_folder(place, run.experiment)
        shares = _shares_left(place, run)
        if history.is_done(folder, run):
            costs.append(RunCost(run, True, shares, 0.0, 0.0))
            continue
        per_seed = timer.per_seed(run.experiment) if any(shares.values()) else 0.0
        once = timer.probe(run.experiment, place) + seconds_per_report(len(run.seeds))
        costs.append(RunCost(run, False, shares, once, per_seed))
    return SweepCost(
        runs=tuple(costs),
        num_timed=len(timer.seeds),
        at_once=max(1, min(num_workers, sum(len(run.seeds) for run in runs))),
        execution=timer.executions.get(compute_key(runs[0].experiment), Execution()),
    )


@dataclass
class _Timer:
    """Times each distinct kind of seed and of probe once.

    Attributes:
        num_workers: processes at once.
        wanted: how to compute.
        executions: how experiments of a compute key are computed.
        known_probes: keys of probes that are there, or that an earlier run makes.
        seeds: seconds of a seed, by cost key.
        probes: seconds of a probe, by what it costs.
    """

    num_workers: int
    wanted: Wanted
    executions: dict[str, Execution]
    known_probes: set[str]
    seeds: dict[str, float] = field(default_factory=dict)
    probes: dict[Any, float] = field(default_factory=dict)

    def per_seed(self, experiment: Experiment) -> float:
        key, cost = compute_key(experiment), cost_key(experiment)
        if key not in self.executions:
            chosen = choose_execution(experiment, self.num_workers, **self.wanted.model_dump())
            self.executions[key] = chosen[0]
        if cost not in self.seeds:
            self.seeds[cost] = seconds_per_seed(experiment, self.executions[key])
        return self.seeds[cost]

    def probe(self, experiment: Experiment, place: Path) -> float:
        """What this run's probe adds."""
        key = probe_key(experiment)
        if key in self.known_probes or (place / PROBE).exists():
            return 0.0
        self.known_probes.add(key)
        values = tuple(concept.num_values for concept in experiment.space.concepts)
        cost = (experiment.probe, experiment.world.image_shape, values)
        if cost not in self.probes:
            self.probes[cost] = seconds_per_probe(experiment)
        return self.probes[cost]


def _shares_left(there: Path, run: PlannedRun) -> dict[int, float]:
    """The share of each seed's checkpoints that are not measured."""
    return {
        seed: max(0.0, 1 - len(measured_steps(seed_folder(there, seed))) / run.checkpoints)
        for seed in run.seeds
    }
