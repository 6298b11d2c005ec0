"""The commands `sweep` and `status`, once the command line is parsed."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from conceptspace.options import (
    DONE,
    ReproduceOptions,
    StatusOptions,
    SweepOptions,
    UsageError,
)
from conceptspace.progress import READING
from conceptspace.sweeps.listing import Listing, read_listing
from conceptspace.sweeps.plan import plan_sweep
from conceptspace.sweeps.status import RunStatus, Status
from conceptspace.sweeps.status import status as look
from conceptspace.terminal import duration, showing_progress
from conceptspace.units import Executor, Wanted

STATE_STYLES = {"done": "green", "failed": "red", "running": "cyan", "waiting": "dim"}
MOST_ROWS = 100
"""On a terminal; elsewhere every run has its line."""
COUNTED = ("seeds", "checkpoints", "steps")


def sweep(options: SweepOptions) -> int:
    """Run a list of experiments and say where they lie."""
    from conceptspace.sweeps.compared import write_sweep_report
    from conceptspace.sweeps.sweep import sweep as run_sweep

    for name in ("seeds", "workers", "threads"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name} must be at least 1, not {value}")
    check_executor(options)
    listing = _listing(options)
    folder = options.out or listing.folder or Path("sweeps") / listing.name
    if options.dry_run:
        return _dry_run(listing, folder, options)
    started = time.monotonic()
    with showing_progress() as progress:
        run_sweep(
            listing.entries,
            folder,
            seeds=listing.num_seeds,
            workers=options.workers,
            executor=executor_of(options),
            device=options.device,
            precision=options.precision,
            threads=options.threads,
            progress=progress,
        )
    print(f"Done in {duration(time.monotonic() - started)}.")
    print(f"Runs: {(folder / 'runs').resolve()}, each with its report.html")
    print(f"Report: {write_sweep_report(folder).resolve()}")
    return DONE


def _listing(options: SweepOptions) -> Listing:
    """What is asked for, with the data, seeds and steps that are asked for."""
    listing = read_listing(options.experiments)
    for field, place in (("path", options.world.path), ("cache", options.world.cache)):
        listing = listing if place is None else listing.on_data(field, place)
    if options.only_steps is not None:
        try:
            listing = listing.shortened(options.only_steps)
        except ValueError as error:
            raise UsageError(f"--only-steps: {error}") from error
    if options.seeds is not None:
        entries = tuple(e[0] if isinstance(e, tuple) else e for e in listing.entries)
        listing = replace(listing, entries=entries, num_seeds=options.seeds)
    try:
        with showing_progress() as progress:
            plan_sweep(
                listing.entries,
                listing.num_seeds,
                lambda done, of: progress.advance(READING, done, of),
            )
    except ValueError as error:
        raise UsageError(f"{options.experiments}: {error}") from error
    return listing


def check_executor(options: SweepOptions | ReproduceOptions) -> None:
    """Refuse an address where there is no Ray.

    Raises:
        UsageError: if there is one.
    """
    if options.address is not None and options.executor != "ray":
        raise UsageError("--address is a Ray cluster's: give --executor ray with it")


def executor_of(options: SweepOptions | ReproduceOptions) -> Executor | None:
    """Where the options want the work to be done; None for processes of this machine."""
    if options.executor == "local":
        return None
    from conceptspace.sweeps.ray import RayExecutor

    return RayExecutor(options.address, options.workers)


def _dry_run(listing: Listing, folder: Path, options: SweepOptions) -> int:
    """Say what would be done, from a few timed steps."""
    from conceptspace.sweeps.cost import estimate_sweep
    from conceptspace.tune import num_cores

    plan = plan_sweep(listing.entries, listing.num_seeds)
    num_workers = options.workers or num_cores()
    wanted = Wanted(device=options.device, precision=options.precision, threads=options.threads)
    cost = estimate_sweep(folder, plan, num_workers, wanted)
    where = "on this machine" if options.executor == "local" else "on machines like this one"
    print(f"experiments {len(listing.entries)}, which are {cost.num_runs} different runs")
    print(f"directory   {folder}")
    print(f"runs        {cost.num_runs}, {cost.num_done} done already")
    print(f"seeds       {cost.num_seeds} in all, {cost.num_measured} measured already")
    print(f"computing   {cost.execution.in_words()}; {num_workers} processes {where}")
    timed = f"measured just now on {cost.num_timed} of the settings"
    print(f"time        about {duration(cost.seconds)}, {timed}")
    print("nothing was written")
    return DONE


def status(options: StatusOptions) -> int:
    """Show how far a run or a sweep is."""
    found = look(options.folder)
    console = Console()
    if console.is_terminal:
        shown = _for_a_screen(found.runs)
        console.print(_table(shown))
        if len(shown) < len(found.runs):
            print(f"and {len(found.runs) - len(shown)} more: `conceptspace status DIR | less`")
    else:
        for run in found.runs:
            name, state, *numbers, left = _cells(run)
            words = [f"{number} {word}" for number, word in zip(numbers, COUNTED)]
            print("  ".join([name, state, *words, *([f"{left} left"] if left else [])]))
    for run in found.runs:
        if run.problem:
            print(f"{run.name}: {run.problem}", file=sys.stderr)
    print(_summary(found))
    return DONE


def _for_a_screen(runs: Sequence[RunStatus]) -> list[RunStatus]:
    """All runs, or where they are too many those that run or have failed, and as many others."""
    matters = [run for run in runs if run.state in ("running", "failed")]
    others = [run for run in runs if run.state not in ("running", "failed")]
    return (matters + others)[:MOST_ROWS] if len(runs) > MOST_ROWS else list(runs)


def _table(runs: Sequence[RunStatus]) -> Table:
    table = Table()
    for column in ("run", "state", *COUNTED, "time left"):
        table.add_column(column, justify="left" if column in ("run", "state") else "right")
    for run in runs:
        name, state, *numbers = _cells(run)
        table.add_row(name, f"[{STATE_STYLES[state]}]{state}[/]", *numbers)
    return table


def _cells(run: RunStatus) -> list[str]:
    """A run in a few words: its name, state, what is counted, and the time left."""
    seeds = run.seeds
    num_done = sum(seed.state == "done" for seed in seeds)
    return [
        run.name,
        run.state,
        f"{num_done} of {len(seeds)}",
        _counted([(seed.measured, seed.checkpoints) for seed in seeds]),
        _counted([(seed.step, seed.steps) for seed in seeds]),
        "" if run.seconds_left is None else duration(run.seconds_left),
    ]


def _counted(parts: Sequence[tuple[int, int | None]]) -> str:
    """How many of how many, or only how many where that is not known."""
    done, whole = sum(num for num, _ in parts), [of for _, of in parts if of is not None]
    return f"{done} of {sum(whole)}" if len(whole) == len(parts) else f"{done}"


def _summary(found: Status) -> str:
    counts = [(found.count(state), state) for state in ("done", "failed", "running", "waiting")]
    told = ", ".join(f"{num} {state}" for num, state in counts if num)
    num = len(found.runs)
    said = f"{num} run{'s' if num != 1 else ''}: {told}"
    if found.seconds_left is None:
        return said
    return f"{said}; about {duration(found.seconds_left)} left at the rates of the logs"
