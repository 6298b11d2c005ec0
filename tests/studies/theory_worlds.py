"""Made-up sweeps for the studies of theory, whose paths follow a law of the signals or do not."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import colour, size
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.held_out_paths import signals_of as known_signals
from conceptspace.studies.study import StudyRun
from dynamics.synthetic import CLASSES, SAMPLE_SPREAD, synthetic_trajectory
from runs.tiny import tiny_experiment

PAIRS = tuple(dict.fromkeys([(c, 0.4) for c in (0.2, 0.3, 0.4, 0.6, 0.8)]
              + [(0.4, s) for s in (0.2, 0.25, 0.3, 0.35, 0.4)]))  # fmt: skip
LAST_STEP = 4000


@lru_cache
def template(num_seeds, steps):
    """A made-up trajectory with naive prompting alone."""
    made = synthetic_trajectory(
        np.random.default_rng(0), num_seeds=num_seeds, num_checkpoints=len(steps) + 1,
        num_samples=12, last_step=int(steps[-1]),
    ).sel(method=["naive"])  # fmt: skip
    return made.assign_coords(step=np.concatenate([[0], steps]).astype(int))


def run_with_paths(pair, paths, steps, *, off_until=0.0, resamples=100):
    """A run whose held-out class follows given paths (seed, checkpoint, concept), with samples."""
    rng = np.random.default_rng([int(1000 * pair[0]), int(1000 * pair[1])])
    made = template(len(paths), tuple(steps)).copy(deep=True)
    cell = (slice(None), slice(1, None), CLASSES.index("11"), 0, 0)
    values = made["coordinate"].values
    noise = SAMPLE_SPREAD * rng.standard_normal(values[cell].shape)
    values[cell] = np.clip(paths[:, :, None] + noise, 0, 1)
    made["correct"].values[cell] = values[cell] > 0.5
    made["off_manifold"].values[cell] = (steps < off_until)[:, None]
    experiment = tiny_experiment().replace(
        name=f"made-up-dc{pair[0]}-ds{pair[1]}",
        space=space_of(pair),
        findings=FindingsSettings(num_resamples=resamples),
    )
    return StudyRun(experiment, made, Path("nowhere"))


def space_of(pair):
    return ConceptSpace(concepts=(colour(pair[0]), size(pair[1])))


def signals_of(pair):
    """(colour, size) distances between class means."""
    return known_signals(tiny_experiment().world, space_of(pair))[0]


def checkpoints(num=20):
    return np.rint(np.linspace(10, LAST_STEP**0.5, num) ** 2)
