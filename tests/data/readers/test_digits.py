"""Coloured digits."""

import sys

import numpy as np
import pytest

from conceptspace.concepts.settings import SettingsError
from conceptspace.data.labelled import DataError
from conceptspace.data.readers.digits import DigitsWorld


def test_every_digit_is_there_once_in_each_colour():
    data = DigitsWorld(digits=(3, 8)).loaded()
    assert data.space.describe("11") == "blue eight"
    assert len(data.rows_of("00")) == len(data.rows_of("10")) == 183
    red, blue = data.images[data.rows_of("00")], data.images[data.rows_of("10")]
    ink = red.min(axis=3) < 140
    assert (red[..., 0][ink] > red[..., 2][ink]).all()
    assert (blue[..., 0][ink] < blue[..., 2][ink]).all()
    assert data.groups is not None
    assert len(np.unique(data.groups)) == 357


def test_handwriting_that_judges_the_probe_is_in_no_other_part():
    world = DigitsWorld()
    groups = world.loaded().groups
    assert groups is not None
    assert not np.isin(groups[world.judged], groups[~world.judged]).any()


def test_grey_digits_have_one_channel():
    assert DigitsWorld(channels=1, image_size=8).loaded().images.shape == (720, 8, 8, 1)


def test_two_equal_digits_are_refused():
    with pytest.raises(SettingsError, match="two different digits from 0 to 9"):
        DigitsWorld(digits=(3, 3))


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DataError, match=r"pip install 'conceptspace\[data\]'"):
        DigitsWorld().loaded()
