"""The symmetric model of two linear layers on the identity task: f = U Uᵀ x, W = U Uᵀ.

dW/dt = W A + A W - (A W² + W² A + 2 W A W) / 2, which is gradient flow of U at rate 1/2 on half
the expected squared error. Each entry's change splits into growth, suppression by the diagonal, and
interaction with other entries (Yang et al. 2025, section 5).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real

from conceptspace.theory.settings import IdentityTask
from conceptspace.theory.sim import check_start, checked_times, effective_signal, integrate

RANK_TOLERANCE = 1e-14
"""Eigenvalues of W(0) below this share of the largest count as 0, which is rounding."""


def two_layer_flow(
    signal: Float[np.ndarray, " row"], weights: Float[np.ndarray, "*time row row"]
) -> Float[np.ndarray, "*time row row"]:
    """dW/dt in matrix form, for symmetric W."""
    left, right = signal[:, None] * weights, weights * signal
    square = weights @ weights
    bent = signal[:, None] * square + square * signal + 2 * right @ weights
    return right + left - bent / 2


@dataclass(frozen=True)
class FlowTerms:
    """What moves each entry of W.

    Attributes:
        growth: w_ij (a_i + a_j).
        suppression: w_ij [w_ii (3 a_i + a_j) + (i != j) w_jj (3 a_j + a_i)] / 2, by the diagonal.
        interaction: sum over k beside i and j of w_ki w_kj (a_i + a_j + 2 a_k) / 2.
    """

    growth: Float[np.ndarray, "*time row row"]
    suppression: Float[np.ndarray, "*time row row"]
    interaction: Float[np.ndarray, "*time row row"]

    @property
    def total(self) -> np.ndarray:
        """dW/dt: growth less suppression less interaction."""
        return self.growth - self.suppression - self.interaction


def flow_terms(
    signal: Float[np.ndarray, " row"], weights: Float[np.ndarray, "*time row row"]
) -> FlowTerms:
    """dW/dt of symmetric W, entry by entry, over time.

    Args:
        signal: a, one number a dimension.
        weights: W, symmetric; leading dimensions such as time are kept.
    """
    size = len(signal)
    own, other = signal[:, None], signal[None, :]
    beside = ~np.eye(size, dtype=bool)
    diagonal = np.diagonal(weights, axis1=-2, axis2=-1)
    suppressing = diagonal[..., :, None] * (3 * own + other)
    suppressing = suppressing + beside * diagonal[..., None, :] * (3 * other + own)
    # With a diagonal of zeros the sums over all k leave out k = i and k = j by themselves.
    hollow = weights * beside
    interaction = (own + other) * (hollow @ hollow) / 2 + (hollow * signal) @ hollow
    return FlowTerms(weights * (own + other), weights * suppressing / 2, interaction)


def two_layer(
    task: IdentityTask,
    start: Float[np.ndarray, "row column"],
    times: Real[np.ndarray, " time"],
) -> Float[np.ndarray, "time row column"]:
    """W(t) of the symmetric two-layer model.

    U is followed rather than W, with as many columns as W(0) has rank: the exact flow keeps both
    the rank and that no eigenvalue is negative, and so does this, whatever is rounded.

    Args:
        task: gives the signals.
        start: W(0), symmetric, without negative eigenvalues.
        times: not negative, rising; in units of gradient flow.

    Raises:
        ValueError: if the start is no U Uᵀ or does not fit the task, or a time is wrong.
        ArithmeticError: if the integration fails.
    """
    check_start(task, start)
    times = checked_times(times)
    factor = _factor(np.asarray(start, dtype=float))
    if not factor.size:
        return np.zeros((len(times), *np.shape(start)))
    signal, identity = effective_signal(task), np.eye(task.num_dimensions)

    def flow(_: float, flat: np.ndarray) -> np.ndarray:
        current = flat.reshape(factor.shape)
        error = current @ current.T - identity
        return -0.5 * ((error * signal + signal[:, None] * error) @ current).ravel()

    followed = integrate(flow, factor, times)
    return followed @ np.swapaxes(followed, -1, -2)


def rank_of(start: Float[np.ndarray, "row column"]) -> int:
    """How many directions a start W(0) has; the flow never learns more concepts than that."""
    return _factor(np.asarray(start, dtype=float)).shape[1]


def _factor(start: np.ndarray) -> np.ndarray:
    """U (row, rank) with U Uᵀ = W(0)."""
    if not np.allclose(start, start.T, rtol=0, atol=1e-12 * max(np.abs(start).max(), 1e-300)):
        raise ValueError("start must be symmetric: it is U Uᵀ")
    values, vectors = np.linalg.eigh(start)
    least = RANK_TOLERANCE * max(len(start), 1) * max(np.abs(values).max(), 1e-300)
    if values[0] < -least:
        raise ValueError(
            f"start has the negative eigenvalue {values[0]:.3g}: it is no U Uᵀ; make its "
            "off-diagonal entries smaller or its diagonal larger"
        )
    kept = values > least
    return vectors[:, kept] * np.sqrt(values[kept])
