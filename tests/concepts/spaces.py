"""Hypothesis strategies for concept spaces."""

from hypothesis import strategies as st

from conceptspace.concepts import Concept, ConceptSpace, Uniform


def spaces(max_axes: int = 6, max_values: int = 5):
    """Spaces of 2 to `max_axes` concepts with 2 to `max_values` values of 1 to 3 numbers each."""
    axis = st.tuples(
        st.integers(2, max_values), st.integers(1, 3), st.floats(0.0, 0.4, allow_nan=False)
    )
    return st.lists(axis, min_size=2, max_size=max_axes).map(_space)


def _space(axes: list[tuple[int, int, float]]) -> ConceptSpace:
    concepts = (
        Concept(
            name=f"concept {number}",
            factor=f"factor {number}",
            values=tuple((float(value),) * width for value in range(num_values)),
            spread=Uniform(half_width=half_width),
        )
        for number, (num_values, width, half_width) in enumerate(axes)
    )
    return ConceptSpace(concepts=tuple(concepts))
