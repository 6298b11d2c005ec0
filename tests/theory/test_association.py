"""The rank correlation of settings and censored times, within strata and over clusters."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from conceptspace.theory.association import rank_association

SETTING = np.repeat([0.2, 0.3, 0.4, 0.6, 0.8], 5)
SEED = np.tile(np.arange(5), 5)
ONE = np.zeros(25, dtype=int)
END = 1000.0


def associated(times, setting=SETTING, strata=ONE, clusters=SEED, **changes):
    return rank_association(
        setting, times, END, strata=strata, clusters=clusters, rng=np.random.default_rng(0),
        **changes,
    )  # fmt: skip


def test_times_that_always_fall_give_one_and_times_that_rise_minus_one():
    falling = 100 / SETTING + SEED
    assert associated(falling).value == 1.0
    assert associated(falling).interval == (1.0, 1.0)
    assert associated(100 * SETTING + SEED).value == -1.0


def test_it_is_kendalls_tau_without_the_pairs_of_one_setting():
    times = np.array([9.0, 4.0, 7.0, 3.0, 5.0, 2.0])
    setting = np.array([1.0, 2, 3, 4, 5, 6])
    rows = np.zeros(6, dtype=int)
    found = associated(times, setting, rows, np.arange(6))
    assert found.value == pytest.approx(-kendalltau(setting, times).statistic)
    assert found.value == found.with_ties


def test_pairs_of_one_setting_only_pull_the_other_form_towards_zero():
    found = associated(100 / SETTING + SEED)
    assert found.with_ties == pytest.approx(250 / 300)
    assert found.num_pairs == 250


def test_a_censored_time_is_later_than_every_time_that_is_not():
    times = np.where(SETTING < 0.4, np.inf, 100 / SETTING)
    assert associated(times).value == 1.0
    assert associated(np.where(SETTING > 0.4, np.inf, 100.0)).value == -1.0


def test_without_any_time_nothing_is_known():
    found = associated(np.full(25, np.inf))
    assert np.isnan(found.value)
    assert np.isnan(found.interval).all()
    assert found.num_pairs == 0


def test_strata_are_not_compared_with_each_other():
    stratum = np.repeat([0, 1], 25)
    times = np.concatenate([100 / SETTING, 1 / SETTING]) + np.tile(SEED, 2) / 100
    setting = np.concatenate([SETTING, SETTING / 100 + 1e-9])  # small ones are fast: a confounder
    both = (np.tile(SEED, 2),)
    assert associated(times, setting, stratum, *both).value == 1.0
    assert associated(times, setting, np.zeros(50, dtype=int), *both).value < 0.6


def test_a_permutation_rarely_reaches_a_planted_correlation_and_often_reaches_chance():
    assert associated(100 / SETTING + SEED).p_value < 0.01
    assert associated(np.random.default_rng(3).uniform(1, 999, 25)).p_value > 0.05


def test_chance_alone_is_found_significant_about_as_often_as_stated():
    """100 null worlds at level 0.1: 10 expected, standard deviation 3; 20 is 3.3 of them."""
    rng = np.random.default_rng(5)
    found = [associated(rng.uniform(1, 999, 25), num_resamples=49).p_value for _ in range(100)]
    assert 1 <= np.sum(np.array(found) <= 0.1) <= 20


def test_labels_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"strata \(3,\) and setting \(25,\) must be alike"):
        associated(100 / SETTING, strata=np.zeros(3, dtype=int))
