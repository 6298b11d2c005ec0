"""Study `trajectories`: classes 00 and 11 across the colour sweep, coloured by colour's signal.

After Park et al. 2024, figure 4. With weak colour the held-out class first heads to 01, small red;
with strong colour to 10, large blue.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.arrays import TrajectoryArrays
from conceptspace.dynamics.bootstrap import (
    mean_over_seeds,
    percentile_interval,
    resample_means,
    resample_seeds,
)
from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.dynamics.sides import sides
from conceptspace.recipes import FAMILIES, paper
from conceptspace.studies.correlated import NOTHING
from conceptspace.studies.separations import (
    FIXED_SIZE,
    NUM_SEEDS,
    QUICK_COLOURS,
    quick_naive,
    separation,
)
from conceptspace.studies.signals import signal_of
from conceptspace.studies.study import Scale, Seeded, Study, StudyRun
from conceptspace.theory.association import enough_resamples, rank_association

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Case, Claim

SWEPT, HELD = "colour", "size"
MEASURES = ("side", "lean")
"""See `conceptspace.dynamics.sides`; claims are judged by the first."""


def experiments(scale: Scale) -> list[Seeded]:
    """The colour line of the sweeps; shared with `learning-speed`."""
    if scale == "paper":
        return [(made, paper.NUM_SEEDS) for made in FAMILIES["colour-sweep"]()]
    return [(quick_naive(d, FIXED_SIZE), NUM_SEEDS) for d in QUICK_COLOURS]


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """Where the held-out class heads at each separation, and how that goes with the signals.

    Args:
        runs: of colour and size, sizes equally far apart.
        scale: for the claims that each run makes of itself.

    Returns:
        `settings`, by rising separation of colour, each with the signals, the mean paths of all
        classes with intervals, the run's own C3, and what is judged of either heading; `side`, the
        rank correlation of each measure with the ratio of the signals.

    Raises:
        ValueError: if there is no run, two have the same colours, or runs differ in their concepts,
            sizes or findings settings.
    """
    rows: list[dict[str, Any]] = []
    shared: tuple[Any, ...] = ()
    settings = FindingsSettings()
    for run in runs:
        made, settings = run.experiment, run.experiment.findings
        apart = {concept.name: separation(concept) for concept in made.space.concepts}
        same = (tuple(apart), apart.get(HELD), settings)
        if tuple(apart) != (SWEPT, HELD) or same != (shared or same):
            raise ValueError(
                f"runs: {made.name} must have the concepts {SWEPT} and {HELD}, and the sizes and "
                f"findings settings of the others; it has {', '.join(apart)}"
            )
        shared = same
        if any(row["separation"] == apart[SWEPT] for row in rows):
            raise ValueError(f"runs: {made.name} has the colours of another run")
        rows.append({"name": made.name, "separation": apart[SWEPT]} | _row(run, scale))
    if not rows:
        raise ValueError("runs must hold at least one run")
    rows.sort(key=lambda row: row["separation"])
    return plain(
        {
            "confidence": settings.confidence,
            "minimum_seeds": settings.minimum_seeds,
            "start_checkpoints": settings.start_checkpoints,
            "num_seeds": min(row["num_seeds"] for row in rows),
            "held_size": shared[1],
            "settings": rows,
            "side": {measure: _side(rows, measure, settings) for measure in MEASURES},
        }
    )


def _row(run: StudyRun, scale: Scale) -> dict[str, Any]:
    """One setting."""
    from conceptspace.report.case import Case
    from conceptspace.report.memorises import heading, memorisation_claim

    arrays, settings = TrajectoryArrays(run.trajectory), run.experiment.findings
    signal = signal_of(run.experiment)
    name = arrays.held_out[0]
    # What C3 asks of a run's findings. Turns stand beside it and decide nothing: none are sought.
    found = {"signal": signal, "classes": {name: {"turns": []}}}
    case = Case(found, arrays, settings, name, scale)
    enough = arrays.trained.sum() > settings.start_checkpoints
    headings: dict[str, Any] = {SWEPT: None, HELD: None}
    for weaker, stronger in ((SWEPT, HELD), (HELD, SWEPT)) if enough else ():
        headings[weaker] = heading(case, weaker, stronger)[1]
        del headings[weaker]["turns later"]["turn_found_at"]
    return {
        "num_seeds": arrays.num_seeds,
        "held_out": name,
        "training": arrays.training,
        "class_labels": _labels(run),
        "concept_labels": [list(concept.labels) for concept in run.experiment.space.concepts],
        "signal": signal,
        "ratio": signal[SWEPT]["finite"] / signal[HELD]["finite"],
        "steps": arrays.steps[arrays.trained],
        "paths": {other: _path(arrays, other, settings) for other in arrays.classes},
        "own_claim": _own_claim(memorisation_claim(case)),
        "headings": headings,
        **(_sides(case) if enough else {measure: [] for measure in (*MEASURES, "falls")}),
    }


def _path(arrays: TrajectoryArrays, name: str, settings: FindingsSettings) -> dict[str, Any]:
    """Mean place (checkpoint, concept) with its interval, seeds redrawn first, samples second."""
    place = arrays.coordinates(name)[:, arrays.trained]
    rng = np.random.default_rng([settings.random_seed, arrays.classes.index(name)])
    bank = resample_means(np.moveaxis(place, -1, 2), settings.num_resamples, rng)
    draws = mean_over_seeds(resample_seeds(bank, rng))
    return {
        "mean": mean_measured(place, axis=(0, 2)),
        "interval": percentile_interval(draws, settings.confidence),
    }


def _own_claim(claim: "Claim") -> dict[str, Any]:
    """The run's own C3, in short."""
    named = claim.controls.get("weaker concept")
    return {"verdict": claim.verdict, "value": claim.value, "weaker concept": named}


def _labels(run: StudyRun) -> dict[str, str]:
    """A class in words, such as `blue small`."""
    space = run.experiment.space
    return {
        name: " ".join(c.labels[int(d, 36)] for c, d in zip(space.concepts, name))
        for name in space.classes
    }


def _sides(case: "Case") -> dict[str, Any]:
    """Both measures of every seed."""
    arrays = case.arrays
    coordinate = arrays.coordinates(case.concept_class)[:, arrays.trained]
    nearness = 1 - np.abs(coordinate - arrays.corner(case.concept_class))
    found = sides(nearness, rng=case.generator(4), settings=case.settings)
    return {"side": found.side, "lean": found.lean, "falls": found.falls}


def _side(rows: list[dict[str, Any]], measure: str, settings: FindingsSettings) -> dict[str, Any]:
    """The rank correlation of a measure with the ratio of the signals, over settings and seeds."""
    values = [np.asarray(row[measure], dtype=float) for row in rows]
    ratio = np.concatenate([np.full(len(v), row["ratio"]) for v, row in zip(values, rows)])
    seed = np.concatenate([np.arange(len(v)) for v in values])
    value = np.concatenate(values)
    known = np.isfinite(value)
    if known.sum() < 2:
        return dict(NOTHING)
    # Nothing is censored, and of numbers that take part by their rank alone any falling function
    # stands in for a time.
    as_time = np.exp(-value[known])
    found = rank_association(
        ratio[known], as_time, float(as_time.max()),
        strata=np.zeros(known.sum(), dtype=int),
        clusters=seed[known],
        rng=np.random.default_rng([settings.random_seed, MEASURES.index(measure)]),
        num_resamples=enough_resamples(settings.num_resamples, settings.confidence),
        confidence=settings.confidence,
    )  # fmt: skip
    return vars(found) | {"num_settings": sum(bool(len(v)) for v in values)}


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """C3 at either end of the sweep, and across it."""
    from conceptspace.studies.heading_claims import side_claim, strong_claim, weak_claim

    return [judge(findings) for judge in (weak_claim, strong_claim, side_claim)]


def figure(findings: Mapping[str, Any]) -> "Figure":
    """Paths across the sweep, each setting by itself, and the side against the signals."""
    from conceptspace.figures.colour_sweep import colour_sweep_figure

    return colour_sweep_figure(
        findings["settings"], findings["side"][MEASURES[0]], findings["confidence"]
    )


STUDY = Study(
    name="trajectories",
    title="paths of classes 00 and 11 as colour's signal grows, and where 11 first heads",
    tests=("C3/weak", "C3/strong", "C3/side"),
    experiments=experiments,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
