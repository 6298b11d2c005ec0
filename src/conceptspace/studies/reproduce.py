"""From a study to its findings, claims and figure: its runs are done, or what is left of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conceptspace.folder import RunError, WrongFolder
from conceptspace.measure.files import obstacle, write_atomically
from conceptspace.progress import Progress
from conceptspace.studies.study import Scale, Seeded, Study, StudyRun
from conceptspace.sweeps.directory import read_plan, run_folder
from conceptspace.sweeps.plan import Plan, plan_sweep
from conceptspace.sweeps.sweep import sweep
from conceptspace.units import Executor

SWEEP = "sweep"


@dataclass
class Reproduced:
    """What came of a study.

    Attributes:
        findings: as in NAME.json.
        claims: as in NAME-claims.json.
        files: what was written.
        notes: what is missing or damaged, in words.
    """

    findings: dict[str, Any]
    claims: list[dict[str, Any]]
    files: list[Path]
    notes: list[str] = field(default_factory=list)


def listed(study: Study, scale: Scale, seeds: int | None = None) -> list[Seeded]:
    """The runs of a study, with its own number of seeds or another."""
    return [
        (experiment, own if seeds is None else seeds)
        for experiment, own in study.experiments(scale)
    ]


def reproduce(
    study: Study,
    scale: Scale,
    out: Path,
    *,
    seeds: int | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Reproduced:
    """Do a study's runs, or what is left of them, and write what comes of them.

    The runs of all studies of a scale lie in one sweep, `out/sweep`, where equal ones are shared.

    Args:
        study: what to do.
        scale: `quick` or `paper`.
        out: folder of all studies of this scale.
        seeds: of each run; the study's own number by default.
        workers: processes at once; as many as there are cores by default.
        executor: where the runs are done; on this machine by default.
        progress: is told how it goes.

    Raises:
        WrongFolder: if the folder is in the way or holds another scale's results.
        RunError: if runs failed; the others are finished first.
        Interrupted: on Ctrl-C or SIGTERM; the same call continues.
    """
    check_out(out, study, scale)
    runs, folder = listed(study, scale, seeds), out / SWEEP
    plan, notes = None, []
    if runs:
        plan = plan_sweep(runs, 1)
        sweep(
            runs, folder, workers=workers, executor=executor, progress=progress, is_part=True
        )  # fmt: skip
    if progress is not None:
        progress.stage("findings, claims and figure")
    findings: dict[str, Any] = {"study": study.name, "scale": scale}
    findings |= study.analyse(finished(folder, plan, notes), scale)
    findings["notes"] = notes
    return _write(study, findings, out)


def check_out(out: Path, study: Study, scale: Scale) -> None:
    """Refuse a folder before the work is done.

    Raises:
        WrongFolder: if nothing can be written there, or it holds the study at another scale.
    """
    blocked = f"{out} is a file" if out.is_file() else obstacle(out)
    if blocked:
        raise WrongFolder(f"cannot reproduce into {out}: {blocked}. Choose another with --out")
    try:
        there = json.loads((out / f"{study.name}.json").read_bytes())["scale"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # not there, or damaged and to be made again
    if there != scale:
        raise WrongFolder(
            f"{out} holds {study.name} at {there} scale and not at {scale} scale: choose another "
            "folder with --out"
        )


def finished(folder: Path, plan: Plan | None, notes: list[str]) -> Iterator[StudyRun]:
    """The runs of a study, one after the other, so that one is in memory at a time.

    Args:
        folder: the sweep's.
        plan: what the study needs; None where it needs nothing.
        notes: gets what is damaged, in words.

    Raises:
        RunError: if a seed is missing.
    """
    if plan is None:
        return
    from conceptspace.derived import read_measurements
    from conceptspace.measure.store import join

    there = {run.key: run for run in read_plan(folder).runs}
    for run in plan.runs:
        place = run_folder(folder, there[run.key])
        measured = read_measurements(place, run.experiment, run.seeds)
        notes += [f"{there[run.key].folder}: {note}" for note in measured.notes]
        if len(measured.measurements) < len(run.seeds):
            raise RunError(f"{place} does not have all of its seeds: {'; '.join(measured.notes)}")
        yield StudyRun(run.experiment, join(measured.measurements), place)


def _write(study: Study, findings: dict[str, Any], out: Path) -> Reproduced:
    from conceptspace.figures.gallery import save_figures

    claims = [claim.model_dump(mode="json") for claim in study.claims(findings)]
    files = [out / f"{study.name}.json", out / f"{study.name}-claims.json"]
    for path, content in zip(files, (findings, claims)):
        text = json.dumps(content, indent=1, allow_nan=False) + "\n"
        write_atomically(path, text.encode())
    files += save_figures({study.name: study.figure(findings)}, out)
    return Reproduced(findings, claims, files, findings["notes"])
