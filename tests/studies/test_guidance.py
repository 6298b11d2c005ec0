"""Whether guidance comes first, where the answer is known, both ways."""

import json
from dataclasses import replace

import numpy as np
import pytest

from conceptspace.studies.guidance import STUDY, analyse, claims
from conceptspace.sweeps.plan import cost_key, plan_sweep
from studies.guided import WEIGHTS, guided_run
from studies.worlds import made_up_run

NEVER = 1e9


def concluded(*runs):
    findings = {"scale": "made-up"} | analyse(runs, "quick")
    (claim,) = claims(findings)
    return findings, claim


@pytest.fixture(scope="module")
def planted():
    return concluded(guided_run(0.4), guided_run(0.25))


def passed(claim, control):
    return claim.controls[control]["passed"]


def test_findings_are_plain_json_and_settings_stand_in_order(planted):
    findings, claim = planted
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings
    json.dumps(claim.model_dump(mode="json"), allow_nan=False)
    assert claim.id in STUDY.tests
    assert [row["separation"]["colour"] for row in findings["settings"]] == [0.25, 0.4]


def test_a_planted_lead_of_guidance_holds(planted):
    claim = planted[1]
    assert claim.verdict == "holds"
    assert claim.value == 1.0
    assert claim.interval[0] > 0.5
    assert passed(claim, "threshold 0.9")
    assert passed(claim, "weight 1, which is naive prompting again")
    windows = claim.controls["settings"]
    assert all(window["median_window"] > 500 for window in windows)


def test_where_guidance_does_nothing_it_does_not_hold():
    _, claim = concluded(guided_run(works_from=NEVER), guided_run(0.4, works_from=NEVER))
    assert claim.verdict != "holds"
    assert not passed(claim, "guidance is first")


def test_a_window_that_does_not_close_is_kept_as_open():
    findings, claim = concluded(guided_run(naive_step=NEVER))
    window = findings["settings"][0]["windows"]["0.8"]
    assert window["naive"] == [None] * 5
    assert window["length"] == [None] * 5
    assert window["is_hidden"] == [True] * 5
    assert claim.verdict == "holds"


@pytest.mark.parametrize(
    ("spoilt", "control"),
    [
        ("spoils_training", "training class at the chosen weights"),
        ("composes_anyway", "without a condition (weight 0)"),
    ],
)
def test_what_spoils_a_control_voids_the_claim(spoilt, control):
    _, claim = concluded(guided_run(**{spoilt: True}))
    assert claim.verdict == "does not hold"
    assert passed(claim, control) is False
    assert passed(claim, "guidance is first")


def test_fewer_seeds_are_inconclusive_and_say_so():
    _, claim = concluded(guided_run(num_seeds=4))
    assert claim.verdict == "inconclusive"
    assert claim.controls["reason"] == "4 seeds, and 5 are needed"


def test_where_nothing_is_brought_out_nothing_is_claimed():
    _, claim = concluded(guided_run(works_from=NEVER, naive_step=NEVER))
    assert claim.verdict == "inconclusive"
    assert "no way of prompting" in claim.controls["reason"]


def test_at_a_stricter_confidence_five_seeds_no_longer_suffice():
    """One flip of signs in 32 is all that five seeds can show."""
    run = guided_run()
    strict = run.experiment.findings.replace(confidence=0.99)
    findings, claim = concluded(replace(run, experiment=run.experiment.replace(findings=strict)))
    assert claim.value == 1.0
    assert findings["leads"]["0.8"]["guided"]["p_value"] == 1 / 32
    assert claim.verdict == "inconclusive"


def test_weights_are_told_apart_and_what_they_push_off_the_manifold_is_reported(planted):
    row = planted[0]["settings"][0]
    accuracy, off = np.array(row["accuracy"]), np.array(row["off_manifold"])
    assert accuracy.shape == off.shape == (len(WEIGHTS), len(row["steps"]))
    at = row["steps"].index(1433)
    assert accuracy[0, at] < 0.1 < accuracy[1, at] < accuracy[3, at]
    assert off[-1, 3:].mean() > off[1, 3:].mean()
    colour, size = (np.array(row["concepts"][name]) for name in ("colour", "size"))
    assert (np.minimum(colour, size) >= accuracy - 1e-6).all()
    cost = planted[1].controls["off the manifold at the largest weight at the end, less naive"]
    assert cost["value"] > 0


def test_a_weight_is_scored_on_samples_that_did_not_choose_it():
    """Of pure luck, the best of five weights would be above the share that each of them has."""
    run = guided_run(works_from=NEVER, naive_step=NEVER, num_samples=8)
    data = run.trajectory.copy(deep=True)
    rng = np.random.default_rng(0)
    data["correct"].values[:, :, 3, 1] = rng.random(data["correct"].values[:, :, 3, 1].shape) < 0.7
    data["off_manifold"].values[:, :, 3, 1] = 0
    row = analyse([replace(run, trajectory=data)], "quick")["settings"][0]
    assert np.mean(row["curves"]["guided"]["mean"]) == pytest.approx(0.49, abs=0.04)


def test_no_runs_and_runs_without_guidance_are_refused():
    with pytest.raises(ValueError, match="at least one run"):
        analyse([], "quick")
    with pytest.raises(ValueError, match="was not prompted with guidance"):
        analyse([made_up_run(0.4, 0.4, 900, 700)], "quick")


def test_the_quick_runs_hide_prompts_in_training_and_cost_the_same():
    plan = plan_sweep(STUDY.experiments("quick"), 1)
    assert [len(run.seeds) for run in plan.runs] == [5, 5]
    assert {run.experiment.training.condition_dropout for run in plan.runs} == {0.1}
    assert len({cost_key(run.experiment) for run in plan.runs}) == 1
    assert len(STUDY.experiments("paper")) == 9


def test_the_figure_has_two_maps_and_a_panel_of_curves_for_each_setting(planted):
    drawn = STUDY.figure(planted[0])
    assert len(drawn.axes) == 2 * 3 + 2  # and two scales
