"""The report of all studies of a scale: their runs, their figures, and all claims by scale."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from conceptspace.folder import WrongFolder
from conceptspace.measure.files import write_atomically
from conceptspace.report.across import Shown, render_across
from conceptspace.report.across_tables import ClaimAcross, claims_across
from conceptspace.studies import known
from conceptspace.studies.multiplicity import CORRECTED, corrected_verdict, count_claims
from conceptspace.studies.outline import planned
from conceptspace.studies.reproduce import SWEEP, claims_file
from conceptspace.studies.study import Scale, Study
from conceptspace.sweeps.compared import Compared, compare, write_sweep_report
from conceptspace.sweeps.directory import REPORT, is_sweep

CLAIMS = "*-claims.json"


def holds_studies(folder: Path) -> bool:
    """Whether a folder is that of all studies of a scale, with at least one that was concluded."""
    return any(scale_of(folder, study) for study in known.STUDIES.values())


def scale_of(folder: Path, study: Study) -> Scale | None:
    """The scale at which a study lies in a folder; None if it does not."""
    found = _read(folder / f"{study.name}.json")
    scale = found.get("scale") if isinstance(found, dict) else None
    return next((known for known in get_args(Scale) if known == scale), None)


def report_across(folder: Path) -> Path | None:
    """Write the report across runs of a sweep, or of all studies of a scale.

    Args:
        folder: of either.

    Returns:
        The report; None if the folder is neither.
    """
    if is_sweep(folder):
        return write_sweep_report(folder)
    return write_report(folder) if holds_studies(folder) else None


def write_report(out: Path, scale: Scale | None = None, notes: Sequence[str] = ()) -> Path:
    """Write `report.html` into the folder of all studies of a scale, from what lies there.

    A folder beside it that is called like another scale adds its claims.

    Args:
        out: the folder.
        scale: of the folder; what its findings say by default.
        notes: what failed, in words.

    Raises:
        WrongFolder: if no study was concluded there.
    """
    chosen = scale
    for study in known.STUDIES.values():
        chosen = chosen or scale_of(out, study)
    if chosen is None:
        raise WrongFolder(f"{out} holds no study that was concluded")
    compared = _compared(out, chosen)
    shown = [
        _shown(out, study)
        for study in known.STUDIES.values()
        if claims_file(out, study.name).exists()
    ]
    facts = [f"{chosen} scale", f"{len(shown)} of {len(known.STUDIES)} studies"]
    text = render_across(
        f"All studies, {chosen} scale",
        facts,
        compared.runs,
        notes=[*notes, *compared.notes],
        command=f"conceptspace reproduce all --scale {chosen} --out {out}",
        shown=shown,
        claims=_claims(out, chosen),
    )
    path = out / REPORT
    write_atomically(path, text.encode())
    return path


def _compared(out: Path, scale: Scale) -> Compared:
    if not is_sweep(out / SWEEP):
        return Compared([], [], [])
    needed_by: dict[str, list[str]] = {}
    for study in known.STUDIES.values():
        plan = planned(study, scale)
        for run in plan.runs if plan else ():
            needed_by.setdefault(run.key, []).append(study.name)
    return compare(out / SWEEP, out, needed_by)


def _shown(out: Path, study: Study) -> Shown:
    picture = out / f"{study.name}.png"
    data = picture.read_bytes() if picture.exists() else b""
    return Shown(study.name, study.title, data, _read(claims_file(out, study.name)) or [])


def _claims(out: Path, scale: Scale) -> str:
    """The table of all claims, at this scale and at those whose folders lie beside."""
    folders = {scale: out} | {
        other: out.resolve().parent / other for other in get_args(Scale) if other != scale
    }
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    num_claims = count_claims(known.STUDIES.values())
    for at, folder in folders.items():
        for study in known.STUDIES.values():
            for claim in _read(claims_file(folder, study.name)) or []:
                if claim.get("scale") != at:
                    continue
                found = rows.setdefault((study.name, str(claim["id"])), {})
                found[at] = (claim, corrected_verdict(claim))
                num_claims = claim["controls"].get(CORRECTED, {}).get("num_claims", num_claims)
    made = [ClaimAcross(study, name, by_scale) for (study, name), by_scale in rows.items()]
    return claims_across(made, get_args(Scale), num_claims) if made else ""


def _read(path: Path) -> Any:
    """What a file says; None if it is not there or damaged, since it can be made again."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
