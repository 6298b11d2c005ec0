"""What the study `robustness` varies: one thing at a time, beside a baseline. Loads no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from conceptspace.experiment import Experiment
from conceptspace.models.settings import (
    DDPMSettings,
    DiffusionSettings,
    FlowMatchingSettings,
    RegressionSettings,
)
from conceptspace.recipes import paper
from conceptspace.studies.separations import QUICK_STEPS, quick_elicited
from conceptspace.studies.study import Scale

CLAIMS = ("C3", "C4", "C5")
QUICK_COLOUR = 0.2
QUICK_CHECKPOINTS = 20
QUICK_SAMPLES = 24
"""Each run is a shorter and coarser one than those in which class 11 is elicited, since there are
seven: 2400 steps in place of 3200, and 20 checkpoints of 24 samples in place of 22 of 48."""
SMALL_WEIGHTS = 0.1
LIGHT_DECAY = 0.01
"""The recipe's own weight decay and the published one, a thirtieth of the quick baseline's."""
PAPER_COLOURS = (0.247, 0.432, 0.616)
UNCLIPPED = 1.0


@dataclass(frozen=True)
class Variant:
    """One row of the study that is a run of its own.

    Attributes:
        key: what it is known by.
        label: what is changed, in a few words.
        setting: the colour separation; variants are compared with the baseline of their own.
        experiment: what is run.
    """

    key: str
    label: str
    setting: str
    experiment: Experiment

    @property
    def is_baseline(self) -> bool:
        return self.key == BASELINE


BASELINE = "baseline"


def trained(scale: Scale) -> list[Variant]:
    """Baselines and variants, each baseline before what is compared with it."""
    return _quick() if scale == "quick" else _paper()


def _quick() -> list[Variant]:
    base = _quick_baseline()
    diffusion = base.diffusion
    assert isinstance(diffusion, DiffusionSettings)  # the quick recipe's
    like = {"data_range": diffusion.data_range, "sampling_steps": diffusion.sampling_steps}
    published = DiffusionSettings()
    clock = diffusion.replace(
        gamma_start=published.gamma_start,
        gamma_end=published.gamma_end,
        learned_schedule=True,
        data_noise=published.data_noise,
    )
    training, setting = base.training, f"{QUICK_COLOUR:g}"
    lightly = training.replace(weight_decay=LIGHT_DECAY)
    light = f"weight decay {LIGHT_DECAY:g}"
    changes = (
        ("weight-decay", light, {"training": lightly}),
        (
            "small-weights",
            f"initial weights x {SMALL_WEIGHTS:g}",
            {"model": base.model.replace(initial_scale=SMALL_WEIGHTS)},
        ),
        # Decay takes the schedule too: the baseline's would draw gamma(0) far up, so this is to be
        # read beside the variant above.
        (
            "hidden-clock",
            f"hidden clock, decay {LIGHT_DECAY:g}",
            {"diffusion": clock, "training": lightly.replace(clip_norm=0.01)},
        ),
        ("regression", "regression", {"diffusion": RegressionSettings()}),
        # The range of the data stays: it alone changes what is learned.
        (
            "flow-matching",
            "flow matching",
            {"diffusion": FlowMatchingSettings(solver="euler", **like)},
        ),
        ("ddpm", "DDPM", {"diffusion": DDPMSettings(**like)}),
    )
    return [Variant(BASELINE, "baseline", setting, base)] + [
        Variant(key, label, setting, base.replace(name=f"robust-{key}-dc{setting}", **fields))
        for key, label, fields in changes
    ]


def _quick_baseline() -> Experiment:
    elicited = quick_elicited(QUICK_COLOUR)
    return elicited.replace(
        name=f"robust-{BASELINE}-dc{QUICK_COLOUR:g}",
        training=elicited.training.replace(steps=QUICK_STEPS),
        measurement=elicited.measurement.replace(
            num_checkpoints=QUICK_CHECKPOINTS, num_samples=QUICK_SAMPLES
        ),
    )


def _paper() -> list[Variant]:
    made = []
    for colour in PAPER_COLOURS:
        setting = f"{colour:g}"
        base = _of(paper.colour_sweep(), colour)
        made.append(Variant(BASELINE, "baseline", setting, base))
        for key, label, family in (
            ("weight-decay", "weight decay 0.05", paper.weight_decay()),
            ("small-weights", "initial weights x 0.1", paper.small_weights()),
            ("regression", "regression", paper.regression()),
        ):
            made.append(Variant(key, label, setting, _of(family, colour)))
        # The noise that the published schedule comes to, where it is fixed.
        fixed = DiffusionSettings(gamma_start=-8.0, learned_schedule=False)
        training = base.training.replace(clip_norm=UNCLIPPED)
        for key, label, objective in (
            ("no-clock", "no hidden clock", fixed),
            ("flow-matching", "flow matching", FlowMatchingSettings(data_range=(0.0, 1.0))),
            ("ddpm", "DDPM", DDPMSettings(data_range=(0.0, 1.0))),
        ):
            fields = {"diffusion": objective, "training": training}
            experiment = base.replace(name=f"robust-{key}-dc{setting}", **fields)
            made.append(Variant(key, label, setting, experiment))
    return made


def _of(family: Sequence[Experiment], colour: float) -> Experiment:
    return family[paper.SWEPT_COLOURS.index(colour)]
