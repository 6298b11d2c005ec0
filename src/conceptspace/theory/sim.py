"""Structured identity mapping (SIM): what the task gives, and one linear layer in closed form.

A linear model f = W x has at the probe x^ the outputs W x^. Losses are half the squared error, so
that gradient flow on the training loss of one layer is dW/dt = -(W - I) A. After Yang et al. 2025,
"Swing-by Dynamics in Concept Learning and Compositional Generalization", sections 3 and 4.
"""

import numpy as np
from jaxtyping import Float, Real
from scipy.integrate import solve_ivp

from conceptspace.theory.settings import IdentityTask, Start

RELATIVE, ABSOLUTE = 1e-10, 1e-12
"""Tolerances of the integration: closed forms are met to 1e-6 with room to spare."""


def effective_signal(task: IdentityTask) -> Float[np.ndarray, " dimension"]:
    """a_p = mu_p² / s + sigma_p² for each concept, and 0 for what is no concept.

    The second moment of the data is diag(a), so a_p is how fast concept p is learned.
    """
    signal = np.zeros(task.num_dimensions)
    signal[: task.num_concepts] = np.square(task.mu) / task.num_concepts + np.square(task.spreads)
    return signal


def probe(task: IdentityTask) -> Float[np.ndarray, " dimension"]:
    """x^, the sum of all means: every concept at once, which no training point shows."""
    point = np.zeros(task.num_dimensions)
    point[: task.num_concepts] = task.mu
    return point


def starting_weights(task: IdentityTask, start: Start) -> Float[np.ndarray, "row column"]:
    """W(0) of a start on all of the task's dimensions."""
    size = task.num_dimensions
    weights = np.full((size, size), start.off_diagonal)
    np.fill_diagonal(weights, start.diagonal + start.nudge)
    return weights


def outputs(
    task: IdentityTask, weights: Float[np.ndarray, "*time row column"]
) -> Float[np.ndarray, "*time row"]:
    """What a linear model answers at the probe."""
    return weights @ probe(task)


def ood_loss(
    task: IdentityTask, answers: Float[np.ndarray, "*time row"]
) -> Float[np.ndarray, "*time"]:
    """Half the squared error at the probe."""
    return np.asarray(0.5 * np.square(answers - probe(task)).sum(axis=-1))


def training_loss(
    task: IdentityTask, weights: Float[np.ndarray, "*time row column"]
) -> Float[np.ndarray, "*time"]:
    """Half the expected squared error of a linear model on the training clusters."""
    error = weights - np.eye(task.num_dimensions)
    return np.asarray(0.5 * (np.square(error) * effective_signal(task)).sum(axis=(-2, -1)))


def one_layer(
    task: IdentityTask,
    start: Float[np.ndarray, "row column"],
    times: Real[np.ndarray, " time"],
) -> Float[np.ndarray, "time row column"]:
    """W(t) of one layer in closed form: column i goes to its own as exp(-a_i t).

    Args:
        task: gives the signals.
        start: W(0), square, as large as the task's dimension.
        times: not negative, in units of gradient flow.

    Raises:
        ValueError: if the start does not fit the task or a time is wrong.
    """
    check_start(task, start)
    times = checked_times(times)
    identity = np.eye(task.num_dimensions)
    decay = np.exp(-times[:, None, None] * effective_signal(task))
    return identity + (start - identity) * decay


def integrate_one_layer(
    task: IdentityTask,
    start: Float[np.ndarray, "row column"],
    times: Real[np.ndarray, " time"],
) -> Float[np.ndarray, "time row column"]:
    """The same as `one_layer`, by integrating dW/dt = -(W - I) A.

    Raises:
        ValueError: if the start does not fit the task or a time is wrong.
    """
    check_start(task, start)
    signal, identity = effective_signal(task), np.eye(task.num_dimensions)

    def flow(_: float, weights: np.ndarray) -> np.ndarray:
        return (-(weights.reshape(identity.shape) - identity) * signal).ravel()

    return integrate(flow, start, checked_times(times))


def integrate(
    flow, start: Float[np.ndarray, "row column"], times: Float[np.ndarray, " time"]
) -> Float[np.ndarray, "time row column"]:
    """Follow a flow of matrices from time 0 through the given times.

    Raises:
        ArithmeticError: if the integration fails.
    """
    solved = solve_ivp(
        flow, (0.0, max(float(times[-1]), 1e-12)), start.ravel(), "DOP853", t_eval=times,
        rtol=RELATIVE, atol=ABSOLUTE,
    )  # fmt: skip
    if not solved.success:
        raise ArithmeticError(f"the flow could not be followed: {solved.message}")
    return solved.y.T.reshape(len(times), *start.shape)


def checked_times(times: Real[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """The times as floats.

    Raises:
        ValueError: if there are none, or they are negative, not finite, or do not rise.
    """
    times = np.asarray(times, dtype=float)
    if times.ndim != 1 or not times.size or not np.isfinite(times).all():
        raise ValueError("times must be a row of at least one finite number")
    if times[0] < 0 or (np.diff(times) <= 0).any():
        raise ValueError("times must rise, from 0 or later")
    return times


def check_start(task: IdentityTask, start: Float[np.ndarray, "row column"]) -> None:
    """Refuse a W(0) that does not fit the task.

    Raises:
        ValueError: if its shape is not the task's or a number is not finite.
    """
    size = task.num_dimensions
    if np.shape(start) != (size, size):
        raise ValueError(f"start must be {size} x {size}, as the task, not {np.shape(start)}")
    if not np.isfinite(start).all():
        raise ValueError("start holds a number that is not finite")
