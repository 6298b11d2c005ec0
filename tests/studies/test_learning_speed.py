"""C1 and C2 where the answer is known, both ways."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray

from conceptspace.data.factors import background
from conceptspace.recipes import FAMILIES
from conceptspace.studies.learning_speed import STUDY, analyse, claims, main_line, table_of
from conceptspace.sweeps.plan import cost_key, plan_sweep
from studies.worlds import NEVER, made_up_run, nothing_learned, null_world, phenomenon


def concluded(runs):
    findings = {"scale": "made-up"} | analyse(runs, "quick")
    return findings, {claim.id: claim for claim in claims(findings)}


@pytest.fixture(scope="module")
def planted():
    return concluded(phenomenon())


@pytest.fixture(scope="module")
def null():
    return concluded(null_world())


def test_findings_and_claims_are_plain_json(planted):
    findings, found = planted
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings
    assert set(found) == set(STUDY.tests)
    for claim in found.values():
        json.dumps(claim.model_dump(mode="json"), allow_nan=False)


@pytest.mark.parametrize("axis", ["colour", "size"])
def test_a_planted_law_of_speed_is_found(planted, axis):
    claim = planted[1][f"C1/{axis}"]
    assert claim.verdict == "holds"
    assert claim.value >= 0.7
    assert claim.interval[0] > 0.4
    assert claim.seeds == 5
    assert claim.controls["separations permuted"]["passed"]
    assert claim.controls["threshold 0.9"]["passed"]


@pytest.mark.parametrize("axis", ["colour", "size"])
def test_where_separations_say_nothing_no_law_of_speed_is_found(null, axis):
    claim = null[1][f"C1/{axis}"]
    assert claim.verdict == "does not hold"


def test_the_planted_order_turns_round_where_the_times_are_equal(planted):
    """500 / c^1.2 = 350 / 0.4^1.2 at c = 0.54."""
    claim = planted[1]["C2/colour"]
    assert claim.verdict == "holds"
    assert claim.interval == (0.4, 0.6)
    assert claim.interval[0] < claim.value < claim.interval[1]


def test_an_order_that_stays_does_not_hold(planted):
    """Size is first at 0.4, and later than colour nowhere below 0.3."""
    runs = [made_up_run(c, 0.4, 2500, 800) for c in (0.2, 0.3, 0.4, 0.6, 0.8)]
    _, found = concluded(runs)
    assert found["C2/colour"].verdict == "does not hold"
    assert found["C2/colour"].value is None


def test_in_a_null_world_no_order_holds(null):
    assert null[1]["C2/colour"].verdict != "holds"
    assert null[1]["C2/size"].verdict != "holds"


def test_fewer_seeds_or_separations_are_inconclusive_and_say_so():
    _, found = concluded(phenomenon(num_seeds=4))
    assert {claim.verdict for claim in found.values()} == {"inconclusive"}
    assert found["C1/colour"].controls["reason"] == "4 seeds, and 5 are needed"
    _, found = concluded(phenomenon(colours=(0.2, 0.4, 0.8)))
    assert found["C1/colour"].verdict == "inconclusive"
    assert found["C1/colour"].controls["reason"] == "3 separations, and 5 are needed"
    assert found["C1/size"].verdict == "holds"


def test_what_is_never_learned_is_kept_as_later_than_the_end():
    runs = [
        made_up_run(c, 0.4, time, 700)
        for c, time in zip((0.2, 0.3, 0.4, 0.6, 0.8), (NEVER, NEVER, 3000, 1800, 1000))
    ]
    findings, found = concluded(runs)
    assert findings["settings"][0]["times"]["0.8"]["colour"] == [None] * 5
    assert found["C1/colour"].verdict == "holds"
    assert found["C1/colour"].controls["share never learned"]["value"] >= 0.4


def test_where_nothing_is_learned_nothing_is_claimed():
    _, found = concluded(nothing_learned())
    assert {claim.verdict for claim in found.values()} == {"inconclusive"}
    assert "hardly ever learned" in found["C1/colour"].controls["reason"]
    assert found["C2/colour"].value is None


def test_the_times_of_the_table_are_those_of_the_findings(planted):
    table = table_of(planted[0]["settings"], planted[0]["concepts"])
    assert table.times["0.8"].shape == (9, 2, 5)
    assert np.isfinite(table.times["0.8"]).all()
    assert table.separation[main_line(table.separation, 1), 0].tolist() == [0.4] * 5


def test_no_runs_runs_that_are_alike_and_runs_of_other_concepts_are_refused():
    with pytest.raises(ValueError, match="at least one run"):
        analyse([], "quick")
    with pytest.raises(ValueError, match="has the separations of another run"):
        analyse([made_up_run(0.4, 0.4, 900, 700)] * 2, "quick")
    run = made_up_run(0.4, 0.4, 900, 700)
    space = run.experiment.space
    three = space.replace(concepts=(*space.concepts, background(0.2)))
    other = replace(run, experiment=run.experiment.replace(space=three, elicitation=()))
    with pytest.raises(ValueError, match="must have two concepts"):
        analyse([other], "quick")


def test_the_quick_runs_are_few_and_cost_the_same():
    plan = plan_sweep(STUDY.experiments("quick"), 1)
    assert len(plan.runs) == 9
    assert {run.seeds for run in plan.runs} == {(0, 1, 2, 3, 4)}
    assert len({cost_key(run.experiment) for run in plan.runs}) == 1
    assert {run.experiment.scale for run in plan.runs} == {"quick"}


def test_the_paper_runs_are_the_published_families():
    listed = STUDY.experiments("paper")
    families = ("colour-sweep", "size-sweep", "grid")
    assert len(listed) == sum(len(FAMILIES[family]()) for family in families) == 89
    assert len(plan_sweep(listed, 1).runs) == 86


@pytest.mark.parametrize("make", [phenomenon, nothing_learned])
def test_its_figure_is_drawn_whatever_was_learned(make):
    findings, _ = concluded(make())
    assert len(STUDY.figure(findings).axes) == 6


def test_samples_off_the_manifold_delay_a_time_but_not_as_the_classifier_reads_them():
    run = made_up_run(0.4, 0.4, 900, 700)
    off = run.trajectory["off_manifold"]
    spoilt = replace(run, trajectory=run.trajectory.assign(off_manifold=xarray.ones_like(off)))
    clean, never = (analyse([of], "quick")["settings"][0]["times"] for of in (run, spoilt))
    assert never["0.8"]["colour"] == [None] * 5
    assert never["0.8 as the classifier reads"] == clean["0.8 as the classifier reads"]
    assert None not in clean["0.8 as the classifier reads"]["colour"]
