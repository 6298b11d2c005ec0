"""C4 of mean paths and of single seeds, where the answer is known both ways."""

import json

import numpy as np
import pytest

from conceptspace.dynamics.seed_turns import SeedTurns
from conceptspace.studies import turn
from conceptspace.studies.turn import LEAST_SIGNIFICANCE, STUDY, analyse, claims
from conceptspace.studies.turn_claims import seeds_claim
from dynamics.synthetic import Phenomenon
from studies.elicited import elicited_run


def concluded(*stories, **sizes):
    runs = [
        elicited_run(story, d, num_seeds=5, num_samples=48, num_checkpoints=24, **sizes)
        for story, d in zip(stories, (0.25, 0.3))
    ]
    findings = {"scale": "made-up"} | analyse(runs, "quick")
    return findings, {claim.id: claim for claim in claims(findings)}


@pytest.fixture
def no_seed_turns(monkeypatch):
    """Single seeds are not looked at, which takes long."""

    def nothing(arrays, concept_class, rng, significance):
        unknown = np.full(arrays.num_seeds, np.nan)
        return SeedTurns(unknown, np.stack([unknown] * 2, axis=1), unknown, unknown > 0)

    monkeypatch.setattr(turn, "seed_turns", nothing)


@pytest.fixture(scope="module")
def planted():
    return concluded(Phenomenon())


@pytest.fixture(scope="module")
def straight():
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


@pytest.mark.usefixtures("no_seed_turns")
def test_a_turn_that_shows_in_a_loss_does_not_hold_in_the_mean():
    claim = concluded(Phenomenon(loss_has_kink=True))[1]["C4"]
    assert claim.verdict == "does not hold"


def test_without_a_turn_it_is_open_and_said(straight):
    assert straight[1]["C4"].verdict == "inconclusive"
    assert straight[1]["C4"].controls["reason"] == "no mean path turns beyond noise"
    assert straight[1]["C4/seeds"].verdict == "inconclusive"
    assert straight[0]["share_turning"] <= 0.2


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


def test_most_seeds_of_the_planted_world_turn_where_the_mean_does(planted):
    turns = planted[0]["settings"][0]["seed_turns"]
    assert planted[0]["share_turning"] >= 0.6
    for step, found in zip(turns["step"], turns["found"]):
        assert not found or step == pytest.approx(900, rel=0.15)


@pytest.mark.usefixtures("no_seed_turns")
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
