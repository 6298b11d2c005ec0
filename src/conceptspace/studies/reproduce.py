"""From a study to its findings, claims and figure: its runs are done, or what is left of them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.environment import describe_environment
from conceptspace.folder import ENVIRONMENT, RunError, WrongFolder
from conceptspace.measure.files import obstacle, write_atomically
from conceptspace.models.execution import Device, Execution
from conceptspace.progress import Progress
from conceptspace.studies.multiplicity import (
    corrected,
    count_claims,
    judged_more_strictly,
    level_of,
    stricter,
)
from conceptspace.studies.outline import named_runs, planned
from conceptspace.studies.study import Scale, Study, StudyRun
from conceptspace.sweeps.directory import read_plan, run_folder
from conceptspace.sweeps.plan import Plan
from conceptspace.sweeps.sweep import sweep
from conceptspace.units import Executor

if TYPE_CHECKING:
    from conceptspace.report.case import Claim

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


def reproduce(
    study: Study,
    scale: Scale,
    out: Path,
    *,
    seeds: int | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    device: Device | None = None,
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
        device: `cpu` or `cuda`; by default a GPU where there is one.
        progress: is told how it goes.

    Raises:
        WrongFolder: if the folder is in the way or holds another scale's results.
        RunError: if runs failed; the others are finished first.
        Interrupted: on Ctrl-C or SIGTERM; the same call continues.
    """
    check_out(out, study, scale)
    plan = planned(study, scale, seeds)
    if plan is not None:
        sweep(
            named_runs(plan), out / SWEEP, workers=workers, executor=executor, device=device,
            progress=progress, is_part=True,
        )  # fmt: skip
    if progress is not None:
        progress.stage("findings, claims and figure")
    return conclude(study, scale, out, plan)


def conclude(
    study: Study, scale: Scale, out: Path, plan: Plan | None, *, num_claims: int | None = None
) -> Reproduced:
    """Findings, claims and figure of a study whose runs are done.

    Args:
        study: what is concluded.
        scale: of its runs.
        out: folder of all studies of this scale.
        plan: its runs; None where nothing is trained.
        num_claims: how many claims its own are corrected for; those of all known studies by
            default.

    Raises:
        RunError: if a seed is missing.
    """
    from threadpoolctl import threadpool_limits

    if num_claims is None:
        from conceptspace.studies.known import STUDIES

        num_claims = count_claims(STUDIES.values())
    folder, notes = out / SWEEP, []
    settings = plan.runs[0].experiment.findings if plan else FindingsSettings()
    strict = stricter(settings, num_claims)
    findings = {"study": study.name, "scale": scale, **level_of(settings)}
    again = findings | level_of(strict)
    # Small matrices, and the cores are busy with other runs: threads would wait for each other.
    with threadpool_limits(limits=1):
        analysed = study.analyse(finished(folder, plan, notes), scale)
        if plan is None:
            again |= analysed | level_of(strict)  # nothing was told of a level
        else:
            runs = judged_more_strictly(finished(folder, plan, []), num_claims)
            again |= study.analyse(runs, scale)
    findings |= analysed
    findings["notes"] = notes
    claims = corrected(study.claims(findings), study.claims(again), num_claims, level_of(strict))
    return _write(study, findings, claims, out)


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


def _write(
    study: Study, findings: dict[str, Any], claims: Sequence["Claim"], out: Path
) -> Reproduced:
    from conceptspace.figures.gallery import save_figures

    saved = [claim.model_dump(mode="json") for claim in claims]
    files = [out / f"{study.name}.json", claims_file(out, study.name), out / ENVIRONMENT]
    for path, content in zip(files, (findings, saved)):
        text = json.dumps(content, indent=1, allow_nan=False) + "\n"
        write_atomically(path, text.encode())
    write_atomically(out / ENVIRONMENT, describe_environment(Execution()))
    files += save_figures({study.name: study.figure(findings)}, out)
    return Reproduced(findings, saved, files, findings["notes"])


def claims_file(out: Path, name: str) -> Path:
    """Where the claims of a study lie."""
    return out / f"{name}-claims.json"
