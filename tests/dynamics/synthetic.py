"""Trajectories whose learning times, turn and emergence are known, for tests, docs and pictures.

The story is told by `Phenomenon`: curves of concept coordinates against the training step. Samples
are drawn around the curves as a probe would read them.
"""

import json

import numpy as np
import xarray
from pydantic import Field

from conceptspace.concepts.settings import Settings

CONCEPTS = ("colour", "size")
CLASSES = ("00", "01", "10", "11")
HELD_OUT = "11"
ELICITATIONS = ("over-prompting", "latent-steering")
STRENGTHS = {"over-prompting": (0.1, 0.2, 0.3, 0.4), "latent-steering": (0.5, 1.0, 2.0, 4.0)}
EFFECT = (0.35, 0.8, 1.0, 0.9)
"""How much of a method's effect each strength has: the third is best."""
SAMPLE_SPREAD = 0.15
"""Standard deviation of the samples around the curve: what is read is graded, what is right is not,
so accuracy starts to rise smoothly where the curve bends."""


class Phenomenon(Settings):
    """What happens in a made-up run; by default everything the paper describes.

    Class 11 is held out, colour has the weaker signal: the path heads to class 01, turns at
    `turn_step` and reaches its own corner at `naive_step`; elicitation works from
    `emergence_step` on. Steps are those of the mean run; seed i shifts the naive step by
    i's part of `naive_spread`.
    """

    turn_step: float = Field(default=900.0, gt=0)
    emergence_step: float = Field(default=1000.0, gt=0)
    """When the strongest effect is half there."""
    naive_step: float = Field(default=3700.0, gt=0)
    """When the naive path arrives at its own corner; later than the last step means never."""
    naive_spread: float = Field(default=400.0, ge=0)
    """The naive steps of the seeds are spread evenly over plus and minus half of this."""
    start: tuple[float, float] = (0.45, 0.35)
    """Where class 11 begins (colour, size)."""
    via: tuple[float, float] = (0.1, 0.9)
    """Where it turns."""
    turns: bool = True
    """Without a turn the path is straight from `start` to (1, 1)."""
    elicitable: bool = True
    """Whether elicitation does more than naive prompting."""
    controls_rise: bool = False
    """Whether random directions elicit as much as the concept's own, which voids the claim."""
    loss_has_kink: bool = False
    """Whether the held-out loss shows a bend at the turn."""
    arrival: float = Field(default=0.98, gt=0.5, le=1.0)
    """How near to its corner a path arrives, 1 being the corner."""

    def naive_steps(self, num_seeds: int) -> np.ndarray:
        """The step (seed,) at which each seed's naive path arrives."""
        return (
            self.naive_step
            + self.naive_spread * np.linspace(-0.5, 0.5, max(num_seeds, 2))[:num_seeds]
        )

    def naive(self, steps: np.ndarray, naive_step: float) -> np.ndarray:
        """Coordinates (step, concept) of class 11, piecewise linear in the root of the step."""
        end = np.array([self.arrival] * 2)
        knots = [0.0, self.turn_step, naive_step] if self.turns else [0.0, naive_step]
        points = [self.start, self.via, end] if self.turns else [self.start, end]
        at = np.sqrt(np.maximum(steps, 0.0))
        columns = [
            np.interp(at, np.sqrt(knots), [point[i] for point in points])
            for i in range(len(CONCEPTS))
        ]
        return np.stack(columns, axis=1)

    def elicited(self, steps: np.ndarray, naive_step: float, effect: float) -> np.ndarray:
        """Coordinates (step, concept) of class 11 under a method with this effect, 0 to 1."""
        naive = self.naive(steps, naive_step)
        rise = 1 / (1 + np.exp(-(steps - self.emergence_step) / (0.05 * self.emergence_step)))
        lift = effect * rise if self.elicitable else np.zeros_like(rise)
        return naive + lift[:, None] * np.maximum(self.arrival - naive, 0.0)

    def training(self, steps: np.ndarray, concept_class: str) -> np.ndarray:
        """Coordinates (step, concept) of a training class: each concept at its own rate."""
        corner = np.array([float(digit) for digit in concept_class])
        corner = 1 - self.arrival + (2 * self.arrival - 1) * corner
        times = np.array([0.5, 0.2]) * self.turn_step
        progress = 1 - np.exp(-steps[:, None] / times)
        return 0.45 + (corner - 0.45) * progress


def synthetic_trajectory(
    rng: np.random.Generator,
    phenomenon: Phenomenon | None = None,
    *,
    num_seeds: int = 5,
    num_checkpoints: int = 40,
    num_samples: int = 32,
    last_step: int = 4000,
) -> xarray.Dataset:
    """A trajectory of two binary concepts with a known story.

    Args:
        rng: draws the samples.
        phenomenon: the story; by default a hidden capability with all controls flat.
        num_seeds, num_checkpoints, num_samples: sizes; checkpoints include the untrained step 0.
        last_step: last training step.

    Returns:
        A dataset with the variables of a measured trajectory: probability, coordinate, correct,
        off_manifold, residual, loss, gamma, decodability, strength_value.
    """
    story = phenomenon or Phenomenon()
    steps = np.concatenate([[0], np.linspace(10.0, last_step**0.5, num_checkpoints - 1) ** 2])
    steps = np.rint(steps).astype(int)
    methods = _methods()
    shape = (num_seeds, len(steps), len(CLASSES), len(methods), len(EFFECT), num_samples)
    curve = _curves(story, steps, num_seeds, methods)
    measured = np.broadcast_to(~np.isnan(curve[..., :1]), shape)
    noise = SAMPLE_SPREAD * rng.standard_normal((*shape, len(CONCEPTS)))
    coordinate = np.clip(curve[..., None, :] + noise, 0.0, 1.0).astype(np.float32)
    # At first nothing that is generated looks like an object of the world.
    off_chance = 0.01 + 0.99 * np.exp(-steps / (0.15 * story.turn_step))
    off = rng.random(shape) < off_chance[:, None, None, None, None]
    corner = np.array([[digit == "1" for digit in name] for name in CLASSES])
    right = (coordinate > 0.5) == corner[:, None, None, None, :]
    residual = np.where(off, 0.3, 0.03) * np.exp(0.2 * rng.standard_normal(shape))
    dims = ("seed", "step", "concept_class", "method", "strength", "sample")
    dataset = xarray.Dataset(
        {
            "probability": (
                (*dims, "concept", "value"),
                np.stack([1 - coordinate, coordinate], axis=-1),
            ),
            "coordinate": ((*dims, "concept"), coordinate),
            "correct": (
                (*dims, "concept"),
                np.where(measured[..., None], right, -1).astype(np.int8),
            ),
            "off_manifold": (dims, np.where(measured, off, -1).astype(np.int8)),
            "residual": (dims, np.where(measured, residual, np.nan).astype(np.float32)),
            "strength_value": (("method", "strength"), _strengths(methods)),
            **_scalars(rng, story, steps, num_seeds),
        },
        coords={
            "seed": np.arange(num_seeds),
            "step": steps,
            "concept_class": list(CLASSES),
            "method": [method["name"] for method in methods],
            "concept": list(CONCEPTS),
            "data_split": ["train", "validation", "held_out"],
            "site": ["down 0", "down 1", "up 0"],
        },
    )
    dataset.attrs = {
        "training_classes": json.dumps([name for name in CLASSES if name != HELD_OUT]),
        "held_out_classes": json.dumps([HELD_OUT]),
        "class_labels": json.dumps(
            {"00": "red large", "01": "red small", "10": "blue large", "11": "blue small"}
        ),
        "concept_labels": json.dumps({"colour": ["red", "blue"], "size": ["large", "small"]}),
        "methods": json.dumps(methods),
    }
    return dataset


def _methods() -> list[dict[str, str | None]]:
    """Naive prompting, two elicitations of colour, and two controls of each."""
    methods: list[dict[str, str | None]] = [
        {
            "name": "naive",
            "kind": "naive",
            "of": None,
            "concept": None,
            "label": "naive prompting",
            "control": None,
        }
    ]
    kinds = [(None, ""), ("random-direction", ", random"), ("wrong-concept", ", wrong concept")]
    for control, suffix in kinds:
        for name in ELICITATIONS:
            methods.append(
                {
                    "name": f"{name}/{control}" if control else name,
                    "kind": "control" if control else "elicitation",
                    "of": name if control else None,
                    "concept": "size" if control == "wrong-concept" else "colour",
                    "label": name.replace("-", " ") + suffix,
                    "control": control,
                }
            )
    return methods


def _curves(
    story: Phenomenon, steps: np.ndarray, num_seeds: int, methods: list[dict[str, str | None]]
) -> np.ndarray:
    """Coordinates (seed, step, class, method, strength, concept); NaN where not measured."""
    shape = (num_seeds, len(steps), len(CLASSES), len(methods), len(EFFECT), len(CONCEPTS))
    curve = np.full(shape, np.nan)
    held_out = CLASSES.index(HELD_OUT)
    for number, name in enumerate(CLASSES):
        if number != held_out:
            curve[:, :, number, 0, 0] = story.training(steps, name)
    for seed, naive_step in enumerate(story.naive_steps(num_seeds)):
        naive = story.naive(steps, naive_step)
        curve[seed, :, held_out, 0, 0] = naive
        for number, method in enumerate(methods[1:], start=1):
            works = method["kind"] == "elicitation" or (
                story.controls_rise and method["control"] == "random-direction"
            )
            for index, effect in enumerate(EFFECT):
                path = story.elicited(steps, naive_step, effect) if works else naive
                curve[seed, :, held_out, number, index] = path
    # The class for which nothing is hidden: elicitation changes nothing on a training class.
    for number, method in enumerate(methods):
        if method["kind"] == "elicitation":
            nothing_hidden = story.training(steps, "10")[None, :, None]
            curve[:, :, CLASSES.index("10"), number] = nothing_hidden
    return curve


def _strengths(methods: list[dict[str, str | None]]) -> np.ndarray:
    values = np.full((len(methods), len(EFFECT)), np.nan, dtype=np.float32)
    values[0, 0] = 0.0
    for number, method in enumerate(methods[1:], start=1):
        values[number] = STRENGTHS[str(method["of"] or method["name"])]
    return values


def _scalars(
    rng: np.random.Generator, story: Phenomenon, steps: np.ndarray, num_seeds: int
) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Losses, the schedule's ends, and decodability."""
    decay = np.exp(-steps / story.turn_step)
    loss = np.stack([2.0 + 6 * decay, 2.02 + 6 * decay, 2.3 + 6 * decay], axis=1)
    if story.loss_has_kink:
        loss[:, 2] += 0.001 * np.maximum(steps - story.turn_step, 0.0)
    loss = loss + 0.02 * rng.standard_normal((num_seeds, *loss.shape))
    gamma = np.stack([-8 - 1.5 * (1 - decay), 10 + 0.5 * (1 - decay)], axis=1)
    rates = np.array([0.6, 0.9, 1.4])[:, None] * np.array([1.0, 0.5]) * story.turn_step
    decodability = 0.5 + 0.5 * (1 - np.exp(-steps[:, None, None] / rates))
    decodability = decodability + 0.01 * rng.standard_normal((num_seeds, *decodability.shape))
    return {
        "loss": (("seed", "step", "data_split"), loss.astype(np.float32)),
        "gamma": (
            ("seed", "step", "end"),
            np.broadcast_to(gamma, (num_seeds, *gamma.shape)).astype(np.float32),
        ),
        "decodability": (
            ("seed", "step", "site", "concept"),
            np.clip(decodability, 0.0, 1.0).astype(np.float32),
        ),
    }
