"""The run in plain sentences, and what it could not settle; all computed from the findings."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from conceptspace.figures.evidence import NAIVE, Evidence
from conceptspace.report.words import count, interval, listing, number, step

THRESHOLD = "0.8"
ENOUGH_SEEDS = 5
TRUSTED_PROBE = 0.999
MOST_DESCRIBED = 3
"""Held-out classes told of in words; the others are in the tables."""


def summary(evidence: Evidence, claims: Sequence[Mapping[str, Any]]) -> list[str]:
    """The run in paragraphs: what was trained, each held-out class, and how the claims came out."""
    paragraphs = [[_what_was_trained(evidence), *_signal(evidence)]]
    for name in evidence.held_out[:MOST_DESCRIBED]:
        told = _learned(evidence, name) + _turned(evidence, name) + _elicited(evidence, name)
        paragraphs.append(told)
    more = len(evidence.held_out) - MOST_DESCRIBED
    if more > 0:
        others = count(more, "other held-out class is", "other held-out classes are")
        paragraphs.append([f"{others} in the tables below."])
    closing = _verdicts(claims)
    if len(evidence.seeds) < ENOUGH_SEEDS:
        closing.append(
            f"With {count(len(evidence.seeds), 'seed')} nothing can be claimed about seeds in "
            f"general; that needs at least {ENOUGH_SEEDS}."
        )
    return [" ".join(sentences) for sentences in (*paragraphs, closing) if sentences]


def unsettled(evidence: Evidence, claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """What could not be concluded, each with its reason."""
    found = [
        (f"{c['id']}: {c['statement']}", _reason(c))
        for c in claims
        if _verdict(c) == "inconclusive"
    ]
    if not evidence.held_out:
        found.append(("Turns, hidden capabilities", "No class was held out."))
    for name in evidence.held_out:
        label = evidence.class_label(name)
        if not evidence.turns(name):
            found.append(
                (f"A turn of {label}", "No change of direction stands out from the noise.")
            )
        found += _censored(evidence, name, label)
    if evidence.held_out and not evidence.methods_of_kind("elicitation"):
        found.append(("Hidden capabilities", "No elicitation was measured, only naive prompting."))
    elif evidence.held_out and not evidence.methods_of_kind("control"):
        found.append(("Whether elicitation is specific", "No control directions were measured."))
    return found + _trust(evidence)


def _what_was_trained(evidence: Evidence) -> str:
    trained = listing([evidence.class_label(name) for name in evidence.training])
    said = (
        f"{_models(len(evidence.seeds))} trained on the classes {trained} "
        f"up to step {step(evidence.steps[-1])}"
    )
    if not evidence.held_out:
        return f"{said}; no class was held out."
    if len(evidence.held_out) > 4:
        return f"{said}; {len(evidence.held_out)} other classes were held out."
    away = listing([evidence.class_label(name) for name in evidence.held_out])
    return f"{said}, and never saw {away}."


def _models(number_of: int) -> str:
    return "1 model was" if number_of == 1 else f"{number_of} models, alike but for the seed, were"


def _signal(evidence: Evidence) -> list[str]:
    found = evidence.findings.get("signal") or {}
    known = {k: v["signal"] for k, v in found.items() if v and v.get("signal") is not None}
    if len(known) < 2:
        return []
    ranked = sorted(known, key=lambda name: -known[name])
    values = listing([f"{name} ({number(known[name])})" for name in ranked])
    return [f"In the data the concept signal is, from strong to weak: {values}."]


MEASURE = "(in 80\u202f% of the median seed's samples; doubtful readings count as wrong)"


def _learned(evidence: Evidence, name: str) -> list[str]:
    times = evidence.finding(name, "learning_time", THRESHOLD)
    if not times:
        return []
    known = [(found["median"], concept) for concept, found in times.items() if found.get("median")]
    never = [concept for concept, found in times.items() if not found.get("median")]
    if not known:
        said = "" if len(never) == 1 else "neither " if len(never) == 2 else "none of "
        return [
            f"Prompted naively, class {evidence.class_label(name)} gets {said}"
            f"{listing(never, 'nor' if len(never) == 2 else 'and')} right "
            f"{'only after the end, if ever' if len(never) == 1 else 'by the end'} {MEASURE}."
        ]
    parts = [f"{concept} right at step {step(at)}" for at, concept in sorted(known)]
    parts += [f"{concept} not by the end" for concept in never]
    return [
        f"Prompted naively, class {evidence.class_label(name)} gets {listing(parts)} {MEASURE}."
    ]


def _turned(evidence: Evidence, name: str) -> list[str]:
    turns = evidence.turns(name)
    if not turns:
        return ["Its path through concept space shows no turn beyond noise."]
    turn = turns[0]
    ends = turn.get("interval")
    span = (
        f" (95 % interval {step(ends[0])} to {step(ends[1])})" if ends and None not in ends else ""
    )
    return [f"Its path through concept space turns at step {step(turn['step'])}{span}."]


def _elicited(evidence: Evidence, name: str) -> list[str]:
    works, fails = [], []
    for method in evidence.methods_of_kind("elicitation"):
        found = evidence.finding(name, "emergence", THRESHOLD, method.name)
        if found and found.get("median") is not None:
            works.append(f"{method.label} from step {step(found['median'])} on")
        elif found:
            fails.append(method.label)
    if not works and not fails:
        return []
    naive = evidence.finding(name, "emergence", THRESHOLD, NAIVE) or {}
    band = evidence.accuracy(name)
    ending = "" if band is None else f" (it ends at {number(float(band.mean[-1]), 2)})"
    if naive.get("median") is not None:
        plain = f"naive prompting does so from step {step(naive['median'])} on"
    else:
        plain = f"naive prompting does not by the end{ending}"
    if not works:
        said = f"No intervention generates the class in 80\u202f% of samples ({listing(fails)})"
        return [f"{said}, and {plain}."]
    said = f"The class is generated in at least 80\u202f% of samples with {listing(works)}"
    said += f", while {plain}."
    return [said + (f" {listing(fails).capitalize()} never gets there." if fails else "")]


def _verdicts(claims: Sequence[Mapping[str, Any]]) -> list[str]:
    if not claims:
        return []
    tally = [
        (v, sum(_verdict(c) == v for c in claims))
        for v in ("holds", "does not hold", "inconclusive")
    ]
    words = {"holds": ("holds", "hold"), "does not hold": ("does not hold", "do not hold")}
    parts = []
    for verdict, times in tally:
        if times:
            one, many = words.get(verdict, ("is inconclusive", "are inconclusive"))
            parts.append(f"{times} {one if times == 1 else many}")
    if len(parts) == 1 and len(claims) > 1:
        parts = ["all " + parts[0].split(" ", 1)[1]]
    return [f"Of {count(len(claims), 'claim')} tested, {listing(parts)}."]


def _verdict(claim: Mapping[str, Any]) -> str:
    return str(claim.get("verdict", "inconclusive"))


def _reason(claim: Mapping[str, Any]) -> str:
    reason = claim.get("reason") or (claim.get("controls") or {}).get("reason")
    if reason:
        return str(reason)[:1].upper() + str(reason)[1:] + "."
    seeds = claim.get("seeds")
    number_of = len(seeds) if isinstance(seeds, Sequence) else seeds
    if isinstance(number_of, int) and number_of < ENOUGH_SEEDS:
        return (
            f"{count(number_of, 'seed')} measured; a claim about seeds needs at least "
            f"{ENOUGH_SEEDS}. Criterion: {claim.get('criterion', '')}"
        )
    if claim.get("value") is None:
        return f"The value could not be measured. Criterion: {claim.get('criterion', '')}"
    where = interval(claim.get("interval")) or "no interval"
    value = number_or_text(claim["value"])
    return f"The value {value} ({where}) does not settle: {claim.get('criterion', '')}"


def number_or_text(value: Any) -> str:
    """A claim's value in words, whatever it is."""
    return number(value) if isinstance(value, int | float) else str(value)


def _censored(evidence: Evidence, name: str, label: str) -> list[tuple[str, str]]:
    found = []
    for concept, times in (evidence.finding(name, "learning_time", THRESHOLD) or {}).items():
        never = sum(value is None for value in times["per_seed"])
        if never:
            said = (
                f"{never} of {count(len(times['per_seed']), 'seed')} had not learned it by the "
                "last step; the time is only known to be later."
            )
            found.append((f"When {label} gets {concept} right", said))
    return found


def _trust(evidence: Evidence) -> list[tuple[str, str]]:
    found = []
    accuracy = (evidence.findings.get("probe") or {}).get("accuracy") or {}
    poor = {
        name: value
        for name, value in accuracy.items()
        if value is not None and value < TRUSTED_PROBE
    }
    if poor:
        worst = min(poor, key=lambda name: poor[name])
        said = (
            f"The probe reads class {worst} right in {100 * poor[worst]:.2f} % of clean pictures, "
            f"under {100 * TRUSTED_PROBE:.1f} %."
        )
        found.append(("Accuracies near 1", said))
    for name in evidence.classes:
        share = evidence.off_manifold(name)
        if share is not None and np.isfinite(share[-1]) and share[-1] > 0.2:
            said = (
                f"At the last step {100 * share[-1]:.0f} % of its samples look like nothing G "
                "draws; they count as wrong."
            )
            found.append((f"What class {evidence.class_label(name)} shows", said))
    return found
