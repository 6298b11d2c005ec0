"""Study `underspecification`: what masking a concept in one class's prompts does to another class.

After Park et al. 2024, section 5. Colour and shape; a share of the red triangles is trained with
prompts that say "triangle" and not "red". The blue triangle is held out, and prompted in full.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from conceptspace.data.picture_text import pictures_as_text, pictures_from_text
from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.arrays import NAIVE, TrajectoryArrays
from conceptspace.dynamics.bootstrap import (
    mean_over_seeds,
    percentile_interval,
    resample_means,
    resample_seeds,
)
from conceptspace.dynamics.learning import learning_times, median_time
from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.masked import masked_runs, masked_share, roles_of
from conceptspace.studies.study import Scale, Study, StudyRun
from conceptspace.theory.association import rank_association
from conceptspace.theory.censored import fit_times
from conceptspace.theory.censored_slope import censored_slope
from conceptspace.theory.permuted import permuted_drop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Claim

NUM_PICTURES = 4
"""Pictures of the held-out class that are kept of each seed."""
NUM_ENDING = 3
"""The last checkpoints that are averaged to see whether the very last one is special."""


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """Steps until the held-out class is learned against the share, and where its path ends.

    Args:
        runs: of one space of two binary concepts and one masked class, each with another share.
        scale: not looked at.

    Returns:
        `shares`, rising, each with the joint learning times of its seeds (None where not by `end`),
        its mean path and pictures; `slope` by threshold; `ends`, the places of three classes.

    Raises:
        ValueError: if there is no run, or runs have the same share or differ in what is masked.
    """
    rows, values, roles, settings = _rows(runs)
    thresholds = [str(threshold) for threshold in settings.thresholds]
    return plain(
        roles
        | {
            "thresholds": settings.thresholds,
            "minimum_seeds": settings.minimum_seeds,
            "confidence": settings.confidence,
            "num_seeds": min(row["num_seeds"] for row in rows),
            "shares": rows,
            "slope": {threshold: _slope(rows, threshold, settings) for threshold in thresholds},
            "ends": _ends(values, roles, settings),
        }
    )


def _rows(runs: Iterable[StudyRun]):
    """Every share's findings, its samples at the end, what all have in common, and settings."""
    made, roles, settings = [], {}, FindingsSettings()
    for run in runs:
        found = roles_of(run.experiment)
        if made and (found, run.experiment.findings) != (roles, settings):
            raise ValueError(
                f"runs: {run.experiment.name} must differ from the others in the masked share alone"
            )
        roles, settings = found, run.experiment.findings
        made.append(_row(run, roles))
    if not made:
        raise ValueError("runs must hold at least one run")
    made.sort(key=lambda pair: pair[0]["share"])
    rows, values = [row for row, _ in made], [samples for _, samples in made]
    if len({row["share"] for row in rows}) < len(rows):
        raise ValueError("runs: two of them have the same masked share")
    return rows, values, roles, settings


def _row(run: StudyRun, roles: Mapping[str, Any]) -> tuple[dict[str, Any], np.ndarray]:
    """A share's findings, and what its last samples show: (seed, checkpoint, class, concept,
    sample)."""
    arrays, settings = TrajectoryArrays(run.trajectory), run.experiment.findings
    held_out = roles["classes"]["held_out"]
    right = arrays.joint_right(held_out, NAIVE)[0][:, arrays.trained, 0]
    accuracy, steps = mean_measured(right, axis=-1), arrays.steps[arrays.trained]
    times = {
        str(threshold): learning_times(
            steps, accuracy, threshold,
            consecutive=settings.consecutive, smoothing=settings.smoothing,
        )
        for threshold in settings.thresholds
    }  # fmt: skip
    path = mean_measured(arrays.coordinates(held_out)[:, arrays.trained], axis=(0, 2))
    last = [arrays.coordinates(name)[:, -NUM_ENDING:] for name in roles["classes"].values()]
    row = {
        "name": run.experiment.name,
        "share": masked_share(run.experiment),
        "num_seeds": arrays.num_seeds,
        "seeds": arrays.seeds,
        "end": arrays.last_step,
        "steps": steps,
        "times": times,
        "medians": {t: median_time(found, arrays.last_step) for t, found in times.items()},
        "accuracy": mean_measured(accuracy, axis=0),
        "off_manifold": mean_measured(arrays.off_manifold(held_out, NAIVE)[:, -1], axis=(0, 1, 2)),
        "path": path,
        "pictures": _pictures(run, arrays, held_out),
    }
    return row, np.moveaxis(np.stack(last, axis=2), -1, -2)


def _pictures(
    run: StudyRun, arrays: TrajectoryArrays, concept_class: str
) -> dict[str, object] | None:
    """The first pictures of each seed (seed, picture, row, column, channel) at the end, as text;
    None if a seed's are not there."""
    from conceptspace.folder import seed_folder
    from conceptspace.measure.files import DamagedFile
    from conceptspace.measure.store import MeasurementStore

    kept = []
    for seed in arrays.seeds:
        try:
            store = MeasurementStore(seed_folder(run.folder, int(seed)))
            measured = store.read(int(arrays.last_step))
        except (FileNotFoundError, DamagedFile):
            return None
        cell = measured["thumbnail"].sel({"concept_class": concept_class, "method": NAIVE})
        cell = cell.isel(seed=0, step=0, strength=0).transpose(
            "thumbnail", "row", "column", "channel"
        )
        kept.append(cell.values[:NUM_PICTURES])
    return pictures_as_text(np.stack(kept)) if kept and kept[0].size else None


def _slope(
    rows: list[dict[str, Any]], threshold: str, settings: FindingsSettings
) -> dict[str, Any]:
    """How much later the class is learned with the share, in steps, ranks, and as a factor."""
    times = np.concatenate([row["times"][threshold] for row in rows])
    share = np.concatenate([np.full(row["num_seeds"], row["share"]) for row in rows])
    ends = np.concatenate([np.full(row["num_seeds"], row["end"]) for row in rows])
    seeds = np.concatenate([np.arange(row["num_seeds"]) for row in rows])
    rng = np.random.default_rng([settings.random_seed, 0])
    redrawn: dict[str, Any] = {
        "clusters": seeds, "rng": rng, "num_resamples": settings.num_resamples,
        "confidence": settings.confidence,
    }  # fmt: skip
    # A smaller share goes with an earlier time, so what speeds things up is what is not masked.
    ranks = rank_association(
        1 + share.max() - share, times, ends, strata=np.zeros(len(seeds), dtype=int), **redrawn
    )
    return {
        "steps": vars(censored_slope(share, times, ends, **redrawn)),
        "ranks": vars(ranks),
        "factor": _factor(share, times, ends, settings.confidence),
        "never": float(np.isinf(times).mean()),
    }


def _factor(
    share: np.ndarray, times: np.ndarray, ends: np.ndarray, confidence: float
) -> dict[str, Any]:
    """How many times later with all masked than with none: log T straight in the share."""
    try:
        law = fit_times(np.exp(share), times, ends)
    except ValueError as error:  # too little was learned for a line
        return {"value": None, "interval": [None, None], "reason": str(error)}
    interval = np.exp(np.clip(law.slope_interval(confidence), -50, 50))
    return {"value": float(np.exp(law.slope)), "interval": interval}


def _ends(
    values: list[np.ndarray], roles: Mapping[str, Any], settings: FindingsSettings
) -> dict[str, Any]:
    """Where three classes are at the end for each share, and what the share does to one of them.

    Seeds are redrawn with all of their runs, since those share their data and their first weights.
    """
    num_seeds = min(len(part) for part in values)
    samples = np.stack([part[:num_seeds] for part in values], axis=1)
    rng = np.random.default_rng([settings.random_seed, 1])
    drawn = resample_means(samples, settings.num_resamples, rng)
    drawn = mean_over_seeds(resample_seeds(drawn, rng))  # (resample, share, checkpoint, class, .)
    seeds = mean_measured(samples, axis=-1)  # (seed, share, checkpoint, class, concept)
    axis = list(roles["concepts"]).index(roles["masked_concept"])

    def told(mean: np.ndarray, draws: np.ndarray) -> dict[str, Any]:
        return {"value": mean, "interval": percentile_interval(draws, settings.confidence)}

    found: dict[str, Any] = {
        role: told(seeds[:, :, -1, i].mean(axis=0), drawn[:, :, -1, i])
        | {"per_seed": np.swapaxes(seeds[:, :, -1, i], 0, 1)}
        for i, role in enumerate(roles["classes"])
    }
    own, of_own = seeds[:, :, :, 0, axis], drawn[:, :, :, 0, axis]
    last, of_last = own[:, :, -1], of_own[:, :, -1]
    found["late"] = told(own.mean(axis=(0, 2)), of_own.mean(axis=2))
    found["drop"] = told((last[:, 0] - last[:, -1]).mean(), of_last[:, 0] - of_last[:, -1])
    found["drop"]["p_value"] = (
        permuted_drop(last, rng, settings.num_resamples) if len(values) > 1 else np.nan
    )
    return found


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """C7, that masking delays, and that it bends."""
    from conceptspace.studies.underspecification_claims import bend_claim, slope_claim

    return [slope_claim(findings), bend_claim(findings)]


def figure(findings: Mapping[str, Any]) -> "Figure":
    """Learning times, paths, and pictures from blue to red triangles."""
    from conceptspace.figures.underspecification import MaskedShare, underspecification_figure

    threshold = str(findings["thresholds"][0])
    shares = [
        MaskedShare(
            share=row["share"],
            seeds=row["seeds"],
            times=np.array([np.inf if t is None else t for t in row["times"][threshold]]),
            end=row["end"],
            median=row["medians"][threshold],
            path=np.array(row["path"], dtype=float),
            end_interval=np.array(findings["ends"]["held_out"]["interval"][i], dtype=float),
            pictures=None if row["pictures"] is None else pictures_from_text(row["pictures"]),
        )
        for i, row in enumerate(findings["shares"])
    ]
    return underspecification_figure(shares, findings["labels"], findings["words"], threshold)


STUDY = Study(
    name="underspecification",
    title="steps until a class is learned, and its path, as another class's prompts are masked",
    tests=("C7/slope", "C7/bend"),
    experiments=masked_runs,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
