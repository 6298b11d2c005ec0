"""Study `turn`: losses, accuracy and concept space side by side, with the turn marked.

After Park et al. 2024, figure 4 and section 4.2: the turn is sudden, and shows only in concept
space. Where seeds turn at different steps their mean path has no turn, so each seed's own path is
looked at too; neither stands in for the other.
"""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.arrays import NAIVE, TrajectoryArrays
from conceptspace.dynamics.bootstrap import percentile_interval
from conceptspace.dynamics.findings import findings as conclude
from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.seed_turns import SeedTurns, seed_turns
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.separations import elicited_runs, separation
from conceptspace.studies.study import Scale, Study, StudyRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Case, Claim

LEAST_SIGNIFICANCE = 0.02
"""400 resamples tell p-values down to 0.0025, and four curves share this: with less no kink could
be found, and every curve would pass."""


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """Every setting's curves and paths, the turn of the mean path, and that of each seed.

    Args:
        runs: at least one run, all with the same number of seeds.
        scale: not looked at.

    Returns:
        `settings`, and the share of seeds that turn over all of them.

    Raises:
        ValueError: if there is no run.
    """
    rows, settings = [], None
    for run in runs:
        settings = run.experiment.findings
        rows.append(_row(run))
    if settings is None:
        raise ValueError("runs must hold at least one run")
    found = np.array([row["seed_turns"]["found"] for row in rows], dtype=float)  # (setting, seed)
    return plain(
        {
            "minimum_seeds": settings.minimum_seeds,
            "confidence": settings.confidence,
            "significance": settings.significance,
            "num_seeds": found.shape[1],
            "num_turning_seeds": int(found.any(axis=0).sum()),
            "share_turning": float(found.mean()),
            "share_interval": _share_interval(found, settings),
            "settings": rows,
        }
    )


def _strict(settings: FindingsSettings) -> FindingsSettings:
    """The same with p-values judged as strictly as intervals are, as far as they can tell."""
    level = max(round(1 - settings.confidence, 12), LEAST_SIGNIFICANCE)
    return settings.replace(significance=min(settings.significance, level))


def _share_interval(found: np.ndarray, settings: FindingsSettings) -> np.ndarray:
    """Of the share of seeds that turn, from redrawing seeds, all runs of a seed together."""
    if found.shape[1] < 2:
        return np.full(2, np.nan)
    rng = np.random.default_rng([settings.random_seed, 41])
    drawn = rng.integers(found.shape[1], size=(settings.num_resamples, found.shape[1]))
    return percentile_interval(found.mean(axis=0)[drawn].mean(axis=1), settings.confidence)


def _row(run: StudyRun) -> dict[str, Any]:
    """One setting: curves and paths with their seeds, turns, and the run's own C4."""
    from conceptspace.report.case import Case
    from conceptspace.report.turns import turn_claim

    arrays, settings = TrajectoryArrays(run.trajectory), run.experiment.findings
    name, found = arrays.held_out[0], conclude(run.trajectory, _strict(settings))
    case = Case(found, arrays, _strict(settings), name, run.experiment.scale)
    rng = np.random.default_rng([settings.random_seed, 5])
    turns = seed_turns(arrays, name, rng, settings.significance)
    of_class = found["classes"][name]
    accuracy, losses = of_class["accuracy"][NAIVE], run.trajectory["loss"]
    return {
        "name": run.experiment.name,
        "held_out": name,
        "concepts": arrays.concepts,
        "separation": {c.name: separation(c) for c in run.experiment.space.concepts},
        "seeds": found["seeds"],
        "steps": found["steps"],
        "loss_unit": json.loads(run.trajectory.attrs.get("loss_unit", "null")),
        "losses": {
            split: block
            | {"per_seed": losses.sel(data_split=split).transpose("seed", "step").values}
            for split, block in found["losses"].items()
        },
        "accuracy": {key: accuracy[key] for key in ("mean", "interval", "per_seed")},
        "path": of_class["coordinate"]
        | {"per_seed": mean_measured(arrays.coordinates(name), axis=2)},
        "training_paths": {c: found["classes"][c]["coordinate"]["mean"] for c in arrays.training},
        "turns": of_class["turns"],
        "seed_turns": {
            "step": turns.steps,
            "interval": turns.intervals,
            "p_value": turns.p_values,
            "found": turns.found.tolist(),
        },
        "seed_kinks": _seed_kinks(case, turns),
        "own_claim": turn_claim(case).model_dump(mode="json"),
    }


def _seed_kinks(case: "Case", turns: SeedTurns) -> dict[str, list[float | None]]:
    """By curve: for each seed that turns, the p-value of "smooth" within its turn's interval."""
    from conceptspace.report.turns import smooth_curves, smoothness

    level, kinks = case.settings.significance, {}
    for number, (label, curve) in enumerate(smooth_curves(case).items()):
        kinks[label] = [
            smoothness(
                case, turns.intervals[seed].tolist(), curve[seed : seed + 1], level,
                10 + 10 * number + seed,
            )["value"]
            for seed in np.flatnonzero(turns.found).tolist()
        ]  # fmt: skip
    return kinks


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """C4 of the mean path, as a run's own report judges it, and of single seeds."""
    from conceptspace.studies.turn_claims import mean_path_claim, seeds_claim

    return [mean_path_claim(findings), seeds_claim(findings)]


def figure(findings: Mapping[str, Any]) -> "Figure":
    """A row a setting: losses, accuracy, and the path in concept space."""
    from conceptspace.figures.turn import turn_figure

    return turn_figure(findings["settings"])


STUDY = Study(
    name="turn",
    title="losses, accuracy and concept space around the turn",
    tests=("C4", "C4/seeds"),
    experiments=elicited_runs,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
