"""How far events spread over seeds, where the answer is known: both ways, with and without end."""

import numpy as np
import pytest

from conceptspace.dynamics import spread
from conceptspace.dynamics.spread import SeedEvents, spread_over_seeds

STEPS = np.rint(np.linspace(10, 3200**0.5, 22) ** 2)
RESAMPLES = 40


def seen(times):
    """The checkpoint at which each time is noticed; infinite after the last."""
    place = np.searchsorted(STEPS, times)
    return np.where(place < len(STEPS), STEPS[np.minimum(place, len(STEPS) - 1)], np.inf)


def events(rng, factor, naive_factor, naive_median=2000.0, num_seeds=8, median=900.0):
    """Log-normal events of one setting; what is resampled is certain."""
    ours = seen(median * np.exp(factor * rng.standard_normal(num_seeds)))
    other = seen(naive_median * np.exp(naive_factor * rng.standard_normal(num_seeds)))
    draws = [np.broadcast_to(x, (RESAMPLES, num_seeds)) for x in (ours, other)]
    return SeedEvents(STEPS, ours, other, *draws)


def half_happen(found):
    return 2 * np.isfinite(found.naive).sum() >= len(found.naive)


def shares(seed, num_worlds, *spreads, **medians):
    rng = np.random.default_rng(seed)
    worlds = [[events(rng, *spreads, **medians) for _ in range(2)] for _ in range(num_worlds)]
    able = [[s for s in world if half_happen(s)] for world in worlds]
    return [spread_over_seeds(world, rng) for world in able if world]


def test_what_spreads_less_is_found_and_the_labels_cannot_be_exchanged():
    found = spread_over_seeds(
        [events(np.random.default_rng(s), 0.05, 0.4) for s in (1, 2)], np.random.default_rng(0)
    )
    assert found.share > 0.75
    assert found.interval[0] > 0.5
    assert found.p_value <= 0.05
    assert found.num_exchanges == 256
    assert found.num_pairs == 56


def test_what_spreads_more_is_not():
    found = spread_over_seeds(
        [events(np.random.default_rng(1), 0.4, 0.05)], np.random.default_rng(0)
    )
    assert found.share < 0.3
    assert found.interval[1] < 0.5
    assert found.p_value > 0.5


@pytest.fixture
def in_many_worlds(monkeypatch):
    """A tenth of the work a world, where the mean over worlds is looked at."""
    monkeypatch.setattr(spread, "NUM_PLACINGS", 10)
    monkeypatch.setattr(spread, "MOST_EXCHANGED", 2)


@pytest.mark.usefixtures("in_many_worlds")
@pytest.mark.parametrize("naive_median", [1500.0, 2600.0, 3000.0])
def test_with_equal_spreads_the_share_is_one_half_whatever_is_cut_off(naive_median):
    """Standard error of the mean 0.02; without the common cut it rises with what is cut off."""
    found = shares(3, 40, 0.25, 0.25, naive_median)
    assert np.mean([f.share for f in found]) == pytest.approx(0.5, abs=0.06)
    assert np.mean([f.interval[0] > 0.5 for f in found]) <= 0.1


@pytest.mark.usefixtures("in_many_worlds")
def test_a_later_event_with_the_same_factor_between_seeds_spreads_as_much():
    """In steps it spreads five times as far."""
    found = shares(4, 40, 0.1, 0.1, 2500.0, median=500.0)
    assert np.mean([f.share for f in found]) == pytest.approx(0.48, abs=0.06)


def test_never_is_kept_as_later_than_the_end():
    """Half of the seeds show it early, half never: they spread far, although those seen do not."""
    ours, other = np.full(8, STEPS[9]), np.full(8, np.inf)
    ours[::2] = STEPS[10]
    other[:4] = STEPS[14]
    draws = [np.broadcast_to(x, (RESAMPLES, 8)) for x in (ours, other)]
    found = spread_over_seeds([SeedEvents(STEPS, ours, other, *draws)], np.random.default_rng(0))
    assert found.share > 0.6
    assert found.num_decided < found.num_pairs
    assert found.bounds[0] <= found.bounds[1] < 1.01
    assert found.bounds[1] - found.bounds[0] > 0.15


def test_an_event_that_never_happens_decides_nothing():
    ours, never = np.full(8, STEPS[9]), np.full(8, np.inf)
    draws = [np.broadcast_to(x, (RESAMPLES, 8)) for x in (ours, never)]
    found = spread_over_seeds([SeedEvents(STEPS, ours, never, *draws)], np.random.default_rng(0))
    assert np.isnan(found.share)
    assert np.isnan(found.interval[0])
    assert found.bounds == (0.0, 1.0)


def test_a_capability_that_some_seeds_never_get_does_not_count_for_the_claim():
    ours, other = np.full(8, STEPS[9]), np.full(8, STEPS[14])
    ours[:3] = np.inf
    other[::2] = STEPS[15]
    draws = [np.broadcast_to(x, (RESAMPLES, 8)) for x in (ours, other)]
    found = spread_over_seeds([SeedEvents(STEPS, ours, other, *draws)], np.random.default_rng(0))
    assert found.share < 0.5


def test_settings_of_different_seeds_and_no_settings_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="must have the same seeds"):
        spread_over_seeds([events(rng, 0.1, 0.1), events(rng, 0.1, 0.1, num_seeds=5)], rng)
    with pytest.raises(ValueError, match="two or more"):
        spread_over_seeds([], rng)
