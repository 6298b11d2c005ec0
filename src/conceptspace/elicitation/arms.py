"""The arms of an experiment: every (class, method, strength) that a checkpoint is measured on."""

from dataclasses import dataclass
from typing import Literal

import torch

from conceptspace.adapters.protocol import Adapter
from conceptspace.concepts.space import ConceptSpace
from conceptspace.concepts.split import Split
from conceptspace.data.mixing import Prompter
from conceptspace.elicitation.directions import directions, random_directions, with_norms_of
from conceptspace.elicitation.intervention import (
    PROMPT,
    AddDirections,
    Guided,
    Intervention,
    Naive,
)
from conceptspace.elicitation.settings import (
    ElicitationMethod,
    Guidance,
    OverPrompt,
    Push,
    method_names,
    push,
)

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
        if isinstance(method, Guidance):
            words = "classifier-free guidance"
            labels.append(MethodLabel(name, "elicitation", words, strengths=method.weights))
            continue
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


def can_push(method: Push, space: ConceptSpace, concept_class: str, concept: str) -> bool:
    """Whether a method has a direction for another concept than its own."""
    index = space.indices(concept_class)[space.names.index(concept)]
    return not isinstance(method, OverPrompt) or bool(push(space.concept(concept), index).any())


def plain_class(
    space: ConceptSpace, split: Split, held_out: str, concept: str | None
) -> str | None:
    """The training class for which nothing is hidden: it has the held-out class's value of the
    concept, if one is given, and is nearest to it."""
    able = list(split.training(space))
    if concept is not None:
        axis = space.names.index(concept)
        value = space.indices(held_out)[axis]
        able = [c for c in able if space.indices(c)[axis] == value]
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
            intervention = intervention_of(method, adapter, prompter, held_out)
            arms.append(Arm(held_out, name, method.strengths, intervention, num_samples))
            concept = None if isinstance(method, Guidance) else method.concept
            plain = plain_class(space, split, held_out, concept)
            if plain is not None and plain not in plain_done:
                plain_done.add(plain)
                there = intervention_of(method, adapter, prompter, plain)
                arms.append(Arm(plain, name, method.strengths, there, num_control_samples))
            if isinstance(method, Guidance):
                continue
            controls = _controls(method, adapter, prompter, held_out, num_directions, generator)
            arms += [
                Arm(held_out, f"{name}/{control}", method.strengths, added, num_control_samples)
                for control, added in controls.items()
            ]
    return arms


def intervention_of(
    method: ElicitationMethod, adapter: Adapter, prompter: Prompter, concept_class: str
) -> Intervention:
    """What a method does to a prompted class, with the model as it is now."""
    if isinstance(method, Guidance):
        return Guided()
    return _one_direction(directions(method, adapter, prompter, concept_class))


def _one_direction(at_one: dict[str, torch.Tensor]) -> AddDirections:
    return AddDirections({site: direction[None] for site, direction in at_one.items()})


def _controls(
    method: Push,
    adapter: Adapter,
    prompter: Prompter,
    concept_class: str,
    num_directions: int,
    generator: torch.Generator,
) -> dict[Control, AddDirections]:
    """The directions beside a method's own that ought to do nothing, where there are any."""
    controls: dict[Control, AddDirections] = {}
    own = directions(method, adapter, prompter, concept_class)
    support = (
        {PROMPT: prompter.slice_of(method.concept)} if isinstance(method, OverPrompt) else None
    )
    drawn = random_directions(own, num_directions, generator, support)
    # Without an orthogonal direction there is no control, not one that does nothing.
    if any(bool(direction.any()) for direction in drawn.values()):
        controls["random-direction"] = AddDirections(drawn)
    wrong = wrong_concept(prompter.space, method.concept)
    if wrong is not None and can_push(method, prompter.space, concept_class, wrong):
        other = directions(method, adapter, prompter, concept_class, concept=wrong)
        controls["wrong-concept"] = _one_direction(with_norms_of(own, other))
    return controls
