"""What `conceptspace theory` answers: sentences and a figure for each kind of equations."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from conceptspace.concepts.settings import SettingsError
from conceptspace.figures.landscape import LandscapePath, landscape_figure
from conceptspace.figures.prediction import prediction_figure
from conceptspace.figures.sim import sim_figure
from conceptspace.options import LandscapeOptions, PredictionOptions, SimOptions, UsageError
from conceptspace.theory.expected import (
    learning_order,
    one_layer_times,
    terminal_rates,
    turn_times,
    two_layer_times,
)
from conceptspace.theory.landscape import Landscape, nearest_corner
from conceptspace.theory.landscape_fit import LandscapeFit, fit_landscape, judge_shift
from conceptspace.theory.prediction import Prediction, predict_other_half
from conceptspace.theory.settings import IdentityTask, NetworkSettings, Start
from conceptspace.theory.sim import effective_signal, ood_loss, outputs, starting_weights
from conceptspace.theory.swing import arrival_times, swing_by
from conceptspace.theory.table import read_times
from conceptspace.theory.two_layer import rank_of, two_layer

NUM_TIMES = 4001

Answer = tuple[list[str], Figure]


def solve(options: SimOptions | LandscapeOptions | PredictionOptions) -> Answer:
    """The sentences to print and the figure to write.

    Raises:
        UsageError: if an option is wrong; the message names it and what would be right.
    """
    if isinstance(options, SimOptions):
        return _sim(options)
    if isinstance(options, LandscapeOptions):
        return _simulated(options) if options.run is None else _fitted(options)
    return _predicted(options)


def _sim(options: SimOptions) -> Answer:
    try:
        task = IdentityTask(mu=options.mu, sigma=options.sigma, dimension=options.dimension)
        start = Start(
            diagonal=options.diagonal, off_diagonal=options.off_diagonal, nudge=options.nudge
        )
    except SettingsError as error:
        raise UsageError(_as_flags(error)) from error
    _between("threshold", options.threshold)
    _between("tolerance", options.tolerance)
    if options.networks < 0:
        raise UsageError(f"--networks must be 0 or more, not {options.networks}")
    begun = starting_weights(task, start)
    try:
        rank = rank_of(begun)
        expected = two_layer_times(task, begun, options.threshold)
        last = _positive("duration", options.duration, _long_enough(task, expected))
        times = np.linspace(0, last, NUM_TIMES)
        weights = two_layer(task, begun, times)
    except ValueError as error:
        raise UsageError(f"--off-diagonal {options.off_diagonal}: {error}") from error
    answers = outputs(task, weights)
    swing = swing_by(times, ood_loss(task, answers), options.tolerance)
    count = task.num_concepts
    found = arrival_times(times, answers[:, :count], np.array(task.mu), options.threshold)
    lines = [swing.in_words(), *_about_sim(task, begun, options.threshold, expected, found)]
    if rank < count:
        lines.append(
            f"W(0) has rank {rank}: only {rank} of {count} concepts can ever be learned; "
            "--nudge above 0 lets the others begin"
        )
    lines += _networks(options) if options.networks else []
    return lines, sim_figure(task, times, weights, swing)


def _long_enough(task: IdentityTask, expected: np.ndarray) -> float:
    """Time by which what can be learned is learned, or for what cannot, by which that shows."""
    if np.isfinite(expected).all():
        return max(1.5 * float(expected.max()), 1.0)
    return 10 / float(effective_signal(task)[: task.num_concepts].min())


def _about_sim(
    task: IdentityTask, begun: np.ndarray, threshold: float, expected: np.ndarray, found: np.ndarray
) -> list[str]:
    """Order, turn, learning times and the end, expected from the signals and simulated."""
    order = learning_order(task)
    turns, alone = turn_times(task, begun), one_layer_times(task, begun, threshold)
    weak, strong = order[-1], order[0]
    lines = ["order of learning, by signal: " + ", ".join(f"concept {p + 1}" for p in order)]
    if np.isfinite(turns[weak]) and begun[weak, strong] > 0:
        lines.append(
            f"turn expected at t = {turns[weak]:.3g}, where w_{weak + 1}{strong + 1} peaks"
        )
    for p in order:
        lines.append(
            f"concept {p + 1} learned {_when(found[p])}, expected {_when(expected[p])}; "
            f"by one layer {_when(alone[p])}"
        )
    slowest = 2 * terminal_rates(task, 2).min()
    lines.append(f"in the end the loss at the probe falls as exp(-{slowest:.3g} t)")
    return lines


def _networks(options: SimOptions) -> list[str]:
    import torch

    from conceptspace.theory.networks import train_on_identity

    wide = options.dimension or max(64, len(options.mu))
    task = IdentityTask(mu=options.mu, sigma=options.sigma, dimension=wide)
    lines, appeared = [], 0
    for seed in range(options.networks):
        path = train_on_identity(task, NetworkSettings(), torch.Generator().manual_seed(seed))
        swing = swing_by(path.steps, path.ood_loss, options.tolerance)
        appeared += swing.appears
        where = f"turns at step {swing.turn_time:.0f}" if swing.appears else "no swing-by"
        lines.append(f"network {seed}: {where}, last loss at the probe {path.ood_loss[-1]:.3g}")
    return [*lines, f"{appeared} of {options.networks} networks swing by"]


def _simulated(options: LandscapeOptions) -> Answer:
    signal = np.array(options.signal)
    if not len(signal) or not (np.isfinite(signal) & (signal > 0)).all():
        raise UsageError(f"--signal must be numbers above 0, such as 1 2, not {options.signal}")
    if options.concept_class is not None:
        raise UsageError("--class needs --run: a simulation is of the class with all concepts at 1")
    _between("threshold", options.threshold)
    rates = _positive("rate", options.rate) * signal
    width = _positive("width", options.width)
    shift = 3 / rates.min() if options.shift is None else options.shift
    if np.isnan(shift):
        raise UsageError("--shift must be a time, or inf for a target that never moves, not nan")
    settled = (shift if np.isfinite(shift) else 0) + 5 * width + 5 / rates.min()
    times = np.linspace(0, _positive("duration", options.duration, float(settled)), 401)
    size = len(signal)
    goal, middle = np.ones(size), np.full(size, 0.5)
    concepts = [f"concept {axis + 1}" for axis in range(size)]
    paths = []
    origin = nearest_corner(goal, signal)
    held_out = Landscape(rates, middle, origin, goal, np.array(float(shift)), np.array(width))
    paths.append(
        LandscapePath("1" * size, times, held_out.path(times), held_out.target(times))
    )  # fmt: skip
    for corner in np.vstack([np.zeros(size), np.eye(size)]) if size > 1 else np.zeros((1, 1)):
        rest = Landscape(rates, middle, corner, corner, np.array(np.inf), np.array(width))
        name = "".join(f"{value:.0f}" for value in corner)
        paths.append(LandscapePath(name, times, rest.path(times), held_out=False))
    lines = _about_landscape("1" * size, held_out, times, concepts, options.threshold)
    order = ", ".join(concepts[axis] for axis in np.argsort(-signal, kind="stable"))
    return [f"order of learning, by signal: {order}", *lines], landscape_figure(paths, concepts)


def _about_landscape(
    name: str, model: Landscape, times: np.ndarray, concepts: Sequence[str], threshold: float
) -> list[str]:
    """Where a class heads first, when it turns, and when each coordinate is learned."""
    path = model.path(times)
    lines = []
    if (model.origin != model.goal).any() and model.shift > times[0]:
        corner = "".join(f"{value:.0f}" for value in model.origin)
        lines.append(
            f"class {name} heads for {corner} first; its target shifts at {float(model.shift):.4g} "
            f"(width {float(model.width):.3g})"
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
        lines.append(f"{concept}: rate {rate:.3g}, learned {_when(time)}")
    return lines


def _fitted(options: LandscapeOptions) -> Answer:
    from conceptspace.load import load_run

    _between("threshold", options.threshold)
    assert options.run is not None
    opened = load_run(options.run)
    findings, space = opened.findings, opened.experiment.space
    classes = findings["classes"]
    held_out = [name for name, found in classes.items() if found["held_out"]]
    name = options.concept_class or next(iter(held_out), None)
    if name is None or name not in held_out:
        known = ", ".join(held_out) or "none"
        raise UsageError(f"--class {name}: the held-out classes of {options.run} are {known}")
    signals = findings.get("signal") or {}
    concepts = list(space.names)
    if any(not (signals.get(concept) or {}).get("finite") for concept in concepts):
        raise UsageError(f"--run {options.run}: its findings have no concept signal")
    signal = np.array([signals[concept]["finite"] for concept in concepts])
    steps = np.array(findings["steps"], dtype=float)
    trained = steps > 0
    paths, lines = [], []
    for label in [name, *(c for c in classes if c not in held_out)]:
        measured = np.array(classes[label]["coordinate"]["mean"], dtype=float)[trained]
        corner = space.corner(label)
        first = nearest_corner(corner, signal) if label == name else corner
        fit, words = _fit_class(label, steps[trained], measured, first, corner)
        best = fit.landscape
        target = best.target(steps[trained]) if label == name else None
        paths.append(
            LandscapePath(label, steps[trained], fit.fitted, target, measured, label == name)
        )
        lines.append(words)
        if label == name:
            dense = np.linspace(steps[trained][0], steps[-1], 2001)
            lines += _about_landscape(label, best, dense, concepts, options.threshold)
            note = f"R² {fit.r2:.3f}, residual {fit.residual:.3f}"
    return lines, landscape_figure(paths, concepts, note)


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


def _predicted(options: PredictionOptions) -> Answer:
    _between("confidence", options.confidence)
    if options.random_seed < 0:
        raise UsageError(f"--random-seed must be 0 or more, not {options.random_seed}")
    rng = np.random.default_rng(options.random_seed)
    try:
        with open(options.table, encoding="utf-8", newline="") as lines:
            table = read_times(lines)
        found = predict_other_half(table.signal, table.times, table.ends, rng, options.confidence)
    except OSError as error:
        raise UsageError(f"cannot read {options.table}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{options.table}: {error}") from error
    return _about_prediction(found), prediction_figure(found, table.concepts)


def _about_prediction(found: Prediction) -> list[str]:
    low, high = found.law.slope_interval()
    c, order = found.concordance, found.order
    return [
        f"log T falls by {-found.law.slope:.3g} per unit of log signal "
        f"(95 %: {-high:.3g} to {-low:.3g}), spread {found.law.spread:.3g}",
        f"order of {c.num_pairs} pairs of scored times: C = {c.share:.3f} "
        f"({c.interval[0]:.3f} to {c.interval[1]:.3f}), tau = {c.tau:.3f}",
        f"order of the concepts within a setting: {order.share:.3f} of {order.num_pairs} pairs",
        f"intervals of {100 * found.confidence:g} % hold {100 * found.coverage:.1f} % of the "
        "scored times",
        f"the signal orders learning times: {found.verdict}",
    ]


def _as_flags(error: SettingsError) -> str:
    """The refusal of settings, each field by the name of its flag."""
    names = [f"--{problem.path[0].replace('_', '-')}: " if problem.path else "" for problem in
             error.problems]  # fmt: skip
    said = [name + problem.message for name, problem in zip(names, error.problems)]
    return "\n".join(said) or str(error)


def _positive(flag: str, value: float | None, otherwise: float = 1.0) -> float:
    """A number above 0, or what stands for it."""
    if value is None:
        return otherwise
    if not 0 < value < float("inf"):
        raise UsageError(f"--{flag} must be a number above 0, not {value:g}")
    return value


def _between(flag: str, value: float) -> None:
    if not 0 < value < 1:
        raise UsageError(f"--{flag} must be between 0 and 1, not {value:g}")


def _when(time: float) -> str:
    return f"at {time:.4g}" if np.isfinite(time) else "never"
