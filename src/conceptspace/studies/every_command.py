"""The command `reproduce all`: its tables before and after."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from conceptspace.options import DONE, FAILED, ReproduceOptions
from conceptspace.studies.commands import say_time
from conceptspace.studies.every import Every, reproduce_all
from conceptspace.studies.multiplicity import corrected_verdict, count_claims
from conceptspace.studies.outline import Outlined, done_parts, plan_together
from conceptspace.studies.reproduce import SWEEP
from conceptspace.sweeps.commands import executor_of
from conceptspace.terminal import duration, showing_progress
from conceptspace.verdicts import VERDICT_STYLES, exit_status


def do_all(outlined: Sequence[Outlined], out: Path, options: ReproduceOptions) -> int:
    """Do all studies and say what became of all claims.

    Args:
        outlined: the studies, in the order in which they are done.
        out: folder of all studies of this scale.
        options: what was asked for.
    """
    from conceptspace.studies.report import write_report

    print(f"studies     {len(outlined)} ({options.scale})")
    print(f"directory   {out}")
    added = say_time(outlined, out, options) if options.dry_run else {}
    _print_outline(outlined, out, added)
    if options.dry_run:
        print("nothing was written")
        return DONE
    started = time.monotonic()
    with showing_progress() as progress:
        every = reproduce_all(
            outlined,
            options.scale,
            out,
            workers=options.workers,
            executor=executor_of(options),
            device=options.device,
            progress=progress,
        )
        failures = [f"{name} failed: {problem}" for name, problem in every.failed.items()]
        report = write_report(out, options.scale, failures)
    return _finish(every, outlined, report, time.monotonic() - started, options.strict)


def _finish(
    every: Every, outlined: Sequence[Outlined], report: Path, seconds: float, strict: bool
) -> int:
    """Print how all claims came out; the exit status."""
    done = {each.study.name: every.done.get(each.study.name) for each in outlined}
    print_all_claims({name: made.claims for name, made in done.items() if made})
    for name, made in done.items():
        for note in made.notes if made else ():
            print(f"note: {name}: {note}")
    print(f"\nDone in {duration(seconds)}.")
    print(f"Report: {report.resolve()}")
    for name, problem in every.failed.items():
        print(f"{name} failed: {problem}", file=sys.stderr)
    claims = [claim for made in done.values() if made for claim in made.claims]
    status = exit_status(claims, strict)
    return FAILED if every.failed else status


def print_all_claims(claims: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """The claims of several studies, each with its verdict alone and corrected for all of them."""
    table = Table(title="Claims")
    for column in ("claim", "value", "interval", "verdict", "corrected"):
        table.add_column(column, overflow="fold")
    for study, of_study in claims.items():
        table.add_section()
        table.add_row(f"[bold]{study}[/]")
        for claim in of_study:
            value, interval = claim["value"], claim["interval"]
            table.add_row(
                str(claim["id"]),
                "-" if value is None else f"{value:.3g}",
                "-" if interval is None else f"{interval[0]:.3g} to {interval[1]:.3g}",
                _styled(claim["verdict"]),
                _styled(corrected_verdict(claim)),
            )
    Console().print(table)
    from conceptspace.studies.known import STUDIES

    num = count_claims(STUDIES.values())
    print(f"corrected: each judged so that all {num} claims stand together (Bonferroni)")


def _styled(verdict: str | None) -> str:
    return "-" if verdict is None else f"[{VERDICT_STYLES[verdict]}]{verdict}[/]"


def _print_outline(outlined: Sequence[Outlined], out: Path, added: Mapping[str, float]) -> None:
    """Each study with its runs, those that it shares with one above, and what is there."""
    plan = plan_together(each.plan for each in outlined)
    runs_done, parts_done = done_parts(out / SWEEP, plan) if plan else (set(), set())
    table = Table(title="Studies, in the order in which they are done")
    table.add_column("study", overflow="fold")
    for column in ("claims", "runs", "seeds", "shared", "done", *(["time"] if added else [])):
        table.add_column(column, justify="right", no_wrap=True)
    for each in outlined:
        parts = each.parts
        cells = [len(each.study.tests), len(each.runs), len(parts), each.num_shared]
        cells.append(len(parts & parts_done))
        time_ = [duration(added[each.study.name])] if added else []
        table.add_row(each.study.name, *map(str, cells), *time_)
    runs = {run.key for each in outlined for run in each.runs}
    new = sum(len(each.new) for each in outlined)
    table.add_section()
    total = [sum(len(each.study.tests) for each in outlined), len(runs), new, ""]
    total += [len(parts_done), *([duration(sum(added.values()))] if added else [])]
    table.add_row("all", *map(str, total))
    Console().print(table)
    print("seeds: of all runs; shared: with a study above; done: seeds that are measured")
    print(f"runs        {len(runs)}, {new} with their seeds; {len(runs_done)} done already")
