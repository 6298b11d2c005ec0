"""Bootstrap intervals cover what they claim to cover, on binomial data where the truth is known."""

import numpy as np
import pytest

from conceptspace.dynamics.accuracy import chosen_accuracy
from conceptspace.dynamics.bootstrap import (
    mean_over_seeds,
    percentile_interval,
    resample_chosen,
    resample_means,
    resample_seeds,
)

NUM_SAMPLES = 32
NUM_RUNS = 1500


def coverage_of_means(num_seeds, chance, spread=0.0, num_resamples=400):
    """How often the interval of the mean accuracy covers the true one, over many made-up runs.

    The runs stand side by side as checkpoints: each has its own samples.
    """
    rng = np.random.default_rng(num_seeds)
    chances = np.full((num_seeds, NUM_RUNS), chance)
    if spread > 0:
        size = chance * (1 - chance) / spread**2 - 1
        chances = rng.beta(chance * size, (1 - chance) * size, size=chances.shape)
    right = (rng.random((num_seeds, NUM_RUNS, NUM_SAMPLES)) < chances[..., None]).astype(float)
    covered = []
    for runs in np.array_split(np.arange(NUM_RUNS), 150):
        bank = resample_means(right[:, runs], num_resamples, rng, are_shares=True)
        ends = percentile_interval(mean_over_seeds(resample_seeds(bank, rng)))
        covered.append((ends[:, 0] <= chance) & (chance <= ends[:, 1]))
    return np.concatenate(covered).mean()


@pytest.mark.parametrize("chance", [0.5, 0.8, 0.95])
def test_one_seed_s_interval_covers_its_accuracy(chance):
    # Discreteness of 32 samples moves the exact coverage of Jeffreys' interval between .93 and .98.
    assert 0.92 < coverage_of_means(1, chance) < 0.99


@pytest.mark.parametrize("chance", [0.5, 0.8, 0.95])
def test_five_like_seeds_interval_covers_the_accuracy_and_errs_on_the_safe_side(chance):
    assert 0.95 < coverage_of_means(5, chance) < 0.995


def test_five_seeds_that_differ_somewhat_are_covered():
    assert 0.94 < coverage_of_means(5, 0.8, spread=0.05) < 0.99


def test_five_seeds_that_differ_much_are_covered_as_often_as_documented():
    assert 0.86 < coverage_of_means(5, 0.8, spread=0.15) < 0.93


def test_the_interval_covers_the_accuracy_at_strengths_chosen_on_other_samples():
    rng = np.random.default_rng(0)
    chances = np.array([0.3, 0.75, 0.85, 0.6])
    covered = []
    for _ in range(150):
        right = (rng.random((5, 10, 4, NUM_SAMPLES)) < chances[:, None]).astype(float)
        draws = resample_seeds(resample_chosen(right, 400, rng), rng)
        ends = percentile_interval(mean_over_seeds(draws))
        # The truth: the expected accuracy of a strength chosen on 16 samples a checkpoint.
        covered.append((ends[:, 0] <= TRUE_CHOSEN) & (ends[:, 1] >= TRUE_CHOSEN))
    assert 0.94 < np.mean(covered) < 0.995


def expected_chosen_accuracy():
    """At each of 10 checkpoints, over 4000 seeds: standard error below 0.002."""
    rng = np.random.default_rng(1)
    chances = np.array([0.3, 0.75, 0.85, 0.6])
    right = rng.random((4000, 10, 4, NUM_SAMPLES)) < chances[:, None]
    return chosen_accuracy(right.astype(float)).accuracy.mean(axis=0)


TRUE_CHOSEN = expected_chosen_accuracy()


def test_all_right_does_not_mean_certain():
    right = np.ones((1, 1, NUM_SAMPLES))
    bank = resample_means(right, 2000, np.random.default_rng(0), are_shares=True)
    low, high = percentile_interval(bank)[0, 0]
    assert 0.89 < low < 0.95  # Jeffreys' interval of 32 out of 32 begins at 0.925
    assert high > 0.99


def test_values_that_are_no_shares_get_no_added_samples():
    values = np.full((1, 1, NUM_SAMPLES), 0.3)
    bank = resample_means(values, 100, np.random.default_rng(0))
    np.testing.assert_allclose(bank, 0.3, rtol=1e-5)


def test_the_spread_of_resampled_means_is_the_standard_error():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1, 1, NUM_SAMPLES))
    bank = resample_means(values, 20_000, rng)
    expected = values.std() / np.sqrt(NUM_SAMPLES + 1)  # of the Bayesian bootstrap, exactly
    assert bank.std() == pytest.approx(expected, rel=0.03)


def test_samples_that_were_not_measured_do_not_count():
    values = np.full((2, 3, 8), 0.25)
    values[0, 1] = np.nan
    values[1, :, 4:] = np.nan
    bank = resample_means(values, 50, np.random.default_rng(0))
    assert np.isnan(bank[:, 0, 1]).all()
    np.testing.assert_allclose(bank[:, 1], 0.25, rtol=1e-5)


def test_one_seed_is_not_resampled():
    bank = np.random.default_rng(0).normal(size=(50, 1, 4))
    np.testing.assert_array_equal(resample_seeds(bank, np.random.default_rng(1)), bank)


def test_seeds_are_redrawn_with_replacement():
    bank = np.broadcast_to(np.arange(5.0)[None, :, None], (4000, 5, 1))
    means = resample_seeds(bank, np.random.default_rng(0)).mean(axis=1)[:, 0]
    assert means.std() == pytest.approx(np.sqrt(2 / 5), rel=0.05)


def test_a_seed_drawn_twice_comes_with_two_resamples_of_its_samples():
    bank = np.random.default_rng(0).normal(size=(1000, 2, 1))
    drawn = resample_seeds(bank, np.random.default_rng(1))[..., 0]
    same_seed = np.isin(drawn[:, 0], bank[:, 0, 0]) == np.isin(drawn[:, 1], bank[:, 0, 0])
    assert (drawn[same_seed, 0] == drawn[same_seed, 1]).mean() < 0.02


def test_the_same_generator_redraws_the_same_seeds():
    bank = np.random.default_rng(0).normal(size=(100, 5, 2))
    first = resample_seeds(bank, np.random.default_rng(7))
    second = resample_seeds(bank + 1, np.random.default_rng(7))
    np.testing.assert_allclose(second - first, 1.0)


def test_an_interval_holds_the_stated_share_of_the_draws():
    draws = np.random.default_rng(0).permutation(np.arange(1001.0))
    np.testing.assert_allclose(percentile_interval(draws, 0.9), [50.0, 950.0])


def test_an_interval_of_times_may_be_open_above():
    draws = np.concatenate([np.arange(900.0), np.full(100, np.inf)])
    low, high = percentile_interval(draws)
    assert low == pytest.approx(24.975)
    assert high == np.inf


def test_an_interval_of_what_was_not_measured_is_not_a_number():
    draws = np.array([[1.0, np.nan], [2.0, 1.0]])
    ends = percentile_interval(draws)
    assert np.isfinite(ends[0]).all()
    assert np.isnan(ends[1]).all()


def test_an_interval_of_one_draw_is_refused():
    with pytest.raises(ValueError, match="at least 2 resamples, not 1"):
        percentile_interval(np.zeros((1, 3)))
