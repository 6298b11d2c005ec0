"""Study `guidance`: classifier-free guidance weights against checkpoints.

After the published appendix of Park et al. 2024: is a hidden capability brought out by pushing the
whole condition harder (Ho and Salimans 2022), without naming a concept?
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from conceptspace.dynamics.lead import lead
from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.elicitation.settings import Guidance
from conceptspace.experiment import Experiment
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.recipes import FAMILIES, paper
from conceptspace.studies.guidance_setting import Setting, measured_setting
from conceptspace.studies.separations import ELICITED_SIZE, NUM_SEEDS, composing, two_concepts
from conceptspace.studies.study import Scale, Seeded, Study, StudyRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Claim

QUICK_COLOURS = (0.25, 0.4)
"""The quick recipe's own separation, and a stronger one."""
QUICK_WEIGHTS = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0)
QUICK_MEASUREMENT = MeasurementSettings(
    num_checkpoints=14, first_checkpoint=200, num_samples=32, num_control_samples=16,
    num_loss_images=96,
)  # fmt: skip
DROPOUT = 0.1
"""How often the prompt is hidden in training, as published."""


def experiments(scale: Scale) -> list[Seeded]:
    """The runs of a scale.

    Args:
        scale: at `quick` two colour separations, the sizes 0.3 apart; at `paper` the published
            nine.
    """
    if scale == "paper":
        return [(made, paper.NUM_SEEDS) for made in FAMILIES["guidance"]()]
    return [(quick_guided(d), NUM_SEEDS) for d in QUICK_COLOURS]


def quick_guided(d_colour: float) -> Experiment:
    """The composing model with hidden prompts, elicited by guidance alone."""
    base = composing()
    return base.replace(
        name=f"guided-dc{d_colour}",
        space=two_concepts(d_colour, ELICITED_SIZE),
        training=base.training.replace(condition_dropout=DROPOUT),
        measurement=QUICK_MEASUREMENT,
        elicitation=(Guidance(weights=QUICK_WEIGHTS),),
    )


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """Accuracies by weight and checkpoint, and whether guidance comes before naive prompting.

    Args:
        runs: prompted with guidance, at least one.
        scale: not looked at.

    Returns:
        `settings`, a row a run; `leads` by threshold: of guidance at the chosen weight over naive
        prompting, and of weight 1 over naive prompting, which is the same thing twice.

    Raises:
        ValueError: if there is no run, a run was not guided, or runs differ in their thresholds.
    """
    settings, made = FindingsSettings(), list[Setting]()
    for run in runs:
        if made and run.experiment.findings != settings:
            raise ValueError(f"runs: {run.experiment.name} has other findings settings")
        settings = run.experiment.findings
        made.append(measured_setting(run))
    if not made:
        raise ValueError("runs must hold at least one run")
    made.sort(key=lambda setting: tuple(setting.found["separation"].values()))
    return plain(
        {
            "thresholds": settings.thresholds,
            "findings": settings.model_dump(mode="json"),
            "num_seeds": min(setting.found["num_seeds"] for setting in made),
            "settings": [setting.found for setting in made],
            "leads": {
                str(threshold): {
                    way: _lead(made, str(threshold), way, settings) for way in ("guided", "again")
                }
                for threshold in settings.thresholds
            },
        }
    )


def _lead(
    made: list[Setting], threshold: str, way: str, settings: FindingsSettings
) -> dict[str, Any] | None:
    """How regularly a way comes before naive prompting; None where it was not measured."""
    if any(way not in setting.times[threshold] for setting in made):
        return None
    found = lead(
        [(s.times[threshold][way], s.times[threshold]["naive"]) for s in made],
        [(s.drawn[threshold][way], s.drawn[threshold]["naive"]) for s in made],
        np.random.default_rng(settings.random_seed),
        settings.confidence,
    )
    return vars(found)


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """Whether guidance brings the held-out class out before naive prompting does."""
    from conceptspace.studies.guidance_claims import elicits_claim

    return [elicits_claim(findings)]


def figure(findings: Mapping[str, Any]) -> "Figure":
    """Weight against checkpoint, setting by setting."""
    from conceptspace.figures.guidance import guidance_figure

    return guidance_figure(findings["settings"], str(findings["thresholds"][0]))


STUDY = Study(
    name="guidance",
    title="classifier-free guidance weights against checkpoints",
    tests=("guidance/elicits",),
    experiments=experiments,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
