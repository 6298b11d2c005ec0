"""The inversion probe: the factors that would have drawn an image, and how far it is from them."""

import math
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from conceptspace.concepts import ConceptSpace
from conceptspace.data.factors import FACTOR_WIDTHS
from conceptspace.data.world import SyntheticWorld, check_space
from conceptspace.probes.classifier import check_images
from conceptspace.probes.colours import Box
from conceptspace.probes.fitting import GEOMETRY, Fit, ObjectFitter
from conceptspace.probes.hull import factor_ranges, least_contrast, widened
from conceptspace.probes.precision import full_precision
from conceptspace.probes.settings import InversionSettings

_CHUNK = 256  # images at a time, so that the working set stays in a CPU's caches
_DEVICE_PIXELS = 2**21
# Pixels at a time elsewhere, 2048 images of 32 x 32: a GPU is faster with fewer and larger kernels.

# What noise alone does, in units of its standard deviation or variance. Measured on renders with
# noise: at 16 pixels fewer than one in a thousand goes beyond, at 32 the tolerances cover the rest.
_MEAN_SQUARE_DEVIATIONS = 3.5
# Of the mean square from the noise's variance, in its own standard deviations.
_LARGEST_LOCAL = 26.0
# Squared norm over three channels of noise under a unit-energy blur, the largest of all pixels.
_LEAST_EVIDENCE = 11.0
# Fall of the sum of squares by the best object in a blank image of n pixels, less 2 ln n (there are
# n places to try): fewer than one blank in a hundred goes beyond.


@dataclass(frozen=True)
class Inverted:
    """What would have drawn each image.

    Attributes:
        z: concept vectors (batch, space width).
        factors: every factor of G, (batch, factor width) each.
        residual: RMS of image minus fit over pixels and channels, less the noise expected,
            (batch,).
        local_excess: the largest local residual over what is allowed there, (batch,); beyond 1 it
            is neither noise nor a model's small errors.
        contrast: RMS over channels of object minus background as the image has it, (batch,); the
            fit's own is at least what the hull leaves.
        off_manifold: whether G draws nothing like it, bool (batch,).
    """

    z: Tensor
    factors: dict[str, Tensor]
    residual: Tensor
    local_excess: Tensor
    contrast: Tensor
    off_manifold: Tensor


class Inversion:
    """Fits the factors of images by least squares through G, on whatever device they are.

    What the search starts from is laid out on the CPU and copied to a device when the first images
    from there come.

    Args:
        world: the built-in synthetic world.
        space: the concepts to read.
        settings: range of the search and tolerances.

    Raises:
        TypeError: the world is another one; its images can be judged by the classifier alone.
    """

    def __init__(
        self, world: SyntheticWorld, space: ConceptSpace, settings: InversionSettings | None = None
    ) -> None:
        if not isinstance(world, SyntheticWorld):
            raise TypeError(
                f"world must be a SyntheticWorld to be inverted, not {type(world).__name__}; "
                "leave the inversion out (inversion=None) for other worlds"
            )
        check_space(space, world)
        self.world, self.space = world, space
        self.settings = settings or InversionSettings()
        self.ranges = factor_ranges(world, space)
        self.hull = widened(self.ranges, space, self.settings)
        self.minimum_contrast = (
            self.settings.minimum_contrast or least_contrast(space, self.ranges) / 4
        )
        fitters = [self._fitter(shape) for shape in _shapes(space)]
        self._fitters = {torch.device("cpu"): fitters}

    def invert(
        self, images: Float[Tensor, "batch channel height width"], sample_noise: float
    ) -> Inverted:
        """Fit every image and say whether G could have drawn it.

        Args:
            images: (batch, 3, image_size, image_size), values near [0, 1], not necessarily clipped.
            sample_noise: standard deviation of the pixel noise expected of the samples on top of
                the world's own, such as exp(gamma(0) / 2).

        Raises:
            ValueError: wrong shape or type, NaN, or a negative noise.
        """
        check_images(images, self.world.image_shape)
        check_noise(sample_noise)
        noise = math.hypot(sample_noise, self.world.noise)
        chunk = _CHUNK
        if images.device.type != "cpu":
            chunk = max(chunk, _DEVICE_PIXELS // self.world.image_size**2)
        with torch.no_grad(), full_precision(images.device):
            parts = [self._invert(part.float(), noise) for part in images.split(chunk)]
        return _joined(parts)

    def _fitters_on(self, device: torch.device) -> list[ObjectFitter]:
        if device not in self._fitters:
            on_cpu = self._fitters[torch.device("cpu")]
            self._fitters[device] = [fitter.to(device) for fitter in on_cpu]
        return self._fitters[device]

    def _fitter(self, shape: int) -> ObjectFitter:
        low, high = zip(*(self.hull[name] for name in GEOMETRY))
        return ObjectFitter(
            shape,
            self.world.image_size,
            geometry_box=_box((np.concatenate(low), np.concatenate(high))),
            colour_box=_box(self.hull["colour"]),
            background_box=_box(self.hull["background"]),
            max_iterations=self.settings.max_iterations,
        )

    def _invert(self, images: Tensor, noise: float) -> Inverted:
        pixels = images.flatten(2)
        first, *others = self._fitters_on(pixels.device)
        best = first.fit(pixels)
        shapes = torch.full((len(pixels),), first.shape, device=pixels.device)
        for fitter in others:
            other = fitter.fit(pixels)
            closer = (other.cost < best.cost).nonzero()[:, 0]
            best.overwrite(closer, other.rows(closer))
            shapes[closer] = fitter.shape
        return self._judged(pixels, best, shapes, noise)

    def _judged(self, pixels: Tensor, fit: Fit, shapes: Tensor, noise: float) -> Inverted:
        factors = {
            "shape": torch.nn.functional.one_hot(shapes, FACTOR_WIDTHS["shape"]).float(),
            "colour": fit.colour,
            "background": fit.background,
        }
        factors |= {name: fit.geometry[:, [i]] for i, name in enumerate(GEOMETRY)}
        freedom = pixels[0].numel() - len(GEOMETRY) - 2 * pixels.shape[1]
        mean_square = fit.cost / freedom
        contrast = _seen_contrast(pixels, fit.mask).square().mean(1).sqrt()
        without_object = (pixels - pixels.mean(2, keepdim=True)).square().sum((1, 2))
        evidence = without_object - fit.cost
        settings, variance = self.settings, noise**2
        spread = 1 + _MEAN_SQUARE_DEVIATIONS * math.sqrt(2 / freedom)
        least_evidence = _LEAST_EVIDENCE + 2 * math.log(pixels.shape[2])
        local_excess = self._local_excess(fit, variance)
        off_manifold = (
            (mean_square > spread * variance + settings.tolerance**2)
            | (local_excess > 1)
            | (contrast < self.minimum_contrast)
            | (evidence < max(least_evidence * variance, settings.local_tolerance**2))
        )
        return Inverted(
            z=torch.cat([factors[concept.factor] for concept in self.space.concepts], dim=1),
            factors=factors,
            residual=(mean_square - variance).clamp(min=0).sqrt(),
            local_excess=local_excess,
            contrast=contrast,
            off_manifold=off_manifold,
        )

    def _local_excess(self, fit: Fit, variance: float) -> Float[Tensor, " batch"]:
        """Largest local residual over what noise, tolerance and a shifted outline allow there."""
        size = self.world.image_size
        local = _blurred(fit.residual, size).square().sum(1)
        # How much the mask changes from pixel to pixel: what an outline off by one pixel leaves.
        edges = fit.slopes[:, :2].square().sum(1, keepdim=True).sqrt() * (2 / (size - 1))
        outline = _blurred(edges, size).square()[:, 0]
        outline = outline * (fit.colour - fit.background).square().sum(1)[:, None, None]
        allowed = (
            _LARGEST_LOCAL * variance
            + self.settings.local_tolerance**2
            + self.settings.edge_tolerance**2 * outline
        )
        # Without noise and tolerance nothing is allowed, and any residual is too much.
        return (local / allowed.clamp(min=1e-12)).flatten(1).amax(1).sqrt()


def check_noise(sample_noise: float) -> None:
    """Refuse a noise of samples that is none.

    Raises:
        ValueError: showing it, and what would be right.
    """
    if not (math.isfinite(sample_noise) and sample_noise >= 0):
        raise ValueError(
            f"sample_noise must be a finite standard deviation of at least 0, not {sample_noise!r}"
        )


def _seen_contrast(pixels: Tensor, mask: Tensor) -> Float[Tensor, "batch channel"]:
    """Object minus background by least squares for a given silhouette, with colours free."""
    centred = mask - mask.mean(1, keepdim=True)
    variance = centred.square().sum(1, keepdim=True).clamp(min=1e-9)
    return torch.bmm(pixels, centred[:, :, None])[:, :, 0] / variance


def _blurred(fields: Tensor, image_size: int) -> Float[Tensor, "batch channel height width"]:
    """Fields (batch, channel, pixel) under a Gaussian of one pixel and unit energy."""
    pixels = torch.arange(image_size, dtype=fields.dtype, device=fields.device)
    kernel = torch.exp(-0.5 * (pixels[:, None] - pixels).square())
    kernel = kernel / kernel.square().sum(1, keepdim=True).sqrt()
    return kernel @ fields.unflatten(2, (image_size, image_size)) @ kernel.T


def _shapes(space: ConceptSpace) -> tuple[int, ...]:
    """Circles alone, unless the shape is a concept."""
    return (0, 1) if any(concept.factor == "shape" for concept in space.concepts) else (0,)


def _box(ends: tuple[np.ndarray, np.ndarray]) -> Box:
    low, high = ends
    return (
        torch.as_tensor(low, dtype=torch.float32),
        torch.as_tensor(high, dtype=torch.float32),
    )


def _joined(parts: list[Inverted]) -> Inverted:
    joined = {}
    for field in fields(Inverted):
        values = [getattr(part, field.name) for part in parts]
        if field.name == "factors":
            joined["factors"] = {k: torch.cat([v[k] for v in values]) for k in values[0]}
        else:
            joined[field.name] = torch.cat(values)
    return Inverted(**joined)
