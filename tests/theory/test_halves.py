"""Halves of a sweep and the rank correlation of what they predict."""

import numpy as np
import pytest

from conceptspace.theory.halves import (
    draw_halves,
    first_by_signal,
    rank_of_prediction,
    redraw_seeds,
    score_constant,
    score_halves,
)

SIGNAL = np.array([[1.0, 5.5], [2.0, 4.2], [3.0, 2.5], [4.0, 1.5], [5.0, 6.6], [6.0, 1.2]])
ENDS = np.full(6, 1e4)


def times(noise=0.0, seeds=5):
    spread = np.random.default_rng(0).standard_normal((*SIGNAL.shape, seeds))
    return (2000 / SIGNAL)[..., None] * np.exp(noise * spread)


def test_each_split_gives_a_half_and_what_it_leaves():
    halves = draw_halves(9, 3, np.random.default_rng(0))
    assert halves.shape == (6, 9)
    assert (halves[0::2] == ~halves[1::2]).all()


def test_a_law_predicts_the_other_half_with_calibrated_intervals():
    halves = draw_halves(6, 4, np.random.default_rng(0))
    found = score_halves(SIGNAL, times(0.1, seeds=20), ENDS, halves, (0.5, 0.95))
    assert found.correlation > 0.9
    assert found.slope == pytest.approx(-1, abs=0.05)
    assert found.coverage == pytest.approx([0.5, 0.95], abs=0.09)
    assert found.median == pytest.approx(2000 / SIGNAL, rel=0.1)


def test_pairs_within_a_cell_are_left_out_and_ties_between_cells_count_as_neither():
    clean = times(0.01)
    assert rank_of_prediction(-SIGNAL, clean, ENDS) == 1
    assert rank_of_prediction(SIGNAL, clean, ENDS) == -1
    assert rank_of_prediction(np.ones_like(SIGNAL), clean, ENDS) == 0
    assert score_constant(-SIGNAL, clean, ENDS, draw_halves(6, 2, np.random.default_rng(0))) == 1


def test_what_is_never_learned_counts_as_later():
    cut = np.where(times() > 800, np.inf, times())
    assert rank_of_prediction(-SIGNAL, cut, np.full(6, 800.0)) == 1


def test_nothing_learned_gives_nothing():
    halves = draw_halves(6, 1, np.random.default_rng(0))
    found = score_halves(SIGNAL, np.full((6, 2, 5), np.inf), ENDS, halves)
    assert (found.num_scored, np.isnan(found.correlation)) == (0, True)


def test_concepts_of_a_seed_are_redrawn_together():
    marked = np.arange(10.0)[None, None] + np.array([0.0, 100.0])[None, :, None]
    drawn = redraw_seeds(marked, np.random.default_rng(0))
    assert (drawn[0, 1] - drawn[0, 0] == 100).all()


def test_order_is_known_unless_neither_is_learned():
    signal = np.array([[2.0, 1.0]] * 2 + [[1.0, 1.0]])
    found = np.array(
        [[[1, 3, 2.0], [2, 1, 2]], [[np.inf] * 3, [5, np.inf, np.inf]], [[1.0] * 3] * 2]
    )
    right = first_by_signal(signal, found)
    assert right[0].tolist() == [1, 0, 0.5]
    assert right[1, 0] == 0
    assert np.isnan(right[1, 1:]).all()
    assert np.isnan(right[2]).all()
