"""Many claims at once: each is judged a second time, so strictly that all verdicts stand together.

Bonferroni: of m claims each may be wrong with the m-th part of the error that a single one may, so
that the intervals of all of them hold at once with the confidence that each had alone. m counts the
claims of every known study, done or not: a verdict does not depend on what else was run. (Holm's
step-down procedure would ask less, but needs a p-value of each claim, where most are judged by
intervals and several controls.)
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.study import Study, StudyRun

if TYPE_CHECKING:
    from conceptspace.report.case import Claim

CORRECTED = "corrected for all claims"
"""The entry among a claim's controls that says what became of it."""
LEAST_BEYOND = 5
"""Resamples expected beyond each end of an interval."""


def count_claims(studies: Iterable[Study]) -> int:
    """How many claims some studies test together."""
    return sum(len(study.tests) for study in studies)


def stricter(settings: FindingsSettings, num_claims: int) -> FindingsSettings:
    """The settings by which one of several claims is judged.

    Args:
        settings: for one claim alone.
        num_claims: how many there are.

    Example:
        >>> stricter(FindingsSettings(), 20).confidence
        0.9975
    """
    error = (1 - settings.confidence) / num_claims
    return settings.replace(
        confidence=round(1 - error, 12),
        significance=settings.significance / num_claims,
        num_resamples=max(settings.num_resamples, math.ceil(2 * LEAST_BEYOND / error - 1e-6)),
    )


def judged_more_strictly(runs: Iterable[StudyRun], num_claims: int) -> Iterator[StudyRun]:
    """The same runs, with the settings by which one of several claims is judged."""
    for run in runs:
        settings = stricter(run.experiment.findings, num_claims)
        yield replace(run, experiment=run.experiment.replace(findings=settings))


def level_of(settings: FindingsSettings) -> dict[str, Any]:
    """What a study's findings say about how strictly they are judged."""
    return {
        "confidence": settings.confidence,
        "significance": settings.significance,
        "num_resamples": settings.num_resamples,
    }


def corrected(
    claims: "Sequence[Claim]", again: "Sequence[Claim]", num_claims: int, level: Mapping[str, Any]
) -> "list[Claim]":
    """The claims, each with what became of it at the stricter level among its controls.

    A verdict is never better than it was: what must not differ passes a wider interval more easily.

    Args:
        claims: at the level of a claim alone.
        again: the same at the level of one of several.
        num_claims: how many there are.
        level: of the second, as `level_of` gives it.
    """
    by_id = {claim.id: claim for claim in again}
    made = []
    for claim in claims:
        other = by_id.get(claim.id)
        if other is None:
            made.append(claim)
            continue
        entry = {
            "verdict": claim.verdict if other.verdict == "holds" else other.verdict,
            "interval": None if other.interval is None else list(other.interval),
            "num_claims": num_claims,
            **level,
        }
        made.append(claim.replace(controls={**claim.controls, CORRECTED: entry}))
    return made


def corrected_verdict(claim: Mapping[str, Any]) -> str | None:
    """The verdict of a saved claim once corrected; None where it was not."""
    entry = (claim.get("controls") or {}).get(CORRECTED)
    return str(entry["verdict"]) if isinstance(entry, Mapping) and "verdict" in entry else None
