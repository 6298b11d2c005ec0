"""C10 where the answer is known, both ways, with three concepts and with six."""

import json

import numpy as np
import pytest

from conceptspace.studies.corner_table import observations
from conceptspace.studies.corners import SIX, THREE, analyse
from conceptspace.sweeps.plan import plan_sweep
from studies.many_worlds import (
    made_up_run,
    near_is_early,
    near_says_nothing,
    never_learned,
    six,
    three,
)

SETTINGS = ((0.3, 0.3), (0.6, 0.1))


def concluded(study, runs):
    findings = {"scale": "made-up"} | analyse(runs, "quick")
    (claim,) = study.claims(findings)
    return findings, claim


def in_three(world, **sizes):
    made = [three(*pair) for pair in SETTINGS]
    return [
        made_up_run(experiment, world(experiment, seed), **sizes)
        for seed, experiment in enumerate(made)
    ]


@pytest.fixture(scope="module")
def planted():
    return concluded(THREE, in_three(near_is_early))


@pytest.fixture(scope="module")
def planted_six():
    run = made_up_run(six(), near_is_early(six()), num_checkpoints=16, num_samples=8)
    return concluded(SIX, [run])


def test_findings_and_claim_are_plain_json(planted):
    findings, claim = planted
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings
    json.dumps(claim.model_dump(mode="json"), allow_nan=False)
    assert (claim.id,) == THREE.tests


def test_classes_that_are_near_and_learned_early_are_found(planted):
    _, claim = planted
    assert claim.verdict == "holds"
    assert 0.5 < claim.interval[0] <= claim.value
    assert claim.controls["distances permuted"]["passed"]
    never = claim.controls["share never learned"]
    assert never["nearer_half"] < never["value"]


def test_controls_look_at_other_thresholds_definitions_and_samples(planted):
    controls = planted[1].controls
    for name in ("threshold 0.9", "convergence by the loss",
                 "distance and time on different samples", "classes of one seed"):  # fmt: skip
        assert controls[name]["passed"]
        assert not controls[name]["required"]


def test_distances_that_say_nothing_do_not_hold():
    _, claim = concluded(THREE, in_three(near_says_nothing))
    assert claim.verdict == "does not hold"
    assert abs(claim.value) < 0.5


def test_where_no_class_is_learned_nothing_is_claimed():
    _, claim = concluded(THREE, in_three(lambda *_: never_learned))
    assert claim.verdict == "inconclusive"
    assert claim.value is None
    assert "hardly any held-out class" in claim.controls["reason"]


def test_fewer_seeds_are_inconclusive():
    _, claim = concluded(THREE, in_three(near_is_early, num_seeds=4))
    assert claim.verdict == "inconclusive"
    assert claim.controls["reason"] == "4 seeds, and 5 are needed"


def test_seeds_that_did_not_converge_are_left_out_and_counted():
    runs = in_three(near_is_early)
    for run in runs:
        training = json.loads(run.trajectory.attrs["training_classes"])
        at = [str(name) for name in run.trajectory["concept_class"].values].index(training[1])
        run.trajectory["correct"][{"seed": [0, 3], "concept_class": at}] = 0
    findings, claim = concluded(THREE, runs)
    assert [step is None for step in findings["settings"][0]["converged"]["0.8"]] == [
        True, False, False, True, False,
    ]  # fmt: skip
    assert claim.controls["seeds that did not converge"] == 4
    assert claim.verdict == "inconclusive"
    assert claim.controls["reason"] == "training converged in 3 seeds, and 5 are needed"


def test_a_stricter_confidence_widens_the_interval_and_is_said():
    runs = in_three(near_is_early)
    stricter = [
        run.__class__(
            run.experiment.replace(findings=run.experiment.findings.replace(confidence=0.998)),
            run.trajectory,
            run.folder,
        )
        for run in runs
    ]
    wide, usual = concluded(THREE, stricter)[1], concluded(THREE, runs)[1]
    assert wide.interval[0] <= usual.interval[0]
    assert "99.8 % interval" in wide.criterion
    # 200 permutations could not be as rare as that; so there are more of them.
    assert wide.controls["distances permuted"]["passed"]


def test_the_same_holds_with_six_concepts(planted_six):
    findings, claim = planted_six
    assert (claim.id,) == SIX.tests
    assert claim.verdict == "holds"
    assert list(findings["settings"][0]["groups"]) == [f"{n} concepts" for n in (2, 3, 4, 5, 6)]


def test_observations_are_one_a_class_seed_and_setting(planted):
    table = observations(planted[0]["settings"], "0.8")
    assert len(table.distance) == 2 * 4 * 5
    assert set(table.combined) == {2, 3}
    assert np.isinf(table.time).any()
    assert (table.distance <= np.sqrt(3)).all()


def test_runs_that_differ_and_no_runs_are_refused():
    with pytest.raises(ValueError, match="at least one run"):
        analyse([], "quick")
    first = made_up_run(three(), never_learned, num_seeds=1)
    other = three().replace(findings=first.experiment.findings.replace(confidence=0.9))
    second = first.__class__(other, first.trajectory, first.folder)
    with pytest.raises(ValueError, match="findings settings of the others"):
        analyse([first, second], "quick")


def test_the_runs_of_each_scale():
    quick, paper = (plan_sweep(THREE.experiments(scale), 1).runs for scale in ("quick", "paper"))
    assert (len(quick), len(paper)) == (3, 9)
    assert {run.seeds for run in quick} == {(0, 1, 2, 3, 4)}
    assert all(run.experiment.elicitation == () for run in quick)
    ((made, seeds),) = SIX.experiments("quick")
    assert (len(made.split.training(made.space)), len(made.space.classes), seeds) == (7, 64, 5)
    ((published, _),) = SIX.experiments("paper")
    assert published.name == "six-concepts"


def test_figures_have_a_row_for_each_setting(planted, planted_six):
    assert len(THREE.figure(planted[0]).axes) == 2 * 4 + 2
    assert len(SIX.figure(planted_six[0]).axes) == 4 + 2


def test_a_figure_is_drawn_where_training_never_converged():
    runs = in_three(near_is_early, num_seeds=2)
    for run in runs:
        run.trajectory["correct"][:] = 0
    findings, claim = concluded(THREE, runs)
    assert claim.value is None
    assert THREE.figure(findings).axes
