"""Study `patching`: the conditioning path of one checkpoint in the network of another.

After Park et al. 2024, section 4.4: first the capability is learned, inside the network, then the
map from prompt to it. A late checkpoint's map then elicits the class from an earlier network.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.arrays import NAIVE, TrajectoryArrays
from conceptspace.dynamics.patching import PatchReadings, patch_contrasts
from conceptspace.dynamics.plain import plain
from conceptspace.studies.separations import elicited_runs, separation
from conceptspace.studies.study import Scale, Study, StudyRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Claim

NUM_STEPS: dict[Scale, int] = {"quick": 7, "paper": 8}
"""Checkpoints that are donors and recipients."""
NUM_SAMPLES: dict[Scale, int] = {"quick": 24, "paper": 64}
"""Images of each pair, in each seed."""
NUM_TRAINING_SAMPLES = 8
"""Images of each training class and recipient."""


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """Every seed's donor x recipient map, and what late donors do in early recipients.

    A map is measured from the checkpoints of a run once, and kept in its folder.

    Args:
        runs: with their checkpoints, at least one run; all with the same number of seeds.
        scale: decides the numbers of checkpoints and images.

    Returns:
        `settings` with the accuracies of each seed, and the `contrasts` over all of them.

    Raises:
        ValueError: if there is no run.
    """
    rows, readings, settings = [], [], None
    for run in runs:
        settings = run.experiment.findings
        row, reading = _row(run, scale)
        rows.append(row)
        readings.append(reading)
    if settings is None:
        raise ValueError("runs must hold at least one run")
    rng = np.random.default_rng([settings.random_seed, 6])
    contrasts = patch_contrasts(readings, rng, settings.num_resamples, settings.confidence)
    counted = np.array([reading.counts for reading in readings])
    return plain(
        {
            "minimum_seeds": settings.minimum_seeds,
            "confidence": settings.confidence,
            "threshold": settings.thresholds[0],
            "naive_ceiling": settings.naive_ceiling,
            "control_margin": settings.control_margin,
            "num_seeds": counted.shape[1],
            "num_counted": int(counted.any(axis=0).sum()),
            "settings": rows,
            "contrasts": {name: vars(found) for name, found in contrasts.items()},
        }
    )


def _row(run: StudyRun, scale: Scale) -> tuple[dict[str, Any], PatchReadings]:
    """One setting's maps, and the same as arrays of samples."""
    from conceptspace.load import load_run
    from conceptspace.studies.patching_map import PatchPlan, patching_map, spread_steps

    arrays, settings = TrajectoryArrays(run.trajectory), run.experiment.findings
    name, seeds = arrays.held_out[0], [int(seed) for seed in arrays.seeds]
    steps = spread_steps(arrays.steps[arrays.trained].tolist(), NUM_STEPS[scale])
    at = np.searchsorted(arrays.steps, steps)
    # Samples of the trajectory, not of the map, say where prompting fails.
    naive = _naive_accuracy(arrays, name)[:, at]
    shows = naive[:, -1] > settings.naive_ceiling
    opened = load_run(run.folder)
    maps = []
    for seed in seeds:
        other = other_seed(seed, seeds, shows.tolist())
        plan = PatchPlan(name, steps, NUM_SAMPLES[scale], NUM_TRAINING_SAMPLES, other)
        maps.append(patching_map(opened, seed, plan))
    right, others, untrained, training = (
        np.stack([found[part].values for found in maps]).astype(float)
        for part in ("right", "other_seed", "untrained", "training")
    )
    if len(seeds) == 1:
        others = np.full_like(others, np.nan)
    reading = PatchReadings(right, others, untrained, naive <= settings.naive_ceiling, shows)
    own_training = np.stack([_naive_accuracy(arrays, c)[:, at] for c in arrays.training], axis=1)
    row = {
        "name": run.experiment.name,
        "held_out": name,
        "separation": {c.name: separation(c) for c in run.experiment.space.concepts},
        "seeds": seeds,
        "steps": steps,
        "naive": naive,
        "shows": shows.tolist(),
        "early": reading.early.tolist(),
        "accuracy": right.mean(axis=-1),
        "other_seed": others.mean(axis=-1),
        "untrained": untrained.mean(axis=-1),
        "training": training.mean(axis=(1, 3)),
        "training_own": own_training.mean(axis=1),
    }
    return row, reading


def _naive_accuracy(arrays: TrajectoryArrays, name: str) -> np.ndarray:
    """Joint accuracy (seed, checkpoint) of a class under naive prompting."""
    return mean_measured(arrays.joint_right(name, NAIVE)[0][:, :, 0], axis=-1)


def other_seed(seed: int, seeds: list[int], shows: list[bool]) -> int | None:
    """Whose last conditioning path is a control: the next seed that shows the class, or the next.

    Example:
        >>> other_seed(1, [0, 1, 2, 3], [True, True, False, True])
        3
    """
    at = seeds.index(seed)
    others = [(at + shift) % len(seeds) for shift in range(1, len(seeds))]
    able = [other for other in others if shows[other]] or others
    return seeds[able[0]] if able else None


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """C6."""
    from conceptspace.studies.patching_claims import patching_claim

    return [patching_claim(findings)]


def figure(findings: Mapping[str, Any]) -> "Figure":
    """For each setting the map, and the recipients' own prompting against patched ones."""
    from conceptspace.figures.patching import patching_figure

    return patching_figure(findings["settings"], findings["naive_ceiling"])


STUDY = Study(
    name="patching",
    title="a late conditioning path in earlier networks",
    tests=("C6",),
    experiments=elicited_runs,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
