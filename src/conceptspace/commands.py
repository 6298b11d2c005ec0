"""What each command does, once the command line is parsed. Each returns the exit status."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from conceptspace.analysing import analyse
from conceptspace.candidates import sites
from conceptspace.describing import describe
from conceptspace.experiment import Experiment, shortened
from conceptspace.options import (
    DONE,
    FAILED,
    BenchmarkOptions,
    DoctorOptions,
    ReportOptions,
    RunOptions,
    SampleOptions,
    SignalOptions,
    TheoryOptions,
    UsageError,
)
from conceptspace.studies.commands import reproduce
from conceptspace.sweeps.commands import status, sweep
from conceptspace.terminal import duration, showing_progress
from conceptspace.verdicts import exit_status, print_claims

__all__ = [
    "analyse",
    "benchmark",
    "describe",
    "doctor",
    "report",
    "reproduce",
    "run",
    "sample",
    "signal",
    "sites",
    "status",
    "sweep",
    "theory",
]


def run(options: RunOptions) -> int:
    """Run an experiment and print its claims and where the report lies."""
    from conceptspace import runner
    from conceptspace.load import load_run

    if options.seeds < 1:
        raise UsageError(f"--seeds must be at least 1, not {options.seeds}")
    if options.workers is not None and options.workers < 1:
        raise UsageError(f"--workers must be at least 1, not {options.workers}")
    if options.threads is not None and options.threads < 1:
        raise UsageError(f"--threads must be at least 1, not {options.threads}")
    experiment = _first_steps(options.experiment, options.only_steps)
    folder = options.out or Path("runs") / experiment.name
    if options.dry_run:
        return _dry_run(experiment, folder, options)
    started = time.monotonic()
    with showing_progress() as progress:
        runner.run(
            experiment,
            folder,
            seeds=options.seeds,
            workers=options.workers,
            device=options.device,
            precision=options.precision,
            threads=options.threads,
            progress=progress,
        )
    claims = load_run(folder).claims
    print_claims(claims)
    print(f"\nDone in {duration(time.monotonic() - started)}.")
    _say_where(folder)
    return exit_status(claims, options.strict)


def _first_steps(experiment: Experiment, steps: int | None) -> Experiment:
    """The experiment, or its beginning where only that is asked for."""
    if steps is None:
        return experiment
    try:
        return shortened(experiment, steps)
    except ValueError as error:
        raise UsageError(f"--only-steps: {error}") from error


def report(options: ReportOptions) -> int:
    """Make everything derived from a run's measurements again, or the report across runs."""
    from conceptspace.derived import derive
    from conceptspace.studies.report import report_across

    across = report_across(options.run)
    if across is not None:
        if options.strict:
            raise UsageError("--strict is for a run; for all studies give it to `reproduce`")
        print(f"Report: {across.resolve()}")
        return DONE
    made = derive(options.run)
    print_claims(made["claims"])
    for note in made["notes"]:
        print(f"note: {note}")
    _say_where(options.run)
    return exit_status(made["claims"], options.strict)


def sample(options: SampleOptions) -> int:
    """Draw images from a checkpoint into a PNG."""
    from conceptspace.drawing import draw_samples, save_grid
    from conceptspace.load import load_run

    _check_out(options.out, (".png",))
    opened = load_run(options.run)
    try:
        drawn = draw_samples(
            opened,
            seed=options.seed,
            step=options.step,
            concept_class=options.concept_class,
            method=options.method,
            strength=options.strength,
            num=options.num,
            random_seed=options.random_seed,
        )
    except (ValueError, FileNotFoundError) as error:
        raise UsageError(str(error)) from error
    save_grid(drawn.pictures, options.out)
    print(f"{drawn.description}\n{options.out}")
    return DONE


def signal(options: SignalOptions) -> int:
    """Print the concept signals and draw the picture that compares the axes."""
    from conceptspace.data.signal import concept_signal
    from conceptspace.derived import examples
    from conceptspace.figures.gallery import save_figure
    from conceptspace.figures.signal import signal_figure

    _check_out(options.out, (".png", ".svg"))
    experiment = options.experiment
    signals = concept_signal(experiment.world, experiment.space)
    table = Table(title="Concept signal")
    table.add_column("concept")
    table.add_column("|dG/dz|, a step between values", justify="right")
    table.add_column("distance between class means", justify="right")
    for entry in signals.values():
        forms = (entry.derivative, entry.finite)
        table.add_row(entry.concept, *("-" if form is None else f"{form:.3f}" for form in forms))
    Console().print(table)
    order = sorted(signals.values(), key=lambda entry: -(entry.finite or 0.0))
    print("Expected order of learning: " + ", ".join(entry.concept for entry in order))
    plain = {s.concept: {"signal": s.derivative, "finite": s.finite} for s in signals.values()}
    ending = options.out.suffix.removeprefix(".")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_figure(signal_figure(plain, examples(experiment)), options.out, ending)
    print(options.out)
    return DONE


def theory(options: TheoryOptions) -> int:
    """Ask the equations, print what they say and draw it."""
    from conceptspace.equations.solve import solve
    from conceptspace.figures.gallery import save_figure

    out = options.model.out
    _check_out(out, (".png", ".svg"))
    lines, figure = solve(options.model)
    print("\n".join(lines))
    out.parent.mkdir(parents=True, exist_ok=True)
    save_figure(figure, out, out.suffix.removeprefix("."))
    print(out)
    return DONE


def doctor(options: DoctorOptions) -> int:
    """Check the installation and the machine."""
    from conceptspace.doctor import examine

    table = Table(show_header=False, box=None)
    findings = examine()
    for finding in findings:
        table.add_row(
            {"good": "[green]ok[/]", "note": "[yellow]note[/]", "bad": "[red]bad[/]"}[
                finding.grade
            ],
            finding.subject,
            finding.message,
        )
    Console().print(table)
    return FAILED if any(finding.grade == "bad" for finding in findings) else DONE


def benchmark(options: BenchmarkOptions) -> int:
    """Time ours beside a plain loop and beside the published code, and print one table."""
    import json

    import torch

    from conceptspace.benchmark.contenders import Sizes, check_checkout
    from conceptspace.benchmark.table import Benchmark, ways_here
    from conceptspace.environment import processor_name
    from conceptspace.measure.files import obstacle, write_atomically
    from conceptspace.tune import num_cores, using_threads

    for name, value in (("rounds", options.rounds), ("threads", options.threads or 1)):
        if value < 1:
            raise UsageError(f"--{name} must be at least 1, not {value}")
    if min(options.members, default=1) < 1:
        raise UsageError(f"--members must be at least 1, not {min(options.members)}")
    if options.json is not None and (blocked := obstacle(options.json)):
        raise UsageError(f"--json {options.json}: {blocked}; choose another path")
    if options.official is not None:
        check_checkout(options.official)
    on_gpu = torch.cuda.is_available()
    machine = torch.cuda.get_device_name(0) if on_gpu else processor_name()
    threads = options.threads or num_cores()
    print(f"{machine}; {threads} CPU threads; torch {torch.__version__}; {_tf32()}")
    with using_threads(threads):
        timed = Benchmark(
            ways_here(threads), Sizes(), options.official, options.rounds, _tell_progress
        )
        rows = timed.rows()
        counts = options.members or ((1, 2, 4, 8, 16) if on_gpu else ())
        rows += timed.ensemble(counts, rows[0].official_s)
    for name, rate in timed.rates.items():
        print(f"matrix rate, {name}: {rate / 1e12:.2f} TFLOP/s")
    _print_rows(rows)
    if options.json is not None:
        text = json.dumps([row.to_json() for row in rows], indent=1)
        write_atomically(options.json, (text + "\n").encode())
        print(options.json)
    return DONE


def _tell_progress(message: str) -> None:
    print(f"timing {message} ...", file=sys.stderr, flush=True)


def _tf32() -> str:
    import torch

    on = torch.backends.cudnn.allow_tf32
    return f"TF32 in convolutions: official {'on' if on else 'off'} where a GPU has it, ours off"


def _print_rows(rows: Sequence[Any]) -> None:
    table = Table(title="At the paper's size")
    for column in ("job", "ours", "plain", "official", "ratio", "of rate", "memory"):
        table.add_column(column, justify="left" if column == "job" else "right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.row,
            *(_seconds(value) for value in (row.ours_s, row.eager_s, row.official_s)),
            "-" if row.ratio is None else f"{row.ratio:.2f}x",
            "-" if row.utilisation is None else f"{100 * row.utilisation:.0f} %",
            "-" if row.peak_memory_bytes is None else f"{row.peak_memory_bytes / 1e9:.2f} GB",
        )
    Console().print(table)
    print("plain: ours in eager float32. ratio: official over ours. of rate: of the matrix rate.")
    print("run: 20 000 steps and 60 checkpoints, projected from the rates.")
    for way in dict.fromkeys(row.way for row in rows):
        print(f"{', '.join(row.row for row in rows if row.way == way)}: {way}")


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3g} s" if value < 1000 else f"{value / 3600:.3g} h"


def _check_out(path: Path, endings: tuple[str, ...]) -> None:
    """Refuse a picture's path before the work is done."""
    from conceptspace.measure.files import obstacle

    if path.suffix not in endings:
        raise UsageError(f"--out must end in {' or '.join(endings)}, not {str(path)!r}")
    blocked = f"{path} is a folder" if path.is_dir() else obstacle(path)
    if blocked:
        raise UsageError(f"--out {path}: {blocked}; choose another path")


def _dry_run(experiment: Experiment, folder: Path, options: RunOptions) -> int:
    """Say what would be done, from a few timed steps."""
    from conceptspace.estimate import estimate
    from conceptspace.folder import check_folder

    experiment = experiment.identified()
    check_folder(folder, experiment)
    cost = estimate(
        experiment,
        folder,
        options.seeds,
        options.workers,
        device=options.device,
        precision=options.precision,
        threads=options.threads,
    )
    print(f"experiment  {experiment.name} ({experiment.scale})")
    print(f"directory   {folder}")
    print(f"seeds       {options.seeds}, {cost.num_workers} at once")
    print(f"computing   {cost.execution.in_words()}")
    print(f"training    {experiment.training.steps} steps a seed")
    print(f"checkpoints {len(experiment.steps)} a seed, {cost.num_measured} measured already")
    print(f"time        about {duration(cost.seconds)}, measured on a few steps just now")
    print("nothing was written")
    return DONE


def _say_where(folder: Path) -> None:
    print(f"Report: {(folder / 'report.html').resolve()}")
