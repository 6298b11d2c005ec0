"""What the signals alone say of the identity task, before anything is simulated.

Order, learning times, the turn, and how slowly the end is reached. The exact part: one layer, and
two layers from a diagonal start. For other starts of two layers ours is an approximation: concepts
are learned one after the other, and each but the first starts from what the stronger ones leave it.
"""

import numpy as np
from jaxtyping import Float

from conceptspace.theory.settings import IdentityTask
from conceptspace.theory.sim import check_start, effective_signal

PIVOT_TOLERANCE = 1e-14
"""Below this share of the largest entry, what a concept starts from is rounding: nothing."""


def learning_order(task: IdentityTask) -> list[int]:
    """Concepts from the strongest signal to the weakest; equal ones in their own order."""
    signal = effective_signal(task)[: task.num_concepts]
    return [int(concept) for concept in np.argsort(-signal, kind="stable")]


def own_start(
    task: IdentityTask, start: Float[np.ndarray, "row column"]
) -> Float[np.ndarray, " concept"]:
    """What is left for each concept of W(0) once stronger ones have taken theirs.

    The pivots of W(0) = L D Lᵀ in the order of learning. A diagonal start leaves each its own
    entry; the same number everywhere leaves all but the strongest nothing but the nudge.

    Args:
        task: gives the order.
        start: W(0), symmetric, without negative eigenvalues.
    """
    check_start(task, start)
    order = learning_order(task)
    rest = np.array(start, dtype=float)[np.ix_(order, order)]
    least = PIVOT_TOLERANCE * np.abs(rest).max()
    left = np.zeros(task.num_concepts)
    for place, concept in enumerate(order):
        pivot = rest[place, place]
        if pivot <= least:
            continue
        left[concept] = pivot
        rest = rest - np.outer(rest[:, place], rest[place]) / pivot
    return left


def one_layer_times(
    task: IdentityTask, start: Float[np.ndarray, "row column"], threshold: float = 0.9
) -> Float[np.ndarray, " concept"]:
    """When each diagonal entry of one layer passes the threshold: log((1 - w) / (1 - θ)) / a."""
    signal, begun, threshold = _checked(task, np.diag(start), threshold)
    return np.maximum(np.log((1 - begun) / (1 - threshold)), 0) / signal


def two_layer_times(
    task: IdentityTask, start: Float[np.ndarray, "row column"], threshold: float = 0.9
) -> Float[np.ndarray, " concept"]:
    """When each diagonal entry of the two-layer model passes the threshold.

    Alone, an entry is logistic, w' = 2 a w (1 - w); it starts from `own_start`.

    Returns:
        times, infinite for what has no start of its own and is never learned.
    """
    signal, begun, threshold = _checked(task, own_start(task, start), threshold)
    return np.maximum(_logit(threshold) - _logit(begun), 0) / (2 * signal)


def turn_times(
    task: IdentityTask, start: Float[np.ndarray, "row column"]
) -> Float[np.ndarray, " concept"]:
    """When the strongest concept stops helping each of the others, in the two-layer model.

    The entry w_pq between a concept p and the strongest q grows until suppression meets growth;
    with p not yet learned that is where w_qq = 2 (a_p + a_q) / (a_p + 3 a_q), and w_qq is logistic.

    Returns:
        times; infinite for the strongest itself and for what is as strong.
    """
    signal, begun, _ = _checked(task, own_start(task, start), 0.5)
    strongest = learning_order(task)[0]
    top = signal[strongest]
    saturated = 2 * (signal + top) / (signal + 3 * top)
    late = saturated >= 1
    reached = _logit(np.where(late, 0.5, saturated)) - _logit(begun[strongest])
    return np.where(late, np.inf, np.maximum(reached, 0) / (2 * top))


def terminal_rates(task: IdentityTask, num_layers: int) -> Float[np.ndarray, " concept"]:
    """How fast each concept's own error vanishes in the end: as exp(-rate t).

    The rate is the signal times the number of layers, so the weakest concept sets the end: the
    loss at the probe falls at twice the smallest of these rates.

    Args:
        task: gives the signals.
        num_layers: 1 or 2.

    Raises:
        ValueError: if the number of layers is another.
    """
    if num_layers not in (1, 2):
        raise ValueError(f"num_layers must be 1 or 2, not {num_layers}")
    return num_layers * effective_signal(task)[: task.num_concepts]


def _checked(task: IdentityTask, begun: np.ndarray, threshold: float):
    """Signals and starts of the concepts, and the threshold, if it is one."""
    if not 0 < threshold < 1:
        raise ValueError(f"threshold must be between 0 and 1, not {threshold}")
    count = task.num_concepts
    return effective_signal(task)[:count], np.clip(begun[:count], 0, 1), threshold


def _logit(share):
    with np.errstate(divide="ignore"):
        return np.log(share) - np.log1p(-np.asarray(share, dtype=float))
