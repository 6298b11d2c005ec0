"""Generating every arm of a checkpoint in few large batches."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from conceptspace.adapters.protocol import Adapter, Conditioning, GuidableAdapter
from conceptspace.concepts.split import Split
from conceptspace.data.dropping import no_condition
from conceptspace.data.mixing import Prompter
from conceptspace.elicitation.arms import Arm
from conceptspace.elicitation.intervention import PROMPT, Intervention, guidance_weights


@dataclass(frozen=True)
class ArmSamples:
    """What one arm generated: images (strength, sample, channels, height, width), on the model's
    device."""

    arm: Arm
    images: Tensor


Part = tuple[Intervention, Tensor, Tensor]
"""An intervention, prompts (batch, width), and strengths (batch,)."""


def elicit(
    adapter: Adapter, vectors: Tensor, intervention: Intervention, strengths: Tensor
) -> Conditioning:
    """The conditioning of prompts under an intervention, first on the prompt, then at each site.

    Args:
        adapter: the model.
        vectors: prompts (batch, width), on the CPU.
        intervention: what to apply; naive prompting is the one that does nothing.
        strengths: one a row (batch,), on the CPU.

    Returns:
        Site to value, on the model's device.
    """
    return _elicit_together(adapter, [(intervention, vectors, strengths)])


def _elicit_together(adapter: Adapter, parts: list[Part]) -> Conditioning:
    """The conditionings of several parts, one below the other.

    All prompts are encoded in one call: what a call costs on a GPU hardly depends on its rows.
    """
    prompted = [intervention(PROMPT, vectors, given) for intervention, vectors, given in parts]
    sizes = [len(vectors) for vectors in prompted]
    strengths = torch.cat([given for _, _, given in parts])
    joined = {}
    for site, value in adapter.encode(torch.cat(prompted)).items():
        rows = zip(parts, value.split(sizes), strengths.to(value.device).split(sizes))
        joined[site] = torch.cat([part[0](site, own, given) for part, own, given in rows])
    return joined


def generate(adapter: Adapter, parts: list[Part], generator: torch.Generator) -> Tensor:
    """The images (batch, channels, height, width) of several parts, one below the other.

    The model is asked once, whatever the interventions; guided if any of them guides.

    Args:
        adapter: the model.
        parts: what to generate, on the CPU.
        generator: draws the model's noise; on the adapter's device.

    Raises:
        TypeError: if an intervention guides and the adapter cannot.
    """
    conditioning = _elicit_together(adapter, parts)
    weights = torch.cat([guidance_weights(what, strengths) for what, _, strengths in parts])
    if bool((weights == 1.0).all()):
        return adapter.sample(conditioning, generator)
    if not isinstance(adapter, GuidableAdapter):
        raise TypeError(
            f"adapter: {type(adapter).__name__} cannot guide, since it has no method sample_guided "
            "(see GuidableAdapter); write one, or leave Guidance out of the elicitation methods"
        )
    unconditional = adapter.encode(no_condition(parts[0][1].shape[1]))
    return adapter.sample_guided(
        conditioning, unconditional, weights.to(generator.device), generator
    )


def prompts(
    prompter: Prompter, split: Split, concept_class: str, num: int, rng: np.random.Generator
) -> Tensor:
    """Prompts (num, width) for measuring, on the CPU: training classes as trained, held-out at the
    mean."""
    if concept_class in split.training(prompter.space):
        drawn = prompter.space.draw(concept_class, num, rng)
        return torch.from_numpy(prompter.vectors(drawn))
    return torch.from_numpy(prompter.class_mean(concept_class, num))


def sample_arms(
    adapter: Adapter,
    prompter: Prompter,
    split: Split,
    arms: list[Arm],
    rng: np.random.Generator,
    generator: torch.Generator,
) -> list[ArmSamples]:
    """Generate all arms in one go: their conditionings are joined into a single batch.

    Args:
        adapter: the model.
        prompter: how concepts become conditioning vectors.
        split: training and held-out classes.
        arms: what to generate.
        rng: draws the prompts.
        generator: draws the model's noise; on the adapter's device.
    """
    parts = [
        (
            arm.intervention,
            prompts(prompter, split, arm.concept_class, arm.num_samples, rng),
            torch.full((arm.num_samples,), strength),
        )
        for arm in arms
        for strength in arm.strengths
    ]
    images = generate(adapter, parts, generator)
    samples, start = [], 0
    for arm in arms:
        num = len(arm.strengths) * arm.num_samples
        of_arm = images[start : start + num]
        shape = (len(arm.strengths), arm.num_samples, *of_arm.shape[1:])
        samples.append(ArmSamples(arm, of_arm.reshape(shape)))
        start += num
    return samples
