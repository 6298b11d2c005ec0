"""The side to which a path first heads, from how far either coordinate falls."""

import numpy as np
import pytest

from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.dynamics.sides import sides

SETTINGS = FindingsSettings(num_resamples=100)
CHECKPOINT = np.arange(30)


def nearness(first, second, seed=0):
    """Samples (seed, checkpoint, sample, concept) around two curves."""
    curve = np.stack([first, second], axis=-1)
    noise = 0.1 * np.random.default_rng(seed).standard_normal((5, 30, 16, 2))
    return np.clip(curve[None, :, None] + noise, 0, 1)


def found(first, second):
    rng = np.random.default_rng(1)
    return sides(nearness(first, second), rng=rng, settings=SETTINGS)


DIP = 0.5 - 0.4 * np.exp(-(((CHECKPOINT - 12) / 4) ** 2)) + 0.4 * CHECKPOINT / 29
RISE = 0.5 + 0.4 * CHECKPOINT / 29


def test_a_path_that_loses_the_first_concept_heads_to_the_negative_side():
    one = found(DIP, RISE)
    assert (one.side < -0.15).all()
    assert (one.lean < -0.05).all()
    assert (one.falls[:, 0] < -0.1).all()


def test_swapping_the_concepts_swaps_the_sides():
    one, other = found(DIP, RISE), found(RISE, DIP)
    assert one.side == pytest.approx(-other.side, abs=0.15)
    assert one.lean == pytest.approx(-other.lean, abs=0.05)


def test_a_straight_path_has_no_side():
    one = found(RISE, RISE)
    assert abs(one.side.mean()) < 0.1
    assert abs(one.lean.mean()) < 0.02


def test_one_concept_or_three_are_refused():
    with pytest.raises(ValueError, match="with two concepts"):
        sides(np.zeros((5, 30, 16, 3)), rng=np.random.default_rng(0))
