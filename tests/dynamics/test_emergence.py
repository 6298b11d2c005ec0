"""Emergence steps, hidden-capability windows and their coincidence with turns."""

import numpy as np
import pytest

from conceptspace.dynamics.emergence import coincidence, emergence, window

STEPS = np.arange(0, 3100, 100)
NEVER = np.inf


def rising_at(step, num_samples=None, seed=0):
    chance = 1 / (1 + np.exp(-(STEPS - step) / 40.0))
    if num_samples is None:
        return chance
    return np.random.default_rng(seed).binomial(num_samples, chance) / num_samples


def test_emergence_is_the_first_of_three_checkpoints_above_the_threshold():
    accuracy = np.zeros((1, 31))
    accuracy[0, 8] = 1.0  # a lucky checkpoint
    accuracy[0, 12:] = 1.0
    assert emergence(STEPS, accuracy, 0.8).tolist() == [1200.0]


def test_emergence_recovers_known_steps_of_each_seed():
    truth = np.array([450.0, 1050.0, 2050.0])
    accuracy = np.stack([rising_at(step, 64, seed=int(step)) for step in truth])
    assert np.abs(emergence(STEPS, accuracy, 0.5) - truth).max() <= 100


def test_a_capability_that_never_emerges_is_censored():
    assert emergence(STEPS, np.full((2, 31), 0.7), 0.8).tolist() == [NEVER, NEVER]


def test_a_capability_that_comes_and_goes_is_censored():
    accuracy = np.tile([1.0, 1.0, 0.0], 11)[None, :31]
    assert emergence(STEPS, accuracy, 0.8).tolist() == [NEVER]


def test_the_window_is_the_naive_step_less_the_capability_step():
    found = window(np.array([900.0, 700.0]), np.array([400.0, 500.0]), 1000)
    assert found.length.tolist() == [500.0, 200.0]
    assert found.is_hidden.tolist() == [True, True]
    assert found.median_length == 200.0


def test_a_capability_that_never_emerges_opens_no_window():
    found = window(np.array([NEVER, 700.0]), np.array([NEVER, NEVER]), 1000)
    assert np.isnan(found.length).all()
    assert not found.is_hidden.any()
    assert np.isnan(found.median_length)


def test_a_window_that_does_not_close_is_censored_at_the_run_s_end():
    found = window(np.array([NEVER]), np.array([400.0]), 1000)
    assert found.length.tolist() == [NEVER]
    assert found.censored_at.tolist() == [600.0]
    assert found.is_hidden.tolist() == [True]
    assert found.median_length == NEVER


def test_nothing_was_hidden_where_naive_prompting_came_first():
    found = window(np.array([300.0, 400.0]), np.array([500.0, 400.0]), 1000)
    assert found.length.tolist() == [-200.0, 0.0]
    assert not found.is_hidden.any()


def test_the_median_window_keeps_the_censoring_of_each_seed():
    # The window cut off at 100 says nothing about lengths beyond: 300 and 500 decide.
    found = window(np.array([700.0, 600.0, NEVER]), np.array([200.0, 300.0, 900.0]), 1000)
    assert found.censored_at.tolist() == [800.0, 700.0, 100.0]
    assert found.median_length == 300.0


def test_windows_need_one_step_a_seed_on_both_sides():
    with pytest.raises(ValueError, match=r"one step a seed each, not \(2,\) and \(3,\)"):
        window(np.zeros(2), np.zeros(3), 10)


def test_events_of_the_same_seed_that_go_together_beat_all_other_pairings():
    turns = np.array([400.0, 800.0, 1200.0, 1600.0, 2000.0])
    found = coincidence(turns, turns + 30, np.random.default_rng(0))
    assert found.gap == 30.0
    assert found.permuted > 500
    assert found.p_value == pytest.approx(1 / 120)
    assert found.num_seeds == 5


def test_events_that_do_not_go_together_do_not_stand_out():
    rng = np.random.default_rng(3)
    p_values = [
        coincidence(rng.normal(size=5), rng.normal(size=5), rng).p_value for _ in range(200)
    ]
    # At most alpha of the tests reject at alpha; 200 tests, 3 standard errors.
    assert np.mean(np.array(p_values) <= 0.1) <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / 200)


def test_many_seeds_are_compared_with_drawn_permutations():
    turns = np.arange(12.0) * 100
    found = coincidence(turns, turns + 5, np.random.default_rng(0))
    assert found.p_value == pytest.approx(1 / 5041)


def test_seeds_without_both_events_are_left_out():
    turns, emergences = np.array([100.0, np.nan, 300.0]), np.array([110.0, 200.0, NEVER])
    found = coincidence(turns, emergences, np.random.default_rng(0))
    assert found.num_seeds == 1
    assert found.gap == 10.0
    assert np.isnan(found.p_value)
