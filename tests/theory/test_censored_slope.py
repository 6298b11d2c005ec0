"""The slope of censored times: known lines, what is never learned, and refusals."""

import numpy as np
import pytest

from conceptspace.theory.censored_slope import censored_slope

SHARE = np.repeat([0.0, 0.25, 0.5, 0.75, 1.0], 5)
SEED = np.tile(np.arange(5), 5)


def slope_of(times, ends=5000.0, seed=0, share=SHARE, clusters=SEED):
    rng = np.random.default_rng(seed)
    return censored_slope(share, times, ends, clusters=clusters, rng=rng, num_resamples=200)


def line(seed, slope=1500.0, spread=150.0):
    return 1000 + slope * SHARE + spread * np.random.default_rng(seed).standard_normal(len(SHARE))


def test_without_censoring_it_is_the_median_of_all_slopes_between_pairs():
    times = line(3)
    i, j = np.nonzero(SHARE[:, None] < SHARE)
    expected = np.median((times[j] - times[i]) / (SHARE[j] - SHARE[i]))
    assert slope_of(times).value == pytest.approx(expected)


def test_half_of_the_times_censored_leave_the_slope_unbiased():
    """Cut at 1700 of a line from 1000 to 2500: 40 lines, standard error of their mean near 25."""
    found = []
    for seed in range(40):
        times = line(seed)
        found.append(slope_of(np.where(times > 1700, np.inf, times), 1700.0).value)
    assert np.mean(found) == pytest.approx(1500, abs=80)


def test_never_beyond_one_setting_is_a_slope_known_from_below():
    times = np.where(SHARE > 0.5, np.inf, 1000.0)
    found = slope_of(times, 2000.0)
    assert found.value > 0
    assert found.interval[0] > 0
    assert not found.is_least  # the pairs of the settings that are learned are known from above
    alone = slope_of(np.where(SHARE > 0, np.inf, 1000.0 + SEED), 2000.0)
    assert alone.is_least
    # The nearest share is later by at least the rest of the run, over a quarter.
    assert alone.value == pytest.approx((2000 - 1000) / 0.25)


def test_never_at_the_smallest_setting_is_a_slope_below_0():
    found = slope_of(np.where(SHARE < 1, np.inf, 1000.0 + SEED), 2000.0)
    assert found.interval[1] < 0
    assert not found.is_least


def test_times_that_do_not_depend_on_the_setting_have_an_interval_around_0():
    held = sum(
        low <= 0 <= high
        for low, high in (slope_of(line(seed, slope=0.0)).interval for seed in range(40))
    )
    assert held >= 32  # five clusters: below the nominal 95 %, as everywhere with so few seeds


def test_where_nothing_is_learned_nothing_is_known():
    found = slope_of(np.full(len(SHARE), np.inf))
    assert np.isnan(found.value)
    assert np.isnan(found.interval).all()
    assert found.num_pairs == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"times": np.ones(3)}, "must be equally long rows"),
        ({"clusters": np.arange(3)}, "must be equally long rows"),
        ({"share": np.where(SHARE > 0.5, np.nan, SHARE)}, "setting must hold finite numbers"),
        ({"times": np.zeros(25)}, "times must be above 0"),
        ({"ends": 500.0}, "ends must not lie before"),
    ],
)
def test_what_is_no_observation_is_refused(changes, message):
    given = {"times": np.full(25, 1000.0)} | changes
    with pytest.raises(ValueError, match=message):
        slope_of(**given)
