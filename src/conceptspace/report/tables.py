"""The report's tables as HTML. Every text from outside is escaped here."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from conceptspace.figures.evidence import Evidence, numbers
from conceptspace.report.words import count, interval, number, spaced, step, time, value_html

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
    shown = f'<span aria-hidden="true">{sign}</span> {escape(verdict)}'
    return f'<span class="badge {kind}">{shown}</span>'


def claims_table(claims: Sequence[Mapping[str, Any]]) -> str:
    """Every claim with its verdict, value, interval, criterion, and its controls to unfold."""
    rows = []
    for claim in claims:
        controls = claim.get("controls") or {}
        shown = f"<details><summary>controls</summary>{parts_table(controls)}</details>"
        seeds = claim.get("seeds")
        number_of = len(seeds) if isinstance(seeds, Sequence) else seeds
        about = [str(claim.get("scale") or "")]
        about.append("" if number_of is None else count(int(number_of), "seed"))
        context = escape(", ".join(filter(None, about)))
        rows.append(
            (
                f"<b>{escape(str(claim['id']))}</b>",
                badge(str(claim.get("verdict", "inconclusive"))),
                f'<span class="number">{value_html(claim.get("value"))}</span><br>'
                f'<span class="interval">{escape(interval(claim.get("interval")))}</span>',
                f'<div class="statement">{escape(str(claim["statement"]))}</div>'
                f'<div class="criterion"><b>Criterion</b> ({context}):'
                f" {escape(str(claim.get('criterion', '')))}</div>{shown if controls else ''}",
            )
        )
    return table(("Claim", "Verdict", "Value, interval", "Statement and criterion"), rows)


def parts_table(parts: Mapping[str, Any]) -> str:
    """The controls and parts of a claim: what was measured, and whether it passed."""
    judged = {
        key: part for key, part in parts.items() if isinstance(part, Mapping) and "passed" in part
    }
    rows = [
        (
            escape(spaced(key)),
            PASSED.get(part["passed"], "not tested"),
            "yes" if part.get("required") else "no",
            f"{value_html(part.get('value'))} {escape(_ends(part.get('interval')))}",
            _rest(part),
        )
        for key, part in judged.items()
    ]
    shown = table(("Part", "Passed", "Needed", "Value, interval", "Also"), rows) if rows else ""
    others = {key: part for key, part in parts.items() if key not in judged}
    return shown + (value_html(others) if others else "")


PASSED: dict[bool | None, str] = {True: "✓ yes", False: "✗ no"}


def _ends(ends: Any) -> str:
    return interval(ends) if isinstance(ends, Sequence) and len(ends) == 2 else ""


def _rest(part: Mapping[str, Any]) -> str:
    """What a part holds besides its verdict and value."""
    known = {"passed", "required", "value", "interval"}
    return "<br>".join(
        f"{escape(spaced(key))}: {value_html(value)}"
        for key, value in part.items()
        if key not in known
    )


def learning_table(evidence: Evidence) -> str:
    """When naive prompting gets each concept of each class right, at every threshold."""
    rows = []
    for name in evidence.held_out + evidence.training:
        by_threshold = evidence.finding(name, "learning_time") or {}
        for concept in evidence.concepts:
            found = [by_concept.get(concept) for by_concept in by_threshold.values()]
            rows.append((_class(evidence, name), escape(concept), *_time_cells(found)))
    return table(("Class", "Concept", *_time_header(evidence, "learning_time")), rows)


def emergence_table(evidence: Evidence) -> str:
    """When each way of prompting first generates each held-out class."""
    rows = []
    for name in evidence.held_out:
        by_threshold = evidence.finding(name, "emergence") or {}
        for method in evidence.methods:
            found = [by_method.get(method.name) for by_method in by_threshold.values()]
            if any(found):
                kind = (
                    ' <span class="interval">(control)</span>' if method.kind == "control" else ""
                )
                label = escape(method.label) + kind
                rows.append((_class(evidence, name), label, *_time_cells(found)))
    return table(("Class", "Method", *_time_header(evidence, "emergence")), rows)


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
                said = f'{_length(length)}<br><span class="interval">{_at_least(length)}</span>'
                method_label = escape(labels.get(method, str(method)))
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
        parts.append(table(("shown \\ read", *words), rows, f"{concept}: rows shown, columns read"))
    nothing = "How well the probe reads was not measured, since it was not trained here."
    return "".join(parts) or f'<p class="none">{nothing}</p>'


def settings_block(title: str, values: Mapping[str, Any]) -> str:
    """Settings as JSON to unfold."""
    text = escape(json.dumps(values, indent=2, ensure_ascii=False, default=str))
    return f"<details><summary>{escape(title)}</summary><pre>{text}</pre></details>"


def _time_header(evidence: Evidence, block: str) -> list[str]:
    for name in evidence.held_out + evidence.training:
        thresholds = evidence.finding(name, block)
        if thresholds:
            return [
                text for at in thresholds for text in (f"Median step, ≥ {at}", f"Each seed, ≥ {at}")
            ]
    return []


def _time_cells(found: Sequence[Mapping[str, Any] | None]) -> list[str]:
    """Median with its interval, and every seed's own step, for each threshold."""
    cells = []
    for one in found:
        if not one:
            cells += ["–", "–"]
            continue
        end, per_seed = one.get("censored_at"), one["per_seed"]
        span = escape(interval(one.get("interval"), end))
        cells.append(f'{_time(one.get("median"), end)}<br><span class="interval">{span}</span>')
        if len(per_seed) > 1 and all(value is None for value in per_seed):
            cells.append(f"none of {count(len(per_seed), 'seed')}")
        else:
            cells.append(", ".join(escape(time(v, end).split(" (")[0]) for v in per_seed))
    return cells


def _time(value: float | None, end: float | None) -> str:
    said = escape(time(value, end))
    return f'<span class="never">{said}</span>' if value is None else said


def _span(entry: Mapping[str, Any], last: float) -> str:
    if entry.get("opens") is None:
        return "never opens"
    closes = entry.get("closes")
    end = escape(f">\u00a0{step(last)}") if closes is None else step(closes)
    return f"{step(entry['opens'])} to {end}"


def _length(length: Mapping[str, Any]) -> str:
    """A window's median length; of one still open only that it is longer than what was seen."""
    if length.get("median") is not None:
        return step(length["median"])
    if not length.get("per_seed"):
        return "–"
    return '<span class="never">still open at the end</span>'


def _at_least(length: Mapping[str, Any]) -> str:
    """A window's interval; where its upper end was never reached, only the lower one."""
    low, high = length.get("interval") or (None, None)
    if low is not None and high is None:
        return f"at least {step(low)}"
    return escape(interval((low, high)))


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


def _class(evidence: Evidence, name: str) -> str:
    kind = "held out" if name in evidence.held_out else "trained on"
    label = escape(evidence.class_label(name))
    return f'<span class="class">{label} <span class="interval">({kind})</span></span>'
