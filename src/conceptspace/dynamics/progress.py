"""Progress curves: how far a path has come at each checkpoint, from 0 to 1.

They are the speeds that learning is expected to have: constant, exponential, sigmoid. A dictionary
of them turns fitting a speed into choosing one.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

RATE_RATIO, WIDTH_RATIO, CENTRE_PITCH = 1.3, 1.6, 0.075
RATES = 0.5 * RATE_RATIO ** np.arange(20)
"""Rates of exponential progress, in units of one over the whole duration: 0.5 to 73."""
CENTRES = np.arange(0.05, 1.0, CENTRE_PITCH)
WIDTHS = 0.01 * WIDTH_RATIO ** np.arange(7)
"""Centres and widths of sigmoid progress, as parts of the whole duration."""

ASYMMETRIES = (-1.0, 0.0, 1.0)
"""Sigmoids that start slowly and end abruptly, symmetric ones, and the reverse."""


def exponential(time: np.ndarray, rate: float) -> np.ndarray:
    """Progress from 0 at time 0 to 1 at time 1 that slows down at `rate` (speeds up below 0)."""
    return time if abs(rate) < 1e-6 else np.expm1(-rate * time) / np.expm1(-rate)


def sigmoid(time: np.ndarray, centre: float, width: float, asymmetry: float = 0.0) -> np.ndarray:
    """Sigmoid progress, rescaled to go from 0 at time 0 to 1 at time 1.

    Asymmetry 0 is the logistic curve, 1 is Gompertz's, which starts abruptly and ends slowly, and
    -1 is Gompertz's reversed.
    """
    low, high, now = (_raw_sigmoid((x - centre) / width, asymmetry) for x in (0.0, 1.0, time))
    return (now - low) / (high - low)


def _raw_sigmoid(x: np.ndarray | float, asymmetry: float) -> np.ndarray:
    if asymmetry == 0:
        return 0.5 * np.tanh(0.5 * np.asarray(x))
    gompertz = np.exp(-np.exp(np.clip(-asymmetry * np.asarray(x), -700, 50)))
    return asymmetry * gompertz


def leg_curves(time: Float[np.ndarray, "*any"]) -> list[Float[np.ndarray, "*any"]]:
    """Progress along a leg from 0 to 1: even, slowing down, speeding up, or resting at its end."""
    curves = [exponential(time, rate) for rate in (0.0, -3.0, 3.0, 8.0)]
    curves += [sigmoid(time, 0.5, 0.12), sigmoid(time, 0.3, 0.07)]
    return [*curves, np.minimum(time / 0.6, 1)]


def clocks(steps: Float[np.ndarray, " checkpoint"]) -> list[np.ndarray]:
    """Time from 0 to 1, counted in checkpoints and (where that differs) in steps."""
    by_index = np.linspace(0, 1, len(steps))
    by_step = (steps - steps[0]) / (steps[-1] - steps[0])
    return [by_index] if np.allclose(by_index, by_step, atol=1e-3) else [by_index, by_step]


@dataclass(frozen=True)
class Progress:
    """A progress curve: exponential with shape (rate), sigmoid with (centre, width, asymmetry)."""

    clock: int
    shape: tuple[float, ...]

    def __call__(self, times: list[np.ndarray]) -> Float[np.ndarray, " checkpoint"]:
        curve = exponential if len(self.shape) == 1 else sigmoid
        return curve(times[self.clock], *self.shape)

    @property
    def is_gentle(self) -> bool:
        """Whether it takes at least a twentieth of the duration to change its speed."""
        return abs(self.shape[0]) <= 20 if len(self.shape) == 1 else self.shape[1] >= 0.05

    def neighbours(self, reach: float = 1.0) -> "list[Progress]":
        """Curves between this one and the next ones of the dictionary, or part of the way there."""
        factors = RATE_RATIO ** (reach * np.linspace(-1, 1, 7))
        if len(self.shape) == 1:
            return [Progress(self.clock, (self.shape[0] * factor,)) for factor in factors]
        centre, width, asymmetry = self.shape
        centres = centre + reach * CENTRE_PITCH * np.linspace(-1, 1, 9)
        widths = width * WIDTH_RATIO ** (reach * np.linspace(-1, 1, 9))
        return [Progress(self.clock, (c, w, asymmetry)) for c in centres for w in widths]


def progress_dictionary(num_clocks: int) -> list[Progress]:
    """Constant speed, speeds that fall or rise exponentially, and sigmoids."""
    rates = [0.0, *RATES, *-RATES[: len(RATES) // 2]]
    shapes: list[tuple[float, ...]] = [(float(rate),) for rate in rates]
    shapes += [(float(c), float(w), a) for c in CENTRES for w in WIDTHS for a in ASYMMETRIES]
    return [Progress(clock, shape) for clock in range(num_clocks) for shape in shapes]
