"""The two-layer flow: matrix form, per-entry form, and what is known of its solutions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from conceptspace.theory.settings import IdentityTask, Start
from conceptspace.theory.sim import effective_signal, starting_weights, training_loss
from conceptspace.theory.two_layer import flow_terms, rank_of, two_layer, two_layer_flow

TASK = IdentityTask(mu=(1, 2), sigma=(0.05,))
TIMES = np.linspace(0, 12, 61)


def symmetric(seed, size, many=()):
    drawn = np.random.default_rng(seed).normal(size=(*many, size, size))
    return (drawn + np.swapaxes(drawn, -1, -2)) / 2


@settings(max_examples=60)
@given(st.integers(1, 7), st.integers(0, 2**16))
def test_the_entries_of_the_flow_agree_with_its_matrix_form(size, seed):
    signal = np.random.default_rng(seed).uniform(0, 4, size)
    weights = symmetric(seed + 1, size, (3,))
    split = flow_terms(signal, weights)
    assert np.abs(split.total - two_layer_flow(signal, weights)).max() < 1e-10


@settings(max_examples=20)
@given(st.integers(1, 5), st.integers(0, 2**16))
def test_each_term_is_the_published_sum(size, seed):
    a = np.random.default_rng(seed).uniform(0, 4, size)
    w = symmetric(seed + 1, size)
    split = flow_terms(a, w)
    for i, j in np.ndindex(size, size):
        growth = w[i, j] * (a[i] + a[j])
        held = w[i, i] * (3 * a[i] + a[j]) + (i != j) * w[j, j] * (3 * a[j] + a[i])
        others = [k for k in range(size) if k not in (i, j)]
        mixed = sum(w[k, i] * w[k, j] * (a[i] + a[j] + 2 * a[k]) for k in others) / 2
        assert split.growth[i, j] == pytest.approx(growth, abs=1e-12)
        assert split.suppression[i, j] == pytest.approx(w[i, j] * held / 2, abs=1e-12)
        assert split.interaction[i, j] == pytest.approx(mixed, abs=1e-12)


def test_two_concepts_have_no_interaction_beside_the_diagonal():
    terms = flow_terms(effective_signal(TASK), symmetric(0, 2))
    assert terms.interaction[0, 1] == 0
    assert terms.interaction[0, 0] != 0


def test_the_flow_is_that_of_the_gradient_in_u_at_half_the_rate():
    rng = np.random.default_rng(2)
    factor = rng.normal(size=(2, 3))
    gradient = np.zeros_like(factor)
    for place in np.ndindex(*factor.shape):
        step = np.zeros_like(factor)
        step[place] = 1e-6
        ends = [factor + step, factor - step]
        up, down = (training_loss(TASK, end @ end.T) for end in ends)
        gradient[place] = (up - down) / 2e-6
    moved = -0.5 * gradient
    flow = moved @ factor.T + factor @ moved.T
    expected = two_layer_flow(effective_signal(TASK), factor @ factor.T)
    np.testing.assert_allclose(flow, expected, rtol=1e-6, atol=1e-8)


def test_a_diagonal_start_grows_logistically():
    start = np.diag([0.01, 0.2])
    found = two_layer(TASK, start, TIMES)
    a = effective_signal(TASK)
    odds = np.diag(start) / (1 - np.diag(start)) * np.exp(2 * np.outer(TIMES, a))
    np.testing.assert_allclose(found[:, [0, 1], [0, 1]], odds / (1 + odds), atol=1e-7)
    assert np.abs(found[:, 0, 1]).max() < 1e-12


@settings(max_examples=15)
@given(st.integers(2, 4), st.integers(0, 2**16))
def test_following_u_agrees_with_following_w(size, seed):
    task = IdentityTask(mu=tuple(np.linspace(0.8, 1.6, size)), dimension=size + 1)
    factor = np.random.default_rng(seed).normal(0, 0.3, (size + 1, size + 1))
    start = factor @ factor.T
    signal = effective_signal(task)

    def flow(_, flat):
        return two_layer_flow(signal, flat.reshape(start.shape)).ravel()

    times = np.linspace(0, 6, 13)
    plain = solve_ivp(
        flow, (0, 6), start.ravel(), "DOP853", t_eval=times, rtol=1e-10, atol=1e-12
    ).y.T.reshape(-1, *start.shape)
    assert np.abs(two_layer(task, start, times) - plain).max() < 1e-6


def test_the_exact_flow_keeps_the_rank_of_its_start():
    everywhere = starting_weights(TASK, Start(nudge=0))
    assert rank_of(everywhere) == 1
    assert rank_of(starting_weights(TASK, Start())) == 2
    end = two_layer(TASK, everywhere, np.array([200.0]))[0]
    np.testing.assert_allclose(end, np.diag([0, 1]), atol=1e-8)


def test_every_start_of_full_rank_ends_at_the_identity():
    end = two_layer(TASK, starting_weights(TASK, Start()), np.array([60.0]))[0]
    np.testing.assert_allclose(end, np.eye(2), atol=1e-8)


def test_nothing_grows_from_nothing():
    assert not two_layer(TASK, np.zeros((2, 2)), TIMES).any()


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ([[1.0, 0.5], [0.4, 1.0]], "start must be symmetric"),
        ([[0.1, 0.5], [0.5, 0.1]], "start has the negative eigenvalue -0.4"),
        ([[0.1]], "start must be 2 x 2"),
    ],
)
def test_a_start_that_is_no_product_is_refused(start, message):
    with pytest.raises(ValueError, match=message):
        two_layer(TASK, np.array(start), TIMES)
