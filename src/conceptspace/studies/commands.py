"""The command `reproduce`, once the command line is parsed."""

import time
from pathlib import Path

from conceptspace.options import DONE, ReproduceOptions, UsageError
from conceptspace.studies.reproduce import SWEEP, check_out, listed
from conceptspace.studies.study import Study
from conceptspace.sweeps.directory import check_sweep, read_history
from conceptspace.sweeps.plan import Plan, plan_sweep
from conceptspace.terminal import duration, showing_progress
from conceptspace.units import Wanted
from conceptspace.verdicts import exit_status, print_claims


def reproduce(options: ReproduceOptions) -> int:
    """Do a study and say what became of its claims."""
    from conceptspace.studies.known import find_study
    from conceptspace.studies.reproduce import reproduce as do

    for name in ("seeds", "workers"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name} must be at least 1, not {value}")
    try:
        study = find_study(options.study)
    except LookupError as error:
        raise UsageError(str(error)) from error
    out = options.out or Path("reproduce") / options.scale
    check_out(out, study, options.scale)
    runs = listed(study, options.scale, options.seeds)
    plan = plan_sweep(runs, 1) if runs else None
    print(f"study       {study.name} ({options.scale}): {study.title}")
    print(f"claims      {', '.join(study.tests)}")
    print(f"directory   {out}")
    print(f"runs        {_counted(plan, out)}")
    if options.dry_run:
        return _dry_run(plan, out, options.workers)
    started = time.monotonic()
    with showing_progress() as progress:
        done = do(
            study,
            options.scale,
            out,
            seeds=options.seeds,
            workers=options.workers,
            progress=progress,
        )
    print_claims(done.claims)
    for note in done.notes:
        print(f"note: {note}")
    print(f"\nDone in {duration(time.monotonic() - started)}.")
    _say_where(study, out)
    return exit_status(done.claims, options.strict)


def _counted(plan: Plan | None, out: Path) -> str:
    """How many runs there are and are done, without timing anything."""
    if plan is None:
        return "none: nothing is trained"
    folder = out / SWEEP
    whole = check_sweep(folder, plan, is_part=True)
    history = read_history(folder, whole)
    there = {run.key: run for run in whole.runs}
    wanted = [there[run.key].replace(seeds=run.seeds) for run in plan.runs]
    num_done = sum(history.is_done(folder, run) for run in wanted)
    num_seeds = sum(len(run.seeds) for run in wanted)
    return f"{len(wanted)}, {num_seeds} with their seeds; {num_done} done already"


def _dry_run(plan: Plan | None, out: Path, workers: int | None) -> int:
    """Say how long it would take, from a few timed steps."""
    if plan is not None:
        from conceptspace.sweeps.cost import estimate_sweep
        from conceptspace.tune import num_cores

        num_workers = workers or num_cores()
        cost = estimate_sweep(out / SWEEP, plan, num_workers, Wanted(), is_part=True)
        print(f"computing   {cost.execution.in_words()}; {num_workers} processes")
        print(f"time        about {duration(cost.seconds)}, measured on a few steps just now")
    print("nothing was written")
    return DONE


def _say_where(study: Study, out: Path) -> None:
    print(f"Figure: {(out / f'{study.name}.png').resolve()}")
    print(f"Findings and claims: {study.name}.json and {study.name}-claims.json beside it")
