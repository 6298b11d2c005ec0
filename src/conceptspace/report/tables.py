"""The report's tables as HTML. Every text from outside is escaped here."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from conceptspace.figures.evidence import Evidence, numbers
from conceptspace.report.words import count, interval, number, step, time, value_html

BADGES = {
    "holds": ("holds", "✓"),
    "does not hold": ("fails", "✗"),
    "inconclusive": ("open", "?"),
}


def table(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """A table of cells that are HTML already; a header cell is escaped."""
    if not rows:
        return '<p class="none">Nothing was measured for this table.</p>'
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="wide"><table>{said}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def badge(verdict: str) -> str:
    """A verdict with a sign and a word, so that colour is not needed to read it."""
    kind, sign = BADGES.get(verdict, ("open", "?"))
    return f'<span class="badge {kind}"><span aria-hidden="true">{sign}</span> {escape(verdict)}</span>'


def claims_table(claims: Sequence[Mapping[str, Any]]) -> str:
    """Every claim with its verdict, value, interval, criterion, and its controls to unfold."""
    rows = []
    for claim in claims:
        controls = claim.get("controls")
        unfold = (
            f"<details><summary>controls</summary>{value_html(controls)}</details>"
            if controls
            else ""
        )
        seeds = claim.get("seeds")
        number_of = len(seeds) if isinstance(seeds, Sequence) else seeds
        scale = f"{claim.get('scale') or ''}"
        if number_of is not None:
            scale += f"{', ' if scale else ''}{count(int(number_of), 'seed')}"
        rows.append(
            (
                f"<b>{escape(str(claim['id']))}</b>",
                badge(str(claim.get("verdict", "inconclusive"))),
                f"{escape(str(claim['statement']))}{unfold}",
                f'<span class="number">{value_html(claim.get("value"))}</span><br>'
                f'<span class="interval">{escape(interval(claim.get("interval")))}</span>',
                f"{escape(str(claim.get('criterion', '')))}"
                f'<br><span class="interval">{escape(scale)}</span>',
            )
        )
    return table(("Claim", "Verdict", "Statement", "Value and interval", "Criterion"), rows)


def learning_table(evidence: Evidence) -> str:
    """When naive prompting gets each concept of each class right, at every threshold."""
    rows = []
    for name in _held_out_first(evidence):
        for threshold, by_concept in (evidence.finding(name, "learning_time") or {}).items():
            for concept, found in by_concept.items():
                rows.append(
                    (_class(evidence, name), escape(concept), threshold, *_time_cells(found))
                )
    return table(("Class", "Concept", "Threshold", "Median step", "Interval", "Each seed"), rows)


def emergence_table(evidence: Evidence) -> str:
    """When each way of prompting first generates each held-out class."""
    rows = []
    for name in evidence.held_out:
        for threshold, by_method in (evidence.finding(name, "emergence") or {}).items():
            for method in evidence.methods:
                if by_method.get(method.name):
                    cells = _time_cells(by_method[method.name])
                    rows.append((_class(evidence, name), escape(method.label), threshold, *cells))
    return table(("Class", "Method", "Threshold", "Median step", "Interval", "Each seed"), rows)


def window_table(evidence: Evidence) -> str:
    """Hidden-capability windows, seed by seed, and their length."""
    labels = {method.name: method.label for method in evidence.methods}
    last = evidence.steps[-1]
    rows = []
    for name in evidence.held_out:
        for threshold, by_method in (evidence.finding(name, "window") or {}).items():
            for method, found in by_method.items():
                spans = ", ".join(_span(entry, last) for entry in found["per_seed"])
                length = found.get("length") or {}
                said = escape(time(length.get("median"), _censored_length(length)))
                said += f" {escape(interval(length.get('interval'), last))}"
                method_label = escape(labels.get(method, method))
                rows.append((_class(evidence, name), method_label, threshold, said, spans))
    return table(
        ("Class", "Method", "Threshold", "Median length", "Opens to closes, each seed"), rows
    )


def turn_table(evidence: Evidence) -> str:
    """Turns of every class's path."""
    rows = []
    for name in evidence.classes:
        for turn in evidence.turns(name):
            at = ", ".join(
                f"{escape(concept)} {number(value, 2)}"
                for concept, value in zip(evidence.concepts, turn.get("point") or ())
            )
            ends = turn.get("interval")
            span = f"{step(ends[0])} to {step(ends[1])}" if ends and None not in ends else "–"
            angle = turn.get("angle")
            seeds = _seed_turns(evidence.finding(name, "turns_per_seed"))
            rows.append(
                (
                    _class(evidence, name),
                    step(turn["step"]),
                    span,
                    "–" if angle is None else f"{angle:.0f}°",
                    number(turn.get("p_value"), 2),
                    at,
                    seeds,
                )
            )
    if not rows:
        return '<p class="none">No path turns beyond noise.</p>'
    header = ("Class", "Step", "95 % interval", "Angle", "p", "Where", "Each seed")
    return table(header, rows)


def confusion_tables(evidence: Evidence) -> str:
    """One confusion table a concept: rows what G drew, columns what the probe read."""
    parts = []
    for concept, matrix in ((evidence.findings.get("probe") or {}).get("confusion") or {}).items():
        if not matrix:
            continue
        values = numbers(matrix)
        words = evidence.words(concept)
        shares = values / values.sum(axis=1, keepdims=True).clip(min=1e-12)
        rows = [
            (
                f"<b>{escape(word)}</b>",
                *(
                    f'<span class="cell" style="--share:{share:.3f}">{100 * share:.2f} %</span>'
                    for share in row
                ),
            )
            for word, row in zip(words, shares)
        ]
        parts.append(
            table(("drawn \\ read", *words), rows, f"{concept}: rows drawn by G, columns read")
        )
    return "".join(parts) or '<p class="none">The probe was not tested in this run.</p>'


def settings_block(title: str, values: Mapping[str, Any]) -> str:
    """Settings as JSON to unfold."""
    text = escape(json.dumps(values, indent=2, ensure_ascii=False, default=str))
    return f"<details><summary>{escape(title)}</summary><pre>{text}</pre></details>"


def _time_cells(found: Mapping[str, Any]) -> tuple[str, str, str]:
    end = found.get("censored_at")
    each = ", ".join(escape(time(value, end).split(" (")[0]) for value in found["per_seed"])
    return (
        escape(time(found.get("median"), end)),
        escape(interval(found.get("interval"), end)),
        each,
    )


def _span(entry: Mapping[str, Any], last: float) -> str:
    if entry.get("opens") is None:
        return "never opens"
    closes = entry.get("closes")
    end = escape(f"> {step(last)}") if closes is None else step(closes)
    return f"{step(entry['opens'])} to {end}"


def _censored_length(length: Mapping[str, Any]) -> float | None:
    """The smallest length that is known of a window still open; None where there is no number."""
    ends = length.get("censored_at")
    known = [end for end in ends if end is not None] if isinstance(ends, Sequence) else [ends]
    return min((end for end in known if end is not None), default=None)


def _seed_turns(per_seed: Any) -> str:
    """The step of each seed's turn; a seed's entry is a step, a list of turns, or nothing."""
    said = []
    for entry in per_seed or ():
        if isinstance(entry, Sequence):
            entry = entry[0] if entry else None
        if isinstance(entry, Mapping):
            entry = entry.get("step")
        said.append("none" if entry is None else step(entry))
    return ", ".join(said) or "–"


def _held_out_first(evidence: Evidence) -> list[str]:
    return evidence.held_out + evidence.training


def _class(evidence: Evidence, name: str) -> str:
    kind = "held out" if name in evidence.held_out else "trained on"
    return f'{escape(evidence.class_label(name))} <span class="interval">({kind})</span>'
