"""Where the order of two times turns round."""

import numpy as np
import pytest

from conceptspace.theory.flip import flip

SETTING = np.array([0.2, 0.4, 0.6, 0.8])


def flipped(first, second, setting=SETTING):
    return flip(setting, first, second, np.random.default_rng(0), num_resamples=200)


def every_seed(*values):
    return np.repeat(np.array(values, dtype=float)[:, None], 5, axis=1)


def test_the_crossing_lies_between_the_settings_whose_orders_differ():
    found = flipped(every_seed(9, 7, 3, 1), every_seed(5, 5, 5, 5))
    assert found.share.tolist() == [0, 0, 1, 1]
    assert found.crossing == pytest.approx(0.5)
    assert found.crossing_interval == pytest.approx((0.4, 0.6))


def test_an_order_that_never_turns_has_its_crossing_beyond_the_settings():
    always = flipped(every_seed(1, 1, 1, 1), every_seed(5, 5, 5, 5))
    assert always.crossing == -np.inf
    assert flipped(every_seed(9, 9, 9, 9), every_seed(5, 5, 5, 5)).crossing == np.inf


def test_a_censored_time_is_later_and_two_of_them_have_no_order():
    found = flipped(every_seed(np.inf, np.inf, 3, 3), every_seed(np.inf, 5, np.inf, 5))
    assert np.isnan(found.share[0])
    assert found.share[1:].tolist() == [0, 1, 1]
    assert found.num_known.tolist() == [0, 5, 5, 5]


def test_equal_times_count_half():
    assert flipped(every_seed(5, 5, 5, 5), every_seed(5, 5, 5, 5)).share.tolist() == [0.5] * 4


def test_five_seeds_of_one_order_exclude_one_half_and_four_do_not():
    first = every_seed(9, 9, 1, 1)
    first[1, 0], first[2, 0] = 1, 9
    low, high = flipped(first, every_seed(5, 5, 5, 5)).interval.T
    assert high[0] < 0.5 < low[3]
    assert low[1] < 0.5 < high[1]
    assert low[2] < 0.5 < high[2]


def test_the_interval_of_the_crossing_covers_it_in_most_worlds():
    """100 worlds, crossing at 0.5; 95 % nominal from 5 seeds; 85 % is 4.6 deviations below."""
    rng = np.random.default_rng(2)
    setting = np.linspace(0.1, 0.9, 7)
    ends = [
        flipped(
            1 / setting[:, None] * np.exp(0.3 * rng.normal(size=(7, 5))),
            2 * np.exp(0.3 * rng.normal(size=(7, 5))),
            setting,
        ).crossing_interval
        for _ in range(100)
    ]
    assert sum(low <= 0.5 <= high for low, high in ends) >= 85


def test_where_nothing_is_known_there_is_no_crossing():
    never = np.full((4, 5), np.inf)
    found = flipped(never, never)
    assert np.isnan(found.crossing)
    assert np.isnan(found.interval).all()


def test_settings_that_do_not_rise_are_refused():
    with pytest.raises(ValueError, match="setting must rise"):
        flipped(every_seed(1, 1), every_seed(2, 2), np.array([0.4, 0.2]))


def test_tables_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"must be \(setting, seed\) with 4 settings"):
        flipped(every_seed(1, 1), every_seed(2, 2))
