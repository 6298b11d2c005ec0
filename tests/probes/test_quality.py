import json

import numpy as np
import pytest
import torch

from conceptspace.concepts import ConceptSpace
from conceptspace.data.dataset import Dataset
from conceptspace.data.factors import colour, size
from conceptspace.probes.quality import calibration, class_accuracy, confusion

SPACE = ConceptSpace(concepts=(colour(0.4), size(0.4)))


class Recites:
    """A probe that says what it was given."""

    def __init__(self, *distributions):
        self.distributions = tuple(torch.tensor(part) for part in distributions)

    def read(self, images):
        return self.distributions


def dataset(labels):
    num = len(labels)
    labels = torch.tensor(labels)
    return Dataset(torch.zeros(num, 3, 8, 8), torch.zeros(num, 4), torch.zeros(num, 4), labels)


SAYS_RED_SMALL = Recites([[0.9, 0.1]] * 4, [[0.4, 0.6]] * 4)
FOUR_CLASSES = dataset([[0, 0], [0, 1], [1, 0], [1, 1]])


def test_confusion_counts_true_rows_and_read_columns():
    tables = confusion(SAYS_RED_SMALL, FOUR_CLASSES, SPACE)
    assert tables == {"colour": [[2, 0], [2, 0]], "size": [[0, 2], [0, 2]]}


def test_accuracy_needs_every_concept_right():
    accuracy = class_accuracy(SAYS_RED_SMALL, FOUR_CLASSES, SPACE)
    assert accuracy == {"00": 0.0, "01": 1.0, "10": 0.0, "11": 0.0}


def test_classes_without_images_have_no_accuracy():
    only_red_small = dataset([[0, 1]] * 4)
    assert class_accuracy(SAYS_RED_SMALL, only_red_small, SPACE) == {"01": 1.0}


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    table = calibration(SAYS_RED_SMALL, FOUR_CLASSES, SPACE, num_bins=5)
    colours = table["colour"]
    assert colours["error"] == pytest.approx(0.4)
    assert colours["share"] == [0, 0, 0, 0, 1]
    assert colours["accuracy"] == [None, None, None, None, 0.5]
    assert colours["confidence"][4] == pytest.approx(0.9)
    assert table["size"]["error"] == pytest.approx(0.1)


def test_a_probe_that_is_right_as_often_as_it_says_has_no_error():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, size=20_000)
    right = rng.uniform(size=20_000) < confidence
    both = np.stack([confidence, 1 - confidence], axis=1)
    labels = np.stack([~right, ~right], axis=1).astype(int)
    table = calibration(Recites(both, both), dataset(labels.tolist()), SPACE)
    # Each of 5 filled bins holds 4000 images: its accuracy is known to 0.008 at worst.
    assert table["colour"]["error"] < 0.01


def test_everything_is_ready_for_json(probe, world, space, renders):
    known = renders(world, space, 20)
    for measure in (confusion, class_accuracy, calibration):
        table = measure(probe, known, space)
        assert json.loads(json.dumps(table, allow_nan=False)) == table


def test_no_bins_are_refused():
    with pytest.raises(ValueError, match="num_bins must be at least 1, not 0"):
        calibration(SAYS_RED_SMALL, FOUR_CLASSES, SPACE, num_bins=0)
