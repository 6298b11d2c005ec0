"""The factors of the synthetic world, and the concepts of the paper that drive them. No torch."""

from conceptspace.concepts.concept import Concept, Normal, Uniform
from conceptspace.concepts.settings import SettingsError

FACTOR_WIDTHS = {"shape": 2, "x": 1, "y": 1, "colour": 3, "size": 1, "background": 3}
"""How many numbers each factor takes, in the order of the paper's conditioning vector."""


def colour(separation: float) -> Concept:
    """Red against blue, `separation` apart in the red and the blue channel, in (0, 0.8]."""
    _check_separation("colour", separation, 0.8)
    high, low = 0.5 + separation / 2, 0.5 - separation / 2
    return Concept(
        name="colour",
        factor="colour",
        values=((high, low, low), (low, low, high)),
        spread=Uniform(half_width=separation / 8),
        labels=("red", "blue"),
    )


def size(separation: float) -> Concept:
    """Large against small radius, `separation` apart, in (0, 0.4]; image half-widths."""
    _check_separation("size", separation, 0.4)
    return Concept(
        name="size",
        factor="size",
        values=((0.45 + separation / 2,), (0.45 - separation / 2,)),
        spread=Uniform(half_width=3 * separation / 8, minimum=0.1),
        labels=("large", "small"),
    )


def background(separation: float) -> Concept:
    """Bright against dark background, `separation` apart in every channel, in (0, 0.8]."""
    _check_separation("background", separation, 0.8)
    return Concept(
        name="background",
        factor="background",
        values=((0.5 + separation / 2,) * 3, (0.5 - separation / 2,) * 3),
        spread=Uniform(half_width=separation / 8),
        labels=("bright", "dark"),
    )


def position(axis: str) -> Concept:
    """Left against right (`axis="x"`) or below against above (`axis="y"`)."""
    words = {"x": ("left", "right"), "y": ("below", "above")}
    if axis not in words:
        raise ValueError(f"axis must be 'x' or 'y', not {axis!r}")
    return Concept(
        name=axis,
        factor=axis,
        values=((-0.4,), (0.4,)),
        spread=Normal(standard_deviation=0.05),
        labels=words[axis],
    )


def shape() -> Concept:
    """Circle against triangle."""
    return Concept(
        name="shape", factor="shape", values=((1.0, 0.0), (0.0, 1.0)), labels=("circle", "triangle")
    )


def _check_separation(concept: str, separation: float, maximum: float) -> None:
    # Beyond the maximum, draws would leave [0, 1], or the small object could not be seen.
    if not 0.0 < separation <= maximum:
        raise SettingsError(
            f"separation of {concept} must be above 0 and at most {maximum}, not {separation}"
        )
