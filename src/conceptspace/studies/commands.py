"""The command `reproduce`, once the command line is parsed: one study, or all of them."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from conceptspace.options import DONE, ReproduceOptions, UsageError
from conceptspace.studies.outline import Outlined, done_parts, outline, plan_together
from conceptspace.studies.reproduce import SWEEP, check_out
from conceptspace.studies.study import Study
from conceptspace.sweeps.commands import check_executor, executor_of
from conceptspace.terminal import duration, showing_progress
from conceptspace.units import Wanted
from conceptspace.verdicts import exit_status, print_claims

ALL = "all"
"""What stands for every study, on the command line."""


def reproduce(options: ReproduceOptions) -> int:
    """Do a study, or all of them, and say what became of the claims."""
    for name in ("seeds", "workers"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name} must be at least 1, not {value}")
    check_executor(options)
    outlined = outline(_asked_for(options.study), options.scale, options.seeds)
    out = options.out or Path("reproduce") / options.scale
    for each in outlined:
        check_out(out, each.study, options.scale)
    if options.study == ALL:
        from conceptspace.studies.every_command import do_all

        return do_all(outlined, out, options)
    (one,) = outlined
    print(f"study       {one.study.name} ({options.scale}): {one.study.title}")
    print(f"claims      {', '.join(one.study.tests)}")
    print(f"directory   {out}")
    print(f"runs        {_counted(one, out)}")
    if options.dry_run:
        say_time(outlined, out, options)
        print("nothing was written")
        return DONE
    return _do_one(one.study, out, options)


def _asked_for(name: str) -> Sequence[Study]:
    """The studies that a name stands for.

    Raises:
        UsageError: if it stands for none.
    """
    from conceptspace.studies.known import STUDIES, find_study

    if name == ALL:
        return list(STUDIES.values())
    try:
        return [find_study(name)]
    except LookupError as error:
        raise UsageError(str(error)) from error


def _do_one(study: Study, out: Path, options: ReproduceOptions) -> int:
    from conceptspace.studies.report import write_report
    from conceptspace.studies.reproduce import reproduce as do

    started = time.monotonic()
    with showing_progress() as progress:
        done = do(
            study,
            options.scale,
            out,
            seeds=options.seeds,
            workers=options.workers,
            executor=executor_of(options),
            device=options.device,
            progress=progress,
        )
        report = write_report(out, options.scale)
    print_claims(done.claims)
    for note in done.notes:
        print(f"note: {note}")
    print(f"\nDone in {duration(time.monotonic() - started)}.")
    print(f"Figure: {(out / f'{study.name}.png').resolve()}")
    print(f"Findings and claims: {study.name}.json and {study.name}-claims.json beside it")
    print(f"Report: {report.resolve()}")
    return exit_status(done.claims, options.strict)


def _counted(one: Outlined, out: Path) -> str:
    """How many runs there are and are done, without timing anything."""
    if one.plan is None:
        return "none: nothing is trained"
    done, _ = done_parts(out / SWEEP, one.plan)
    seeds = f"{len(one.parts)} with their seeds"
    return f"{len(one.runs)}, {seeds}; {len(done)} done already"


def say_time(
    outlined: Sequence[Outlined], out: Path, options: ReproduceOptions
) -> Mapping[str, float]:
    """Say how long studies would take, from a few timed steps.

    Returns:
        what each study adds, in seconds.
    """
    plan, added = plan_together(each.plan for each in outlined), {}
    if plan is not None:
        from conceptspace.sweeps.cost import estimate_sweep
        from conceptspace.tune import num_cores

        num_workers = options.workers or num_cores()
        wanted = Wanted(device=options.device)
        cost = estimate_sweep(out / SWEEP, plan, num_workers, wanted, is_part=True)
        added = {each.study.name: each.seconds(cost) for each in outlined}
        where = "" if options.executor == "local" else " on machines like this one"
        print(f"computing   {cost.execution.in_words()}; {num_workers} processes{where}")
        timed = f"measured on a few steps of {cost.num_timed} kinds of run just now"
        print(f"time        about {duration(cost.seconds)}, {timed}")
        load = os.getloadavg()[0]
        if load > num_cores() + 1:
            print(f"            while the machine is busy (load {load:.0f}): less once it is not")
    return added
