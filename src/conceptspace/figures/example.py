"""A made-up run with everything a real one has, to try figures and the report on without training.

Paths follow a simple rule (training classes go straight to their corners, held-out classes first
to the corner that is right in the last concept only), findings are filled in to match. Nothing
here was measured.
"""

import itertools
import json
from typing import Any

import numpy as np
import xarray as xr

from conceptspace.figures.evidence import Evidence, PictureKey

WORDS = {"colour": ["red", "blue"], "size": ["large", "small"], "background": ["bright", "dark"]}
LAST_STEP = 3000
TURN_STEP = 1000


def example_evidence(
    num_seeds: int = 5,
    num_steps: int = 25,
    concepts: tuple[str, ...] = ("colour", "size"),
    held_out: bool = True,
    turn: bool = True,
    elicitation: bool = True,
    image_size: int = 16,
    num_samples: int = 48,
    seed: int = 0,
) -> Evidence:
    """A made-up run.

    Args:
        num_seeds: how many seeds.
        num_steps: how many checkpoints, from step 0, evenly spaced in the square root of the step.
        concepts: names of two-valued concepts, out of colour, size and background.
        held_out: whether any class is held out.
        turn: whether a turn was found.
        elicitation: whether anything but naive prompting was measured.
        image_size: height and width of the pictures in pixels.
        num_samples: samples for each class and method.
        seed: of the made-up noise.
    """
    rng = np.random.default_rng(seed)
    steps = np.unique(np.round(np.linspace(0, LAST_STEP**0.5, num_steps) ** 2).astype(int))
    names = ["".join(digits) for digits in itertools.product("01", repeat=len(concepts))]
    training = [n for n in names if not held_out or n.count("1") <= 1]
    away = [n for n in names if n not in training]
    methods = _methods(concepts) if elicitation and away else _methods(concepts)[:1]
    truth = _chances(steps, num_seeds, training, away, methods, rng)
    trajectory = _trajectory(truth, steps, num_seeds, names, methods, concepts, num_samples, rng)
    trajectory.attrs = {
        "training_classes": json.dumps(training),
        "held_out_classes": json.dumps(away),
        "class_labels": json.dumps({n: _words(n, concepts) for n in names}),
        "concept_labels": json.dumps({c: WORDS[c] for c in concepts}),
        "methods": json.dumps(methods),
    }
    findings = _findings(truth, steps, num_seeds, training, away, methods, concepts, turn)
    return Evidence(
        findings,
        trajectory,
        _pictures(truth, steps, num_seeds, image_size, rng),
        {n: draw_disc([int(d) for d in n], concepts, image_size, rng) for n in names},
        {
            c: [
                draw_disc([v if c == other else 0 for other in concepts], concepts, image_size, rng)
                for v in (0, 1)
            ]
            for c in concepts
        },
    )


def draw_disc(
    values: Any, concepts: tuple[str, ...], image_size: int, rng: np.random.Generator
) -> np.ndarray:
    """One picture (height, width, 3) uint8 of a disc whose concepts have these values in [0, 1]."""
    value = dict(zip(concepts, values)) | {}
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


def _words(name: str, concepts: tuple[str, ...]) -> str:
    return " ".join(WORDS[c][int(digit)] for c, digit in zip(concepts, name))


def _methods(concepts: tuple[str, ...]) -> list[dict[str, Any]]:
    target, other = concepts[0], concepts[-1]
    entries = [("naive", "naive", None, None, None, "naive prompting")]
    for name, label in (("over-prompting", "over-prompting"), ("latent-steering", "steering")):
        entries.append((name, "elicitation", None, target, None, label))
    for name, label in (("over-prompting", "over-prompting"), ("latent-steering", "steering")):
        for control, words in (("random-direction", "random"), ("wrong-concept", "wrong concept")):
            entries.append(
                (f"{name}/{control}", "control", name, other, control, f"{label}, {words}")
            )
    keys = ("name", "kind", "of", "concept", "control", "label")
    return [dict(zip(keys, entry)) for entry in entries]


def _rise(steps: np.ndarray, middle: float, width: float) -> np.ndarray:
    return 1 / (1 + np.exp(-(steps - middle) / width))


def _chances(steps, num_seeds, training, away, methods, rng) -> dict[tuple[str, str], np.ndarray]:
    """The chance (seed, step, concept) that a sample has value 1, by class and method."""
    chances = {}
    late = {"naive": 2600.0, "over-prompting": 1250.0, "latent-steering": 1050.0}
    for name in training + away:
        for method in [entry["name"] for entry in methods]:
            if name in training and method != "naive":
                continue
            path = np.empty((num_seeds, len(steps), len(name)))
            for index in range(num_seeds):
                for axis, digit in enumerate(name):
                    start = 0.5 + rng.normal(0, 0.04)
                    pace = 180 + 90 * axis + rng.uniform(-25, 25)
                    goal = float(digit)
                    if name in away and digit == "1" and axis == 0:
                        middle = late.get(method, 3600.0) + rng.normal(0, 160)
                        goal = 0.04 + 0.93 * _rise(steps, middle, 120 + 200 * (method == "naive"))
                    path[index, :, axis] = goal + (start - goal) * np.exp(-steps / pace)
            chances[name, method] = np.clip(path, 0.01, 0.99)
    return chances


def _trajectory(truth, steps, num_seeds, names, methods, concepts, num_samples, rng):
    method_names = [entry["name"] for entry in methods]
    shape = (num_seeds, len(steps), len(names), len(method_names), 1, num_samples, len(concepts))
    coordinate = np.full(shape, np.nan, dtype=np.float32)
    correct = np.full(shape, -1, dtype=np.int8)
    off = np.full(shape[:-1], -1, dtype=np.int8)
    for (name, method), chance in truth.items():
        where = (slice(None), slice(None), names.index(name), method_names.index(method), 0)
        wide = np.repeat(chance[:, :, None], num_samples, axis=2)
        drawn = rng.uniform(size=wide.shape) < wide
        coordinate[where] = np.where(drawn, 0.98, 0.02)
        correct[where] = drawn == np.array([int(digit) for digit in name])
        off[where] = rng.uniform(size=wide.shape[:3]) < 0.6 * np.exp(-steps / 300)[None, :, None]
    seven = ("seed", "step", "concept_class", "method", "strength", "sample", "concept")
    return xr.Dataset(
        {"coordinate": (seven, coordinate), "correct": (seven, correct)}
        | {"off_manifold": (seven[:-1], off)},
        coords={
            "seed": np.arange(num_seeds),
            "step": steps,
            "concept_class": names,
            "method": method_names,
            "concept": list(concepts),
        },
    )


def _pictures(truth, steps, num_seeds, image_size, rng) -> dict[PictureKey, np.ndarray]:
    pictures = {}
    concepts = tuple(WORDS)
    for (name, method), chance in truth.items():
        for index, at in itertools.product(range(num_seeds), range(len(steps))):
            values = rng.uniform(size=(8, len(name))) < chance[index, at]
            shown = [
                draw_disc(v.astype(float), concepts[: len(name)], image_size, rng) for v in values
            ]
            noise = np.exp(-steps[at] / 150.0)
            stack = np.stack(shown) * (1 - noise) + noise * rng.uniform(
                0, 255, (8, *shown[0].shape)
            )
            pictures[PictureKey(index, int(steps[at]), name, method)] = stack.astype(np.uint8)
    return pictures


def _curve(values: np.ndarray) -> dict[str, Any]:
    """Mean over seeds (first axis) and a rough interval, as findings write them."""
    mean = values.mean(axis=0)
    half = 0.015 + 1.96 * values.std(axis=0) / max(len(values), 1) ** 0.5
    ends = np.stack([np.clip(mean - half, 0, 1), np.clip(mean + half, 0, 1)], axis=-1)
    return {"mean": mean.tolist(), "interval": ends.tolist()}


def _first(steps: np.ndarray, values: np.ndarray, threshold: float) -> int | None:
    above = values >= threshold
    runs = above[:-2] & above[1:-1] & above[2:]
    return int(steps[np.argmax(runs)]) if runs.any() else None


def _time(per_seed: list[int | None], last: int) -> dict[str, Any]:
    known = sorted(last * 10 if value is None else value for value in per_seed)
    middle = known[(len(known) - 1) // 2]
    median = None if middle > last else middle
    high = None if known[-1] > last else known[-1]
    return {
        "per_seed": per_seed,
        "censored_at": last,
        "median": median,
        "interval": [known[0] if known[0] <= last else None, high],
    }


def _findings(truth, steps, num_seeds, training, away, methods, concepts, turn) -> dict[str, Any]:
    last = int(steps[-1])
    classes = {}
    for name in training + away:
        goal = np.array([int(digit) for digit in name])
        path = truth[name, "naive"]
        accuracy = {}
        for method in [entry["name"] for entry in methods]:
            if (name, method) in truth:
                chance = truth[name, method]
                joint = np.where(goal == 1, chance, 1 - chance).prod(axis=-1)
                accuracy[method] = _curve(joint) | {"per_seed": joint.tolist()}
                if method != "naive":
                    chosen = np.full(joint.shape, 1.5 if "steer" in method else 0.2)
                    accuracy[method]["strength"] = chosen.tolist()
        classes[name] = {"held_out": name in away, "accuracy": accuracy} | _path_findings(
            path, steps, goal, concepts
        )
        classes[name] |= _times(accuracy, steps, last)
        classes[name]["off_manifold"] = {m: (0.6 * np.exp(-steps / 300)).tolist() for m in accuracy}
        if name in away and turn:
            where = path.mean(axis=0)[np.argmin(abs(steps - TURN_STEP))]
            classes[name]["turns"] = [
                {
                    "step": TURN_STEP + 40,
                    "interval": [TURN_STEP - 160, TURN_STEP + 280],
                    "angle": 84.0,
                    "p_value": 0.002,
                    "point": where.tolist(),
                }
            ]
    return {
        "schema_version": 1,
        "seeds": list(range(num_seeds)),
        "steps": steps.tolist(),
        "signal": {
            c: {"signal": 0.9 + 0.7 * i, "finite": 3.1 + 2 * i} for i, c in enumerate(concepts)
        },
        "classes": classes,
        "decodability": _decodability(steps, concepts),
        "losses": _losses(steps, num_seeds),
        "gamma": {"0": [(-8 - 0.5 * np.sqrt(steps / 300)).tolist()] * num_seeds, "1": None},
        "probe": _probe(training + away, concepts),
    }


def _path_findings(path, steps, goal, concepts) -> dict[str, Any]:
    speed = np.linalg.norm(np.gradient(path.mean(axis=0), steps, axis=0), axis=-1)
    spread = np.stack([speed * 0.8, speed * 1.25], axis=-1)
    times = {}
    for threshold in (0.8, 0.9):
        times[str(threshold)] = {
            concept: _time(
                [_first(steps, p[:, i] if goal[i] else 1 - p[:, i], threshold) for p in path],
                int(steps[-1]),
            )
            for i, concept in enumerate(concepts)
        }
    return {
        "coordinate": _curve(path),
        "speed": {"step": steps.tolist(), "value": speed.tolist(), "interval": spread.tolist()},
        "learning_time": times,
        "turns": [],
        "turns_per_seed": [[] for _ in path],
    }


def _times(accuracy, steps, last) -> dict[str, Any]:
    emergence: dict[str, Any] = {}
    window: dict[str, Any] = {}
    for threshold in (0.8, 0.9):
        firsts = {
            method: [_first(steps, np.asarray(row), threshold) for row in found["per_seed"]]
            for method, found in accuracy.items()
        }
        emergence[str(threshold)] = {m: _time(values, last) for m, values in firsts.items()}
        window[str(threshold)] = {
            method: {
                "per_seed": [{"opens": a, "closes": b} for a, b in zip(values, firsts["naive"])],
                "length": None,
            }
            for method, values in firsts.items()
            if method != "naive" and "/" not in method
        }
    return {"emergence": emergence, "window": window}


def _decodability(steps, concepts) -> dict[str, Any]:
    sites = ("embedding", "down0.block0", "middle.block0", "up0.block0")
    return {
        site: {
            concept: _curve(0.5 + 0.5 * _rise(steps[None], 200 + 250 * i + 200 * j, 120))
            for j, concept in enumerate(concepts)
        }
        for i, site in enumerate(sites)
    }


def _losses(steps, num_seeds) -> dict[str, Any]:
    losses = {}
    for index, name in enumerate(("train", "validation", "held_out")):
        mean = -4.2 + 6 * np.exp(-steps / 260) + 0.06 * index + 0.1 * (index == 2)
        half = 0.03 + 0.02 * num_seeds**-0.5 * np.ones_like(mean)
        ends = np.stack([mean - half, mean + half], axis=-1)
        losses[name] = {"mean": mean.tolist(), "interval": ends.tolist()}
    return losses


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
