"""Verdicts on made-up runs in which the answer is known, both ways."""

import copy
import functools
import json
from types import SimpleNamespace

import numpy as np
import pytest

from conceptspace.concepts.settings import SettingsError
from conceptspace.dynamics.findings import findings
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.report.case import weaker_and_stronger
from conceptspace.report.claims import Claim, claims
from dynamics.synthetic import Phenomenon, synthetic_trajectory

SETTINGS = FindingsSettings(num_resamples=200)


@functools.cache
def trajectory(num_seeds=5, **story):
    rng = np.random.default_rng(1)
    return synthetic_trajectory(rng, Phenomenon(**story), num_seeds=num_seeds)


@functools.cache
def found_in(num_seeds=5, **story):
    return findings(trajectory(num_seeds, **story), SETTINGS)


@functools.cache
def judged(num_seeds=5, **story):
    made = claims(found_in(num_seeds, **story), trajectory(num_seeds, **story), SETTINGS)
    return {claim.id: claim for claim in made}


def judged_with(change, trajectory_of=None, **story):
    """The claims after a change to the findings of a story."""
    found = copy.deepcopy(found_in(**story))
    change(found)
    data = trajectory(**story) if trajectory_of is None else trajectory_of
    return {claim.id: claim for claim in claims(found, data, SETTINGS)}


def judged_at(which):
    """The claims from some of the steps."""
    data = trajectory().isel(step=which)
    return {claim.id: claim for claim in claims(findings(data, SETTINGS), data, SETTINGS)}


def test_a_run_that_shows_everything_has_three_claims_that_hold():
    assert {name: claim.verdict for name, claim in judged().items()} == {
        "C3": "holds",
        "C4": "holds",
        "C5": "holds",
    }


def test_claims_are_json_with_the_agreed_keys():
    record = json.loads(judged()["C5"].to_json())
    keys = "id statement value interval criterion verdict controls scale seeds"
    assert set(record) == set(keys.split())
    assert json.dumps(record, allow_nan=False)
    assert Claim(**record).verdict == "holds"


def test_a_claim_cannot_be_changed():
    with pytest.raises(Exception, match="frozen"):
        judged()["C5"].verdict = "holds"


def test_a_verdict_is_one_of_three():
    with pytest.raises(SettingsError, match="verdict"):
        judged()["C5"].replace(verdict="maybe")


def test_the_same_findings_give_the_same_claims():
    again = claims(found_in(), trajectory(), SETTINGS)
    assert [claim.to_json() for claim in again] == [c.to_json() for c in judged().values()]


@pytest.mark.parametrize("steps", [[0], [5], [0, 5, 6]])
def test_a_run_that_has_just_begun_concludes_nothing(steps):
    verdicts = {claim.verdict for claim in judged_at(steps).values()}
    assert verdicts == {"inconclusive"}


@pytest.mark.parametrize("identity", ["C3", "C4", "C5"])
def test_two_seeds_give_a_number_but_no_verdict(identity):
    claim = judged(2)[identity]
    assert claim.verdict == "inconclusive"
    assert claim.seeds == 2
    assert claim.value is not None or identity == "C4"


# C3: concept memorisation first


def test_memorisation_reports_the_fall_with_its_interval():
    claim = judged()["C3"]
    assert claim.value < -0.1
    assert claim.interval[0] < claim.value < claim.interval[1] < 0
    assert claim.controls["turns later"]["value"] > 0.5
    assert claim.controls["heads to the training class"]["value"] == "01"


def test_memorisation_is_set_beside_a_trained_class_with_the_same_colour():
    beside = judged()["C3"].controls["falls below a trained class"]
    assert beside["trained_class"] == "10"
    # Class 11 goes from .45 to .1 in colour while class 10 goes up to its own corner.
    assert beside["value"] < -0.35
    assert beside["passed"]


def test_a_path_that_moves_like_the_trained_class_does_not_fall_below_it():
    beside = judged(turns=False)["C3"].controls["falls below a trained class"]
    assert beside["value"] > judged()["C3"].controls["falls below a trained class"]["value"] + 0.1


def test_it_is_said_how_much_of_the_start_cannot_be_read():
    early = judged()["C3"].controls["start off the manifold"]
    cell = trajectory(5).sel({"concept_class": "11", "method": "naive"}).isel(strength=0)
    first_trained = cell.off_manifold.isel(step=slice(1, 4))
    assert early["value"] == pytest.approx(float(first_trained.mean()), abs=1e-4)
    assert not early["required"]


def test_without_an_inversion_nothing_is_said_of_the_start():
    data = trajectory().copy()
    data["off_manifold"] = data["off_manifold"].clip(max=0)
    data["residual"] = data["residual"] * np.nan
    claim = {c.id: c for c in claims(findings(data, SETTINGS), data, SETTINGS)}["C3"]
    early = claim.controls["start off the manifold"]
    assert (early["value"], early["passed"]) == (None, None)
    assert claim.verdict == "holds"


def test_a_path_straight_to_its_corner_memorises_nothing():
    claim = judged(turns=False)["C3"]
    assert claim.verdict == "does not hold"
    assert claim.controls["memorises"]["passed"] is False


def test_a_weaker_coordinate_that_only_waits_is_no_memorisation():
    claim = judged(via=(0.45, 0.9))["C3"]
    assert claim.verdict == "does not hold"
    assert claim.controls["memorises"]["passed"] is False
    assert claim.controls["turns later"]["passed"] is True


def test_memorising_for_good_is_said_to_be_so():
    claim = judged(naive_step=1e9)["C3"]
    assert claim.verdict == "does not hold"
    assert claim.controls["memorises"]["passed"] is True
    assert claim.controls["turns later"]["passed"] is False


def test_heading_to_the_class_with_neither_concept_right_is_no_memorisation():
    claim = judged(via=(0.1, 0.1))["C3"]
    assert claim.controls["memorises"]["passed"] is True
    assert claim.controls["heads to the training class"]["value"] == "00"
    assert claim.verdict == "does not hold"


def test_the_weaker_concept_is_told_by_learning_times_without_a_signal():
    order = judged()["C3"].controls["weaker concept"]
    assert order["name"] == "colour"
    assert order["known by"] == "learning times on the training classes"


def test_the_concept_signal_decides_where_it_is_known():
    def with_signal(found):
        found["signal"] = {"colour": {"finite": 5.0}, "size": {"finite": 2.0}}

    claim = judged_with(with_signal)["C3"]
    assert claim.controls["weaker concept"]["name"] == "size"
    assert claim.controls["weaker concept"]["known by"] == "concept signal"
    assert claim.verdict == "does not hold"  # size rises from the start


def test_equal_signals_leave_memorisation_open():
    def with_signal(found):
        found["signal"] = {"colour": {"finite": 2.0}, "size": {"finite": 2.0}}

    assert judged_with(with_signal)["C3"].verdict == "inconclusive"


def case_of_three(held_out, signal):
    arrays = SimpleNamespace(
        training=["000", "001", "010", "100"], concepts=["colour", "size", "background"]
    )
    found = {"signal": {name: {"finite": value} for name, value in signal.items()}}
    return SimpleNamespace(findings=found, arrays=arrays, concept_class=held_out)


@pytest.mark.parametrize(
    ("held_out", "weaker", "stronger"),
    [
        ("111", "background", "colour"),
        ("110", "size", "colour"),
        ("011", "background", "size"),
    ],
)
def test_only_concepts_that_a_class_combines_anew_are_compared(held_out, weaker, stronger):
    case = case_of_three(held_out, {"colour": 3.0, "size": 2.0, "background": 1.0})
    assert weaker_and_stronger(case)[:2] == (weaker, stronger)


# C4: a sudden turn that shows only in concept space


def test_the_turn_s_step_is_the_value():
    claim = judged()["C4"]
    assert claim.value == pytest.approx(900, abs=100)
    assert claim.interval[0] < claim.value < claim.interval[1]


def test_a_kink_in_a_loss_at_the_turn_is_not_only_in_concept_space():
    claim = judged(loss_has_kink=True)["C4"]
    assert claim.verdict == "does not hold"
    assert claim.controls["no kink in held-out loss"]["passed"] is False
    assert claim.controls["no kink in joint accuracy"]["passed"] is True


def test_a_kink_in_the_joint_accuracy_is_seen():
    def with_kink(found):
        steps = np.array(found["steps"], dtype=float)
        bent = 0.1 + 6e-4 * np.maximum(steps - 900, 0)
        noise = 0.01 * np.random.default_rng(0).standard_normal((5, len(steps)))
        found["classes"]["11"]["accuracy"]["naive"]["per_seed"] = (bent + noise).tolist()

    claim = judged_with(with_kink)["C4"]
    assert claim.controls["no kink in joint accuracy"]["passed"] is False
    assert claim.verdict == "does not hold"


def test_without_a_turn_nothing_is_concluded_about_it():
    claim = judged(turns=False)["C4"]
    assert claim.verdict == "inconclusive"
    assert claim.value is None
    assert claim.controls == {"reason": "no turn was found"}


def test_a_turn_at_the_run_s_very_end_leaves_the_curves_open():
    def at_the_end(found):
        found["classes"]["11"]["turns"][0] |= {"step": 3990.0, "interval": [3970.0, 4000.0]}

    claim = judged_with(at_the_end)["C4"]
    assert claim.verdict == "inconclusive"
    assert claim.controls["no kink in train loss"]["passed"] is None


# C5: hidden capability


def test_a_hidden_capability_comes_with_every_control_s_number():
    claim = judged()["C5"]
    assert claim.value == 1.0
    assert claim.interval == (0.4782, 1.0)  # 5 of 5, Clopper and Pearson
    for name in ("random direction", "wrong concept", "untrained model", "nothing hidden"):
        assert claim.controls[name]["passed"] is True
        assert abs(claim.controls[name]["value"]) < 0.1
    assert claim.controls["memorised before"]["passed"] is True
    assert claim.controls["sensitivity"] == {"0.8": 1.0, "0.9": 1.0}


def test_each_seed_says_where_its_capability_was_hidden():
    rows = judged()["C5"].controls["per seed"]
    assert len(rows) == 5
    for row in rows:
        assert row["hidden"]
        assert len(row["steps"]) == 3
        assert min(row["elicited"]) >= 0.8
        assert max(row["naive"]) <= 0.5


def test_elicitation_that_does_nothing_hides_nothing():
    claim = judged(elicitable=False)["C5"]
    assert claim.verdict == "does not hold"
    assert claim.value == 0.0
    assert abs(claim.controls["random direction"]["value"]) < 0.05  # reported all the same


def test_naive_prompting_as_early_as_elicitation_hides_nothing():
    claim = judged(naive_step=1100.0, naive_spread=0.0)["C5"]
    assert claim.verdict == "does not hold"


def test_random_directions_that_elicit_as_much_void_the_claim():
    claim = judged(controls_rise=True)["C5"]
    assert claim.value == 1.0
    assert claim.controls["random direction"]["passed"] is False
    assert claim.verdict == "does not hold"


def test_a_capability_that_shows_never_counts_as_hidden():
    claim = judged(naive_step=60_000.0)["C5"]
    assert claim.verdict == "holds"
    assert (
        found_in(naive_step=60_000.0)["classes"]["11"]["emergence"]["0.8"]["naive"]["per_seed"]
        == [None] * 5
    )


def test_without_memorisation_before_it_the_claim_does_not_hold():
    claim = judged(via=(0.45, 0.9))["C5"]
    assert claim.controls["memorised before"]["passed"] is False
    assert claim.verdict == "does not hold"


def set_accuracy(found, method, seed, value):
    found["classes"]["11"]["accuracy"][method]["per_seed"][seed] = [value] * len(found["steps"])


@pytest.mark.parametrize(("num_without", "verdict"), [(1, "holds"), (2, "does not hold")])
def test_four_of_five_seeds_are_enough_and_three_are_not(num_without, verdict):
    def without(found):
        for seed in range(num_without):
            for method in ("over-prompting", "latent-steering"):
                set_accuracy(found, method, seed, 0.3)

    claim = judged_with(without)["C5"]
    assert claim.value == pytest.approx(1 - num_without / 5)
    assert claim.verdict == verdict


def test_one_method_is_enough():
    def without(found):
        for seed in range(5):
            set_accuracy(found, "over-prompting", seed, 0.0)

    claim = judged_with(without)["C5"]
    assert claim.verdict == "holds"
    assert {row["method"] for row in claim.controls["per seed"]} == {"latent-steering"}


def test_a_wide_interval_does_not_show_a_capability():
    def widen(found):
        for method in ("over-prompting", "latent-steering"):
            block = found["classes"]["11"]["accuracy"][method]
            block["per_seed_interval"] = [
                [[0.55, 1.0] for _ in steps] for steps in block["per_seed_interval"]
            ]

    assert judged_with(widen)["C5"].value == 0.0


def test_two_checkpoints_in_a_row_are_not_enough():
    def gaps(found):
        for method in ("over-prompting", "latent-steering"):
            for row in found["classes"]["11"]["accuracy"][method]["per_seed"]:
                row[::3] = [0.0] * len(row[::3])

    assert judged_with(gaps)["C5"].value == 0.0


def test_an_untrained_model_that_can_be_elicited_voids_the_claim():
    def untrained(found):
        for row in found["classes"]["11"]["accuracy"]["over-prompting"]["per_seed"]:
            row[0] = 0.2

    claim = judged_with(untrained)["C5"]
    assert claim.controls["untrained model"] == {"value": 0.2, "passed": False, "required": True}
    assert claim.verdict == "does not hold"


def test_without_the_untrained_model_nothing_is_concluded():
    claim = judged_at(slice(1, None))["C5"]
    assert claim.controls["untrained model"]["passed"] is None
    assert claim.value == 1.0
    assert claim.verdict == "inconclusive"


def test_without_the_random_control_nothing_is_concluded():
    data = trajectory().isel(method=[0, 1, 2])
    claim = {c.id: c for c in claims(findings(data, SETTINGS), data, SETTINGS)}["C5"]
    assert claim.controls["random direction"]["passed"] is None
    assert claim.verdict == "inconclusive"


def test_the_higher_threshold_shows_how_sensitive_the_verdict_is():
    def lower(found):
        for method in ("over-prompting", "latent-steering"):
            for row in found["classes"]["11"]["accuracy"][method]["per_seed"]:
                row[:] = [min(value, 0.85) for value in row]

    assert judged_with(lower)["C5"].controls["sensitivity"] == {"0.8": 1.0, "0.9": 0.0}


def test_several_held_out_classes_are_told_apart_by_their_ids():
    data = trajectory().copy()
    data.attrs = data.attrs | {
        "held_out_classes": '["10", "11"]',
        "training_classes": '["00", "01"]',
    }
    found = findings(data, SETTINGS)
    made = [claim.id for claim in claims(found, data, SETTINGS, scale="quick")]
    assert made == ["C3/10", "C4/10", "C5/10", "C3/11", "C4/11", "C5/11"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ({}, {"C3": "holds", "C4": "holds", "C5": "holds"}),
        ({"turns": False}, {"C3": "does not hold", "C4": "inconclusive", "C5": "does not hold"}),
        ({"via": (0.45, 0.9)}, {"C3": "does not hold", "C5": "does not hold"}),
        ({"elicitable": False}, {"C3": "holds", "C4": "holds", "C5": "does not hold"}),
        ({"controls_rise": True}, {"C3": "holds", "C4": "holds", "C5": "does not hold"}),
        ({"loss_has_kink": True}, {"C3": "holds", "C4": "does not hold", "C5": "holds"}),
    ],
)
def test_verdicts_are_right_in_run_after_run(story, expected):
    wrong = dict.fromkeys(expected, 0)
    for seed in range(100, 120):
        data = synthetic_trajectory(np.random.default_rng(seed), Phenomenon(**story))
        for claim in claims(findings(data, SETTINGS), data, SETTINGS):
            wrong[claim.id] = wrong.get(claim.id, 0) + (
                claim.verdict != expected.get(claim.id, claim.verdict)
            )
    # C4 is wrong in 5 % of runs by design; 4 or more of 20 then have a probability of 2 %.
    assert wrong["C3"] == wrong["C5"] == 0
    assert wrong["C4"] <= 3
