"""A diffusion model's path as the identity task expects it: from concept signals to SIM and back.

Concept p gets the mean mu_p in proportion to its signal, so that its effective signal, mu_p^2 / s,
is in proportion to the square of it; clusters have no spread. The start is that of the
published example. Only the unit of time is left to be fitted.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real

from conceptspace.dynamics.accuracy import smooth
from conceptspace.theory.expected import learning_order, turn_times
from conceptspace.theory.settings import IdentityTask, Start
from conceptspace.theory.sim import outputs, starting_weights
from conceptspace.theory.swing import arrival_times
from conceptspace.theory.two_layer import two_layer

START = Start()
NUM_TIMES = 1500
LEAST_FALL = 0.02
"""Of the weaker coordinate, below which there is no turn: it only rises."""


@dataclass(frozen=True)
class ExpectedPath:
    """The two-layer model at the probe, in units of the means.

    Attributes:
        times: of gradient flow, until all is learned.
        path: coordinates; 1 is the held-out class's own corner.
        arrivals: when each concept is learned.
        turn: when the weaker coordinate is lowest before it rises for good; NaN without a turn.
        slowing: speed after the turn over speed before it; NaN without a turn.
    """

    times: Float[np.ndarray, " time"]
    path: Float[np.ndarray, "time concept"]
    arrivals: Float[np.ndarray, " concept"]
    turn: float
    slowing: float


def task_of(signal: Real[np.ndarray, " concept"], unit: float) -> IdentityTask:
    """The identity task of a setting.

    Args:
        signal: concept signal, above 0.
        unit: the signal that becomes mu = 1, the same in all settings.
    """
    return IdentityTask(mu=tuple(float(s) for s in np.asarray(signal) / unit), sigma=(0.0,))


def expected_path(
    signal: Real[np.ndarray, " concept"], unit: float, threshold: float = 0.8
) -> ExpectedPath:
    """What the two-layer model does with a setting's signals.

    Args:
        signal: concept signal, above 0.
        unit: the signal that becomes mu = 1.
        threshold: how near to its goal a concept counts as learned.

    Example:
        >>> path = expected_path(np.array([1.0, 2.0]), 1.0)
        >>> bool(path.arrivals[1] < path.turn < path.arrivals[0])
        True
    """
    task = task_of(signal, unit)
    begun = starting_weights(task, START)
    weakest = min(task.mu) ** 2 / task.num_concepts
    last = 1.3 * (np.log(1 / START.nudge) + 2 * np.log(1 / (1 - threshold)) + 4) / (2 * weakest)
    times = np.linspace(0, last, NUM_TIMES)
    path = outputs(task, two_layer(task, begun, times)) / np.array(task.mu)
    arrivals = arrival_times(times, path, np.ones(task.num_concepts), threshold)
    weak = learning_order(task)[-1]
    helped = float(turn_times(task, begun)[weak])
    after = times >= min(helped, last)
    low = int(np.flatnonzero(after)[np.argmin(path[after, weak])])
    top = float(path[: low + 1, weak].max())
    if low == NUM_TIMES - 1 or top - path[low, weak] < LEAST_FALL:
        return ExpectedPath(times, path, arrivals, float("nan"), float("nan"))
    end = np.searchsorted(times, arrivals.max())
    return ExpectedPath(
        times, path, arrivals, float(times[low]), slowing(times[: end + 1], path[: end + 1], low)
    )


def slowing(
    times: Real[np.ndarray, " time"], path: Float[np.ndarray, "time concept"], turn: int
) -> float:
    """Speed of the leg after a turn over that of the leg before it, as the crow flies.

    Args:
        times: rising.
        path: coordinates.
        turn: index; NaN is returned if it is an end.
    """
    if not 0 < turn < len(times) - 1:
        return float("nan")
    before = np.linalg.norm(path[turn] - path[0]) / (times[turn] - times[0])
    after = np.linalg.norm(path[-1] - path[turn]) / (times[-1] - times[turn])
    return float(after / before) if before else float("nan")


def lowest_point(
    nearness: Float[np.ndarray, " checkpoint"], begin: int, smoothing: float, least: float
) -> int:
    """Index of the lowest point of a measured coordinate, if it rises again.

    Args:
        nearness: the weaker coordinate, read towards the class's own corner.
        begin: first checkpoint that counts.
        smoothing: standard deviation of a Gaussian, in checkpoints.
        least: how much it must rise afterwards to be a turn.

    Returns:
        the index, or -1 if it does not rise so much: the turn is later than the end, or never.
    """
    curve = smooth(np.asarray(nearness, dtype=float)[None], smoothing)[0]
    if np.isnan(curve).any() or begin >= len(curve):
        return -1
    low = begin + int(np.argmin(curve[begin:]))
    return low if curve[low:].max() - curve[low] > least else -1
