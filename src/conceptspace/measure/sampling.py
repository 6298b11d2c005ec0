"""Generating every arm of a checkpoint in few large batches."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from conceptspace.adapters.protocol import Adapter, Conditioning
from conceptspace.concepts.split import Split
from conceptspace.data.mixing import Prompter
from conceptspace.elicitation.arms import Arm
from conceptspace.elicitation.intervention import PROMPT, Intervention


@dataclass(frozen=True)
class ArmSamples:
    """What one arm generated: images (strength, sample, channels, height, width)."""

    arm: Arm
    images: Tensor


def elicit(
    adapter: Adapter, vectors: Tensor, intervention: Intervention, strengths: Tensor
) -> Conditioning:
    """The conditioning of prompts under an intervention, first on the prompt, then at each site.

    Args:
        adapter: the model.
        vectors: prompts (batch, width).
        intervention: what to apply; naive prompting is the one that does nothing.
        strengths: one a row (batch,).
    """
    conditioning = adapter.encode(intervention(PROMPT, vectors, strengths))
    return {site: intervention(site, value, strengths) for site, value in conditioning.items()}


def prompts(
    prompter: Prompter, split: Split, concept_class: str, num: int, rng: np.random.Generator
) -> Tensor:
    """Prompts (num, width) for measuring: training classes as trained, held-out at the mean."""
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
    """Generate all arms in one go: their conditionings are joined into a single batch."""
    parts: list[Conditioning] = []
    for arm in arms:
        for strength in arm.strengths:
            vectors = prompts(prompter, split, arm.concept_class, arm.num_samples, rng)
            strengths = torch.full((arm.num_samples,), strength)
            parts.append(elicit(adapter, vectors, arm.intervention, strengths))
    joined = {site: torch.cat([part[site] for part in parts]) for site in parts[0]}
    images = adapter.sample(joined, generator)
    samples, start = [], 0
    for arm in arms:
        num = len(arm.strengths) * arm.num_samples
        of_arm = images[start : start + num]
        shape = (len(arm.strengths), arm.num_samples, *of_arm.shape[1:])
        samples.append(ArmSamples(arm, of_arm.reshape(shape)))
        start += num
    return samples
