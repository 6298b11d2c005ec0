"""The runs of a sweep side by side: read from what is derived of each, and written as a report."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conceptspace.measure.files import write_atomically
from conceptspace.report.across import render_across
from conceptspace.report.across_tables import AcrossRun, verdicts_across
from conceptspace.sweeps.differences import differences, unusual
from conceptspace.sweeps.directory import REPORT, last_of_runs, read_plan, run_folder
from conceptspace.sweeps.plan import PlannedRun

MOST_CLASSES = 2
"""Held-out classes whose accuracy is shown; the others are in the run's own report."""


@dataclass(frozen=True)
class Compared:
    """The runs of a sweep for a report.

    Attributes:
        runs: in the order of the sweep.
        claims: of each run that has some, its folder's name and its claims.
        notes: what is missing or damaged, in words.
    """

    runs: list[AcrossRun]
    claims: list[tuple[str, list[dict[str, Any]]]]
    notes: list[str]


def write_sweep_report(folder: Path) -> Path:
    """Write `report.html` into a sweep's folder, from what its runs have derived.

    Raises:
        WrongFolder: if the folder is no sweep.
        RunError: if its plan is damaged.
    """
    compared = compare(folder, folder)
    facts = [f"sweep of {len(compared.runs)} runs"]
    text = render_across(
        folder.resolve().name,
        facts,
        compared.runs,
        notes=compared.notes,
        command=f"conceptspace sweep {folder}",
        claims=verdicts_across(compared.claims),
    )
    path = folder / REPORT
    write_atomically(path, text.encode())
    return path


def compare(
    sweep: Path, seen_from: Path, needed_by: Mapping[str, Sequence[str]] | None = None
) -> Compared:
    """Read what the runs of a sweep have derived.

    Args:
        sweep: the sweep's folder.
        seen_from: the folder in which links to the runs' own reports will stand.
        needed_by: by the key of a run, the studies that need it.

    Raises:
        WrongFolder: if the folder is no sweep.
        RunError: if its plan is damaged.
    """
    planned, last = read_plan(sweep).runs, last_of_runs(sweep)
    differing = differences([run.experiment for run in planned])
    made = Compared([], [], [])
    for run, own, odd in zip(planned, differing, unusual(differing)):
        there = run_folder(sweep, run)
        findings, claims = _read(there / "findings.json"), _read(there / "claims.json") or []
        event = last.get(run.folder, {})
        if event.get("event") == "failed":
            made.notes.append(f"{run.folder} failed: {event.get('message', '')}")
        if claims:
            made.claims.append((run.folder, claims))
        has_report = (there / REPORT).exists()
        link = (there / REPORT).relative_to(seen_from).as_posix() if has_report else ""
        made.runs.append(
            AcrossRun(
                name=run.folder,
                state=_state(run, event, findings),
                link=link,
                settings=own,
                unusual=odd,
                verdicts={str(claim["id"]): str(claim["verdict"]) for claim in claims},
                needed_by=(needed_by or {}).get(run.key, ()),
                **_found(run, findings or {}),
            )
        )
    return made


def _state(run: PlannedRun, event: Mapping[str, Any], findings: Any) -> str:
    if event.get("event") == "failed":
        return "failed"
    if event.get("event") == "done" and findings:
        return "done" if set(run.seeds) <= set(findings["seeds"]) else "seeds are missing"
    return "not finished"


def _found(run: PlannedRun, findings: Mapping[str, Any]) -> dict[str, Any]:
    """What a run's findings say of its held-out classes."""
    found: dict[str, Any] = {"seeds": len(findings.get("seeds", ()))}
    held_out = [
        (name, block)
        for name, block in findings.get("classes", {}).items()
        if block.get("held_out")
    ]
    found["accuracy"] = {
        name: (block["accuracy"]["naive"]["mean"][-1], block["accuracy"]["naive"]["interval"][-1])
        for name, block in held_out[:MOST_CLASSES]
    }
    if held_out:
        by_threshold = held_out[0][1]["learning_time"]
        found["times"] = by_threshold[str(run.experiment.findings.thresholds[0])]
    return found


def _read(path: Path) -> Any:
    """What a derived file says; None if it is not there or damaged, since it can be made again."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
