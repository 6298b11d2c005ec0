"""Study `hidden-capability`: naive prompting, over-prompting and latent steering over training.

After Park et al. 2024, section 4.3 and figure 5: elicitation generates the held-out class from
about the same step on in every seed, naive prompting later, and at very different steps.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.arrays import NAIVE, TrajectoryArrays
from conceptspace.dynamics.emergence import pooled_coincidence
from conceptspace.dynamics.findings import findings as conclude
from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.published import published_accuracy, published_times
from conceptspace.dynamics.seed_turns import SeedTurns, seed_turns
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.dynamics.spread import spread_over_seeds
from conceptspace.studies.hidden_events import EARLIEST, EventTable
from conceptspace.studies.published_readings import readings_at
from conceptspace.studies.separations import elicited_runs, separation
from conceptspace.studies.signals import signal_of
from conceptspace.studies.study import Scale, Study, StudyRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Case, Claim

SPREAD_SEEDS = 8
"""Fewer seeds say too little about how far events spread."""


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """Every setting's curves, events and controls; the spread of events, and turns beside them.

    Args:
        runs: with elicitation methods, at least one run; all with the same number of seeds.
        scale: whether there are published readings to compare with.

    Returns:
        `settings`; the `spread` of events by threshold and method; `turn_to_emergence`.

    Raises:
        ValueError: if there is no run, or runs differ in their findings settings.
    """
    rows, tables, turns, settings = [], [], [], FindingsSettings()
    for run in runs:
        if rows and run.experiment.findings != settings:
            raise ValueError(f"runs: {run.experiment.name} has findings settings of its own")
        settings = run.experiment.findings
        row, table, found = _row(run, scale)
        rows.append(row)
        tables.append(table)
        turns.append(found)
    if not rows:
        raise ValueError("runs must hold at least one run")
    return plain(
        {
            "thresholds": settings.thresholds,
            "confidence": settings.confidence,
            "minimum_seeds": settings.minimum_seeds,
            "spread_seeds": SPREAD_SEEDS,
            "control_margin": settings.control_margin,
            "num_seeds": min(len(row["seeds"]) for row in rows),
            "settings": rows,
            "spread": {
                str(threshold): {
                    method: _spread(rows, tables, str(threshold), method, settings)
                    for method in tables[0].methods
                }
                for threshold in settings.thresholds
            },
            "turn_to_emergence": _turn_to_emergence(tables, turns, settings),
        }
    )


def _row(run: StudyRun, scale: Scale) -> tuple[dict[str, Any], EventTable, SeedTurns]:
    """One setting: what is drawn and judged of it."""
    from conceptspace.report.case import Case
    from conceptspace.report.hidden import hidden_claim
    from conceptspace.studies.hidden_controls import controls_of

    experiment, arrays = run.experiment, TrajectoryArrays(run.trajectory)
    settings, name = experiment.findings, arrays.held_out[0]
    found = conclude(run.trajectory, settings, signal=signal_of(experiment))
    case = Case(found, arrays, settings, name, experiment.scale)
    table = EventTable(arrays, name, settings)
    rng = np.random.default_rng([settings.random_seed, 5])
    turns = seed_turns(arrays, name, rng, settings.significance)
    own = hidden_claim(case).model_dump(mode="json")
    accuracy = found["classes"][name]["accuracy"]
    apart = {c.name: separation(c) for c in experiment.space.concepts}
    row = {
        "name": experiment.name,
        "held_out": name,
        "separation": apart,
        "seeds": found["seeds"],
        "steps": found["steps"],
        "methods": {
            m: {k: arrays.methods[m][k] for k in ("kind", "label", "of")} for m in accuracy
        },
        "accuracy": {
            m: {key: block[key] for key in ("mean", "interval", "per_seed")}
            for m, block in accuracy.items()
        },
        "training": np.mean(
            [found["classes"][c]["accuracy"][NAIVE]["mean"] for c in arrays.training], axis=0
        ),
        "events": table.plain(),
        "window": found["classes"][name]["window"],
        "turns": {"step": turns.steps, "p_value": turns.p_values, "found": turns.found.tolist()},
        "turns_of_mean_path": found["classes"][name]["turns"],
        "own_claim": own,
        "controls": controls_of(case, own),
        "under_published_definition": _published(case),
        "published_readings": readings_at(scale, apart),
    }
    return row, table, turns


def _published(case: "Case") -> dict[str, Any]:
    """Curves and times under the published definitions, for naive prompting and elicitation."""
    arrays = case.arrays
    corner = case.concept_class
    data = arrays.trajectory["probability"].transpose(
        "concept_class", "method", "seed", "step", "strength", "sample", "concept", "value"
    )
    found = {}
    for method in (NAIVE, *case.elicitations):
        cell = data.values[arrays.classes.index(corner), arrays.method_names.index(method)]
        right = np.stack(
            [cell[..., axis, int(digit, 36)] for axis, digit in enumerate(corner)], axis=-1
        )
        curve = published_accuracy(right)
        times = published_times(arrays.steps[arrays.trained], curve[:, arrays.trained])
        found[method] = {
            "mean": mean_measured(curve, axis=0),
            "per_seed": curve,
            "times": times,
            "mean_time": float(times.mean()),
        }
    return found


def _spread(
    rows: list[dict[str, Any]],
    tables: list[EventTable],
    threshold: str,
    method: str,
    settings: FindingsSettings,
) -> dict[str, Any]:
    """How less a method's emergence steps spread, over the settings that can say it."""
    able = [table.says_how_it_spreads(threshold, method) for table in tables]
    chosen = [table.events(threshold, method) for table, can in zip(tables, able) if can]
    left_out = [row["name"] for row, can in zip(rows, able) if not can]
    everything = [table.events(threshold, method) for table in tables]
    rng = np.random.default_rng([settings.random_seed, 51])
    if len(everything[0].naive) < 2:
        return {"settings": 0, "left_out": [row["name"] for row in rows]}
    # Of all settings the bounds, which assume nothing; of those that can say it, the share.
    whole = spread_over_seeds(everything, rng, settings.confidence)
    found: dict[str, Any] = {"settings": len(chosen), "left_out": left_out}
    found["bounds"], found["bounds_interval"] = whole.bounds, whole.bounds_interval
    if chosen:
        part = spread_over_seeds(chosen, rng, settings.confidence)
        keys = ("share", "interval", "num_pairs", "num_decided", "p_value", "num_exchanges")
        found |= {key: getattr(part, key) for key in keys}
    return found


def _turn_to_emergence(
    tables: list[EventTable], turns: list[SeedTurns], settings: FindingsSettings
) -> dict[str, Any]:
    """|turn - emergence| of the seeds that have both, against permuted runs, by threshold."""
    found = {}
    for threshold in map(str, settings.thresholds):
        pairs = []
        for table, turn in zip(tables, turns):
            if table.methods:
                at = np.where(turn.found, turn.steps, np.nan)
                pairs.append((at, table.steps[threshold][EARLIEST]))
        rng = np.random.default_rng([settings.random_seed, 52])
        found[threshold] = vars(
            pooled_coincidence(pairs, rng, settings.num_resamples, settings.confidence)
        )
    return found


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """C5 in its four parts."""
    from conceptspace.studies.hidden_claims import (
        controls_claim,
        turn_claim,
        window_claim,
    )
    from conceptspace.studies.spread_claims import spread_claim

    return [judge(findings) for judge in (window_claim, spread_claim, turn_claim, controls_claim)]


def figure(findings: Mapping[str, Any]) -> "Figure":
    """A column a separation: accuracy over training, and when each seed gets there."""
    from conceptspace.figures.hidden_capability import hidden_capability_figure

    return hidden_capability_figure(findings["settings"], str(findings["thresholds"][0]))


STUDY = Study(
    name="hidden-capability",
    title="elicited before it shows: naive prompting, over-prompting and steering over training",
    tests=("C5/window", "C5/spread", "C5/turn", "C5/controls"),
    experiments=elicited_runs,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
