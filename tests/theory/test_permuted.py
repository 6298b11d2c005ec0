import numpy as np

from conceptspace.theory.permuted import permuted_drop


def p_value(values, seed=0):
    return permuted_drop(np.asarray(values, dtype=float), np.random.default_rng(seed), 400)


def test_a_fall_in_every_seed_is_rare_among_permutations():
    assert p_value(np.tile([0.9, 0.8, 0.5, 0.2, 0.1], (5, 1))) < 0.01


def test_a_rise_is_not_a_fall():
    assert p_value(np.tile([0.1, 0.2, 0.5, 0.8, 0.9], (5, 1))) > 0.95


def test_without_a_trend_p_values_are_spread_evenly():
    rng = np.random.default_rng(1)
    found = [p_value(rng.normal(size=(5, 5)), seed) for seed in range(200)]
    # Standard error of a share of 200 near 0.05 is 0.015.
    assert np.mean(np.array(found) <= 0.05) < 0.05 + 3 * 0.015
    assert 0.4 < np.mean(found) < 0.6
