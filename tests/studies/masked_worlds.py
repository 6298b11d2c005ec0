"""Runs that are made up: blue triangles, learned late or never as red triangles are masked."""

import json
from pathlib import Path

import numpy as np

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import colour, shape
from conceptspace.data.mixing import Conditioning, MaskedMixing
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.study import StudyRun
from dynamics.synthetic import Phenomenon, synthetic_trajectory
from runs.tiny import tiny_experiment

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
LAST_STEP = 4000
NEVER = 40_000.0


def made_up_run(share, learned, *, via=(0.1, 0.95), seed=0, num_seeds=5):
    """A run in which the blue triangle is learned at about this step, after being elsewhere."""
    story = Phenomenon(turn_step=600, naive_step=learned, naive_spread=0.2 * learned, via=via)
    trajectory = synthetic_trajectory(
        np.random.default_rng([seed, int(100 * share)]), story,
        num_seeds=num_seeds, num_checkpoints=24, num_samples=16, last_step=LAST_STEP,
    ).assign_coords(concept=["colour", "shape"])  # fmt: skip
    trajectory.attrs["concept_labels"] = json.dumps(
        {"colour": ["red", "blue"], "shape": ["circle", "triangle"]}
    )
    mixing = MaskedMixing(concept="colour", concept_class="01", share=share)
    experiment = tiny_experiment().replace(
        name=f"made-up-a{share:g}",
        space=ConceptSpace(concepts=(colour(0.6), shape())),
        conditioning=Conditioning(mixing=mixing),
        elicitation=(),
        findings=FindingsSettings(num_resamples=200),
    )
    return StudyRun(experiment, trajectory, Path("nowhere"))


def delayed(num_seeds=5, shares=SHARES):
    """The paper's: later with the share, and never with the whole of it."""
    return [
        made_up_run(a, 1000 + 1800 * a if a < 1 else NEVER, num_seeds=num_seeds) for a in shares
    ]


def indifferent():
    """Masking changes nothing."""
    return [made_up_run(a, 1700, seed=1) for a in SHARES]


def never_learned():
    """The blue triangle stays red, masked or not."""
    return [made_up_run(a, NEVER) for a in SHARES]
