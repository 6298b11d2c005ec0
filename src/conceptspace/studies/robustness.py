"""Study `robustness`: what is left of the phenomenon when one thing about the model is changed.

After Park et al. 2024, appendix, which varies weight decay, initial weights and the objective; the
averaging of weights, the spacing of checkpoints, the threshold, DDPM, flow matching and the noise
schedule's hidden clock are ours. A variant's verdicts are those that a run has: C3, C4 and C5.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.experiment import Experiment
from conceptspace.studies.robustness_variants import CLAIMS, Variant, trained
from conceptspace.studies.separations import NUM_SEEDS
from conceptspace.studies.study import Scale, Seeded, Study, StudyRun

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

    from conceptspace.report.case import Claim


@dataclass(frozen=True)
class Row:
    """What is judged as one variant.

    Attributes:
        key, label, setting: as of a `Variant`.
        trajectory: None where it could not be measured.
        settings: the criteria's numbers.
        origin: the run, or what is made of the baseline's.
        bears_on: the claims that can come out otherwise.
    """

    key: str
    label: str
    setting: str
    trajectory: "xarray.Dataset | None"
    settings: FindingsSettings
    origin: str = "a run of its own"
    bears_on: tuple[str, ...] = CLAIMS


def experiments(scale: Scale) -> list[Seeded]:
    """The baselines, and a run for each variant that must be trained."""
    return [(variant.experiment, NUM_SEEDS) for variant in trained(scale)]


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """The verdicts of every variant, and what shows beside them.

    Args:
        runs: of `experiments`, or some of them; each baseline before its variants.
        scale: which.

    Returns:
        `variants`: for each its `claims` as in a run's claims.json, when the training classes were
        `learned`, `gamma` at the start, then and at the end, and `curves` of the held-out class.

    Raises:
        ValueError: if there is no baseline, or a run is none of this study's.
    """
    known = {variant.experiment.name: variant for variant in trained(scale)}
    found, notes = [], []
    for run in runs:
        variant = known.get(run.experiment.name)
        if variant is None:
            raise ValueError(f"runs: {run.experiment.name} is no variant of this study")
        signal = _signal(run.experiment)
        found += [_judged(row, signal, scale) for row in _rows(run, variant, notes)]
    if not any(row["key"] == "baseline" for row in found):
        raise ValueError("runs must hold the baseline")
    return plain({"claims": CLAIMS, "variants": found, "damage": notes})


def _rows(run: StudyRun, variant: Variant, notes: list[str]) -> Iterator[Row]:
    """A run as a variant; of a baseline also all that is made of it without training."""
    from conceptspace.studies.raw_weights import raw_trajectory

    settings, setting = run.experiment.findings, variant.setting
    yield Row(variant.key, variant.label, setting, run.trajectory, settings)
    if not variant.is_baseline:
        return
    if run.experiment.training.average_decay is not None:
        raw = raw_trajectory(run, notes)
        yield Row("raw-weights", "raw weights", setting, raw, settings, "the baseline's weights")
    half = every_other(run.trajectory)
    yield Row("spacing", "every other checkpoint", setting, half, settings, FROM_BASELINE)
    first, *others = settings.thresholds
    for threshold in others[:1]:
        turned = settings.replace(thresholds=(threshold, first))
        label = f"threshold {threshold:g}"
        yield Row("threshold", label, setting, run.trajectory, turned, FROM_BASELINE, ("C5",))


FROM_BASELINE = "the baseline's trajectory"


def every_other(trajectory: "xarray.Dataset") -> "xarray.Dataset":
    """The untrained model, every other trained checkpoint from the first on, and the last."""
    steps = trajectory["step"].values
    trained = np.flatnonzero(steps > 0)
    kept = sorted({*np.flatnonzero(steps == 0).tolist(), *trained[::2].tolist(), len(steps) - 1})
    return trajectory.isel(step=kept)


def _judged(row: Row, signal: Mapping[str, Any], scale: Scale) -> dict[str, Any]:
    """A row's verdicts, and what the figure shows of it."""
    from conceptspace.dynamics.findings import findings
    from conceptspace.report.claims import claims as judge

    known = {"key": row.key, "label": row.label, "setting": row.setting, "origin": row.origin}
    known |= {"bears_on": row.bears_on, "minimum_seeds": row.settings.minimum_seeds}
    if row.trajectory is None:
        return known | {"num_seeds": 0, "claims": {}, "learned": None, "gamma": None}
    found = findings(row.trajectory, row.settings, signal=signal)
    made = judge(found, row.trajectory, row.settings, scale=scale)
    return known | {
        "num_seeds": len(found["seeds"]),
        "claims": {claim.id: claim.model_dump(mode="json") for claim in made},
        "learned": (learned := _learned(found, str(row.settings.thresholds[0]))),
        "gamma": _gamma(found, learned),
        "curves": _curves(found, row.trajectory),
    }


def _learned(found: Mapping[str, Any], threshold: str) -> float | None:
    """The median step at which the last concept of the last training class is learned."""
    medians = [
        times["median"]
        for entry in found["classes"].values()
        if not entry["held_out"]
        for times in entry["learning_time"][threshold].values()
    ]
    return None if None in medians else max(medians)


def _gamma(found: Mapping[str, Any], learned: float | None) -> dict[str, Any] | None:
    """gamma(0), a mean over seeds, at the start, once the training classes are learned, at the
    end; None for models without."""
    ends = np.array(found["gamma"]["0"], dtype=float)
    if np.isnan(ends).any():
        return None
    mean, steps = ends.mean(axis=0), found["steps"]
    then = None if learned is None else float(np.interp(learned, steps, mean))
    return {"start": mean[0], "learned": then, "end": mean[-1]}


def _curves(found: Mapping[str, Any], trajectory: "xarray.Dataset") -> dict[str, Any]:
    """The held-out class's path under naive prompting, and its accuracy under each method."""
    from conceptspace.dynamics.arrays import TrajectoryArrays

    arrays = TrajectoryArrays(trajectory)
    entry = found["classes"][arrays.held_out[0]]
    shown = [m for m in entry["accuracy"] if arrays.methods[m]["kind"] != "control"]
    return {
        "held_out": arrays.held_out[0],
        "concepts": arrays.concepts,
        "steps": found["steps"],
        "coordinate": entry["coordinate"],
        "accuracy": {name: entry["accuracy"][name]["mean"] for name in shown},
    }


def _signal(experiment: Experiment) -> dict[str, dict[str, Any]]:
    from conceptspace.data.signal import concept_signal

    signals = concept_signal(experiment.world, experiment.space)
    return {
        name: {"signal": signal.derivative, "finite": signal.finite}
        for name, signal in signals.items()
    }


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """Whether the fall, the turn and the hidden capability remain in every variant."""
    from conceptspace.studies.robustness_claims import remains

    return [remains(findings, claim) for claim in findings["claims"]]


def figure(findings: Mapping[str, Any]) -> "Figure":
    """Every variant's course, and the table of verdicts."""
    from conceptspace.figures.robustness import robustness_figure

    return robustness_figure(findings["variants"], findings["claims"])


STUDY = Study(
    name="robustness",
    title="what remains under other settings, other objectives and without the hidden clock",
    tests=tuple(f"robustness/{claim}" for claim in CLAIMS),
    experiments=experiments,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
