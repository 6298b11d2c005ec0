"""Findings of made-up trajectories whose story is known."""

import functools
import json

import numpy as np
import pytest
from scipy.stats import norm

from conceptspace.dynamics.findings import findings
from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.measure.store import doubtful_of
from dynamics.synthetic import SAMPLE_SPREAD, Phenomenon, synthetic_trajectory

SETTINGS = FindingsSettings(num_resamples=200)
ONE_CHECKPOINT = 180  # steps between checkpoints near the end of these runs, rounded up


@functools.cache
def trajectory(num_seeds=5, **story):
    rng = np.random.default_rng(0)
    return synthetic_trajectory(rng, Phenomenon(**story), num_seeds=num_seeds)


@functools.cache
def found_in(num_seeds=5, **story):
    return findings(trajectory(num_seeds, **story), SETTINGS)


def true_crossing(curve, threshold):
    """The step at which a curve of steps first passes the threshold."""
    steps = np.arange(0.0, 4001.0)
    return float(steps[np.argmax(curve(steps) > threshold)])


def naive_colour_is_right(naive_step):
    """The share of samples whose colour reads as blue, against the step."""
    story = Phenomenon()
    on_manifold = 0.99
    return lambda steps: (
        on_manifold * norm.cdf((story.naive(steps, naive_step)[:, 0] - 0.5) / SAMPLE_SPREAD)
    )


def test_findings_are_plain_json():
    text = json.dumps(found_in(), allow_nan=False)
    assert json.loads(text) == found_in()


def test_the_same_trajectory_gives_the_same_findings():
    again = findings(synthetic_trajectory(np.random.default_rng(0)), SETTINGS)
    assert json.dumps(again) == json.dumps(found_in())


def test_the_findings_hold_every_class_and_say_which_is_held_out():
    held_out = {name: found["held_out"] for name, found in found_in()["classes"].items()}
    assert held_out == {"00": False, "01": False, "10": False, "11": True}


def test_a_concept_that_is_always_doubtful_is_never_learned_and_delays_no_other():
    made = trajectory().copy()
    made["doubtful"] = doubtful_of(made).copy()
    made["doubtful"].loc[{"concept": "size"}] = np.where(made["off_manifold"] < 0, -1, 1)
    made["off_manifold"] = made["doubtful"].max("concept")
    own, before = (
        found["classes"]["11"]["learning_time"]["0.8"]
        for found in (findings(made, SETTINGS), found_in())
    )
    assert own["colour"]["per_seed"] == before["colour"]["per_seed"] != [None] * 5
    assert own["size"]["per_seed"] == [None] * 5


def test_without_an_inversion_the_share_off_the_manifold_is_not_measured_and_all_readings_count():
    made = trajectory().copy()
    made["off_manifold"] = made["off_manifold"].clip(max=0)
    with_inversion = findings(made, SETTINGS)["classes"]["11"]
    made["residual"] = made["residual"] * np.nan
    without = findings(made, SETTINGS)["classes"]["11"]
    assert set(with_inversion["off_manifold"]["naive"]) == {0.0}
    assert set(without["off_manifold"]["naive"]) == {None}
    assert without["accuracy"] == with_inversion["accuracy"]


def test_curves_have_one_entry_a_step_and_seed():
    found = found_in()
    accuracy = found["classes"]["11"]["accuracy"]["over-prompting"]
    assert len(found["steps"]) == 40
    assert np.shape(accuracy["mean"]) == (40,)
    assert np.shape(accuracy["interval"]) == (40, 2)
    assert np.shape(accuracy["per_seed"]) == (5, 40)
    assert np.shape(accuracy["per_seed_interval"]) == (5, 40, 2)
    assert np.shape(accuracy["strength"]) == (5, 40)
    assert np.shape(found["classes"]["11"]["coordinate"]["mean"]) == (40, 2)
    assert np.shape(found["classes"]["11"]["coordinate"]["interval"]) == (40, 2, 2)
    assert np.shape(found["gamma"]["0"]) == (5, 40)


def test_intervals_hold_their_means():
    for block in (
        found_in()["classes"]["11"]["coordinate"],
        found_in()["losses"]["train"],
        found_in()["decodability"]["up 0"]["size"],
    ):
        mean, ends = np.array(block["mean"]), np.array(block["interval"])
        assert (ends[..., 0] <= mean + 1e-6).all()
        assert (mean <= ends[..., 1] + 1e-6).all()


def test_the_coordinate_s_interval_covers_the_true_path():
    ends = np.array(found_in()["classes"]["11"]["coordinate"]["interval"])[1:26, 0]
    steps = np.array(found_in()["steps"][1:26], dtype=float)
    story = Phenomenon()
    truth = np.mean([story.naive(steps, s)[:, 0] for s in story.naive_steps(5)], axis=0)
    # Clipping to [0, 1] moves a curve near 0.1 by up to 0.02.
    inside = (ends[:, 0] - 0.02 <= truth) & (truth <= ends[:, 1] + 0.02)
    assert inside.mean() > 0.9


@pytest.mark.parametrize("threshold", [0.8, 0.9])
def test_the_held_out_class_s_learning_times_are_those_of_the_story(threshold):
    block = found_in()["classes"]["11"]["learning_time"][str(threshold)]["colour"]
    truth = [
        true_crossing(naive_colour_is_right(naive_step), threshold)
        for naive_step in Phenomenon().naive_steps(5)
    ]
    steps = found_in()["steps"]
    late = np.searchsorted(steps, block["per_seed"]) - np.searchsorted(steps, truth)
    # With 32 samples a row of three is broken now and then; checkpoints are 140 steps apart here.
    assert np.abs(late).max() <= 2
    assert np.abs(np.median(late)) <= 1
    assert block["interval"][0] <= block["median"] <= block["interval"][1]


def test_the_stronger_concept_is_learned_first():
    block = found_in()["classes"]["11"]["learning_time"]["0.8"]
    assert block["size"]["median"] < block["colour"]["median"]


def test_the_capability_emerges_when_the_story_says():
    block = found_in()["classes"]["11"]["emergence"]["0.8"]["latent-steering"]
    # Elicitation rises as a sigmoid of width 50 around step 1 000; a checkpoint is 70 steps there.
    assert all(950 <= step <= 1200 for step in block["per_seed"])
    assert block["censored_at"] == 4000


def test_the_window_runs_from_capability_to_naive_success():
    found = found_in()["classes"]["11"]
    seeds = found["window"]["0.8"]["over-prompting"]["per_seed"]
    assert [s["opens"] for s in seeds] == found["emergence"]["0.8"]["over-prompting"]["per_seed"]
    assert [s["closes"] for s in seeds] == found["emergence"]["0.8"]["naive"]["per_seed"]
    assert all(seed["is_hidden"] for seed in seeds)


def test_naive_prompting_that_never_succeeds_leaves_the_window_open():
    found = found_in(naive_step=60_000.0)["classes"]["11"]
    naive = found["emergence"]["0.8"]["naive"]
    assert naive["per_seed"] == [None] * 5
    assert naive["median"] is None
    window = found["window"]["0.8"]["over-prompting"]
    assert all(s["opens"] is not None and s["closes"] is None for s in window["per_seed"])
    assert window["length"]["median"] is None
    assert all(2700 < at < 3100 for at in window["length"]["censored_at"])
    low, high = window["length"]["interval"]
    assert low is None or low > 2700
    assert high is None


def test_without_a_capability_there_is_no_hidden_window():
    found = found_in(elicitable=False)["classes"]["11"]["window"]["0.8"]["over-prompting"]
    # The method does nothing, so it emerges with naive prompting, give or take a checkpoint.
    assert all(abs(length) <= 2 * ONE_CHECKPOINT for length in found["length"]["per_seed"])


def test_the_turn_is_found_near_its_step():
    turns = found_in()["classes"]["11"]["turns"]
    assert len(turns) == 1
    assert turns[0]["step"] == pytest.approx(900, abs=100)
    assert turns[0]["interval"][0] < turns[0]["step"] < turns[0]["interval"][1]
    assert len(found_in()["classes"]["11"]["turns_per_seed"]) == 5


def test_a_straight_path_has_no_turn():
    found = found_in(turns=False)["classes"]["11"]
    assert found["turns"] == []
    assert found["turns_per_seed"] == [None] * 5
    assert found["turn_to_emergence"]["0.8"]["over-prompting"]["gap"] is None


def test_controls_are_scored_like_the_methods_they_control():
    accuracy = found_in()["classes"]["11"]["accuracy"]
    control = np.array(accuracy["over-prompting/random-direction"]["mean"])
    naive = np.array(accuracy["naive"]["mean"])
    # Two shares of 160 samples: standard error at most 0.056; 40 checkpoints reach 3.5 of them.
    assert np.abs(control - naive).max() < 0.2
    assert abs((control - naive).mean()) < 0.03


def test_chosen_strengths_are_the_values_behind_the_indices():
    accuracy = found_in()["classes"]["11"]["accuracy"]["latent-steering"]
    chosen = np.array(accuracy["strength"])[:, 20:30]
    # Each is the middle of two folds' choices among 0.5, 1, 2 and 4.
    assert set(np.unique(chosen)) <= {0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.25, 2.5, 3.0, 4.0}
    assert (chosen >= 1.0).mean() > 0.8


def test_the_untrained_model_is_in_the_curves_but_learns_nothing():
    found = found_in()["classes"]["11"]
    assert found_in()["steps"][0] == 0
    assert found["off_manifold"]["naive"][0] == 1.0
    times = found["learning_time"]["0.8"]["size"]["per_seed"]
    assert min(times) > 0


def test_signal_and_probe_are_kept_as_given():
    signal = {"colour": {"signal": 0.9, "finite": 3.1}}
    found = findings(trajectory(1), SETTINGS, signal=signal, probe={"accuracy": {"00": 1.0}})
    assert found["signal"] == signal
    assert found["probe"] == {"accuracy": {"00": 1.0}}


def test_a_single_seed_is_enough_for_findings():
    found = findings(trajectory(1), SETTINGS)["classes"]["11"]
    assert np.shape(found["accuracy"]["naive"]["per_seed"]) == (1, 40)
    assert np.isfinite(found["accuracy"]["naive"]["interval"]).all()


def test_adding_a_method_leaves_the_other_numbers_as_they_are():
    fewer = trajectory().isel(method=[0, 1])
    found = findings(fewer, SETTINGS)["classes"]["11"]["accuracy"]
    full = found_in()["classes"]["11"]["accuracy"]
    assert found["over-prompting"] == full["over-prompting"]


def test_controls_with_fewer_samples_are_scored_on_those():
    fewer = trajectory().copy(deep=True)
    number = list(fewer["method"].values).index("over-prompting/random-direction")
    for name in ("correct", "off_manifold"):
        fewer[name][{"method": number, "sample": slice(16, None)}] = -1
    accuracy = findings(fewer, SETTINGS)["classes"]["11"]["accuracy"]
    values = np.array(accuracy["over-prompting/random-direction"]["per_seed"])
    np.testing.assert_allclose(values * 16, np.rint(values * 16), atol=1e-3)


def test_a_checkpoint_that_one_seed_lacks_is_left_out_of_its_curve():
    partial = trajectory().copy(deep=True)
    for name in ("correct", "off_manifold"):
        partial[name][{"seed": 0, "step": slice(30, None)}] = -1
    partial["coordinate"][{"seed": 0, "step": slice(30, None)}] = np.nan
    found = findings(partial, SETTINGS)["classes"]["11"]
    per_seed = found["accuracy"]["naive"]["per_seed"]
    assert per_seed[0][30:] == [None] * 10
    assert None not in per_seed[1]
    assert None not in found["accuracy"]["naive"]["mean"]
    assert found["learning_time"]["0.8"]["colour"]["per_seed"][0] is None


@pytest.mark.parametrize("steps", [[0], [5], [0, 5], [0, 5, 6, 7]])
def test_a_run_that_has_just_begun_has_findings(steps):
    found = findings(trajectory().isel(step=steps), SETTINGS)["classes"]["11"]
    assert np.shape(found["accuracy"]["naive"]["mean"]) == (len(steps),)
    assert found["emergence"]["0.8"]["over-prompting"]["per_seed"] == [None] * 5
    assert found["turns"] == []


def test_a_trajectory_without_naive_prompting_is_refused():
    lacking = trajectory(1).isel(method=slice(1, None))
    with pytest.raises(ValueError, match="no method 'naive', only over-prompting"):
        findings(lacking)


def test_a_trajectory_without_a_variable_is_refused():
    with pytest.raises(ValueError, match="no variable 'off_manifold'"):
        findings(trajectory(1).drop_vars("off_manifold"))


def test_a_trajectory_without_its_methods_description_is_refused():
    lacking = trajectory(1).copy()
    del lacking.attrs["methods"]
    with pytest.raises(ValueError, match="no attribute 'methods'"):
        findings(lacking)


def test_plain_values_have_no_infinities():
    assert plain({"a": np.inf, "b": np.array([1.0, np.nan]), "c": (np.int64(3), "x")}) == {
        "a": None,
        "b": [1.0, None],
        "c": [3, "x"],
    }


def test_thresholds_outside_zero_and_one_are_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        FindingsSettings(thresholds=(0.8, 1.5))


def test_the_same_threshold_twice_is_refused():
    with pytest.raises(ValueError, match="two thresholds are the same"):
        FindingsSettings(thresholds=(0.8, 0.8))


def test_other_thresholds_name_their_own_findings():
    found = findings(trajectory(1), SETTINGS.replace(thresholds=(0.7,)))["classes"]["11"]
    assert list(found["emergence"]) == list(found["learning_time"]) == ["0.7"]


def test_a_trajectory_without_decodability_has_none():
    assert findings(trajectory(1).drop_vars("decodability"), SETTINGS)["decodability"] == {}


def test_a_trajectory_whose_steps_fall_is_refused():
    with pytest.raises(ValueError, match="steps must rise"):
        findings(trajectory(1).isel(step=[3, 2, 1]), SETTINGS)
