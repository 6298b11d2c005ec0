"""The data behind the interactive concept space: paths, turns, and picture strips as data URIs."""

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from conceptspace.figures.accuracy import method_looks
from conceptspace.figures.evidence import NAIVE, Evidence, numbers
from conceptspace.figures.plane import class_looks
from conceptspace.report.charts import SYMBOLS, line_style, tidy

PICTURE_BUDGET = 8_500_000
"""Characters of embedded pictures; beyond it the later seeds' pictures are left out."""


def explorer_data(evidence: Evidence, budget: int = PICTURE_BUDGET) -> dict[str, Any]:
    """Everything the page's script needs for the interactive concept space, ready for JSON."""
    strips, left_out = picture_strips(evidence, budget)
    size = next((p.shape for p in evidence.pictures.values()), (0, 0, 0, 0))
    return {
        "steps": [int(step) for step in evidence.steps],
        "seeds": evidence.seeds,
        "concepts": [{"name": c, "words": evidence.words(c)} for c in evidence.concepts],
        "classes": [_class_data(evidence, name) for name in evidence.classes],
        "methods": _method_data(evidence),
        "strips": strips,
        "strip_shape": [int(n) for n in size[:3]],
        "seeds_left_out": left_out,
        "corners": {name: data_uri(picture) for name, picture in evidence.corners.items()},
    }


def picture_strips(evidence: Evidence, budget: int) -> tuple[dict[str, str], list[int]]:
    """One PNG strip for each (seed, step, class, method), and the seeds left out for size.

    Seeds are taken in order for as long as all of a seed's strips fit. Controls show half as many
    pictures, since there are many of them and they rarely show anything.
    """
    controls = {method.name for method in evidence.methods_of_kind("control")}
    strips: dict[str, str] = {}
    used, left_out = 0, []
    for seed in evidence.seeds:
        own = {
            f"{key.seed}|{key.step}|{key.concept_class}|{key.method}": data_uri(
                strip(pictures[: -(-len(pictures) // 2)] if key.method in controls else pictures)
            )
            for key, pictures in evidence.pictures.items()
            if key.seed == seed and len(pictures)
        }
        size = sum(map(len, own.values()))
        if strips and used + size > budget:
            left_out.append(seed)
            continue
        strips |= own
        used += size
    return strips, left_out


def strip(pictures: np.ndarray) -> np.ndarray:
    """Pictures (num, height, width, channel) side by side, with a white line between them."""
    num, tall, wide, channels = pictures.shape
    sheet = np.full((tall, num * (wide + 1) - 1, channels), 255, dtype=np.uint8)
    for index, picture in enumerate(pictures):
        sheet[:, index * (wide + 1) : index * (wide + 1) + wide] = picture
    return sheet


def data_uri(picture: np.ndarray) -> str:
    """A picture (height, width, channel) uint8 as a PNG in a data URI."""
    array = np.ascontiguousarray(picture, dtype=np.uint8)
    if array.shape[-1] == 1:
        array = array[..., 0]
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _class_data(evidence: Evidence, name: str) -> dict[str, Any]:
    look = class_looks(evidence)[name]
    mean, low, high = evidence.mean_coordinates(name)
    return {
        "name": name,
        "label": evidence.class_label(name),
        "held_out": name in evidence.held_out,
        "corner": [float(part) for part in evidence.corner(name)],
        "line": line_style(look),
        "symbol": SYMBOLS.get(look.marker, "circle"),
        "mean": [tidy(row) for row in mean],
        "low": [tidy(row) for row in low],
        "high": [tidy(row) for row in high],
        "per_seed": [[tidy(row) for row in path] for path in evidence.coordinates(name)],
        "turns": [_turn_data(turn) for turn in evidence.turns(name)],
        "accuracy": {m.name: _accuracy_data(evidence, name, m.name) for m in evidence.methods},
    }


def _turn_data(turn: Mapping[str, Any]) -> dict[str, Any]:
    ends = turn.get("interval")
    return {"step": turn["step"], "interval": ends if ends and None not in ends else None}


def _accuracy_data(evidence: Evidence, name: str, method: str) -> dict[str, Any] | None:
    band = evidence.accuracy(name, method)
    if band is None:
        return None
    strengths = evidence.strengths(name, method)
    off = evidence.off_manifold(name, method)
    return {
        "mean": tidy(band.mean),
        "low": tidy(band.low),
        "high": tidy(band.high),
        "per_seed": [tidy(row) for row in band.per_seed],
        "strength": None if strengths is None else [tidy(row) for row in numbers(strengths)],
        "off_manifold": None if off is None else tidy(off),
    }


def _method_data(evidence: Evidence) -> list[dict[str, Any]]:
    looks = method_looks(evidence)
    return [
        {
            "name": method.name,
            "label": method.label,
            "kind": method.kind,
            "colour": looks[method.name].colour,
            "has_strength": method.name != NAIVE,
        }
        for method in evidence.methods
    ]
