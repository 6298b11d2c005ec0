"""Which unit of a sweep's work comes next: runs are finished before others are begun."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from conceptspace.folder import RunError, check_folder
from conceptspace.measure.files import FolderInUse, exclusive
from conceptspace.models.execution import Execution
from conceptspace.seeds import complete_seeds, in_groups
from conceptspace.sweeps.directory import History, missing_seeds, run_folder
from conceptspace.sweeps.plan import PlannedRun, compute_key, probe_key
from conceptspace.units import (
    Executor,
    OpenRun,
    Outcome,
    TrainSeeds,
    Unit,
    Wanted,
    WriteReport,
    failure,
)

MOST_WAITING = 4
"""Units that may wait for a place before another run is begun."""


@dataclass
class Active:
    """A run that is being worked on, and held for this process alone."""

    planned: PlannedRun
    folder: Path
    hold: contextlib.ExitStack
    training: int = 0
    """Groups of seeds that are not finished."""
    failures: list[str] = field(default_factory=list)


@dataclass
class Schedule:
    """The order of a sweep's work. Only the runs that are worked on are kept in memory.

    Attributes:
        sweep: the sweep's folder.
        waiting: the runs that are not begun.
        history: what was done before; grows by what is opened.
        wanted: how to compute.
        num_workers: units at once, which share the cores of a machine.
        on_event: told the event, the run and what else there is to say of it.
    """

    sweep: Path
    waiting: deque[PlannedRun]
    history: History
    wanted: Wanted
    num_workers: int
    on_event: Callable[..., None]
    active: dict[Path, Active] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """Why a run failed, by its folder's name."""
    _ready: list[Unit] = field(default_factory=list)
    _blocked: list[OpenRun] = field(default_factory=list)
    _in_flight: dict[Path, set[str]] = field(default_factory=dict)
    """What the runs that are being opened find out for others: probes, ways to compute."""

    @property
    def is_finished(self) -> bool:
        return not self.waiting and not self.active

    def hand_out(self, executor: Executor) -> None:
        """Give the executor as much as it has room for."""
        while True:
            unit = next((unit for unit in self._ready if executor.has_room(unit)), None)
            if unit is not None:
                self._ready.remove(unit)
                executor.submit(unit)
                self._tell_begun(unit)
            elif self.waiting and len(self._ready) + len(self._blocked) < MOST_WAITING:
                self._begin(self.waiting.popleft())
            else:
                return

    def take(self, unit: Unit, outcome: Outcome) -> None:
        """A unit has ended: what it makes possible becomes ready."""
        run = self.active[unit.run]
        for note in outcome.notes:
            self.on_event("note", run.planned, message=note)
        if outcome.problem is not None:
            run.failures.append(failure(unit, outcome))
        if isinstance(unit, OpenRun):
            self._opened(run, outcome)
        elif isinstance(unit, TrainSeeds):
            run.training -= 1
            self.on_event("trained", run.planned, seeds=unit.seeds)
        if isinstance(unit, WriteReport):
            self._end(run, unit.seeds)
        elif run.training == 0:
            self._report(run)

    def release(self) -> None:
        """Let go of the runs that are held; those that were not finished can be continued."""
        for run in self.active.values():
            run.hold.close()
        self.active.clear()

    def _begin(self, planned: PlannedRun) -> None:
        """Hold a run and see what is left of it."""
        if self.history.is_done(self.sweep, planned):
            self.on_event("there", planned)
            return
        folder = run_folder(self.sweep, planned)
        run = Active(planned, folder, contextlib.ExitStack())
        self.active[folder] = run
        try:
            check_folder(folder, planned.experiment)  # before the lock makes it
            run.hold.enter_context(exclusive(folder))
        except (RunError, FolderInUse) as error:
            run.failures.append(f"{error}")
            self._end(run, ())
            return
        unit = OpenRun(
            run=folder,
            experiment=planned.experiment,
            wanted=self.wanted,
            num_workers=self.num_workers,
        )
        self._blocked.append(unit)
        self._unblock()

    def _unblock(self) -> None:
        """Make those runs ready to be opened that need not wait for what another finds out."""
        still = []
        for unit in self._blocked:
            keys = self._finds_out(unit)
            if any(keys & others for others in self._in_flight.values()):
                still.append(unit)
                continue
            if keys:
                self._in_flight[unit.run] = keys
            probe_of = self.history.probes.get(probe_key(unit.experiment))
            self._ready.append(
                unit.replace(
                    chosen=self.history.executions.get(compute_key(unit.experiment)),
                    probe_of=None if probe_of is None else unit.run.parent / probe_of,
                )
            )
        self._blocked = still

    def _finds_out(self, unit: OpenRun) -> set[str]:
        """The keys of what is not known before this run is opened."""
        known = self.history.executions.keys() | self.history.probes.keys()
        return {compute_key(unit.experiment), probe_key(unit.experiment)} - known

    def _opened(self, run: Active, outcome: Outcome) -> None:
        self._in_flight.pop(run.folder, None)
        if outcome.execution is not None:
            execution = outcome.execution
            self.history.opened(run.planned, execution)
            told = execution.model_dump(mode="json")
            self.on_event("opened", run.planned, execution=told)
            self._train(run, execution)
        self._unblock()

    def _train(self, run: Active, execution: Execution) -> None:
        missing = missing_seeds(run.folder, run.planned)
        groups = in_groups(missing, execution, 1) if missing else []
        run.training = len(groups)
        # In front: what is begun is finished first.
        self._ready[:0] = [
            TrainSeeds(run=run.folder, seeds=group, execution=execution) for group in groups
        ]

    def _report(self, run: Active) -> None:
        if run.failures:
            self._end(run, ())
            return
        seeds = {*run.planned.seeds, *complete_seeds(run.folder, run.planned.experiment)}
        self._ready.insert(0, WriteReport(run=run.folder, seeds=tuple(sorted(seeds))))

    def _end(self, run: Active, seeds: Iterable[int]) -> None:
        del self.active[run.folder]
        run.hold.close()
        if run.failures:
            problem = "; ".join(run.failures)
            self.failed[run.planned.folder] = problem
            self.on_event("failed", run.planned, message=problem)
        else:
            self.on_event("done", run.planned, seeds=sorted(seeds))

    def _tell_begun(self, unit: Unit) -> None:
        if isinstance(unit, TrainSeeds):
            self.on_event("training", self.active[unit.run].planned, seeds=unit.seeds)
