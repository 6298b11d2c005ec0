"""Concept signal: how much the data change when only one concept changes.

(Park et al. 2024, section 3: sigma_i = |dG(z) / dz_i|.)
"""

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from conceptspace.concepts.concept import Concept
from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.labelled_world import LabelledWorld
from conceptspace.data.streams import numpy_stream
from conceptspace.data.world import World, draw_factors


@dataclass(frozen=True)
class Signal:
    """The signal of one concept, in pixel values.

    Attributes:
        concept: its name.
        derivative: mean of |dG/dz . (step between neighbouring class values)|, the Euclidean norm
            over all pixels and channels. None for labelled images, which have no G.
        finite: mean distance between images of class means that differ in this concept alone, per
            step between neighbouring values; of labelled images, between the classes' mean images.
            None where no two classes next to each other have images.
    """

    concept: str
    derivative: float | None
    finite: float | None


def concept_signal(
    world: World, space: ConceptSpace, *, num_images: int = 256, seed: int = 0
) -> dict[str, Signal]:
    """The signal of every concept of a space, by forward-mode differentiation of G.

    Args:
        world: G, differentiable in its factors, or with an attribute `differentiable` that is such
            a G in its place. The finite form is always that of the world itself. Or a labelled
            world, which has the finite form alone.
        space: the concepts.
        num_images: draws of the factors, spread over the classes; more lowers the sampling error.
            Of labelled images many more are taken.
        seed: of the draws.

    Returns:
        Concept name to its signal, in the order of the space.

    Raises:
        ValueError: if `num_images` is not positive.

    Example:
        >>> from conceptspace.data.factors import colour, size
        >>> from conceptspace.data.world import SyntheticWorld
        >>> space = ConceptSpace(concepts=(colour(0.2), size(0.4)))
        >>> signal = concept_signal(SyntheticWorld(image_size=16), space, num_images=64)
        >>> signal["colour"].derivative < signal["size"].derivative
        True
    """
    if num_images < 1:
        raise ValueError(f"num_images must be at least 1, not {num_images}")
    if isinstance(world, LabelledWorld):
        return _of_labelled(world, space)
    rng = numpy_stream(seed, "signal")
    per_class = max(1, num_images // len(space.classes))
    z = np.concatenate([space.draw(name, per_class, rng) for name in space.classes])
    drawn = draw_factors(world, space, z, rng)
    factors = {name: torch.from_numpy(values) for name, values in drawn.items()}
    smooth = getattr(world, "differentiable", world)
    return {
        concept.name: Signal(
            concept.name,
            _derivative(smooth, concept, factors),
            _finite(world, space, concept, factors),
        )
        for concept in space.concepts
    }


def _derivative(world: World, concept: Concept, factors: dict[str, Tensor]) -> float:
    """Mean norm of the derivative of G along the mean step between a concept's values."""
    steps = np.diff(np.asarray(concept.values), axis=0).mean(0)
    along = torch.from_numpy(steps).expand_as(factors[concept.factor])

    with forward_ad.dual_level():
        moving = forward_ad.make_dual(factors[concept.factor], along.contiguous())
        tangent = forward_ad.unpack_dual(world.render({**factors, concept.factor: moving})).tangent
        if tangent is None:
            raise ValueError(
                f"world: G does not depend on factor {concept.factor!r} differentiably"
            )
        return float(tangent.flatten(1).norm(dim=1).mean())


def _finite(
    world: World, space: ConceptSpace, concept: Concept, factors: dict[str, Tensor]
) -> float:
    """Mean distance between images whose concepts are class means and differ in one step."""
    num = len(next(iter(factors.values())))
    others = [c for c in space.concepts if c.name != concept.name]
    distances = []
    for indices in itertools.product(*(range(c.num_values) for c in others)):
        fixed = {
            c.factor: torch.from_numpy(c.mean(i)).expand(num, c.width)
            for c, i in zip(others, indices)
        }
        images = [
            world.render(
                {**factors, **fixed, concept.factor: torch.from_numpy(mean).expand(num, -1)}
            )
            for mean in map(concept.mean, range(concept.num_values))
        ]
        distances += [
            float((b - a).flatten(1).norm(dim=1).mean()) for a, b in itertools.pairwise(images)
        ]
    return float(np.mean(distances))


def _of_labelled(world: LabelledWorld, space: ConceptSpace) -> dict[str, Signal]:
    """Distances between the mean images of classes that differ in one step of one concept.

    The means of few images differ by chance alone: that much is taken off the square.
    """
    means = {name: world.class_mean(name) for name in space.classes}
    found = {}
    for axis, concept in enumerate(space.concepts):
        distances = []
        for name in space.classes:
            indices = list(space.indices(name))
            indices[axis] += 1
            if indices[axis] == concept.num_values:
                continue
            pair = means[name], means[space.class_name(indices)]
            if all(num for _, _, num in pair):
                (a, *_), (b, *_) = pair
                by_chance = sum(variance / num for _, variance, num in pair)
                distances.append(float(np.sqrt(max(np.square(b - a).sum() - by_chance, 0.0))))
        finite = float(np.mean(distances)) if distances else None
        found[concept.name] = Signal(concept.name, None, finite)
    return found
