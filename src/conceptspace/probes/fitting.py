"""Finds the object in an image: position and size by search, colours in closed form.

G is linear in the colours of object and background once the silhouette is known. They are
therefore eliminated in closed form at every step (variable projection, Golub and Pereyra 1973), and
what is left to search for is x, y and size.
"""

import copy
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float
from torch import Tensor

from conceptspace.data.render import silhouette_mask
from conceptspace.probes.colours import Box, fit_colours

GEOMETRY = ("x", "y", "size")
"""What is searched for, in this order."""

_BANK_SPACING = 1.0
# Pixels between neighbouring positions and sizes of the bank. The blur is one pixel wide, so the
# error has one valley between neighbours.

_NUM_CANDIDATES = 6  # silhouettes of the bank that are tried with colours in the hull
_SLOPE_STEP = 0.01  # pixels; the derivative is right to about 0.005 of its largest value
_FIRST_DAMPING = 1e-3
_LEAST_GAIN = 1e-4  # an image whose squared error falls by a smaller share is done
_TINY = 1e-12


@dataclass
class Fit:
    """The best fit of each image.

    Attributes:
        geometry: x, y and size, (batch, 3).
        colour: of the object, (batch, channel).
        background: (batch, channel).
        mask: the silhouette, (batch, pixel).
        residual: image minus fit, (batch, channel, pixel).
        slopes: derivatives of the silhouette in x, y and size, (batch, 3, pixel).
        cost: sum of squares of the residual, (batch,).
    """

    geometry: Tensor
    colour: Tensor
    background: Tensor
    mask: Tensor
    residual: Tensor
    slopes: Tensor
    cost: Tensor

    def rows(self, rows: Tensor) -> "Fit":
        """The fit of some images."""
        return Fit(*(getattr(self, field.name)[rows] for field in fields(self)))

    def overwrite(self, rows: Tensor, other: "Fit") -> None:
        """Put another fit's images in place of some of these, in the order of `rows`."""
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)


class ObjectFitter:
    """Fits one kind of silhouette, circles or triangles.

    Args:
        shape: index into the shape factor: 0 for circles, 1 for triangles.
        image_size: height and width in pixels.
        geometry_box: lowest and highest x, y and size.
        colour_box: lowest and highest colour of the object.
        background_box: lowest and highest colour of the background.
        max_iterations: Levenberg-Marquardt steps at most.
    """

    def __init__(
        self,
        shape: int,
        image_size: int,
        *,
        geometry_box: Box,
        colour_box: Box,
        background_box: Box,
        max_iterations: int,
    ) -> None:
        self.shape, self.image_size, self.max_iterations = shape, image_size, max_iterations
        self.geometry_box = geometry_box
        self.colour_box, self.background_box = colour_box, background_box
        self._bank_geometry = self._grid()
        self._bank = self._silhouettes(self._bank_geometry)
        self._standardised_bank = _standardised(self._bank)

    def to(self, device: torch.device) -> "ObjectFitter":
        """The same fitter for images on another device."""
        moved = copy.copy(self)
        moved.geometry_box = _box_on(device, self.geometry_box)
        moved.colour_box = _box_on(device, self.colour_box)
        moved.background_box = _box_on(device, self.background_box)
        moved._bank_geometry = self._bank_geometry.to(device)
        moved._bank = self._bank.to(device)
        moved._standardised_bank = self._standardised_bank.to(device)
        return moved

    def fit(self, pixels: Float[Tensor, "batch channel pixel"]) -> Fit:
        """Fit every image."""
        best = self._evaluate(pixels, self._best_of_bank(pixels))
        damping = torch.full_like(best.cost, _FIRST_DAMPING)
        active = torch.arange(len(pixels), device=pixels.device)
        for _ in range(self.max_iterations):
            now = best.rows(active)
            free = (
                _within(now.colour, self.colour_box),
                _within(now.background, self.background_box),
            )
            geometry = self._within_box(now.geometry + _step(now, damping[active], free))
            trial = self._evaluate(pixels[active], geometry)
            lower = trial.cost < now.cost
            best.overwrite(active[lower], trial.rows(lower.nonzero()[:, 0]))
            damping[active] *= torch.where(lower, 0.1, 10.0)
            done = lower & (trial.cost > (1 - _LEAST_GAIN) * now.cost) | (damping[active] > 1e3)
            active = active[~done]
            if len(active) == 0:
                break
        return best

    def _best_of_bank(self, pixels: Tensor) -> Tensor:
        """The geometry in the bank that fits best, (batch, 3).

        The variance that a silhouette explains with free colours is one matrix product for the
        whole bank; of the best few, the one that fits best with colours in the hull is taken.
        """
        matches = (pixels.flatten(0, 1) @ self._standardised_bank.T).unflatten(0, pixels.shape[:2])
        best = matches.square_().sum(1).topk(_NUM_CANDIDATES, dim=1).indices.flatten()
        repeated = pixels.repeat_interleave(_NUM_CANDIDATES, dim=0)
        residual = self._solve(repeated, self._bank[best])[2]
        cost = residual.square().sum((1, 2)).unflatten(0, (-1, _NUM_CANDIDATES))
        chosen = best.unflatten(0, (-1, _NUM_CANDIDATES)).gather(1, cost.argmin(1, keepdim=True))
        return self._bank_geometry[chosen[:, 0]]

    def _solve(self, pixels: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Colour, background and residual for given silhouettes."""
        colour, background = fit_colours(pixels, mask, self.colour_box, self.background_box)
        contrast = colour - background
        drawn = background[:, :, None] + contrast[:, :, None] * mask[:, None]
        return colour, background, pixels - drawn

    def _evaluate(self, pixels: Tensor, geometry: Tensor) -> Fit:
        mask, slopes = self._silhouettes_and_slopes(geometry)
        colour, background, residual = self._solve(pixels, mask)
        cost = residual.square().sum((1, 2))
        return Fit(geometry, colour, background, mask, residual, slopes, cost)

    def _within_box(self, geometry: Tensor) -> Tensor:
        low, high = self.geometry_box
        return torch.minimum(torch.maximum(geometry, low), high)

    def _silhouettes(self, geometry: Tensor) -> Float[Tensor, "batch pixel"]:
        weights = geometry.new_zeros(len(geometry), 2)
        weights[:, self.shape] = 1
        masks = silhouette_mask(
            weights, geometry[:, :2], geometry[:, 2], image_size=self.image_size
        )
        return masks.flatten(1)

    def _silhouettes_and_slopes(self, geometry: Tensor) -> tuple[Tensor, Tensor]:
        """Silhouettes (batch, pixel), and their derivatives in x, y and size (batch, 3, pixel).

        By differences: G is smooth, the least squares need no more than three digits, and the four
        silhouettes cost a third of what forward-mode differentiation does at this size.
        """
        step = _SLOPE_STEP * 2 / (self.image_size - 1)
        axes = torch.eye(3, device=geometry.device)
        moved = torch.cat([geometry, *(geometry + step * axis for axis in axes)])
        masks = self._silhouettes(moved).unflatten(0, (4, -1))
        return masks[0], ((masks[1:] - masks[0]) / step).transpose(0, 1)

    def _grid(self) -> Float[Tensor, "bank 3"]:
        spacing = _BANK_SPACING * 2 / (self.image_size - 1)
        axes = []
        for low, high in zip(*self.geometry_box):
            num = int((high - low) / spacing) + 2
            axes.append(torch.linspace(float(low), float(high), num))
        return torch.cartesian_prod(*axes)


def _step(fit: Fit, damping: Tensor, free: tuple[Tensor, Tensor]) -> Float[Tensor, "batch 3"]:
    """The damped Gauss-Newton step in x, y and size, with the colours eliminated.

    Channel c moves by contrast_c * slope. What the colours can undo of that lies in the span of
    the mask (if the object's colour is not at the end of its range) and of 1 - mask (likewise the
    background's) and is projected out of the slopes (Kaufman 1975).
    """
    contrast = fit.colour - fit.background
    pull = torch.bmm(contrast[:, None], fit.residual)
    gradient = torch.bmm(fit.slopes, pull.mT)
    basis = torch.stack((fit.mask, 1 - fit.mask), dim=1)
    overlap = torch.bmm(basis, fit.slopes.mT)
    weights = contrast.square()
    undone = _summed_inverses(torch.bmm(basis, basis.mT), weights, *free)
    curvature = torch.bmm(fit.slopes, fit.slopes.mT) * weights.sum(1)[:, None, None]
    curvature -= torch.bmm(overlap.mT, torch.bmm(undone, overlap))
    diagonal = curvature.diagonal(dim1=1, dim2=2)
    # The last terms keep the matrix regular where an object cannot be seen at all.
    diagonal += damping[:, None] * diagonal + 1e-6 * diagonal.sum(1, keepdim=True) + _TINY
    return torch.linalg.solve_ex(curvature, gradient)[0][:, :, 0]


def _summed_inverses(
    gram: Float[Tensor, "batch 2 2"], weights: Tensor, free_colour: Tensor, free_background: Tensor
) -> Float[Tensor, "batch 2 2"]:
    """Sum over channels of weight times the inverse of the Gram matrix of the free colours."""
    mm, mr, rr = gram[:, 0, 0], gram[:, 0, 1], gram[:, 1, 1]
    inverse = 1 / (mm * rr - mr * mr).clamp(min=_TINY)
    both = (weights * (free_colour & free_background)).sum(1)
    colour = (weights * (free_colour & ~free_background)).sum(1)
    background = (weights * (free_background & ~free_colour)).sum(1)
    off = -both * mr * inverse
    first = both * rr * inverse + colour / mm.clamp(min=_TINY)
    last = both * mm * inverse + background / rr.clamp(min=_TINY)
    return torch.stack((first, off, off, last), dim=1).unflatten(1, (2, 2))


def _box_on(device: torch.device, box: Box) -> Box:
    low, high = box
    return low.to(device), high.to(device)


def _within(values: Tensor, box: Box) -> Tensor:
    """Where values lie strictly inside of a box."""
    return (values > box[0]) & (values < box[1])


def _standardised(masks: Float[Tensor, "batch pixel"]) -> Float[Tensor, "batch pixel"]:
    """Masks less their mean, of norm 1."""
    centred = masks - masks.mean(1, keepdim=True)
    return centred / centred.norm(dim=1, keepdim=True).clamp(min=1e-6)
