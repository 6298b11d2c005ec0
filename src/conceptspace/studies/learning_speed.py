"""Study `learning-speed`: 1/T against separation, for colour and for size, and which comes first.

After Park et al. 2024, figure 3. T is when the held-out class has a concept right under naive
prompting; a concept that is not learned by the end counts as later than the end.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from conceptspace.dynamics.arrays import TrajectoryArrays
from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.held_out_paths import naive_times
from conceptspace.studies.separations import naive_runs, separation
from conceptspace.studies.study import Scale, Study, StudyRun
from conceptspace.theory.association import rank_association
from conceptspace.theory.flip import flip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Claim


@dataclass(frozen=True)
class SpeedTable:
    """Learning times of all settings.

    Attributes:
        concepts: their names.
        separation: of each setting and concept.
        times: by threshold, and by the first one again where doubtful readings count as the
            classifier reads them, as published; infinite where never, NaN where there is no such
            seed.
        ends: the last step of each setting.
    """

    concepts: tuple[str, ...]
    separation: Float[np.ndarray, "setting concept"]
    times: dict[str, Float[np.ndarray, "setting concept seed"]]
    ends: Float[np.ndarray, " setting"]


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """Learning times, their rank correlation with the separations, and where the order flips.

    Args:
        runs: of two concepts, at least one run.
        scale: not looked at.

    Returns:
        `settings` with the times of each seed (None where not by `end`); for each axis and reading
        (a threshold, or the published way) an `association` and, along the line of settings on
        which it takes the most separations, the `order` of the two concepts.

    Raises:
        ValueError: if there is no run, two have the same separations, or runs differ in their
            concepts or thresholds.
    """
    rows, concepts, settings = _rows(runs)
    table = table_of(rows, concepts)
    return plain(
        {
            "concepts": concepts,
            "thresholds": settings.thresholds,
            "readings": list(table.times),
            "confidence": settings.confidence,
            "significance": settings.significance,
            "minimum_seeds": settings.minimum_seeds,
            "num_seeds": min(row["num_seeds"] for row in rows),
            "settings": rows,
            "axes": {
                axis: {reading: _axis(table, index, reading, settings) for reading in table.times}
                for index, axis in enumerate(concepts)
            },
        }
    )


def _rows(
    runs: Iterable[StudyRun],
) -> tuple[list[dict[str, Any]], tuple[str, ...], FindingsSettings]:
    """Every setting's times, and the concepts and findings settings that all of them share."""
    rows, concepts, settings = [], (), FindingsSettings()
    for run in runs:
        names = tuple(concept.name for concept in run.experiment.space.concepts)
        if len(names) != 2 or (rows and (names, run.experiment.findings) != (concepts, settings)):
            raise ValueError(
                f"runs: {run.experiment.name} must have two concepts, and the same findings "
                f"settings as the others, not {', '.join(names)}"
            )
        settings, concepts = run.experiment.findings, names
        row = _row(run)
        if any(row["separation"] == other["separation"] for other in rows):
            raise ValueError(f"runs: {row['name']} has the separations of another run")
        rows.append(row)
    if not rows:
        raise ValueError("runs must hold at least one run")
    return rows, concepts, settings


def _row(run: StudyRun) -> dict[str, Any]:
    """One setting: its separations, and every seed's time of each concept."""
    arrays, settings = TrajectoryArrays(run.trajectory), run.experiment.findings
    name, times = arrays.held_out[0], naive_times(arrays, settings)
    published, first = (
        naive_times(arrays, settings, off_is_wrong=False),
        str(settings.thresholds[0]),
    )
    times[f"{first} as the classifier reads"] = published[first]
    return {
        "name": run.experiment.name,
        "held_out": name,
        "separation": {c.name: separation(c) for c in run.experiment.space.concepts},
        "num_seeds": arrays.num_seeds,
        "end": arrays.last_step,
        "times": {reading: dict(zip(arrays.concepts, found)) for reading, found in times.items()},
    }


def table_of(rows: Iterable[Mapping[str, Any]], concepts: Iterable[str]) -> SpeedTable:
    """The arrays of `settings` in the findings; None stands for never.

    Args:
        rows: `settings`.
        concepts: their names.
    """
    rows, concepts = list(rows), tuple(concepts)
    num_seeds = max(row["num_seeds"] for row in rows)
    times = {}
    for reading in rows[0]["times"]:
        table = np.full((len(rows), len(concepts), num_seeds), np.nan)
        for i, row in enumerate(rows):
            for j, concept in enumerate(concepts):
                found = row["times"][reading][concept]
                known = [np.inf if time is None else float(time) for time in found]
                table[i, j, : row["num_seeds"]] = known
        times[reading] = table
    apart = np.array([[row["separation"][concept] for concept in concepts] for row in rows])
    return SpeedTable(concepts, apart, times, np.array([float(row["end"]) for row in rows]))


def main_line(apart: Float[np.ndarray, "setting concept"], axis: int) -> list[int]:
    """The settings, rising, along which an axis takes the most separations, the other held.

    Args:
        apart: separations.
        axis: index of the concept.
    """
    other = apart[:, 1 - axis]
    held = max(np.unique(other), key=lambda at: (len(np.unique(apart[other == at, axis])), at))
    chosen = np.flatnonzero(other == held)
    return [int(i) for i in chosen[np.argsort(apart[chosen, axis])]]


def _axis(table: SpeedTable, axis: int, reading: str, settings: FindingsSettings) -> dict[str, Any]:
    """How an axis' separation goes with its speed, and with coming first."""
    times = table.times[reading]
    rng = np.random.default_rng([settings.random_seed, axis])
    there = ~np.isnan(times[:, axis])
    setting, seed = np.nonzero(there)
    found = rank_association(
        table.separation[setting, axis],
        times[setting, axis, seed],
        table.ends[setting],
        strata=np.unique(table.separation[:, 1 - axis], return_inverse=True)[1].ravel()[setting],
        clusters=seed,
        rng=rng,
        num_resamples=settings.num_resamples,
        confidence=settings.confidence,
    )
    line = main_line(table.separation, axis)
    turned = flip(
        table.separation[line, axis],
        times[line, axis],
        times[line, 1 - axis],
        rng,
        settings.num_resamples,
        settings.confidence,
    )
    apart = table.separation[line, axis]
    return {
        "association": vars(found)
        | {"never": float(np.isinf(times[:, axis][there]).mean()), "num_settings": len(line)},
        "order": {
            "other": table.concepts[1 - axis],
            "held": table.separation[line[0], 1 - axis],
            "separation": apart,
            "share": turned.share,
            "interval": turned.interval,
            "num_known": turned.num_known,
            "crossing": turned.crossing,
            # A resample without a crossing has it somewhere beyond the separations that were run.
            "crossing_interval": np.clip(turned.crossing_interval, apart[0], apart[-1]),
        },
    }


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """C1 and C2 for each of the two axes."""
    from conceptspace.studies.speed_claims import order_claim, speed_claim

    axes = findings["concepts"]
    return [judge(findings, axis) for judge in (speed_claim, order_claim) for axis in axes]


def figure(findings: Mapping[str, Any]) -> "Figure":
    """Speeds, Kaplan-Meier curves and order, a column an axis."""
    from conceptspace.figures.learning_speed import learning_speed_figure

    table = table_of(findings["settings"], findings["concepts"])
    threshold = str(findings["thresholds"][0])
    lines = [main_line(table.separation, axis) for axis in range(len(table.concepts))]
    orders = [findings["axes"][axis][threshold]["order"] for axis in table.concepts]
    return learning_speed_figure(
        table.concepts, table.separation, table.times[threshold], table.ends, lines, orders,
        threshold,
    )  # fmt: skip


STUDY = Study(
    name="learning-speed",
    title="1/T against separation, and which concept comes first",
    tests=("C1/colour", "C1/size", "C2/colour", "C2/size"),
    experiments=naive_runs,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
