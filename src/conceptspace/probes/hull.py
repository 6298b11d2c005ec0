"""Where an inversion looks: the ranges of the world's factors, widened, and its least contrast."""

import numpy as np

from conceptspace.concepts import ConceptSpace
from conceptspace.data.silhouettes import MAXIMUM_SIZE
from conceptspace.data.world import World
from conceptspace.probes.settings import InversionSettings

FactorRanges = dict[str, tuple[np.ndarray, np.ndarray]]
"""Lowest and highest value of each factor, (factor width,) each."""

_SMALLEST_SIZE = 0.05  # a radius below half a pixel at 16 x 16 is no object
_LARGEST_SIZE = 0.98 * MAXIMUM_SIZE  # leaves the renderer room for a difference quotient
_COLOUR_MARGIN = 0.1  # samples of a model are not clipped, so neither is the hull at 0 and 1


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
        "size": (_SMALLEST_SIZE, _LARGEST_SIZE),
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
