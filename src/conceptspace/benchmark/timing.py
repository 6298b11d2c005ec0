"""Fair times: contenders take turns, so that a machine whose speed drifts is fair to all."""

import time
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode


def wait(device: str) -> None:
    """Until a GPU has done what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


def timed_in_turn(
    calls: Mapping[str, Callable[[], object]], rounds: int, device: str, repeats: int = 1
) -> dict[str, np.ndarray]:
    """Seconds of one call of each contender in each round; one untimed round comes first.

    Args:
        calls: what is timed, by name.
        rounds: how often each has its turn.
        device: `cpu` or `cuda`, whose work is waited for.
        repeats: calls in a turn; their time is shared.

    Returns:
        Name to (rounds,).
    """
    seconds = {name: np.empty(rounds + 1) for name in calls}
    for i in range(rounds + 1):
        for name, call in calls.items():
            wait(device)
            started = time.perf_counter()
            for _ in range(repeats):
                call()
            wait(device)
            seconds[name][i] = (time.perf_counter() - started) / repeats
    return {name: values[1:] for name, values in seconds.items()}


def matrix_rate(dtype: torch.dtype, device: str, size: int | None = None) -> float:
    """Floating-point operations a second of a square matrix product, the best of some."""
    size = size or (8192 if device == "cuda" else 2048)
    first, second = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    seconds = timed_in_turn({"product": lambda: first @ second}, 5, device)["product"]
    return 2 * size**3 / float(seconds.min())


def operations(call: Callable[[], object]) -> int:
    """Floating-point operations of one call, counted by torch."""
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()
