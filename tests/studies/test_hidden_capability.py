"""C5 in its four parts where the answer is known, both ways."""

import json

import numpy as np
import pytest

from conceptspace.dynamics.seed_turns import SeedTurns
from conceptspace.studies import hidden_capability
from conceptspace.studies.hidden_capability import STUDY, analyse, claims
from conceptspace.studies.hidden_claims import turn_claim, window_claim
from conceptspace.studies.spread_claims import spread_claim
from conceptspace.sweeps.plan import plan_sweep
from dynamics.synthetic import Phenomenon
from studies.elicited import HIDDEN, NEVER_SHOWN, NOTHING_HIDDEN, elicited_run


def concluded(runs, scale="quick"):
    findings = {"scale": "made-up"} | analyse(runs, scale)
    return findings, {claim.id: claim for claim in claims(findings)}


def made_up_turns(arrays, concept_class, rng, significance):
    """Every seed turns, a hundred steps after the one before; no search, which takes long."""
    steps = 800.0 + 100 * np.arange(arrays.num_seeds)
    p_values = np.full(len(steps), 0.001)
    return SeedTurns(steps, steps[:, None] + [-50.0, 50.0], p_values, p_values <= significance)


@pytest.fixture(scope="module", autouse=True)
def turns_of_seeds():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hidden_capability, "seed_turns", made_up_turns)
        yield


@pytest.fixture(scope="module")
def planted():
    return concluded([elicited_run(HIDDEN, d) for d in (0.25, 0.3)])


@pytest.fixture(scope="module")
def null():
    return concluded([elicited_run(NOTHING_HIDDEN)])


@pytest.fixture(scope="module")
def never():
    return concluded([elicited_run(NEVER_SHOWN)])


def test_findings_and_claims_are_plain_json(planted):
    findings, found = planted
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings
    assert set(found) == set(STUDY.tests)
    for claim in found.values():
        json.dumps(claim.model_dump(mode="json"), allow_nan=False)


def test_a_planted_capability_is_hidden_at_every_separation(planted):
    claim = planted[1]["C5/window"]
    assert claim.verdict == "holds"
    assert claim.value >= 0.8
    assert claim.controls["made-up-dc0.3"]["seeds_hidden"] >= 7


def test_one_separation_without_it_and_the_claim_does_not_hold(planted, null):
    rows = [found["settings"][0] for found, _ in (planted, null)]
    rows[1] = rows[1] | {"name": "made-up-dc0.3"}
    claim = window_claim(planted[0] | {"settings": rows})
    assert claim.verdict == "does not hold"
    assert claim.value == 0.0


def test_emergence_that_spreads_less_than_naive_steps_is_found(planted):
    claim = planted[1]["C5/spread"]
    assert claim.verdict == "holds"
    assert claim.interval[0] > 0.5
    assert claim.controls["labels exchanged within seeds"]["passed"]
    assert claim.controls["pairs"]["num_pairs"] == 56
    assert {"over-prompting", "latent-steering", "threshold 0.9"} <= set(claim.controls)


def test_in_a_null_world_nothing_is_hidden_and_nothing_spreads_less(null):
    assert null[1]["C5/window"].verdict == "does not hold"
    assert null[1]["C5/spread"].verdict == "does not hold"


def test_a_naive_step_that_never_comes_leaves_the_spread_open(never):
    claim = never[1]["C5/spread"]
    assert claim.verdict == "inconclusive"
    assert "at least half of the seeds" in claim.controls["reason"]
    assert claim.controls["left out: fewer than half of the seeds have both events"] == [
        "made-up-dc0.25"
    ]
    assert claim.controls["all settings, undecided pairs all against"]["passed"] is False
    assert never[1]["C5/window"].verdict == "holds"


def test_seven_seeds_are_too_few_for_their_spread():
    found = concluded([elicited_run(HIDDEN, num_seeds=7)])[1]
    assert found["C5/spread"].verdict == "inconclusive"
    assert found["C5/spread"].controls["reason"] == "7 seeds, and 8 are needed"
    assert found["C5/window"].verdict == "holds"


def test_controls_are_flat_in_the_planted_world_and_not_where_random_directions_elicit(planted):
    claim = planted[1]["C5/controls"]
    assert claim.verdict == "holds"
    assert len([name for name in claim.controls if name.endswith("dc0.25")]) == 4
    rising = HIDDEN.replace(controls_rise=True)
    claim = concluded([elicited_run(rising)])[1]["C5/controls"]
    assert claim.verdict == "does not hold"
    assert claim.controls["random direction, made-up-dc0.25"]["passed"] is False


def pairs(gap, permuted, interval, p_value, num_seeds=16, num_pairings=1e9):
    return dict(
        gap=gap, permuted=permuted, interval=interval, p_value=p_value, num_seeds=num_seeds,
        num_pairings=num_pairings,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (pairs(60.0, 300.0, [-290.0, -190.0], 0.001), "holds"),
        (pairs(290.0, 300.0, [-60.0, 40.0], 0.4), "does not hold"),
        (pairs(200.0, 300.0, [-190.0, -10.0], 0.08), "does not hold"),
        (pairs(60.0, 300.0, [-290.0, -190.0], 0.001, num_seeds=4), "inconclusive"),
        (pairs(60.0, 300.0, [-290.0, -190.0], 0.17, num_seeds=6, num_pairings=6.0), "inconclusive"),
        (pairs(None, None, [None, None], None, num_seeds=0), "inconclusive"),
    ],
)
def test_turns_near_their_own_emergence_hold_and_others_do_not(planted, found, verdict):
    findings = planted[0] | {"turn_to_emergence": {"0.8": found, "0.9": found}}
    assert turn_claim(findings).verdict == verdict


def test_an_emergence_that_is_the_same_in_every_seed_goes_with_no_turn(planted):
    claim = planted[1]["C5/turn"]
    assert claim.verdict == "does not hold"
    assert claim.controls["seeds with a turn of their own"]["made-up-dc0.25"] == "8 of 8"


def test_a_stricter_level_asks_for_a_stricter_interval(planted):
    """0.002 is less than one exchange in 256: then no exchange but the true one may do as well."""
    findings = json.loads(json.dumps(planted[0])) | {"confidence": 0.998}
    part = findings["spread"]["0.8"]["earliest"]
    part |= {"interval": [0.55, 0.99], "p_value": 1 / 256}
    assert spread_claim(findings).verdict == "holds"
    part |= {"interval": [0.45, 0.99]}
    assert spread_claim(findings).verdict == "does not hold"
    part |= {"interval": [0.55, 0.99], "p_value": 2 / 256}
    assert spread_claim(findings).verdict == "does not hold"


def test_the_published_definition_reads_the_same_samples_and_stands_beside(planted):
    row = planted[0]["settings"][0]
    naive = row["under_published_definition"]["naive"]
    assert len(naive["times"]) == 8
    assert max(naive["times"]) <= row["steps"][-1]
    assert row["published_readings"] == {}
    findings = analyse([elicited_run(Phenomenon(), 0.25, num_seeds=2, num_samples=4)], "paper")
    assert findings["settings"][0]["published_readings"]["over-prompting"][0] == [4200, 0.8]


def test_runs_with_other_settings_and_no_runs_are_refused():
    with pytest.raises(ValueError, match="at least one run"):
        analyse([], "quick")


@pytest.mark.parametrize("world", ["planted", "never"])
def test_its_figure_is_drawn_whatever_was_learned(world, request):
    findings, _ = request.getfixturevalue(world)
    figure = STUDY.figure(findings)
    assert len(figure.axes) == 2 * len(findings["settings"])
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert legend.get_window_extent().x1 <= figure.bbox.x1  # its last column once ran off the page


def test_three_studies_share_their_runs_at_either_scale():
    for scale, num in (("quick", 2), ("paper", 6)):
        listed = STUDY.experiments(scale)
        assert len(plan_sweep(listed, 1).runs) == num
    assert {seeds for _, seeds in STUDY.experiments("quick")} == {8}
