"""The colours of object and background that fit an image best, once the silhouette is known."""

import torch
from jaxtyping import Float
from torch import Tensor

Box = tuple[Float[Tensor, " channel"], Float[Tensor, " channel"]]
"""Lowest and highest value of each channel."""


def fit_colours(
    pixels: Float[Tensor, "batch channel pixel"],
    mask: Float[Tensor, "batch pixel"],
    colour_box: Box,
    background_box: Box,
) -> tuple[Float[Tensor, "batch channel"], Float[Tensor, "batch channel"]]:
    """Least squares of `mask * colour + (1 - mask) * background` within both boxes, exactly.

    Each channel is a convex quadratic in two unknowns: if its minimum lies outside of the
    rectangle, the answer is the best of the minima on the four edges.

    Returns:
        Colour and background, (batch, channel) each.
    """
    rest = 1 - mask
    mm, rr, mr = (mask * mask).sum(1), (rest * rest).sum(1), (mask * rest).sum(1)
    mm, rr, mr = (value[:, None] for value in (mm, rr, mr))
    mx = torch.einsum("bcp,bp->bc", pixels, mask)
    rx = pixels.sum(2) - mx
    (low_a, high_a), (low_b, high_b) = colour_box, background_box

    def cost(a: Tensor, b: Tensor) -> Tensor:
        return mm * a * a + rr * b * b + 2 * (mr * a * b - mx * a - rx * b)

    def colour_given(b: Tensor) -> Tensor:
        return torch.minimum(torch.maximum((mx - mr * b) / mm.clamp(min=_TINY), low_a), high_a)

    def background_given(a: Tensor) -> Tensor:
        return torch.minimum(torch.maximum((rx - mr * a) / rr.clamp(min=_TINY), low_b), high_b)

    determinant = (mm * rr - mr * mr).clamp(min=_TINY)
    a, b = (rr * mx - mr * rx) / determinant, (mm * rx - mr * mx) / determinant
    inside = (a >= low_a) & (a <= high_a) & (b >= low_b) & (b <= high_b)
    if inside.all():
        return a, b
    edges = [(edge.expand_as(mx), background_given(edge)) for edge in (low_a, high_a)]
    edges += [(colour_given(edge), edge.expand_as(mx)) for edge in (low_b, high_b)]
    least = torch.full_like(mx, torch.inf)
    edge_a, edge_b = a, b
    for candidate_a, candidate_b in edges:
        value = cost(candidate_a, candidate_b)
        lower = value < least
        least = torch.where(lower, value, least)
        edge_a = torch.where(lower, candidate_a, edge_a)
        edge_b = torch.where(lower, candidate_b, edge_b)
    return torch.where(inside, a, edge_a), torch.where(inside, b, edge_b)


_TINY = 1e-9  # keeps a silhouette that is out of the frame from dividing by zero
