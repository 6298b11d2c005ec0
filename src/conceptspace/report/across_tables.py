"""The tables of the report across runs: runs side by side, and claims by scale. All HTML."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from conceptspace.report.tables import BADGES, badge, parts_table, table
from conceptspace.report.words import count, interval, number, time

MOST_COLUMNS = 4
"""Settings that have a column each; where more differ, each run tells what is unusual in it."""
MOST_CLAIMS = 12
"""Claims that have a column each; where there are more, those that a tenth of the runs test."""
MOST_UNUSUAL = 6
"""Unusual settings that are shown at once; more are folded away."""


UNMEASURED = '<span class="none">not measured</span>'


@dataclass(frozen=True)
class AcrossRun:
    """A run as the report across runs shows it.

    Attributes:
        name: of its folder.
        state: `done`, `failed`, or what else is the matter.
        link: its own report, from where this one lies; empty if it has none.
        settings: those in which runs differ, by path.
        unusual: of them those that are not the most frequent value.
        seeds: how many were measured; 0 if nothing was.
        accuracy: of naive prompting at the end of training, by held-out class: mean and interval.
        times: learning times of the first held-out class, by concept, as in findings.
        verdicts: by the id of the run's claims.
        needed_by: the studies that need it.
    """

    name: str
    state: str
    link: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    unusual: Mapping[str, str] = field(default_factory=dict)
    seeds: int = 0
    accuracy: Mapping[str, tuple[float, Any]] = field(default_factory=dict)
    times: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)
    needed_by: Sequence[str] = ()


@dataclass(frozen=True)
class ClaimAcross:
    """A claim at all scales.

    Attributes:
        study: the study that tests it.
        claim_id: such as C1/colour.
        by_scale: the saved claim and its corrected verdict (None where not corrected), by scale.
    """

    study: str
    claim_id: str
    by_scale: Mapping[str, tuple[Mapping[str, Any], str | None]]


def runs_table(runs: Sequence[AcrossRun]) -> str:
    """Every run in a line: its settings, how it ended, its verdicts, and the way to its report."""
    paths = list(runs[0].settings) if runs else []
    has_columns = len(paths) <= MOST_COLUMNS
    settings = paths if has_columns else ["unusual settings"]
    ids = _claims_shown(runs)
    tells_studies = any(run.needed_by for run in runs)
    header = [
        "Run",
        *settings,
        "Seeds",
        "Naive accuracy at the end",
        "Median learning time (steps)",
    ]
    header += [*ids, *(["Needed by"] if tells_studies else [])]
    rows = []
    for run in runs:
        own = [escape(run.settings[path]) for path in paths] if has_columns else [_unusual(run)]
        verdicts = [_sign(run.verdicts[name]) if name in run.verdicts else "–" for name in ids]
        needed = [escape(", ".join(run.needed_by))] if tells_studies else []
        seeds = str(run.seeds) if run.seeds else "–"
        ended = [seeds, _accuracies(run), _times(run)]
        rows.append([_run_name(run), *own, *ended, *verdicts, *needed])
    signs = ", ".join(f"{sign} {verdict}" for verdict, (_, sign) in BADGES.items())
    return table(header, rows, f"Verdicts of each run's own claims: {signs}." if ids else "")


def claims_across(rows: Sequence[ClaimAcross], scales: Sequence[str], num_claims: int) -> str:
    """The table of claims, scales and verdicts, each verdict alone and corrected for all claims.

    Args:
        rows: the claims, in order.
        scales: the columns.
        num_claims: how many claims they are corrected for.
    """
    cells = []
    for row in rows:
        known = next(iter(row.by_scale.values()))[0]
        said = f'<div class="statement">{escape(str(known["statement"]))}</div>'
        said += f'<div class="criterion"><b>Criterion</b>: {escape(str(known["criterion"]))}</div>'
        for scale, (claim, _) in row.by_scale.items():
            controls = parts_table(claim.get("controls") or {})
            said += f"<details><summary>controls, {escape(scale)}</summary>{controls}</details>"
        verdicts = [
            _at_scale(*row.by_scale[s]) if s in row.by_scale else UNMEASURED for s in scales
        ]
        cells.append([f"<b>{escape(row.claim_id)}</b><br>{_small(row.study)}", *verdicts, said])
    caption = (
        "Each verdict as the criterion has it, and below it the same judged so strictly that all "
        f"{num_claims} claims of all studies stand together (Bonferroni)."
    )
    return table(["Claim", *scales, "Statement and criterion"], cells, caption)


def verdicts_across(runs: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> str:
    """Of each claim of the runs of a sweep, how many runs came to which verdict, by scale.

    Args:
        runs: names and saved claims.
    """
    scales = list(dict.fromkeys(str(c.get("scale", "")) for _, claims in runs for c in claims))
    statements = {str(c["id"]): str(c["statement"]) for _, claims in runs for c in claims}
    rows = []
    for claim_id, statement in statements.items():
        cells = []
        for scale in scales:
            tally = Counter(
                str(c["verdict"])
                for _, claims in runs
                for c in claims
                if str(c["id"]) == claim_id and str(c.get("scale", "")) == scale
            )
            cells.append(
                "<br>".join(f"{badge(v)} {count(tally[v], 'run')}" for v in BADGES if tally[v])
            )
        rows.append(
            [f"<b>{escape(claim_id)}</b>", *(cell or "–" for cell in cells), escape(statement)]
        )
    return (
        table(["Claim", *(scale or "scale" for scale in scales), "Statement"], rows) if rows else ""
    )


def _run_name(run: AcrossRun) -> str:
    name = escape(run.name)
    shown = f'<a href="{escape(run.link)}">{name}</a>' if run.link else name
    return shown if run.state == "done" else f"{shown}<br>{_small(run.state)}"


def _claims_shown(runs: Sequence[AcrossRun]) -> list[str]:
    """The claims that have a column: a run with dozens of held-out classes has a claim for each,
    which no other run has; its own report shows them."""
    tested = Counter(name for run in runs for name in run.verdicts)
    if len(tested) <= MOST_CLAIMS:
        return list(tested)
    return [name for name, number in tested.items() if number > 1 and number >= len(runs) / 10]


def _unusual(run: AcrossRun) -> str:
    said = [f"{escape(path)} {escape(value)}" for path, value in run.unusual.items()]
    listed = "<br>".join(said) or _small("as most")
    if len(said) > MOST_UNUSUAL:
        listed = f"<details><summary>{len(said)} settings</summary>{listed}</details>"
    return f'<div class="unusual">{listed}</div>'


def _accuracies(run: AcrossRun) -> str:
    said = [
        f'{escape(name)}: <span class="number">{number(mean, 2)}</span> {_small(interval(ends))}'
        for name, (mean, ends) in run.accuracy.items()
    ]
    return "<br>".join(said) or "–"


def _times(run: AcrossRun) -> str:
    said = []
    for concept, found in run.times.items():
        end = found.get("censored_at")
        never = sum(at is None for at in found.get("per_seed") or ())
        shown = escape(time(found.get("median"), end).split(" (")[0])
        left = f" {_small(f'{never} of {run.seeds} never')}" if never else ""
        said.append(f"{escape(concept)} {shown}{left}")
    return "<br>".join(said) or "–"


def _sign(verdict: str) -> str:
    kind, sign = BADGES.get(verdict, ("open", "?"))
    return f'<span class="badge {kind}" title="{escape(verdict)}">{sign}</span>'


def _at_scale(claim: Mapping[str, Any], corrected: str | None) -> str:
    value = f'<span class="number">{escape(number(claim.get("value")))}</span>'
    span = _small(interval(claim.get("interval")))
    strict = "" if corrected is None else f"<br>{_small('corrected:')}<br>{badge(corrected)}"
    return f"{badge(str(claim['verdict']))}<br>{value} {span}{strict}"


def _small(text: str) -> str:
    return f'<span class="interval">{escape(text)}</span>' if text else ""
