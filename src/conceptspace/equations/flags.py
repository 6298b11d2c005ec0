"""Refusals and numbers in the words of the command line."""

import numpy as np
from matplotlib.figure import Figure

from conceptspace.concepts.settings import SettingsError
from conceptspace.options import UsageError

Answer = tuple[list[str], Figure]
"""The sentences to print, and the figure to write."""


def as_flags(error: SettingsError) -> str:
    """The refusal of settings, each field by the name of its flag."""
    said = []
    for problem in error.problems:
        flag = f"--{problem.path[0].replace('_', '-')}: " if problem.path else ""
        said.append(flag + problem.message)
    return "\n".join(said) or str(error)


def positive(flag: str, value: float | None, otherwise: float = 1.0) -> float:
    """A number above 0, or what stands for it."""
    if value is None:
        return otherwise
    if not 0 < value < float("inf"):
        raise UsageError(f"--{flag} must be a number above 0, not {value:g}")
    return value


def between(flag: str, value: float) -> None:
    """Refuse what is not between 0 and 1."""
    if not 0 < value < 1:
        raise UsageError(f"--{flag} must be between 0 and 1, not {value:g}")


def when(time: float) -> str:
    """A time in a sentence; an infinite one is never."""
    return f"at {time:.4g}" if np.isfinite(time) else "never"
