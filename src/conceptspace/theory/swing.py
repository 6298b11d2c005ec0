"""Swing-by: the loss at the probe falls, rises, and falls again; and when each concept is learned.

The verdict is computed. A leg of the curve counts if it is larger than a stated share of the first
loss, so neither rounding nor the noise of a trained network makes one.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real

TOLERANCE = 0.01
"""Least size of a leg, as a share of the first loss."""


@dataclass(frozen=True)
class SwingBy:
    """Whether a loss swings by, and where.

    Attributes:
        appears: whether it falls, rises and falls again, each time by more than the tolerance.
        turn_time: where it first begins to rise after a fall; None if it never does.
        return_time: where it begins to fall again; None if it never does.
        rise: from the turn to where it is highest afterwards, as a share of the first loss; 0
            without a turn.
        tolerance: what the legs were held against, as a share of the first loss.
    """

    appears: bool
    turn_time: float | None
    return_time: float | None
    rise: float
    tolerance: float

    def in_words(self) -> str:
        """The verdict in one sentence."""
        least = f"legs above {100 * self.tolerance:g} % of the first loss count"
        if self.turn_time is None:
            return f"no swing-by: the loss at the probe never rises after a fall ({least})"
        rises = f"rises by {100 * self.rise:.1f} % of its first value from t = {self.turn_time:.3g}"
        if self.return_time is None:
            return f"no swing-by: the loss at the probe falls, {rises}, and falls no more ({least})"
        return (
            f"swing-by: the loss at the probe falls, {rises}, "
            f"and falls again from t = {self.return_time:.3g} ({least})"
        )


def swing_by(
    times: Real[np.ndarray, " time"], loss: Float[np.ndarray, " time"], tolerance: float = TOLERANCE
) -> SwingBy:
    """Judge a loss at the probe over time.

    Args:
        times: of each loss, rising; any unit.
        loss: at least one number, the first above 0.
        tolerance: least size of a fall or a rise that counts, as a share of the first loss; above
            0 and below 1. Above the noise of the curve, or noise is taken for a swing.

    Raises:
        ValueError: if lengths differ, a number is not finite, or the tolerance is out of range.

    Example:
        >>> swing_by(np.arange(5), np.array([2.0, 0.5, 0.9, 0.4, 0.1])).appears
        True
    """
    times, loss = np.asarray(times, dtype=float), np.asarray(loss, dtype=float)
    if times.shape != loss.shape or loss.ndim != 1 or not loss.size:
        raise ValueError(f"times {times.shape} and loss {loss.shape} must be rows of one length")
    if not np.isfinite(loss).all() or loss[0] <= 0:
        raise ValueError("loss must be finite and its first number above 0")
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must be between 0 and 1, not {tolerance}")
    pivots = reversals(loss, tolerance * loss[0])
    changes = np.sign(np.diff(loss[pivots]))
    for leg in range(len(changes) - 1):
        if changes[leg] < 0:  # legs alternate, so the next one rises
            turn, top = pivots[leg + 1], pivots[leg + 2]
            again = leg + 2 < len(changes)
            rise = float((loss[top] - loss[turn]) / loss[0])
            back = float(times[top]) if again else None
            return SwingBy(again, float(times[turn]), back, rise, tolerance)
    return SwingBy(False, None, None, 0.0, tolerance)


def reversals(curve: Float[np.ndarray, " time"], least: float) -> list[int]:
    """Indices where a curve changes direction, its ends included, if every leg exceeds `least`."""
    pivots: list[int] = []
    low = high = extreme = 0
    direction = 0
    for index, value in enumerate(curve):
        if direction == 0:
            low = index if value < curve[low] else low
            high = index if value > curve[high] else high
            if value - curve[low] > least:
                direction, pivots, extreme = 1, [low], index
            elif curve[high] - value > least:
                direction, pivots, extreme = -1, [high], index
        elif direction * (value - curve[extreme]) > 0:
            extreme = index
        elif direction * (curve[extreme] - value) > least:
            pivots.append(extreme)
            direction, extreme = -direction, index
    return [*pivots, extreme] if direction else [0]


def arrival_times(
    times: Real[np.ndarray, " time"],
    answers: Float[np.ndarray, "time concept"],
    goals: Real[np.ndarray, " concept"],
    threshold: float = 0.9,
) -> Float[np.ndarray, " concept"]:
    """When each concept is learned: from then on its output stays near its goal.

    Args:
        times: rising.
        answers: a concept's output over time.
        goals: what it should be; not 0.
        threshold: near means within 1 - threshold of the goal, as a share of it.

    Returns:
        times, infinite where not by the last one (censored there).
    """
    far = np.abs(answers / goals - 1) > 1 - threshold
    arrived = np.full(far.shape[1], np.inf)
    for concept, column in enumerate(far.T):
        last_far = np.flatnonzero(column)[-1] if column.any() else -1
        if last_far + 1 < len(times):
            arrived[concept] = times[last_far + 1]
    return arrived
