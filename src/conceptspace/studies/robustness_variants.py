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
from conceptspace.recipes.vectors import vectors
from conceptspace.studies.study import Scale

CLAIMS = ("C3", "C4", "C5")
SMALL_WEIGHTS = 0.1
LIGHT_DECAY = 0.01
"""The published weight decay, a tenth of the quick baseline's."""
PAPER_COLOURS = (0.247, 0.432, 0.616)
UNCLIPPED = 1.0
PUBLISHED_CLIP = 0.01


@dataclass(frozen=True)
class Variant:
    """One row of the study that is a run of its own.

    Attributes:
        key: what it is known by.
        label: what is changed, in a few words.
        setting: world or colour separation; variants are compared with the baseline of their own.
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
    """In the world without images, where a run takes seconds and its baseline hides a capability;
    the first is a run that `vectors` has too."""
    base = vectors()
    diffusion = base.diffusion
    assert isinstance(diffusion, DiffusionSettings)  # the recipe's
    like = {"data_range": diffusion.data_range, "sampling_steps": diffusion.sampling_steps}
    published = DiffusionSettings()
    clock = diffusion.replace(
        gamma_start=published.gamma_start,
        gamma_end=published.gamma_end,
        learned_schedule=True,
        data_noise=published.data_noise,
    )
    training = base.training
    changes = (
        (
            "weight-decay",
            f"weight decay {LIGHT_DECAY:g}",
            {"training": training.replace(weight_decay=LIGHT_DECAY)},
        ),
        (
            "small-weights",
            f"initial weights x {SMALL_WEIGHTS:g}",
            {"model": base.model.replace(initial_scale=SMALL_WEIGHTS)},
        ),
        (
            "hidden-clock",
            "hidden clock",
            {"diffusion": clock, "training": training.replace(clip_norm=PUBLISHED_CLIP)},
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
    return [Variant(BASELINE, "baseline", base.name, base)] + [
        Variant(key, label, base.name, base.replace(name=f"robust-{key}", **fields))
        for key, label, fields in changes
    ]


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
