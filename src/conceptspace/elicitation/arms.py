"""The arms of an experiment: every (class, method, strength) that a checkpoint is measured on."""

from dataclasses import dataclass
from typing import Literal

import torch

from conceptspace.adapters.protocol import Adapter
from conceptspace.concepts.space import ConceptSpace
from conceptspace.concepts.split import Split
from conceptspace.data.mixing import Prompter
from conceptspace.elicitation.directions import directions, random_directions, with_norms_of
from conceptspace.elicitation.intervention import PROMPT, AddDirections, Intervention, Naive
from conceptspace.elicitation.settings import ElicitationMethod, OverPrompt, method_names, push

Control = Literal["random-direction", "wrong-concept"]
NAIVE = "naive"


@dataclass(frozen=True)
class MethodLabel:
    """What a method's name stands for; stored with the measurements."""

    name: str
    kind: Literal["naive", "elicitation", "control"]
    label: str
    concept: str | None = None
    of: str | None = None
    control: Control | None = None
    strengths: tuple[float, ...] = (0.0,)


@dataclass(frozen=True)
class Arm:
    """One class under one method at all its strengths."""

    concept_class: str
    method: str
    strengths: tuple[float, ...]
    intervention: Intervention
    num_samples: int


def method_labels(
    methods: tuple[ElicitationMethod, ...], space: ConceptSpace
) -> tuple[MethodLabel, ...]:
    """Every method that is measured, naive prompting first and each one's controls behind it."""
    labels = [MethodLabel(NAIVE, "naive", "naive prompting")]
    for name, method in zip(method_names(methods), methods):
        words = method.kind.replace("-", " ") + f" ({method.concept})"
        common = {"concept": method.concept, "strengths": method.strengths}
        labels.append(MethodLabel(name, "elicitation", words, **common))
        controls: list[Control] = ["random-direction"]
        if wrong_concept(space, method.concept):
            controls.append("wrong-concept")
        labels += [
            MethodLabel(
                f"{name}/{control}",
                "control",
                f"{words}, {control.replace('-', ' ')}",
                of=name,
                control=control,
                **common,
            )
            for control in controls
        ]
    return tuple(labels)


def wrong_concept(space: ConceptSpace, concept: str) -> str | None:
    """The concept that the wrong-concept control pushes; None if the space has only one."""
    others = [name for name in space.names if name != concept]
    return others[0] if others else None


def can_push(
    method: ElicitationMethod, space: ConceptSpace, concept_class: str, concept: str
) -> bool:
    """Whether a method has a direction for another concept than its own."""
    index = space.indices(concept_class)[space.names.index(concept)]
    return not isinstance(method, OverPrompt) or bool(push(space.concept(concept), index).any())


def plain_class(space: ConceptSpace, split: Split, held_out: str, concept: str) -> str | None:
    """The training class for which nothing is hidden: it has the held-out class's value of the
    concept and is nearest to it."""
    axis = space.names.index(concept)
    value = space.indices(held_out)[axis]
    able = [c for c in split.training(space) if space.indices(c)[axis] == value]
    return min(able, key=lambda c: space.distance(c, held_out)) if able else None


def plan_arms(
    adapter: Adapter,
    prompter: Prompter,
    split: Split,
    methods: tuple[ElicitationMethod, ...],
    *,
    num_samples: int,
    num_control_samples: int,
    num_directions: int,
    generator: torch.Generator,
) -> list[Arm]:
    """Every arm of one checkpoint. Directions are taken from the model as it is now."""
    space = prompter.space
    arms = [Arm(c, NAIVE, (0.0,), Naive(), num_samples) for c in space.classes]
    for name, method in zip(method_names(methods), methods):
        plain_done: set[str] = set()
        for held_out in split.held_out(space):
            own = directions(method, adapter, prompter, held_out)
            arms.append(_arm(held_out, name, method, own, num_samples))
            plain = plain_class(space, split, held_out, method.concept)
            if plain is not None and plain not in plain_done:
                plain_done.add(plain)
                there = directions(method, adapter, prompter, plain)
                arms.append(_arm(plain, name, method, there, num_control_samples))
            support = (
                {PROMPT: prompter.slice_of(method.concept)}
                if isinstance(method, OverPrompt)
                else None
            )
            drawn = random_directions(own, num_directions, generator, support)
            # Without an orthogonal direction there is no control, not one that does nothing.
            if any(bool(direction.any()) for direction in drawn.values()):
                control = f"{name}/random-direction"
                added = AddDirections(drawn)
                arms.append(Arm(held_out, control, method.strengths, added, num_control_samples))
            wrong = wrong_concept(space, method.concept)
            if wrong is not None and can_push(method, space, held_out, wrong):
                other = directions(method, adapter, prompter, held_out, concept=wrong)
                scaled = with_norms_of(own, other)
                arms.append(
                    _arm(held_out, f"{name}/wrong-concept", method, scaled, num_control_samples)
                )
    return arms


def _arm(
    concept_class: str,
    name: str,
    method: ElicitationMethod,
    directions_at_one: dict[str, torch.Tensor],
    num_samples: int,
) -> Arm:
    intervention = AddDirections({site: d[None] for site, d in directions_at_one.items()})
    return Arm(concept_class, name, method.strengths, intervention, num_samples)
