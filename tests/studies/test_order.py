"""The order of learning follows the signals where that was planted, and not where it was not."""

import json

import numpy as np
import pytest

from conceptspace.studies.order import STUDY, analyse
from conceptspace.studies.signals import signal_of
from conceptspace.sweeps.plan import plan_sweep
from studies.many_worlds import by_concept, made_up_run, never_learned, three

SETTINGS = ((0.3, 0.3), (0.4, 0.2), (0.6, 0.1))


def concluded(runs):
    findings = {"scale": "made-up"} | analyse(runs, "quick")
    (claim,) = STUDY.claims(findings)
    return findings, claim


def world(times_of, **sizes):
    rng = np.random.default_rng(3)
    made = [three(*pair) for pair in SETTINGS]
    return [made_up_run(one, by_concept(times_of(one, rng)), **sizes) for one in made]


def by_signal(experiment, rng):
    """Times (concept, seed) that fall with the signal; beyond the end for the weakest."""
    signal = np.array([found["finite"] for found in signal_of(experiment).values()])
    return 6000 / signal[:, None] ** 1.3 * rng.uniform(0.9, 1.1, size=(3, 5))


def by_chance(experiment, rng):
    return rng.uniform(500, 3500, size=(3, 5))


@pytest.fixture(scope="module")
def planted():
    return concluded(world(by_signal))


def test_a_planted_order_is_found(planted):
    findings, claim = planted
    assert (claim.id,) == STUDY.tests
    assert claim.verdict == "holds"
    assert claim.value > 0.8
    assert claim.interval[0] > 0.5
    for name in ("threshold 0.9", "signal as |dG/dz|", "one concept in several settings"):
        assert claim.controls[name]["passed"]
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings


def test_an_order_that_is_chance_or_reversed_does_not_hold():
    assert concluded(world(by_chance))[1].verdict == "does not hold"
    reversed_ = concluded(world(lambda *given: 1500**2 / by_signal(*given)))[1]
    assert reversed_.verdict == "does not hold"
    assert reversed_.value < -0.8


def test_where_nothing_is_learned_or_seeds_are_few_nothing_is_claimed():
    _, claim = concluded([made_up_run(three(*pair), never_learned) for pair in SETTINGS])
    assert claim.verdict == "inconclusive"
    assert claim.value is None
    assert claim.controls["share never learned"]["value"] == 1.0
    _, claim = concluded(world(by_signal, num_seeds=4))
    assert claim.controls["reason"] == "4 seeds, and 5 are needed"
    assert claim.verdict == "inconclusive"


def test_a_concept_s_accuracy_looks_at_the_classes_in_which_it_is_to_be_learned(planted):
    """A path that stays at class 000 has every concept right in half of the classes."""
    findings, _ = concluded([made_up_run(three(), never_learned)])
    held_out = findings["settings"][0]["held out"]
    assert all(max(found["accuracy"][1:]) < 0.1 for found in held_out.values())
    training = planted[0]["settings"][0]["training"]
    assert all(found["accuracy"][-1] > 0.95 for found in training.values())


def test_runs_that_differ_and_no_runs_are_refused():
    with pytest.raises(ValueError, match="at least one run"):
        analyse([], "quick")
    first = made_up_run(three(), never_learned, num_seeds=1)
    other = three().replace(findings=first.experiment.findings.replace(confidence=0.9))
    with pytest.raises(ValueError, match="findings settings of the others"):
        analyse([first, first.__class__(other, first.trajectory, first.folder)], "quick")


def test_it_needs_no_run_beyond_those_of_three_concepts():
    from conceptspace.studies.corners import THREE

    for scale in ("quick", "paper"):
        keys = [
            {run.key for run in plan_sweep(study.experiments(scale), 1).runs}
            for study in (STUDY, THREE)
        ]
        assert keys[0] == keys[1]


def test_the_figure_has_two_panels_a_setting_and_one_of_all(planted):
    assert len(STUDY.figure(planted[0]).axes) == 2 * 3 + 1
    nothing, _ = concluded([made_up_run(three(), never_learned, num_seeds=1)])
    assert len(STUDY.figure(nothing).axes) == 3
