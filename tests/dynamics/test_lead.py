"""Which of two events comes first, where the answer is known."""

import numpy as np
import pytest

from conceptspace.dynamics.lead import first_of_two, lead

NEVER = np.inf


def leads(first, second, **more):
    first, second = np.array(first, dtype=float), np.array(second, dtype=float)
    drawn = (np.tile(first, (50, 1)), np.tile(second, (50, 1)))
    return lead([(first, second)], [drawn], np.random.default_rng(0), **more)


def test_never_is_later_than_everything_and_two_nevers_are_a_tie():
    first = np.array([100.0, NEVER, NEVER, 300.0])
    second = np.array([NEVER, 100.0, NEVER, 300.0])
    assert first_of_two(first, second).tolist() == [1.0, -1.0, 0.0, 0.0]


def test_what_is_always_first_leads_by_1_as_one_flip_in_32():
    found = leads([100] * 5, [200, 300, NEVER, 200, 200])
    assert found.value == 1.0
    assert found.interval == (1.0, 1.0)
    assert found.p_value == 1 / 32


def test_the_same_times_lead_by_nothing():
    found = leads([100] * 5, [100] * 5)
    assert (found.value, found.p_value) == (0.0, 1.0)


def test_a_lead_in_three_of_five_seeds_is_no_more_than_chance():
    found = leads([100, 100, 100, 300, 300], [200] * 5)
    assert found.value == pytest.approx(0.2)
    assert found.p_value == 0.5


def test_a_seed_counts_once_however_many_settings_there_are():
    """Five seeds alike in many settings are five seeds all the same."""
    first, second = np.full(5, 100.0), np.full(5, 200.0)
    drawn = (np.full((50, 5), 100.0), np.full((50, 5), 200.0))
    found = lead([(first, second)] * 8, [drawn] * 8, np.random.default_rng(0))
    assert found.p_value == 1 / 32


def test_seeds_that_one_setting_lacks_count_by_the_others():
    few, many = np.array([100.0, 100.0]), np.full(4, 100.0)
    drawn = [(np.full((50, n), 100.0), np.full((50, n), 200.0)) for n in (2, 4)]
    found = lead([(few, few + 100), (many, many + 100)], drawn, np.random.default_rng(0))
    assert found.per_seed.tolist() == [1.0] * 4


def test_events_that_are_alike_are_seldom_called_a_lead():
    """The sign flips keep their level: at most 5 % of 400 null worlds of 8 seeds, and some luck."""
    rng = np.random.default_rng(1)
    found = [leads(rng.uniform(size=8), rng.uniform(size=8)).p_value <= 0.05 for _ in range(400)]
    assert np.mean(found) <= 0.08


def test_many_seeds_are_flipped_at_random():
    assert leads([100.0] * 20, [200.0] * 20).p_value <= 2 / 4096


def test_no_setting_is_refused():
    with pytest.raises(ValueError, match="at least one setting"):
        lead([], [], np.random.default_rng(0))
