"""The landscape model: each coordinate of a class falls towards a target, and the target may shift.

da_i/dt = r_i (b_i(t) - a_i), a ball in a bowl whose lowest point moves. A class that is held out
first falls towards the training corner nearest by signal; as the weaker concept is learned, the
target shifts to its own corner, a sigmoid of time. Targets of training classes rest. After the toy
model of Park et al. 2024, section 4; the form with a sigmoid is ours.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real
from scipy.special import expit

NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
REACH = 28.0
"""Widths beyond which a sigmoid is at its end to 12 digits."""
PANEL_WIDTHS, PANEL_RATES = 2.5, 6.0
"""A panel of the quadrature is at most so many widths long, and so many times 1 / rate."""
MOST_PANELS = 2000


@dataclass(frozen=True)
class Landscape:
    """Parameters of the model, for one class in one setting or in many at once.

    Attributes:
        rates: r, above 0, one an axis, per unit of time.
        start: a at the first time.
        origin: target before the shift.
        goal: target after it; the same as origin where it rests.
        shift: time at which the target is half-way, one a setting; infinite where it never moves.
        width: of the sigmoid, above 0, in units of time: it goes from 12 to 88 % in 4 widths.
    """

    rates: Float[np.ndarray, "*setting axis"]
    start: Float[np.ndarray, "*setting axis"]
    origin: Float[np.ndarray, "*setting axis"]
    goal: Float[np.ndarray, "*setting axis"]
    shift: Float[np.ndarray, "*setting"]
    width: Float[np.ndarray, "*setting"]

    def __post_init__(self) -> None:
        if not (np.isfinite(self.rates).all() and (np.asarray(self.rates) > 0).all()):
            raise ValueError(f"rates must be finite and above 0, not {self.rates}")
        if not (np.isfinite(self.width).all() and (np.asarray(self.width) > 0).all()):
            raise ValueError(f"width must be finite and above 0, not {self.width}")
        if np.isnan(self.shift).any():
            raise ValueError("shift must be a time, or infinite where the target never moves")

    def target(self, times: Real[np.ndarray, " time"]) -> Float[np.ndarray, "*setting time axis"]:
        """b(t)."""
        shift, width = np.asarray(self.shift)[..., None], np.asarray(self.width)[..., None]
        share = expit((np.asarray(times, dtype=float) - shift) / width)
        origin, goal = self.origin[..., None, :], self.goal[..., None, :]
        return origin + (goal - origin) * share[..., None]

    def path(self, times: Real[np.ndarray, " time"]) -> Float[np.ndarray, "*setting time axis"]:
        """a(t), exact up to a quadrature that errs by less than 1e-9.

        Args:
            times: rising; a(times[0]) is the start.

        Raises:
            ValueError: if times do not rise.
        """
        times = np.asarray(times, dtype=float)
        if times.ndim != 1 or not times.size or not (np.diff(times) > 0).all():
            raise ValueError("times must be a row of rising numbers")
        passed = np.exp(-self.rates[..., None, :] * (times - times[0])[:, None])
        lag = _lag(times, np.asarray(self.rates), np.asarray(self.shift), np.asarray(self.width))
        first = self.target(times[:1])
        moved = (self.goal - self.origin)[..., None, :]
        # By parts: the target, less what is left of the first distance, less what lags behind.
        return self.target(times) + (self.start[..., None, :] - first) * passed - moved * lag


def _lag(
    times: np.ndarray, rates: np.ndarray, shift: np.ndarray, width: np.ndarray
) -> Float[np.ndarray, "*setting time axis"]:
    """Integral over s from the first time to t of exp(-r (t - s)) S'(s), S being the sigmoid."""
    shape = np.broadcast_shapes(rates.shape[:-1], shift.shape, width.shape)
    rates = np.broadcast_to(rates, (*shape, rates.shape[-1]))
    width = np.broadcast_to(width, shape)
    far = 2 * REACH * width  # as good as never, and finite
    shift = np.clip(np.broadcast_to(shift, shape), times[0] - far, times[-1] + far)
    needed = 2 * REACH * max(1 / PANEL_WIDTHS, float((rates.max(-1) * width).max()) / PANEL_RATES)
    grid = np.linspace(-REACH, REACH, min(int(needed) + 1, MOST_PANELS) + 1)
    panels = np.clip(shift[..., None] + width[..., None] * grid, times[0], times[-1])
    asked = np.broadcast_to(times, (*shape, len(times)))
    edges = np.concatenate([asked, panels], axis=-1)
    order = np.argsort(edges, axis=-1, kind="stable")
    edges = np.take_along_axis(edges, order, axis=-1)
    # exp(-r (edge - s)) S'(s) on each panel, then carried from edge to edge.
    half = np.diff(edges, axis=-1)[..., None] / 2
    spots = edges[..., :-1, None] + half * (1 + NODES)
    share = expit((spots - shift[..., None, None]) / width[..., None, None])
    slope = share * (1 - share) / width[..., None, None] * half * WEIGHTS
    back = np.exp(-(edges[..., 1:, None] - spots)[..., None] * rates[..., None, None, :])
    added = (slope[..., None] * back).sum(axis=-2)
    kept = np.exp(-2 * half * rates[..., None, :])
    sums = np.zeros((*edges.shape, rates.shape[-1]))
    for edge in range(edges.shape[-1] - 1):
        sums[..., edge + 1, :] = sums[..., edge, :] * kept[..., edge, :] + added[..., edge, :]
    places = np.argsort(order, axis=-1, kind="stable")[..., : len(times)]
    return np.take_along_axis(sums, places[..., None], axis=-2)


def nearest_corner(
    goal: Real[np.ndarray, " axis"], signal: Real[np.ndarray, "*setting axis"]
) -> Float[np.ndarray, "*setting axis"]:
    """Where a held-out class heads first: right in its strongest concept, 0 in the others.

    Args:
        goal: the class's own corner; a concept at 0 is at its value in training class 0...0.
        signal: concept signal.

    Example:
        >>> nearest_corner(np.array([1.0, 1.0]), np.array([0.9, 2.1]))
        array([0., 1.])
    """
    goal, signal = np.asarray(goal, dtype=float), np.asarray(signal, dtype=float)
    counted = np.where(goal > 0, signal, -np.inf)
    strongest = np.arange(signal.shape[-1]) == counted.argmax(axis=-1)[..., None]
    return np.where(strongest, goal, 0.0)
