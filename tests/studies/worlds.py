"""Sweeps that are made up: runs over colour and size separations with planted learning times."""

from pathlib import Path

import numpy as np

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import colour, size
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.study import StudyRun
from dynamics.synthetic import Phenomenon, synthetic_trajectory
from runs.tiny import tiny_experiment

COLOURS = (0.2, 0.3, 0.4, 0.6, 0.8)
SIZES = (0.2, 0.25, 0.3, 0.35, 0.4)
LAST_STEP = 4000
NEVER = 40_000.0


def made_up_run(d_colour, d_size, colour_time, size_time, *, seed=0, num_seeds=5, thresholds=None):
    """A run whose held-out class has colour and size right at about these steps."""
    early, late = sorted((colour_time, size_time))
    via = (0.1, 0.95) if size_time <= colour_time else (0.95, 0.1)
    story = Phenomenon(turn_step=early, naive_step=late, naive_spread=0.3 * late, via=via)
    return told_run(d_colour, d_size, story, seed=seed, num_seeds=num_seeds)


def told_run(d_colour, d_size, story, *, seed=0, num_seeds=5):
    """A run whose held-out class does what a story tells."""
    trajectory = synthetic_trajectory(
        np.random.default_rng([seed, int(1000 * d_colour), int(1000 * d_size)]),
        story,
        num_seeds=num_seeds,
        num_checkpoints=30,
        num_samples=12,
        last_step=LAST_STEP,
    )
    made = tiny_experiment().replace(
        name=f"made-up-dc{d_colour}-ds{d_size}",
        space=ConceptSpace(concepts=(colour(d_colour), size(d_size))),
        findings=FindingsSettings(num_resamples=200),
    )
    return StudyRun(made, trajectory, Path("nowhere"))


def phenomenon(num_seeds=5, colours=COLOURS, sizes=SIZES):
    """The paper's: a larger separation is learned sooner, whichever axis it is."""
    pairs = dict.fromkeys([*((c, 0.4) for c in colours), *((0.4, s) for s in sizes)])
    return [made_up_run(c, s, 500 / c**1.2, 350 / s**1.2, num_seeds=num_seeds) for c, s in pairs]


def null_world(num_seeds=5):
    """The separations say nothing about the times."""
    rng = np.random.default_rng(7)
    pairs = dict.fromkeys([*((c, 0.4) for c in COLOURS), *((0.4, s) for s in SIZES)])
    return [
        made_up_run(c, s, *rng.uniform(700, 2500, size=2), num_seeds=num_seeds) for c, s in pairs
    ]


def nothing_learned():
    """No seed has either concept right by the end."""
    pairs = dict.fromkeys([*((c, 0.4) for c in COLOURS), *((0.4, s) for s in SIZES)])
    return [made_up_run(c, s, NEVER, NEVER * 2) for c, s in pairs]


def colours_look_alike(share_read_right):
    """The paper's law for size; colours that are declared to differ and are drawn alike.

    Args:
        share_read_right: how often a probe, which sees no difference, happens to read the held-out
            class's colour: it reads one colour always, the other always, or either by chance.
    """
    rng = np.random.default_rng(11)
    pairs = dict.fromkeys([*((c, 0.4) for c in COLOURS), *((0.4, s) for s in SIZES)])
    runs = [made_up_run(c, s, 600, 350 / s**1.2) for c, s in pairs]
    held_out = list(runs[0].trajectory["concept_class"].values).index("11")
    for run in runs:
        correct, off = (run.trajectory[name].values for name in ("correct", "off_manifold"))
        # (seed, step, class, method, strength, sample, concept); off the manifold counts as wrong
        read = rng.random(correct.shape[:2] + correct.shape[3:6]) < share_read_right
        correct[:, :, held_out, ..., 0] = np.where(off[:, :, held_out] < 0, -1, read)
    return runs
