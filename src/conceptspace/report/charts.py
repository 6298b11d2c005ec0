"""The report's charts as plain Plotly descriptions: traces and a layout, ready for JSON."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from conceptspace.figures.accuracy import concept_look, method_looks, window_of
from conceptspace.figures.evidence import Evidence, nan_mean, numbers
from conceptspace.figures.losses import LOSS_LOOKS, LOSS_WORDS, all_turns, speed_ceiling
from conceptspace.figures.plane import class_looks
from conceptspace.figures.style import GREY, METHOD_LOOKS, TRAINING_LOOKS, Look
from conceptspace.figures.trajectories import shown_classes

SYMBOLS = {
    "o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down",
    "x": "x-thin", "+": "cross-thin", "1": "y-down", "2": "y-up", "": "circle",
}  # fmt: skip


def chart(
    name: str, title: str, traces: Sequence[dict], y: str, x: str = "training step", **layout: Any
) -> dict[str, Any]:
    """One chart; `name` becomes the id of the element that holds it."""
    described = {
        "title": {"text": title, "x": 0, "xanchor": "left", "font": {"size": 15}},
        "xaxis": {"title": {"text": x}, "zeroline": False, "rangemode": "tozero"},
        "yaxis": {"title": {"text": y}, "zeroline": False},
        "margin": {"l": 60, "r": 10, "t": 46, "b": 48},
        "hovermode": "closest",
        "legend": {"groupclick": "togglegroup"},
        "height": 380,
    }
    for key, value in layout.items():
        known = described.get(key)
        described[key] = (
            known | value if isinstance(known, dict) and isinstance(value, dict) else value
        )
    return {"name": name, "traces": list(traces), "layout": described}


def line_style(look: Look) -> dict[str, Any]:
    """A look as Plotly's line: the same colour and dashes as in the printed figures."""
    dash = "solid" if isinstance(look.dash, str) else ",".join(f"{2 * d:g}px" for d in look.dash[1])
    return {"color": look.colour, "dash": dash, "width": look.width}


def curve(
    steps: Any, label: str, look: Look, mean: Any, ends: Any = None, seeds: Any = None,
    markers: bool = False, digits: str = ".2f",
) -> list[dict[str, Any]]:  # fmt: skip
    """A mean line, its interval, and thin lines for seeds; one entry in the legend for all."""
    shared = {"legendgroup": label, "x": tidy(steps)}
    traces: list[dict[str, Any]] = []
    if ends is not None:
        low, high = np.asarray(ends, dtype=float).T
        edge = {"hoverinfo": "skip", "showlegend": False, "mode": "lines", "line": {"width": 0}}
        traces.append(shared | edge | {"y": tidy(low)})
        fill = {"fill": "tonexty", "fillcolor": faint(look.colour, 0.16)}
        traces.append(shared | edge | fill | {"y": tidy(high)})
    for row in seeds if seeds is not None and len(seeds) > 1 else ():
        thin = {"color": faint(look.colour, 0.45), "width": 0.8}
        extra = {"mode": "lines", "line": thin, "hoverinfo": "skip", "showlegend": False}
        traces.append(shared | extra | {"y": tidy(row)})
    main = {
        "y": tidy(mean),
        "name": label,
        "mode": "lines+markers" if markers else "lines",
        "line": line_style(look),
        "opacity": look.opacity,
        "marker": {"symbol": SYMBOLS.get(look.marker, "circle"), "size": 6, "line": {"width": 1}},
        "hovertemplate": f"step %{{x:,}}<br>%{{y:{digits}}}<extra>%{{fullData.name}}</extra>",
    }
    return [*traces, shared | main]


def accuracy_chart(evidence: Evidence, concept_class: str) -> dict[str, Any]:
    """Joint accuracy under every method, with the window, the turn and the threshold."""
    looks, traces = method_looks(evidence), []
    for method in evidence.methods:
        band = evidence.accuracy(concept_class, method.name)
        if band is None:
            continue
        control = method.kind == "control"
        ends = None if control else np.stack([band.low, band.high], axis=1)
        seeds = None if control else band.per_seed
        look = looks[method.name]
        traces += curve(evidence.steps, method.label, look, band.mean, ends, seeds, markers=True)
    shapes: list[dict[str, Any]] = [_horizontal(0.8)]
    notes = []
    window = window_of(evidence, concept_class)
    if window:
        shapes.append(_span(window[0], window[1], "#FBF3C4"))
        said = "hidden-capability window" + (" (still open)" if window[2] else "")
        notes.append(_note(window[0], said))
    shapes += _turn_shapes(evidence, [concept_class])
    title = f"Held-out class {evidence.class_label(concept_class)}: joint accuracy"
    return chart(
        f"accuracy-{concept_class}", title, traces, "joint accuracy", shapes=shapes,
        annotations=notes, yaxis={"range": [-0.03, 1.05]}, height=450, margin={"t": 64},
    )  # fmt: skip


def concept_chart(evidence: Evidence, concept_class: str) -> dict[str, Any]:
    """Accuracy of each concept of a class on its own, prompted naively."""
    values, traces = evidence.concept_accuracy(concept_class), []
    for index, concept in enumerate(evidence.concepts):
        part = values[..., index]
        mean = nan_mean(np.moveaxis(part, 0, -1))
        traces += curve(evidence.steps, concept, concept_look(index), mean, None, part)
    title = f"Class {evidence.class_label(concept_class)}, naive: each concept"
    shapes = [_horizontal(0.8), *_turn_shapes(evidence, [concept_class])]
    name = f"concepts-{concept_class}"
    return chart(name, title, traces, "accuracy", shapes=shapes, yaxis={"range": [-0.03, 1.05]})


def off_manifold_chart(evidence: Evidence, concept_class: str) -> dict[str, Any]:
    """Share of samples that G could not have drawn, by method."""
    looks, traces = method_looks(evidence), []
    for method in evidence.methods:
        share = evidence.off_manifold(concept_class, method.name)
        if share is not None and np.isfinite(share).any():
            traces += curve(evidence.steps, method.label, looks[method.name], share)
    title = f"Class {evidence.class_label(concept_class)}: share off-manifold"
    name = f"off-{concept_class}"
    return chart(name, title, traces, "share of samples", yaxis={"range": [-0.03, 1.05]})


def loss_charts(evidence: Evidence) -> list[dict[str, Any]]:
    """Losses with the turn marked, and gamma(0) where there is a learned schedule."""
    traces: list[dict[str, Any]] = []
    for name, found in (evidence.findings.get("losses") or {}).items():
        if found and found.get("mean"):
            ends = found.get("interval")
            look = LOSS_LOOKS.get(name, Look(GREY))
            shown = None if not ends else numbers(ends)
            label = LOSS_WORDS.get(name, str(name))
            traces += curve(
                evidence.steps, label, look, numbers(found["mean"]), shown, digits=".4f"
            )
    shapes = _turn_shapes(evidence, evidence.held_out)
    charts = [chart("losses", "Losses", traces, evidence.loss_unit, shapes=shapes)]
    gamma = (evidence.findings.get("gamma") or {}).get("0")
    values = numbers(gamma) if gamma else np.array([[np.nan]])
    if np.isfinite(values).any():
        mean = nan_mean(np.moveaxis(values, 0, -1))
        lines = curve(evidence.steps, "mean of seeds", Look("#1A1A1A"), mean, None, values)
        charts.append(chart("gamma", "γ(0): the end of the noise schedule", lines, "γ(0)"))
    return charts


def speed_chart(evidence: Evidence) -> dict[str, Any]:
    """Speed of each class through concept space."""
    looks, traces = class_looks(evidence), []
    for name in shown_classes(evidence):
        found = evidence.finding(name, "speed")
        if found and found.get("value"):
            ends = found.get("interval") if name in evidence.held_out else None
            shown = None if not ends else 1000 * numbers(ends)
            value = 1000 * numbers(found["value"])
            label = evidence.class_label(name)
            traces += curve(found["step"], label, looks[name], value, shown)
    shapes = _turn_shapes(evidence, evidence.held_out)
    height = {"range": [0, speed_ceiling(evidence)]}
    return chart(
        "speed", "Speed in concept space", traces, "per 1000 steps", shapes=shapes, yaxis=height
    )


def decodability_charts(evidence: Evidence) -> list[dict[str, Any]]:
    """Accuracy of a linear read-out at each conditioning site, one chart a concept."""
    looks, charts = METHOD_LOOKS + TRAINING_LOOKS, []
    for concept in evidence.concepts:
        traces: list[dict[str, Any]] = []
        sites = evidence.findings.get("decodability") or {}
        for index, (site, by_concept) in enumerate(sites.items()):
            found = (by_concept or {}).get(concept)
            if found:
                look = looks[index % len(looks)]
                traces += curve(evidence.steps, site, look, numbers(found["mean"]))
        if traces:
            title = f"Linear read-out of {concept}"
            name = f"decodability-{concept}"
            layout = {"yaxis": {"range": [-0.03, 1.05]}, "shapes": [_horizontal(0.5)]}
            charts.append(chart(name, title, traces, "accuracy", **layout))
    return charts


def calibration_chart(evidence: Evidence) -> dict[str, Any] | None:
    """The probe's accuracy against its confidence."""
    traces: list[dict[str, Any]] = []
    found = (evidence.findings.get("probe") or {}).get("calibration") or {}
    for index, (concept, bins) in enumerate(found.items()):
        if not bins:
            continue
        label = f"{concept} (error {bins.get('error') or 0:.3f})"
        traces += curve(
            bins["confidence"], label, concept_look(index), numbers(bins["accuracy"]), markers=True
        )
        share = bins.get("share") or [None] * len(bins["confidence"])
        traces[-1]["customdata"] = [None if s is None else round(100 * s, 2) for s in share]
        traces[-1]["hovertemplate"] = (
            "confidence %{x:.3f}<br>accuracy %{y:.3f}<br>%{customdata} % of samples"
        )
    if not traces:
        return None
    diagonal = {
        "type": "line",
        "x0": 0,
        "y0": 0,
        "x1": 1,
        "y1": 1,
        "line": {"color": GREY, "dash": "dot", "width": 1},
    }
    return chart(
        "calibration",
        "Calibration of the probe",
        traces,
        "accuracy",
        "confidence",
        shapes=[diagonal],
    )


def tidy(values: Any) -> list:
    """Numbers for JSON: five digits, NaN as null."""
    return [
        None if not np.isfinite(v) else float(f"{v:.5g}") for v in np.asarray(values, dtype=float)
    ]


def faint(colour: str, opacity: float) -> str:
    """A colour with an opacity, as CSS."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _turn_shapes(evidence: Evidence, classes: Sequence[str]) -> list[dict[str, Any]]:
    shapes = []
    for name, turn in all_turns(evidence):
        if name not in classes:
            continue
        ends = turn.get("interval")
        if ends and None not in ends:
            shapes.append(_span(ends[0], ends[1], "rgba(240,228,66,.4)"))
        at = {
            "type": "line",
            "x0": turn["step"],
            "x1": turn["step"],
            "yref": "paper",
            "y0": 0,
            "y1": 1,
        }
        label = {"text": "turn", "textposition": "end", "textangle": 0, "font": {"size": 11}}
        shapes.append(
            at | {"line": {"color": "#8A7A00", "dash": "dashdot", "width": 1.2}, "label": label}
        )
    return shapes


def _span(low: float, high: float, colour: str) -> dict[str, Any]:
    edges = {"x0": low, "x1": high, "y0": 0, "y1": 1, "yref": "paper"}
    return {"type": "rect", "layer": "below", "fillcolor": colour, "line": {"width": 0}} | edges


def _horizontal(height: float) -> dict[str, Any]:
    ends = {"x0": 0, "x1": 1, "xref": "paper", "y0": height, "y1": height}
    return {"type": "line", "line": {"color": GREY, "dash": "dot", "width": 1}} | ends


def _note(x: float, text: str) -> dict[str, Any]:
    return {
        "x": x, "y": 1, "yref": "paper", "text": text, "showarrow": False, "xanchor": "left",
        "yanchor": "bottom", "yshift": 14,  # above the word at the turn, which is often near
        "font": {"size": 11, "color": "#6E6110"},
    }  # fmt: skip
