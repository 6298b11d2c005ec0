"""The directions that the methods add, and the control directions beside them."""

import itertools
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from conceptspace.adapters.protocol import Adapter
from conceptspace.data.mixing import Prompter
from conceptspace.elicitation.intervention import PROMPT
from conceptspace.elicitation.settings import OverPrompt, Push, push


def directions(
    method: Push,
    adapter: Adapter,
    prompter: Prompter,
    concept_class: str,
    concept: str | None = None,
) -> dict[str, Tensor]:
    """What a method adds at strength 1: site to (width,), or whatever the shape of a row there is.

    Args:
        method: over-prompting or latent steering.
        adapter: the model, needed for steering.
        prompter: how concepts become conditioning vectors.
        concept_class: the prompted class; the concept is pushed towards its value there.
        concept: push this concept in place of the method's own, as the wrong-concept control does.
    """
    name = concept or method.concept
    if isinstance(method, OverPrompt):
        away_from = method.away_from if name == method.concept else ()
        return {PROMPT: over_prompt_direction(prompter, concept_class, name, away_from)}
    return steering_directions(adapter, prompter, concept_class, name)


def over_prompt_direction(
    prompter: Prompter, concept_class: str, concept: str, away_from: tuple[float, ...] = ()
) -> Tensor:
    """Direction in h that leads away from a point through the class mean; largest entry 1.

    Raises:
        ValueError: if `away_from` has the wrong length or is the class mean itself.
    """
    axis = prompter.space.concept(concept)
    if away_from and len(away_from) != axis.width:
        raise ValueError(
            f"away_from must have {axis.width} numbers for concept {concept!r}, not {away_from}"
        )
    index = prompter.space.indices(concept_class)[prompter.space.names.index(concept)]
    pushed = push(axis, index, away_from)
    largest = np.abs(pushed).max()
    if largest == 0.0:
        origin = f"away_from {away_from}" if away_from else "the mean of the concept's values"
        raise ValueError(f"{origin} is the class mean, so it gives no direction")
    direction = torch.zeros(prompter.width)
    direction[prompter.slice_of(concept)] = torch.as_tensor(pushed / largest, dtype=torch.float32)
    return direction


def steering_directions(
    adapter: Adapter, prompter: Prompter, concept_class: str, concept: str
) -> dict[str, Tensor]:
    """v_site: embedding with the class's value of a concept less that with its other values.

    Averaged over every combination of the other concepts' values.
    """
    space = prompter.space
    axis = space.names.index(concept)
    target = space.indices(concept_class)[axis]
    ranges = [range(n) for i, n in enumerate(space.num_values) if i != axis]
    with_target, without = [], []
    for others in itertools.product(*ranges):
        for value in range(space.num_values[axis]):
            indices = (*others[:axis], value, *others[axis:])
            row = space.mean(space.class_name(indices))
            (with_target if value == target else without).append(row)
    toward = adapter.encode(torch.from_numpy(prompter.vectors(np.stack(with_target))))
    away = adapter.encode(torch.from_numpy(prompter.vectors(np.stack(without))))
    return {site: toward[site].mean(0) - away[site].mean(0) for site in toward}


def random_directions(
    reference: Mapping[str, Tensor],
    num: int,
    generator: torch.Generator,
    support: Mapping[str, slice] | None = None,
) -> dict[str, Tensor]:
    """Random directions of the same norm at each site, orthogonal to the reference.

    Args:
        reference: site to (width,), or to (tokens, width) at a site of several positions.
        num: how many to draw.
        generator: where they are drawn from, on the CPU, so that every device draws the same ones.
        support: entries that the directions are confined to, the intervention's own space; a site
            with a single such entry has no orthogonal direction there and uses all its entries.

    Returns:
        Site to (num, width), or (num, tokens, width). A site of width 1 gets zeros.
    """
    drawn = {}
    for site, shaped in reference.items():
        direction = shaped.flatten()
        part = (support or {}).get(site, slice(None))
        if len(direction[part]) < 2:
            part = slice(None)
        base = direction[part]
        noise = torch.randn((num, len(base)), generator=generator, dtype=direction.dtype)
        noise = noise.to(direction.device)
        squared = base.square().sum()
        # A reference of zeros has nothing to be projected out: 0 / 1, not 0 / 0.
        noise = noise - (noise @ base)[:, None] * base / torch.where(squared > 0, squared, 1.0)
        length = noise.norm(dim=1, keepdim=True)
        full = direction.new_zeros((num, len(direction)))
        if len(base) > 1:
            full[:, part] = noise * squared.sqrt() / length
        drawn[site] = full.view(num, *shaped.shape)
    return drawn


def with_norms_of(
    reference: Mapping[str, Tensor], other: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """`other`, scaled at each site to the norm that `reference` has there."""
    return {
        site: direction * (reference[site].norm() / direction.norm().clamp_min(1e-12))
        for site, direction in other.items()
    }
