import numpy as np
import pytest

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.labelled import LabelledImages

SPACE = ConceptSpace.named(digit=("three", "eight"), colour=("red", "green", "blue"))
VALUES = np.array([[0, 2], [1, 0], [0, 2]])


def labelled(**changes):
    given = {"images": np.zeros((3, 4, 5, 3), np.uint8), "values": VALUES, "space": SPACE}
    return LabelledImages(**given | changes)


def test_classes_are_named_after_the_values():
    images = labelled()
    assert images.classes.tolist() == ["02", "10", "02"]
    assert images.rows_of("02").tolist() == [0, 2]
    assert images.rows_of("01").tolist() == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": np.zeros((3, 4, 5, 3))}, "uint8"),
        ({"images": np.zeros((3, 4, 5, 2), np.uint8)}, "channels, not 2"),
        ({"values": VALUES[:2]}, r"\(3, 2\), not \(2, 2\)"),
        ({"values": VALUES + 1}, "'digit' must be indices from 0 to 1, not 1 to 2"),
        ({"masks": np.zeros((3, 5, 4), bool)}, "masks must have"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        labelled(**changes)
