"""Turns and emergences of seeds in several settings."""

import numpy as np

from conceptspace.dynamics.emergence import pooled_coincidence


def test_events_of_a_seed_that_go_together_are_told_from_permuted_runs():
    rng = np.random.default_rng(0)
    turns = [rng.uniform(500, 2500, 6) for _ in range(2)]
    pairs = [(turn, turn + rng.uniform(-50, 50, 6)) for turn in turns]
    found = pooled_coincidence(pairs, rng)
    assert found.gap < 50 < found.permuted
    assert found.p_value < 0.01
    assert found.interval[1] < 0
    assert found.num_seeds == 12


def test_events_that_have_nothing_to_do_with_each_other_are_not():
    rng = np.random.default_rng(1)
    p_values = []
    for _ in range(20):
        pairs = [(rng.uniform(500, 2500, 6), rng.uniform(500, 2500, 6)) for _ in range(2)]
        p_values.append(pooled_coincidence(pairs, rng, num_resamples=50).p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.2
    assert 0.3 < np.mean(p_values) < 0.7


def test_settings_are_not_mixed():
    """All turns and emergences of one setting are early, of the other late: that is no news."""
    rng = np.random.default_rng(2)
    pairs = [(at + rng.uniform(-9, 9, 6), at + rng.uniform(-9, 9, 6)) for at in (500.0, 2500.0)]
    found = pooled_coincidence(pairs, rng)
    assert found.permuted < 20


def test_a_seed_without_a_turn_or_alone_in_its_setting_does_not_count():
    turns, emergences = np.array([500.0, np.nan, 700.0]), np.array([500.0, 600.0, np.inf])
    found = pooled_coincidence([(turns, emergences)], np.random.default_rng(0))
    assert found.num_seeds == 0
    assert np.isnan(found.gap)
    assert found.num_pairings == 1
