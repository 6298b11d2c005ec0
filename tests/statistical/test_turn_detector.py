"""Calibration of the turn detector: false turns, coverage, error against the Cramer-Rao bound.

The full tables are made by benchmarks/turn_detector.py, whose cases these tests share.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import turn_detector as cases

sys.path.pop(0)


def most(num_replicates, probability):
    """What a share of at most `probability` stays below, but for 1 world in 1000."""
    return binom.ppf(0.999, num_replicates, probability)


@pytest.mark.parametrize("name", ["arc of 90 degrees", "independent, rate 2, ratio 5"])
def test_smooth_paths_rarely_have_a_turn(name):
    rng = np.random.default_rng(0)
    found = [cases.finds(cases.NULLS[name], rng) for _ in range(20)]
    assert sum(found) <= most(20, 0.05)


def test_the_interval_covers_the_step_and_the_error_is_near_the_bound():
    rng = np.random.default_rng(0)
    rows = [cases.locate(cases.two_legs(90, 0.5, 0.5), rng) for _ in range(40)]
    errors, covered, _ = np.array(rows).T
    assert 40 - covered.sum() <= most(40, 0.05)
    assert np.median(abs(errors)) < 1.5 * cases.bound(90, 0.5, 0.5)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", cases.NULLS)
def test_at_most_5_percent_of_smooth_paths_have_a_turn(name):
    rng = np.random.default_rng(1)
    found = [cases.finds(cases.NULLS[name], rng) for _ in range(1000)]
    assert sum(found) <= most(1000, 0.05)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("angle", "length"), cases.COVERED)
def test_intervals_cover_the_step_in_93_to_97_percent(angle, length):
    rng = np.random.default_rng(1)
    path = cases.two_legs(angle, length, length)
    errors, covered, _ = np.array([cases.locate(path, rng) for _ in range(1000)]).T
    # 1000 replicates know the share to within 0.7 %.
    assert 0.93 - 0.014 <= covered.mean() <= 0.97 + 0.014
    assert np.median(abs(errors)) <= 1.5 * cases.bound(angle, length, length)
