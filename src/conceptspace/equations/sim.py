"""Structured identity mapping on the command line."""

import numpy as np

from conceptspace.concepts.settings import SettingsError
from conceptspace.equations.flags import Answer, as_flags, between, positive, when
from conceptspace.figures.sim import sim_figure
from conceptspace.options import SimOptions, UsageError
from conceptspace.theory.expected import (
    learning_order,
    one_layer_times,
    terminal_rates,
    turn_times,
    two_layer_times,
)
from conceptspace.theory.settings import IdentityTask, NetworkSettings, Start
from conceptspace.theory.sim import effective_signal, ood_loss, outputs, starting_weights
from conceptspace.theory.swing import arrival_times, swing_by
from conceptspace.theory.two_layer import rank_of, two_layer

NUM_TIMES = 4001


def simulate_task(options: SimOptions) -> Answer:
    """The two-layer model on the task, and networks besides if asked for."""
    try:
        task = IdentityTask(mu=options.mu, sigma=options.sigma, dimension=options.dimension)
        start = Start(
            diagonal=options.diagonal, off_diagonal=options.off_diagonal, nudge=options.nudge
        )
    except SettingsError as error:
        raise UsageError(as_flags(error)) from error
    between("threshold", options.threshold)
    between("tolerance", options.tolerance)
    if options.networks < 0:
        raise UsageError(f"--networks must be 0 or more, not {options.networks}")
    begun = starting_weights(task, start)
    try:
        rank = rank_of(begun)
        expected = two_layer_times(task, begun, options.threshold)
        last = positive("duration", options.duration, _long_enough(task, expected))
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
            f"concept {p + 1} learned {when(found[p])}, expected {when(expected[p])}; "
            f"by one layer {when(alone[p])}"
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
