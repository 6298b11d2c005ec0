"""Which images are read where there are more of a class than of others, or than are needed."""

from collections.abc import Sequence

import numpy as np

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.labelled import DataError
from conceptspace.data.streams import numpy_stream


def balanced_rows(
    values: np.ndarray,
    space: ConceptSpace,
    counting: Sequence[str],
    *,
    most: int | None = None,
    seed: int = 0,
    source: object = "the data",
) -> np.ndarray:
    """As many rows of each class as the rarest has.

    Of a class that does not count and is rarer, all are taken.

    Args:
        values: value index of each concept, (row, concept); rows with a negative one have no class.
        space: the concepts.
        counting: the classes whose rarest says how many.
        most: rows of a class at most; no limit by default.
        seed: which are taken.
        source: where the rows are from, for messages.

    Returns:
        The rows (num,) that are taken, in order.

    Raises:
        DataError: if there is no row of a class; the message names it.
    """
    of_class = {
        name: np.flatnonzero((values == np.asarray(space.indices(name))).all(axis=1))
        for name in space.classes
    }
    for name, rows in of_class.items():
        if not len(rows):
            raise DataError(
                f"{source}: there is not one image of class {name} ({space.describe(name)}); is "
                "this a part of the download only?"
            )
    num = min(len(of_class[name]) for name in counting)
    num = num if most is None else min(num, most)
    rng = numpy_stream(seed, "balanced-rows")
    taken = [rng.permutation(rows)[:num] for rows in of_class.values()]
    return np.sort(np.concatenate(taken))
