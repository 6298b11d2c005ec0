"""The noise schedule gamma(t) = -log SNR(t), linear in time (Kingma et al. 2021, appendix H)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


class LinearSchedule(nn.Module):
    """gamma(t) = b + |w| t, with b and w trained or fixed.

    Args:
        gamma_start: gamma(0) at the start.
        gamma_end: gamma(1) at the start.
        learned: whether b and w are parameters.
    """

    def __init__(self, gamma_start: float, gamma_end: float, *, learned: bool) -> None:
        super().__init__()
        intercept = torch.tensor(gamma_start)
        slope = torch.tensor(gamma_end - gamma_start)
        if learned:
            self.intercept = nn.Parameter(intercept)
            self.slope = nn.Parameter(slope)
        else:
            self.register_buffer("intercept", intercept)
            self.register_buffer("slope", slope)

    def forward(self, time: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
        """gamma at times in [0, 1]."""
        return self.intercept + self.slope.abs() * time

    def derivative(self) -> Float[Tensor, ""]:
        """gamma'(t), the same at every time."""
        return self.slope.abs()

    def ends(self) -> tuple[float, float]:
        """gamma(0) and gamma(1)."""
        start = float(self.intercept.detach())
        return start, start + float(self.slope.detach().abs())


class NoSchedule:
    """Stands in models that have no schedule of their own to learn or to look at."""

    def ends(self) -> tuple[float, float]:
        """gamma(0) and gamma(1) do not exist."""
        return math.nan, math.nan
