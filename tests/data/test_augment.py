"""Random changes of training images, and the steps that they are drawn by."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from conceptspace.data.augment import augmented
from conceptspace.data.dataset import Dataset
from conceptspace.data.labelled_world import Augmentation
from conceptspace.data.readers.celeba import CelebAWorld
from conceptspace.training.step import with_changes

IMAGES = torch.rand(400, 3, 5, 6, generator=torch.Generator().manual_seed(0))


def changed(images=IMAGES, seed=0, **settings):
    return augmented(images, Augmentation(**settings), np.random.default_rng(seed))


def test_nothing_is_changed_where_nothing_is_asked_for():
    assert torch.equal(changed(), IMAGES)


def test_about_half_are_mirrored_whole():
    result = changed(flip=True)
    mirrored = torch.tensor([torch.equal(a, b.flip(2)) for a, b in zip(result, IMAGES)])
    assert 150 < mirrored.sum() < 250
    assert torch.equal(result[~mirrored], IMAGES[~mirrored])


def test_brightness_varies_by_up_to_a_tenth_each_image_by_itself():
    """Of images of one grey, contrast and saturation change nothing."""
    result = changed(torch.full((400, 3, 4, 4), 0.5), colour_jitter=0.1)
    levels = result[:, 0, 0, 0]
    assert 0.45 <= levels.min() < 0.46
    assert 0.54 < levels.max() <= 0.55
    assert torch.allclose(result, levels[:, None, None, None].expand_as(result))


def test_contrast_keeps_the_mean_and_saturation_the_luminance():
    dark_and_light = torch.cat([torch.full((400, 3, 4, 2), v) for v in (0.4, 0.6)], dim=3)
    result = changed(dark_and_light, colour_jitter=0.1)
    ratio = (result[:, 0, 0, 3] - result[:, 0, 0, 0]) / result.mean(dim=(1, 2, 3))
    assert 0.36 - 1e-6 <= ratio.min() < 0.37
    assert 0.43 < ratio.max() <= 0.44 + 1e-6
    red = torch.tensor([0.6, 0.4, 0.4])[None, :, None, None].expand(400, 3, 4, 4)
    result = changed(red, colour_jitter=0.1)[:, :, 0, 0]
    luminance = result @ torch.tensor([0.299, 0.587, 0.114])
    ratio = (result[:, 0] - result[:, 1]) / luminance / (0.2 / 0.4598)
    # Where all pixels are one colour both move it away from its luminance: 0.9 and 1.1 squared.
    assert 0.81 - 1e-4 <= ratio.min() < 0.84
    assert 1.17 < ratio.max() <= 1.21 + 1e-4


def test_images_stay_in_range_and_grey_ones_have_no_saturation():
    assert changed(flip=True, colour_jitter=0.9).min() >= 0
    assert changed(colour_jitter=0.9).max() <= 1
    assert changed(IMAGES[:, :1], colour_jitter=0.1).shape == (400, 1, 5, 6)


def test_the_same_stream_makes_the_same_changes_and_leaves_the_images_alone():
    before = IMAGES.clone()
    assert torch.equal(changed(flip=True, colour_jitter=0.1), changed(flip=True, colour_jitter=0.1))
    assert not torch.equal(changed(flip=True), changed(flip=True, seed=1))
    assert torch.equal(IMAGES, before)


def test_a_step_changes_what_the_data_set_says_and_another_step_otherwise():
    rows = torch.zeros(400, 1)
    plain = Dataset(IMAGES, rows, rows, rows.long())
    assert with_changes(IMAGES, plain, seed=0, step=3) is IMAGES
    jittered = replace(plain, augmentation=Augmentation(colour_jitter=0.1)).to("cpu")
    third = with_changes(IMAGES, jittered, seed=0, step=3)
    assert torch.equal(third, with_changes(IMAGES, jittered, seed=0, step=3))
    assert not torch.equal(third, with_changes(IMAGES, jittered, seed=0, step=4))
    assert not torch.equal(third, with_changes(IMAGES, jittered, seed=1, step=3))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Augmentation(flip=True, colour_jitter=0.1)),
        ({"flip": False}, Augmentation(flip=False, colour_jitter=0.1)),
        ({"flip": False, "colour_jitter": 0.0}, None),
    ],
)
def test_faces_are_changed_as_published_unless_told_otherwise(changes, expected):
    assert CelebAWorld(**changes).augmentation == expected
