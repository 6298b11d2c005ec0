"""Runs that are made up: class 11 elicited before it shows, or not; and maps of patched models."""

from pathlib import Path

import numpy as np
import xarray

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import colour, size
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.study import StudyRun
from dynamics.synthetic import Phenomenon, synthetic_trajectory
from runs.tiny import tiny_experiment

HIDDEN = Phenomenon(turn_step=600.0, emergence_step=700.0, naive_step=3600.0, naive_spread=2600.0)
"""Elicited in every seed at one step, shown at very different ones."""
NOTHING_HIDDEN = Phenomenon(elicitable=False, naive_step=2500.0, naive_spread=1500.0)
"""Elicitation does what naive prompting does."""
NEVER_SHOWN = Phenomenon(naive_step=40_000.0, naive_spread=4000.0)
"""Elicited, and not shown by the end."""


def elicited_run(story, d_colour=0.25, *, num_seeds=8, num_samples=16, seed=0, num_checkpoints=24):
    """A run of this story at a colour separation."""
    trajectory = synthetic_trajectory(
        np.random.default_rng([seed, int(1000 * d_colour)]),
        story,
        num_seeds=num_seeds,
        num_checkpoints=num_checkpoints,
        num_samples=num_samples,
    )
    made = tiny_experiment().replace(
        name=f"made-up-dc{d_colour}",
        space=ConceptSpace(concepts=(colour(d_colour), size(0.4))),
        findings=FindingsSettings(num_resamples=100),
    )
    return StudyRun(made, trajectory, Path("nowhere"))


def made_up_map(seed, plan, *, phases):
    """A seed's donor x recipient map.

    Args:
        seed: draws the samples.
        plan: what is measured.
        phases: whether the network has the capability early and only the map from prompts comes
            late; if not, a recipient does what its own prompting does, whoever the donor is.
    """
    rng = np.random.default_rng([seed, 3])
    num = len(plan.steps)
    progress = np.linspace(0, 1, num)
    # The network has it from a third of the way on, the map from prompts at the end alone.
    network, prompt = progress > 0.3, progress**3
    if phases:
        chance = 0.95 * network * prompt[:, None]
    else:
        chance = np.broadcast_to(0.95 * prompt, (num, num))
    other = 0.05 * np.ones(num) if phases else 0.95 * prompt
    untrained = np.zeros(num) if phases else 0.95 * prompt
    draw = lambda p, n: (rng.random((*np.shape(p), n)) < np.asarray(p)[..., None]).astype(np.int8)  # noqa: E731
    return xarray.Dataset(
        {
            "right": (("donor", "recipient", "sample"), draw(chance, plan.num_samples)),
            "other_seed": (("recipient", "sample"), draw(other, plan.num_samples)),
            "untrained": (("recipient", "sample"), draw(untrained, plan.num_samples)),
            "training": (
                ("training_class", "recipient", "training_sample"),
                draw(np.tile(0.95 * (progress > 0.1), (3, 1)), plan.num_training_samples),
            ),
        }
    )
