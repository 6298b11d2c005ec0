"""A made-up run with everything a real one has, to try figures and the report on without training.

Samples follow a simple rule: training classes go straight to their corners, held-out classes first
to the corner that is right in all but the first concept. Findings are computed from them as from
measured ones. Nothing here was measured.
"""

import itertools
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from conceptspace.dynamics.findings import findings
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.figures.evidence import NAIVE, Evidence, PictureKey

WORDS = {
    "colour": ["red", "blue"],
    "size": ["large", "small"],
    "background": ["bright", "dark"],
    "shape": ["circle", "triangle"],
    "x": ["left", "right"],
    "y": ["below", "above"],
}
LAST_STEP = 3000
TURN_STEP = 800.0
WORKS_FROM = {NAIVE: 2000.0, "over-prompting": 1100.0, "latent-steering": 950.0}
"""The step around which each way of prompting gets the first concept right."""
STRENGTHS = {"over-prompting": (0.1, 0.2, 0.4), "latent-steering": (0.5, 1.0, 2.0)}
EFFECTS = (0.3, 1.0, 0.85)

Truth = dict[tuple[str, str], np.ndarray]
"""For each class and method the chance (seed, step, strength, concept) of a sample's value 1."""


def example_evidence(
    num_seeds: int = 5,
    num_steps: int = 25,
    concepts: tuple[str, ...] = ("colour", "size"),
    held_out: bool = True,
    turn: bool = True,
    elicitation: bool = True,
    image_size: int = 16,
    num_samples: int = 32,
    seed: int = 0,
) -> Evidence:
    """A made-up run.

    Args:
        num_seeds: how many seeds.
        num_steps: how many checkpoints, from step 0, evenly spaced in the square root of the step.
        concepts: names of two-valued concepts, out of `WORDS`; pictures show the first three.
        held_out: whether any class is held out.
        turn: whether held-out classes turn on their way.
        elicitation: whether anything but naive prompting was measured.
        image_size: height and width of the pictures in pixels.
        num_samples: samples for each class and method.
        seed: of the made-up noise.
    """
    rng = np.random.default_rng(seed)
    steps = np.unique(np.round(np.linspace(0, LAST_STEP**0.5, num_steps) ** 2).astype(int))
    names = ["".join(digits) for digits in itertools.product("01", repeat=len(concepts))]
    away = [n for n in names if held_out and n.count("1") > 1]
    methods = _methods(concepts)[: None if elicitation and away else 1]
    truth = _truth(steps, num_seeds, names, away, methods, turn, rng)
    trajectory = _trajectory(truth, steps, num_seeds, names, methods, concepts, num_samples, rng)
    trajectory.attrs = {
        "training_classes": json.dumps([n for n in names if n not in away]),
        "held_out_classes": json.dumps(away),
        "class_labels": json.dumps(
            {n: " ".join(WORDS[c][int(d)] for c, d in zip(concepts, n)) for n in names}
        ),
        "concept_labels": json.dumps({c: WORDS[c] for c in concepts}),
        "methods": json.dumps(methods),
    }
    return Evidence(
        findings(
            trajectory,
            FindingsSettings(num_resamples=100),
            signal={
                c: {"signal": 0.9 + 0.7 * i, "finite": 3.1 + 2 * i} for i, c in enumerate(concepts)
            },
            probe=_probe(names, concepts),
        ),
        trajectory,
        _pictures(truth, steps, concepts, image_size, rng),
        {n: draw_disc([int(d) for d in n], concepts, image_size, rng) for n in names},
        {c: _example_pair(c, concepts, image_size, rng) for c in concepts},
    )


def draw_disc(
    values: Sequence[float], concepts: tuple[str, ...], image_size: int, rng: np.random.Generator
) -> np.ndarray:
    """One picture (height, width, 3) uint8 of a disc whose concepts have these values in [0, 1]."""
    value = dict(zip(concepts, values))
    share = float(np.clip(value.get("colour", 0.0), 0, 1))
    radius = 0.6 - 0.35 * float(np.clip(value.get("size", 0.5), 0, 1))
    background = 0.9 - 0.5 * float(np.clip(value.get("background", 0.0), 0, 1))
    y, x = np.meshgrid(*[np.linspace(-1, 1, image_size)] * 2, indexing="ij")
    centre = rng.uniform(-0.3, 0.3, size=2)
    distance = np.hypot(x - centre[0], y - centre[1])
    mask = 1 / (1 + np.exp((distance - radius) * image_size))[..., None]
    colour = np.array([0.8 - 0.6 * share, 0.2, 0.2 + 0.6 * share])
    back = background + rng.uniform(-0.08, 0.08, size=3)
    image = mask * colour + (1 - mask) * back + rng.normal(0, 0.02, (image_size, image_size, 3))
    return np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)


def _example_pair(
    concept: str, concepts: tuple[str, ...], image_size: int, rng: np.random.Generator
) -> list[np.ndarray]:
    values = [[float(v and c == concept) for c in concepts] for v in (0, 1)]
    return [draw_disc(value, concepts, image_size, rng) for value in values]


def _methods(concepts: tuple[str, ...]) -> list[dict[str, Any]]:
    keys = ("name", "kind", "of", "concept", "control", "label")
    labels = {"over-prompting": "over-prompting", "latent-steering": "latent steering"}
    entries: list[tuple] = [(NAIVE, "naive", None, None, None, "naive prompting")]
    entries += [(n, "elicitation", None, concepts[0], None, label) for n, label in labels.items()]
    for name, label in labels.items():
        for control, words in (("random-direction", "random"), ("wrong-concept", "wrong concept")):
            said = f"{label}, {words}"
            entries.append((f"{name}/{control}", "control", name, concepts[-1], control, said))
    return [dict(zip(keys, entry)) for entry in entries]


def _rise(steps: np.ndarray, middle: float | np.ndarray, width: float) -> np.ndarray:
    return 1 / (1 + np.exp(-(steps - middle) / width))


def _truth(steps, num_seeds, names, away, methods, turn, rng) -> Truth:
    truth: Truth = {}
    for name, entry in itertools.product(names, methods):
        method = entry["name"]
        if name not in away and method != NAIVE:
            continue
        offered = EFFECTS if method in STRENGTHS else (1.0,)
        path = np.empty((num_seeds, len(steps), len(offered), len(name)))
        for index, (place, effect) in itertools.product(range(num_seeds), enumerate(offered)):
            late = WORKS_FROM.get(method, WORKS_FROM[NAIVE] + 900) + 120 * (index - num_seeds / 2)
            for axis, digit in enumerate(name):
                goal = np.full(len(steps), 0.03 + 0.94 * float(digit))
                pace = 260.0 - 60 * axis
                if turn and name in away and digit == "1" and axis == 0:
                    width = 60 + 300 * (method not in STRENGTHS)
                    goal = 0.05 + 0.92 * effect * _rise(steps, late, width)
                path[index, :, place, axis] = goal + (0.5 - goal) * np.exp(-steps / pace)
        truth[name, method] = np.clip(path, 0.01, 0.99)
    return truth


def _trajectory(truth, steps, num_seeds, names, methods, concepts, num_samples, rng) -> xr.Dataset:
    method_names = [entry["name"] for entry in methods]
    num_strengths = max(len(EFFECTS) if len(methods) > 1 else 1, 1)
    cells = (num_seeds, len(steps), len(names), len(method_names), num_strengths, num_samples)
    coordinate = np.full((*cells, len(concepts)), np.nan, dtype=np.float32)
    correct = np.full((*cells, len(concepts)), -1, dtype=np.int8)
    off = np.full(cells, -1, dtype=np.int8)
    strength_value = np.full((len(method_names), num_strengths), np.nan, dtype=np.float32)
    for (name, method), chance in truth.items():
        num = chance.shape[2]
        at = method_names.index(method)
        strength_value[at, :num] = STRENGTHS.get(method, (0.0,))[:num]
        where = (slice(None), slice(None), names.index(name), at, slice(num))
        wide = np.repeat(chance[:, :, :, None], num_samples, axis=3)
        drawn = rng.uniform(size=wide.shape) < wide
        coordinate[where] = np.where(drawn, 0.98, 0.02)
        correct[where] = drawn == np.array([int(digit) for digit in name])
        off[where] = rng.uniform(size=wide.shape[:-1]) < 0.5 * np.exp(-steps / 250)[:, None, None]
    dims = ("seed", "step", "concept_class", "method", "strength", "sample")
    measured = {
        "probability": ((*dims, "concept", "value"), np.stack([1 - coordinate, coordinate], -1)),
        "coordinate": ((*dims, "concept"), coordinate),
        "correct": ((*dims, "concept"), correct),
        "off_manifold": (dims, off),
        "strength_value": (("method", "strength"), strength_value),
    }
    coords = {"seed": range(num_seeds), "step": steps, "concept_class": names}
    coords |= {"method": method_names, "concept": list(concepts)}
    return xr.Dataset(measured | _curves(steps, num_seeds, concepts, rng), coords=coords | SPLITS)


SITES = ("embedding", "down 0", "middle", "up 0")
SPLITS = {"data_split": ["train", "validation", "held_out"], "site": list(SITES)}


def _curves(steps, num_seeds, concepts, rng) -> dict[str, Any]:
    """Losses, gamma and decodability, which do not depend on what is prompted."""
    fall = -4.2 + 6 * np.exp(-steps / 260)[None, :, None] + np.array([0.0, 0.05, 0.15])
    loss = fall + rng.normal(0, 0.02, (num_seeds, len(steps), 3))
    ends = np.stack([-8 - 0.5 * np.sqrt(steps / 300), 10 + 0 * steps], axis=-1)
    gamma = ends + rng.normal(0, 0.02, (num_seeds, 1, 2))
    late = 200 + 250 * np.arange(len(SITES))[:, None] + 200 * np.arange(len(concepts))
    read = 0.5 + 0.5 * _rise(steps[:, None, None], late[None], 120)
    read = read + rng.normal(0, 0.01, (num_seeds, *read.shape))
    return {
        "loss": (("seed", "step", "data_split"), loss.astype(np.float32)),
        "gamma": (("seed", "step", "end"), gamma.astype(np.float32)),
        "decodability": (("seed", "step", "site", "concept"), np.clip(read, 0, 1)),
    }


def _pictures(truth, steps, concepts, image_size, rng) -> dict[PictureKey, np.ndarray]:
    pictures = {}
    for (name, method), chance in truth.items():
        best = min(1, chance.shape[2] - 1)
        for index, at in itertools.product(range(len(chance)), range(len(steps))):
            values = (rng.uniform(size=(8, len(name))) < chance[index, at, best]).astype(float)
            shown = np.stack([draw_disc(list(v), concepts, image_size, rng) for v in values])
            noise = np.exp(-steps[at] / 150.0)
            mixed = shown * (1 - noise) + noise * rng.uniform(0, 255, shown.shape)
            pictures[PictureKey(index, int(steps[at]), name, method)] = mixed.astype(np.uint8)
    return pictures


def _probe(classes, concepts) -> dict[str, Any]:
    bins = np.linspace(0.55, 0.95, 5)
    return {
        "confusion": {c: [[0.998, 0.002], [0.001, 0.999]] for c in concepts},
        "calibration": {
            c: {
                "confidence": bins.tolist(),
                "accuracy": (bins + 0.02 * np.sin(9 * bins)).tolist(),
                "share": [0.01, 0.01, 0.02, 0.06, 0.9],
                "error": 0.012,
            }
            for c in concepts
        },
        "accuracy": {name: 0.999 for name in classes},
    }
