"""The inversion probe: the factors that would have drawn an image, and how far it is from them."""

import math
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from conceptspace.concepts import ConceptSpace
from conceptspace.data.factors import FACTOR_WIDTHS
from conceptspace.data.render import MAXIMUM_SIZE
from conceptspace.data.world import SyntheticWorld, World, check_space
from conceptspace.probes.classifier import check_images
from conceptspace.probes.fitting import GEOMETRY, Fit, ObjectFitter
from conceptspace.probes.settings import InversionSettings

_SMALLEST_SIZE = 0.05  # a radius below half a pixel at 16 x 16 is no object
_COLOUR_MARGIN = 0.1  # samples of a model are not clipped, so neither is the hull at 0 and 1
_CHUNK = 256  # images at a time, so that the working set stays small

_MEAN_SQUARE_DEVIATIONS = 3.0
_LARGEST_LOCAL = 24.0
_LEAST_EVIDENCE = 21.0

FactorRanges = dict[str, tuple[np.ndarray, np.ndarray]]
"""Lowest and highest value of each factor, (factor width,) each."""


@dataclass(frozen=True)
class Inverted:
    """What would have drawn each image.

    Attributes:
        z: concept vectors (batch, space width).
        factors: every factor of G, (batch, factor width) each.
        residual: RMS over pixels and channels of image minus fit, less the noise expected, (batch,).
        local_residual: largest norm over channels of the residual under a Gaussian of one pixel and
            unit energy, (batch,); noise included.
        contrast: RMS over channels of object minus background, (batch,).
        off_manifold: whether G draws nothing like it, bool (batch,).
    """

    z: Tensor
    factors: dict[str, Tensor]
    residual: Tensor
    local_residual: Tensor
    contrast: Tensor
    evidence: Tensor
    off_manifold: Tensor


class Inversion:
    """Fits the factors of images by least squares through G.

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
        self.minimum_contrast = self.settings.minimum_contrast
        if self.minimum_contrast is None:
            self.minimum_contrast = least_contrast(space, self.ranges) / 2
        self._fitters = [self._fitter(shape) for shape in _shapes(space)]

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
        if not (math.isfinite(sample_noise) and sample_noise >= 0):
            raise ValueError(
                "sample_noise must be a finite standard deviation of at least 0, "
                f"not {sample_noise!r}"
            )
        noise = math.hypot(sample_noise, self.world.noise)
        with torch.no_grad():
            parts = [self._invert(part.float(), noise) for part in images.split(_CHUNK)]
        return _joined(parts)

    def _fitter(self, shape: int) -> ObjectFitter:
        boxes = {
            name: tuple(torch.as_tensor(end, dtype=torch.float32) for end in self.hull[name])
            for name in ("colour", "background")
        }
        low, high = zip(*(self.hull[name] for name in GEOMETRY))
        return ObjectFitter(
            shape,
            self.world.image_size,
            geometry_box=(_flat(low), _flat(high)),
            colour_box=boxes["colour"],
            background_box=boxes["background"],
            max_iterations=self.settings.max_iterations,
        )

    def _invert(self, images: Tensor, noise: float) -> Inverted:
        pixels = images.flatten(2)
        best = self._fitters[0].fit(pixels)
        shapes = torch.zeros(len(pixels), dtype=torch.int64)
        for fitter in self._fitters[1:]:
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
        contrast = (fit.colour - fit.background).square().mean(1).sqrt()
        evidence = pixels.shape[1] * contrast.square() * fit.mask.var(1) * fit.mask.shape[1]
        local = largest_local(fit.residual, self.world.image_size)
        settings, variance = self.settings, noise**2
        spread = _MEAN_SQUARE_DEVIATIONS * math.sqrt(2 / freedom)
        off_manifold = (
            (mean_square > (1 + spread) * variance + settings.tolerance**2)
            | (local.square() > _LARGEST_LOCAL * variance + settings.local_tolerance**2)
            | (contrast < self.minimum_contrast)
            | (evidence < _LEAST_EVIDENCE * variance)
        )
        return Inverted(
            z=torch.cat([factors[concept.factor] for concept in self.space.concepts], dim=1),
            factors=factors,
            residual=(mean_square - variance).clamp(min=0).sqrt(),
            local_residual=local,
            contrast=contrast,
            evidence=evidence,
            off_manifold=off_manifold,
        )


def factor_ranges(world: World, space: ConceptSpace) -> FactorRanges:
    """Lowest and highest value of every factor: of the concept that drives it, or of its prior."""
    of_concept = {concept.factor: concept.range() for concept in space.concepts}
    rng = np.random.default_rng(0)  # only finds the ends of a range
    ranges = {}
    for factor in world.factor_widths:
        if factor in of_concept:
            ranges[factor] = of_concept[factor]
        else:
            draws = world.draw_nuisance(factor, 4096, rng)
            ranges[factor] = (draws.min(axis=0), draws.max(axis=0))
    return ranges


def widened(ranges: FactorRanges, space: ConceptSpace, settings: InversionSettings) -> FactorRanges:
    """The ranges widened, and cut to what the renderer draws."""
    concepts = {concept.factor for concept in space.concepts}
    limits = {
        "size": (_SMALLEST_SIZE, MAXIMUM_SIZE),
        "colour": (-_COLOUR_MARGIN, 1 + _COLOUR_MARGIN),
        "background": (-_COLOUR_MARGIN, 1 + _COLOUR_MARGIN),
    }
    hull = {}
    for factor, (low, high) in ranges.items():
        widening = settings.nuisance_widening
        if factor in concepts:
            widening = settings.widening.get(factor, 0.0)
        lowest, highest = limits.get(factor, (-np.inf, np.inf))
        hull[factor] = (np.maximum(low - widening, lowest), np.minimum(high + widening, highest))
    return hull


def least_contrast(space: ConceptSpace, ranges: FactorRanges) -> float:
    """Least RMS over channels between a class's mean object and the nearest mean background."""
    boxes = {"colour": [ranges["colour"]], "background": [ranges["background"]]}
    for concept in space.concepts:
        if concept.factor in boxes:
            means = [concept.mean(index) for index in range(concept.num_values)]
            boxes[concept.factor] = [(mean, mean) for mean in means]
    gaps = [
        np.maximum(0, np.maximum(low_b - high_a, low_a - high_b))
        for low_a, high_a in boxes["colour"]
        for low_b, high_b in boxes["background"]
    ]
    return min(float(np.sqrt(np.mean(gap**2))) for gap in gaps)


def largest_local(residual: Tensor, image_size: int) -> Float[Tensor, " batch"]:
    """Largest norm over channels of the residual under a Gaussian of one pixel and unit energy."""
    pixels = torch.arange(image_size, dtype=residual.dtype)
    kernel = torch.exp(-0.5 * (pixels[:, None] - pixels).square())
    kernel = kernel / kernel.square().sum(1, keepdim=True).sqrt()
    images = residual.unflatten(2, (image_size, image_size))
    return (kernel @ images @ kernel.T).square().sum(1).flatten(1).amax(1).sqrt()


def _shapes(space: ConceptSpace) -> tuple[int, ...]:
    """Circles alone, unless the shape is a concept."""
    return (0, 1) if any(concept.factor == "shape" for concept in space.concepts) else (0,)


def _flat(values: tuple[np.ndarray, ...]) -> Tensor:
    return torch.as_tensor(np.concatenate(values), dtype=torch.float32)


def _joined(parts: list[Inverted]) -> Inverted:
    joined = {}
    for field in fields(Inverted):
        values = [getattr(part, field.name) for part in parts]
        if field.name == "factors":
            joined["factors"] = {k: torch.cat([v[k] for v in values]) for k in values[0]}
        else:
            joined[field.name] = torch.cat(values)
    return Inverted(**joined)
