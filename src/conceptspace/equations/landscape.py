"""The landscape model on the command line."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from conceptspace.equations.flags import Answer, between, positive, when
from conceptspace.figures.landscape import LandscapePath, landscape_figure
from conceptspace.options import LandscapeOptions, UsageError
from conceptspace.theory.landscape import Landscape, nearest_corner
from conceptspace.theory.landscape_fit import LandscapeFit, fit_landscape, judge_shift
from conceptspace.theory.swing import arrival_times

NUM_TIMES = 1001


def simulate(options: LandscapeOptions) -> Answer:
    """The class with every concept at 1, and the training classes, from signals alone."""
    signal = np.array(options.signal)
    if not len(signal) or not (np.isfinite(signal) & (signal > 0)).all():
        raise UsageError(f"--signal must be numbers above 0, such as 1 2, not {options.signal}")
    if options.concept_class is not None:
        raise UsageError("--class needs --run: a simulation is of the class with all concepts at 1")
    between("threshold", options.threshold)
    rates = positive("rate", options.rate) * signal
    width = positive("width", options.width)
    shift = 3 / rates.min() if options.shift is None else options.shift
    if np.isnan(shift):
        raise UsageError("--shift must be a time, or inf for a target that never moves, not nan")
    settled = max(shift if np.isfinite(shift) else 0.0, 0.0) + 5 * width + 5 / rates.min()
    times = np.linspace(0, positive("duration", options.duration, float(settled)), 401)
    size, goal, middle = len(signal), np.ones(len(signal)), np.full(len(signal), 0.5)
    concepts = [f"concept {axis + 1}" for axis in range(size)]
    corners = np.vstack([np.zeros(size), np.eye(size)])[: size + 1 if size > 1 else 1]
    drawn, lines = [], []
    for corner in [goal, *corners]:
        is_main = corner is goal
        first = nearest_corner(goal, signal) if is_main else corner
        model = Landscape(rates, middle, first, corner, np.array(float(shift)), np.array(width))
        target = model.target(times) if is_main else None
        drawn.append(
            LandscapePath(_name(corner), times, model.path(times), target, held_out=is_main)
        )
        if is_main:
            lines = _about_landscape(_name(goal), model, times, concepts, options.threshold)
    order = ", ".join(concepts[axis] for axis in np.argsort(-signal, kind="stable"))
    figure = landscape_figure(drawn, concepts, time="time")
    return [f"order of learning, by signal: {order}", *lines], figure


def _name(corner: np.ndarray) -> str:
    return "".join(f"{value:.0f}" for value in corner)


def _about_landscape(
    name: str, model: Landscape, times: np.ndarray, concepts: Sequence[str], threshold: float
) -> list[str]:
    """Where a class heads first, when it turns, and when each coordinate is learned."""
    path = model.path(times)
    lines = []
    if (model.origin != model.goal).any() and model.shift > times[0]:
        lines.append(
            f"class {name} heads for {_name(model.origin)} first; "
            f"its target shifts at {float(model.shift):.4g} (width {float(model.width):.3g})"
            + ("; after the last time, so that is only bounded" if model.shift > times[-1] else "")
        )
        moved = int(np.argmax(model.origin != model.goal))
        lowest = np.abs(path[:, moved] - model.goal[moved]).argmax()
        if 0 < lowest < len(times) - 1:
            lines.append(f"{concepts[moved]} turns round at {times[lowest]:.4g}")
    near = 1 - np.abs(path - model.goal)
    for concept, time, rate in zip(
        concepts, arrival_times(times, near, np.ones(len(concepts)), threshold), model.rates
    ):
        lines.append(f"{concept}: rate {rate:.3g}, learned {when(time)}")
    return lines


class _Measured:
    """The paths of a run: one held-out class and the training classes.

    Attributes:
        name: the held-out class.
        space: the run's concept space.
        concepts: names of the axes.
        signal: distance between class means, one an axis.
        steps: of the trained checkpoints.
        paths: class -> (checkpoint, axis).
    """

    def __init__(self, folder: Path, chosen: str | None) -> None:
        from conceptspace.load import load_run

        run = load_run(folder)
        findings, self.space = run.findings, run.experiment.space
        classes = findings["classes"]
        held_out = [name for name, found in classes.items() if found["held_out"]]
        self.name = chosen or next(iter(held_out), "")
        if self.name not in held_out:
            known = ", ".join(held_out) or "none"
            raise UsageError(f"--class {self.name}: the held-out classes of {folder} are {known}")
        self.concepts = list(self.space.names)
        signals = findings.get("signal") or {}
        if any(not (signals.get(concept) or {}).get("finite") for concept in self.concepts):
            raise UsageError(f"--run {folder}: its findings have no concept signal")
        self.signal = np.array([signals[concept]["finite"] for concept in self.concepts])
        steps = np.array(findings["steps"], dtype=float)
        self.steps = steps[steps > 0]
        if not len(self.steps):
            raise UsageError(f"--run {folder}: nothing was measured after step 0 yet")
        self.paths = {
            label: np.array(classes[label]["coordinate"]["mean"], dtype=float)[steps > 0]
            for label in [self.name, *(name for name in classes if name not in held_out)]
        }


def fit_run(folder: Path, options: LandscapeOptions) -> Answer:
    """Fit a held-out class of a run, and its training classes, whose targets rest."""
    between("threshold", options.threshold)
    run = _Measured(folder, options.concept_class)
    dense = np.linspace(run.steps[0], run.steps[-1], NUM_TIMES)
    drawn, lines, note = [], [], ""
    for label, measured in run.paths.items():
        corner, is_main = run.space.corner(label), label == run.name
        origin = nearest_corner(corner, run.signal) if is_main else corner
        fit, words = _fit_class(label, run.steps, measured, origin, corner)
        model = fit.landscape
        target = model.target(dense) if is_main else None
        drawn.append(
            LandscapePath(label, dense, model.path(dense), target, measured, run.steps, is_main)
        )
        lines.append(words)
        if is_main:
            lines += _about_landscape(label, model, dense, run.concepts, options.threshold)
            note = f"R² {fit.r2:.3f}, residual {fit.residual:.3f}"
    return lines, landscape_figure(drawn, run.concepts, note)


def _fit_class(
    label: str, steps: np.ndarray, measured: np.ndarray, origin: np.ndarray, goal: np.ndarray
) -> tuple[LandscapeFit, str]:
    """The fit of one class; where its target may shift, with the evidence for that."""
    said = ""
    try:
        if (origin == goal).all():
            fit = fit_landscape(steps, measured, goal, goal)
        else:
            verdict = judge_shift(steps, measured, origin, goal)
            fit = verdict.best
            said = "a shifting target" if verdict.is_found else "no shift beyond a resting target"
            said = f"; {said} (evidence {verdict.evidence:.0f}, 10 is needed)"
    except ValueError as error:
        raise UsageError(f"--run: class {label} cannot be fitted: {error}") from error
    return fit, f"class {label}: R² {fit.r2:.3f}, residual {fit.residual:.3f}{said}"
