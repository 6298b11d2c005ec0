"""From a list of experiments to a folder of finished runs."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conceptspace.folder import Interrupted, RunError
from conceptspace.log import EventLog, LogFollower
from conceptspace.measure.files import exclusive
from conceptspace.models.execution import Device, Precision
from conceptspace.pool import ProcessPool
from conceptspace.progress import READING, Progress, Silent, terminate_as_interrupt
from conceptspace.sweeps.directory import check_sweep, read_history, run_folder, write_plan
from conceptspace.sweeps.plan import Listed, PlannedRun, plan_sweep
from conceptspace.sweeps.schedule import Schedule
from conceptspace.tune import num_cores
from conceptspace.units import Executor, Wanted

POLL_SECONDS = 0.5
KEPT_EVENTS = ("opened", "failed", "done")


@dataclass(frozen=True)
class Ended:
    """A run of a sweep on which nothing more is done.

    Attributes:
        run: which.
        problem: why it failed; empty if it is finished.
    """

    run: PlannedRun
    problem: str = ""


Meanwhile = Callable[[Sequence[Ended]], bool]
"""Told the runs that have ended since the last call, which may be none. It may do a piece of work
of its own while others train, and says whether it did."""


class RunsFailed(RunError):
    """Some runs of a sweep failed; the others are finished."""


def sweep(
    experiments: Iterable[Listed],
    out: Path | str,
    *,
    seeds: int | Sequence[int] = 5,
    workers: int | None = None,
    executor: Executor | None = None,
    device: Device | None = None,
    precision: Precision | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    is_part: bool = False,
    meanwhile: Meanwhile | None = None,
) -> Path:
    """Run many experiments, or what is left of them, as one job in one folder.

    Every run is an ordinary run directory in `out/runs`. Experiments with equal settings share one.
    A sweep that was stopped, however it was, continues with the same call; what is finished is not
    done again, and what could not be finished is tried again. Experiments and seeds can be added.

    Args:
        experiments: what to run; a pair of an experiment and seeds gives it seeds of its own.
        out: the sweep's folder.
        seeds: how many (0, 1, ...), or which, of each experiment.
        workers: processes at once on this machine; as many as there are cores by default, of which
            one at a time uses the GPU unless the number is given.
        executor: where the work is done; processes on this machine by default.
        device: `cpu` or `cuda`; by default a GPU where there is one.
        precision: of convolutions, as for `run`; chosen once for all runs that compute alike.
        threads: of each process, as for `run`.
        progress: is told how it goes.
        is_part: the list may leave out experiments that are in the folder; they are left alone.
        meanwhile: called again and again between handing out work.

    Returns:
        The sweep's folder.

    Raises:
        ValueError: if the list is empty, names two settings alike, or the seeds are wrong.
        RunError: if the folder holds something else, or (`RunsFailed`) runs fail; the others are
            finished first.
        Interrupted: on Ctrl-C or SIGTERM.
        FolderInUse: if another process works on the sweep.

    Example:
        `cs.sweep([cs.quick(), (cs.recipe("grid:0.2,0.233"), 3)], "sweeps/mine", seeds=2)`
    """
    wanted = Wanted(device=device, precision=precision, threads=threads)
    shown = progress or Silent()
    plan = plan_sweep(experiments, seeds, lambda done, of: shown.advance(READING, done, of))
    folder = Path(out)
    check_sweep(folder, plan, is_part=is_part)  # before the lock makes it
    num_workers = workers or num_cores()
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(exclusive(folder, wait_seconds=1.0))
            whole = check_sweep(folder, plan, shown.stage, is_part=is_part)
            write_plan(folder, whole)
            there = {run.key: run for run in whole.runs}  # under the name that it was made with
            runs = [there[run.key].replace(seeds=run.seeds) for run in plan.runs]
            teller = stack.enter_context(_Teller(folder, runs, shown))
            schedule = Schedule(
                folder, deque(runs), read_history(folder, whole), wanted, num_workers, teller.tell
            )
            stack.callback(schedule.release)
            pool = executor or ProcessPool(num_workers, num_on_gpu=workers or 1)
            stack.enter_context(pool)
            stack.enter_context(terminate_as_interrupt())  # after Ray, which takes SIGTERM itself
            _work(schedule, pool, teller, meanwhile or (lambda ended: False))
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped; nothing is lost: the same command continues the sweep in {folder}"
        ) from None
    if schedule.failed:
        raise RunsFailed(_failures(schedule.failed, len(runs)))
    return folder


def _work(schedule: Schedule, executor: Executor, teller: "_Teller", meanwhile: Meanwhile) -> None:
    while True:
        schedule.hand_out(executor)
        # After handing out, so that what is done meanwhile keeps nobody waiting.
        was_busy = meanwhile(teller.take_ended())
        if schedule.is_finished:
            return
        for unit, outcome in executor.finished(0.0 if was_busy else POLL_SECONDS):
            schedule.take(unit, outcome)
        teller.look()


def _failures(failed: dict[str, str], num_runs: int) -> str:
    lines = "\n".join(f"  {name}: {problem}" for name, problem in failed.items())
    others = "the others are done; " if len(failed) < num_runs else ""
    return (
        f"{len(failed)} of {num_runs} runs failed; {others}the same command tries again what "
        f"failed, from where it stopped:\n{lines}"
    )


class _Teller:
    """Tells the sweep's log and whoever looks what happens.

    Args:
        folder: the sweep's folder.
        runs: what is to be done.
        progress: whoever looks.
    """

    def __init__(self, folder: Path, runs: Sequence[PlannedRun], progress: Progress) -> None:
        self.folder = folder
        self.progress = progress
        self.log = EventLog(folder)
        self.total = sum(run.steps * len(run.seeds) for run in runs)
        self.num_runs = len(runs)
        self.num_ended = 0
        self.ended: list[Ended] = []
        self.ended_steps = 0
        self.followed: dict[str, dict[int, LogFollower]] = {}
        progress.stage(f"{len(runs)} runs, {sum(len(run.seeds) for run in runs)} with their seeds")

    def __enter__(self) -> "_Teller":
        return self

    def __exit__(self, *error: object) -> None:
        self.log.close()

    def tell(self, event: str, run: PlannedRun, **fields: Any) -> None:
        """Something has happened to a run."""
        if event in KEPT_EVENTS:
            self.log.write(event, run=run.folder, **fields)
        if event == "training":
            there = run_folder(self.folder, run)
            followers = self.followed.setdefault(run.folder, {})
            followers.update((seed, LogFollower(there, seed)) for seed in fields["seeds"])
        elif event == "note":
            self.progress.stage(f"{run.folder}: {fields['message']}")
        elif event in ("done", "failed", "there"):
            self._ended(event, run, fields.get("message", ""))

    def _ended(self, event: str, run: PlannedRun, message: str) -> None:
        self.look()
        self.num_ended += 1
        self.ended_steps += run.steps * len(run.seeds)
        self.followed.pop(run.folder, None)
        self.ended.append(Ended(run, message if event == "failed" else ""))
        said = {"done": "done", "there": "was done before", "failed": f"failed: {message}"}[event]
        self.progress.stage(f"{run.folder}: {said} ({self.num_ended} of {self.num_runs})")
        self.look()

    def take_ended(self) -> list[Ended]:
        """The runs that have ended since the last call."""
        ended, self.ended = self.ended, []
        return ended

    def look(self) -> None:
        """Read how far the seeds are that are being trained."""
        steps = self.ended_steps
        for folder, followers in self.followed.items():
            for follower in followers.values():
                for message in follower.read():
                    self.progress.stage(f"{folder}: {message}")
                steps += follower.step
        self.progress.advance("sweep", min(steps, self.total), self.total)
