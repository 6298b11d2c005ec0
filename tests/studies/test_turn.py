"""C4 of mean paths and of single seeds, where the answer is known both ways."""

import json

import numpy as np
import pytest

from conceptspace.dynamics.arrays import TrajectoryArrays
from conceptspace.dynamics.seed_turns import SeedTurns, seed_turns
from conceptspace.studies import turn
from conceptspace.studies.turn import LEAST_SIGNIFICANCE, STUDY, analyse, claims
from conceptspace.studies.turn_claims import mean_path_claim, seeds_claim
from dynamics.synthetic import Phenomenon
from studies.elicited import elicited_run


def concluded(*stories, **sizes):
    runs = [
        elicited_run(story, d, num_seeds=5, num_samples=48, num_checkpoints=24, **sizes)
        for story, d in zip(stories, (0.25, 0.3))
    ]
    findings = {"scale": "made-up"} | analyse(runs, "quick")
    return findings, {claim.id: claim for claim in claims(findings)}


def first_seed_turns(arrays, concept_class, rng, significance):
    """The first seed turns at the planted step; the others are not looked at, which takes long."""
    steps = np.full(arrays.num_seeds, np.nan)
    steps[0] = 900.0
    ends = np.stack([steps - 50, steps + 50], axis=1)
    return SeedTurns(steps, ends, np.where(np.isnan(steps), np.nan, 0.001), ~np.isnan(steps))


def no_seed_turns(arrays, concept_class, rng, significance):
    unknown = np.full(arrays.num_seeds, np.nan)
    return SeedTurns(unknown, np.stack([unknown] * 2, axis=1), unknown, unknown > 0)


@pytest.fixture
def one_seed_turns(monkeypatch):
    monkeypatch.setattr(turn, "seed_turns", first_seed_turns)


@pytest.fixture(scope="module")
def planted():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turn, "seed_turns", first_seed_turns)
        return concluded(Phenomenon())


@pytest.fixture(scope="module")
def straight():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turn, "seed_turns", no_seed_turns)
        return concluded(Phenomenon(turns=False))


def test_findings_and_claims_are_plain_json(planted):
    findings, found = planted
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings
    assert set(found) == set(STUDY.tests)


def test_a_planted_turn_that_shows_in_no_curve_holds(planted):
    claim = planted[1]["C4"]
    assert claim.verdict == "holds"
    assert claim.value == pytest.approx(900, rel=0.1)
    assert claim.controls["made-up-dc0.25"]["parts"]["no kink in held-out loss"]["passed"]


def test_a_run_whose_loss_shows_the_turn_and_the_claim_does_not_hold(planted):
    findings = json.loads(json.dumps(planted[0]))
    again = json.loads(json.dumps(findings["settings"][0])) | {"name": "made-up-dc0.3"}
    again["own_claim"]["verdict"] = "does not hold"
    findings["settings"].append(again)
    assert mean_path_claim(findings).verdict == "does not hold"
    again["own_claim"]["verdict"] = "inconclusive"
    assert mean_path_claim(findings).verdict == "inconclusive"


def test_without_a_turn_it_is_open_and_said(straight):
    assert straight[1]["C4"].verdict == "inconclusive"
    assert straight[1]["C4"].controls["reason"] == "no mean path turns beyond noise"
    assert straight[1]["C4/seeds"].verdict == "inconclusive"
    assert straight[0]["share_turning"] == 0


def seeds_of(planted, found, kinks, interval):
    """The planted findings with other turns of seeds, and kinks in the held-out loss."""
    findings = json.loads(json.dumps(planted[0]))
    row = findings["settings"][0]
    row["seed_turns"]["found"] = found
    row["seed_kinks"] = {label: [0.5] * len(kinks) for label in row["seed_kinks"]}
    row["seed_kinks"]["held-out loss"] = kinks
    return findings | {
        "num_turning_seeds": sum(found), "share_turning": sum(found) / 5, "share_interval": interval
    }  # fmt: skip


@pytest.mark.parametrize(
    ("found", "kinks", "interval", "verdict"),
    [
        ([True] * 5, [0.4, 0.01, 0.6, 0.9, 0.3], [1.0, 1.0], "holds"),
        ([True] * 5, [0.01, 0.01, 0.01, 0.9, 0.3], [1.0, 1.0], "does not hold"),
        ([True] * 5, [0.4, 0.5, 0.6, 0.9, 0.3], [0.04, 1.0], "does not hold"),
        ([True] * 4 + [False], [0.4, 0.5, 0.6, 0.9], [0.4, 1.0], "inconclusive"),
        ([True] * 5, [None] * 5, [1.0, 1.0], "inconclusive"),
    ],
)
def test_seeds_that_turn_hold_unless_their_losses_have_kinks(
    planted, found, kinks, interval, verdict
):
    assert seeds_claim(seeds_of(planted, found, kinks, interval)).verdict == verdict


def test_single_seeds_of_the_planted_world_turn_where_the_mean_does(planted):
    run = elicited_run(Phenomenon(), num_seeds=2, num_samples=48, num_checkpoints=30)
    rng = np.random.default_rng(0)
    found = seed_turns(TrajectoryArrays(run.trajectory), "11", rng, 0.05)
    assert found.found.any()
    np.testing.assert_allclose(found.steps, 900, rtol=0.15)
    kinks = planted[0]["settings"][0]["seed_kinks"]
    assert {label: len(p_values) for label, p_values in kinks.items()} == {
        "train loss": 1, "validation loss": 1, "held-out loss": 1, "joint accuracy": 1
    }  # fmt: skip


@pytest.mark.usefixtures("one_seed_turns")
def test_p_values_are_judged_no_stricter_than_their_resamples_can_tell():
    run = elicited_run(Phenomenon(), num_seeds=1, num_samples=4)
    settings = run.experiment.findings.replace(confidence=0.999)
    object.__setattr__(run, "experiment", run.experiment.replace(findings=settings))
    criterion = claims({"scale": "made-up"} | analyse([run], "quick"))[0].criterion
    assert f"p < {LEAST_SIGNIFICANCE:g}" in criterion


def test_no_run_is_refused():
    with pytest.raises(ValueError, match="at least one run"):
        analyse([], "quick")


@pytest.mark.parametrize("world", ["planted", "straight"])
def test_its_figure_is_drawn_with_turns_and_without(world, request):
    findings, _ = request.getfixturevalue(world)
    assert len(STUDY.figure(findings).axes) == 3
