"""Learning times recover known steps, and never learned stays censored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conceptspace.dynamics.bootstrap import (
    percentile_interval,
    resample_means,
    resample_seeds,
)
from conceptspace.dynamics.emergence import emergence
from conceptspace.dynamics.learning import (
    crossing_steps,
    first_sustained,
    learning_times,
    median_draws,
    median_time,
)

STEPS = np.rint(np.linspace(10, 65, 60) ** 2).astype(int)


def logistic(middle, width=0.06):
    return 1 / (1 + np.exp(-(np.sqrt(STEPS) - np.sqrt(middle)) / (width * np.sqrt(middle))))


def test_a_single_checkpoint_above_the_threshold_is_not_enough():
    values = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0])
    assert first_sustained(values, 0.8) == 6


def test_being_at_the_threshold_is_not_being_above_it():
    assert first_sustained(np.full(5, 0.8), 0.8) == -1


def test_three_in_a_row_at_the_very_end_count():
    assert first_sustained(np.array([0.0, 0.0, 1.0, 1.0, 1.0]), 0.8) == 2


def test_fewer_checkpoints_than_needed_in_a_row_is_never():
    assert first_sustained(np.ones((4, 2)), 0.8).tolist() == [-1] * 4


def test_what_was_not_measured_breaks_a_row():
    assert first_sustained(np.array([1.0, 1.0, np.nan, 1.0, 1.0, 1.0]), 0.8) == 3


def test_a_row_of_less_than_one_checkpoint_is_refused():
    with pytest.raises(ValueError, match="consecutive must be at least 1, not 0"):
        first_sustained(np.ones(3), 0.8, 0)


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 4))
def test_the_first_row_agrees_with_a_plain_search(above, consecutive):
    values = np.array(above, dtype=float)
    rows = [i for i in range(len(above)) if above[i : i + consecutive] == [True] * consecutive]
    assert first_sustained(values, 0.5, consecutive) == (rows[0] if rows else -1)


@pytest.mark.parametrize("threshold", [0.8, 0.9])
@pytest.mark.parametrize("middle", [400, 1200, 2500])
def test_learning_time_is_within_one_checkpoint_of_the_truth(middle, threshold):
    rng = np.random.default_rng(middle)
    chance = logistic(middle)
    truth = np.searchsorted(chance, threshold)
    accuracy = rng.binomial(160, chance) / 160
    found = np.searchsorted(STEPS, learning_times(STEPS, accuracy, threshold))
    assert abs(found - truth) <= 1


def test_learning_times_of_32_samples_are_unbiased():
    rng = np.random.default_rng(1)
    chance = logistic(1200)
    truth = np.searchsorted(chance, 0.8)
    times = learning_times(STEPS, rng.binomial(32, chance, size=(500, 60)) / 32, 0.8)
    found = np.searchsorted(STEPS, times)
    assert abs(found.mean() - truth) < 0.7
    assert (abs(found - truth) <= 2).mean() > 0.95


@pytest.mark.parametrize("spread", [0.0, 0.1])
@pytest.mark.parametrize("measure", [learning_times, emergence])
def test_the_median_s_interval_covers_the_true_step(measure, spread):
    rng = np.random.default_rng(0)
    truth = STEPS[np.argmax(logistic(1500) > 0.8)]
    covered = []
    for _ in range(50):
        middles = 1500 * np.exp(spread * rng.standard_normal(5))
        chances = np.stack([logistic(middle) for middle in middles])
        right = (rng.random((5, 60, 32)) < chances[..., None]).astype(float)
        bank = resample_means(right, 200, rng, are_shares=True)
        draws = median_draws(measure(STEPS, resample_seeds(bank, rng), 0.8))
        low, high = percentile_interval(draws)
        covered.append(low <= truth <= high)
    # Nominal 95 %; of 50 runs at 95 %, fewer than 44 cover with probability 1 %.
    assert np.sum(covered) >= 44


def test_a_concept_that_is_never_learned_is_censored():
    assert learning_times(STEPS, np.full((2, 60), 0.6), 0.8).tolist() == [np.inf, np.inf]


def test_crossing_steps_are_steps_not_indices():
    values = np.array([[0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]])
    steps = np.array([10, 20, 40, 80])
    assert crossing_steps(steps, values, 0.8).tolist() == [20.0, np.inf]


def test_the_median_without_censoring_is_the_middle_time():
    assert median_time(np.array([300.0, 100.0, 200.0]), 1000.0) == 200.0


def test_a_censored_seed_counts_as_later_than_the_runs_end():
    times = np.array([100.0, 200.0, 300.0, np.inf, np.inf])
    assert median_time(times, 1000.0) == 300.0


def test_the_median_is_unknown_when_more_than_half_never_learned():
    times = np.array([100.0, 200.0, np.inf, np.inf, np.inf])
    assert median_time(times, 1000.0) == np.inf
    assert median_time(np.full(3, np.inf), 1000.0) == np.inf


def test_a_seed_cut_off_early_leaves_the_others_to_decide():
    # Kaplan and Meier by hand: after 100: 4/5; after 200, of 3 at risk: 4/5 * 2/3 = .53; after
    # 300, of 2 at risk: .27.
    times = np.array([100.0, np.inf, 200.0, 300.0, np.inf])
    ends = np.array([1000.0, 150.0, 1000.0, 1000.0, 1000.0])
    assert median_time(times, ends) == 300.0


def test_medians_of_resamples_agree_with_kaplan_and_meier():
    rng = np.random.default_rng(2)
    for num_seeds in (1, 2, 4, 5):
        times = rng.integers(1, 9, size=(50, num_seeds)).astype(float)
        times[times > 5] = np.inf
        expected = [median_time(row, 10.0) for row in times]
        assert median_draws(times).tolist() == expected


def test_medians_of_resamples_leave_out_seeds_without_a_time():
    draws = np.array([[np.nan, 3.0, 1.0], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(median_draws(draws), [1.0, np.nan])
