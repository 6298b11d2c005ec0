import numpy as np
import pytest
from matplotlib.colors import to_rgb

from conceptspace.figures.accuracy import method_looks
from conceptspace.figures.evidence import Evidence
from conceptspace.figures.plane import class_looks, path_between, swept_region, time_shades
from conceptspace.figures.samples import montage, spread_steps
from conceptspace.figures.style import (
    HELD_OUT_LOOKS,
    METHOD_LOOKS,
    TRAINING_LOOKS,
    drawing,
    new_figure,
    step_axis,
    thousands,
)


@pytest.mark.parametrize("family", [TRAINING_LOOKS, METHOD_LOOKS, HELD_OUT_LOOKS])
def test_series_are_told_apart_without_colour(family: tuple):
    assert len({(str(look.dash), look.marker) for look in family}) == len(family)


def test_training_classes_are_dashed_and_held_out_ones_solid(evidence: Evidence):
    looks = class_looks(evidence)
    assert {looks[name].dash for name in evidence.held_out} == {"-"}
    assert "-" not in {looks[name].dash for name in evidence.training}


def test_a_control_has_its_methods_colour_and_another_dash(evidence: Evidence):
    looks = method_looks(evidence)
    control, method = looks["latent-steering/random-direction"], looks["latent-steering"]
    assert control.colour == method.colour
    assert control.dash != method.dash
    assert control.width < method.width


def test_time_runs_from_light_to_dark():
    brightness = [sum(to_rgb(shade)) for shade in time_shades(9, "#D55E00")]
    assert brightness == sorted(brightness, reverse=True)
    assert brightness[0] > 2.5
    assert brightness[-1] < 1.3


@pytest.mark.parametrize(
    ("steps", "scale"),
    [
        (np.linspace(0, 3000, 25), "linear"),
        (np.linspace(0, 55, 25) ** 2, "linear"),
        (np.concatenate([[0], np.geomspace(10, 1e6, 60)]), "symlog"),
        ([0], "linear"),
        ([500], "linear"),
    ],
)
def test_the_step_axis_suits_its_checkpoints(steps, scale: str):
    with drawing():
        axes = new_figure(3, 2).add_subplot()
        step_axis(axes, steps)
    assert axes.get_xscale() == scale
    low, high = axes.get_xlim()
    assert low <= np.min(steps)
    assert high >= np.max(steps)


def test_thousands_are_set_apart():
    assert thousands(12500) == "12\u202f500"


def test_a_path_between_two_steps_has_both_ends_interpolated():
    steps, path = np.array([0, 10, 20]), np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(
        path_between(steps, path, 5, 15), [[0.5, 0.0], [1.0, 0.0], [1.0, 0.5]]
    )


def test_the_swept_region_covers_both_ends():
    low, high = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[0.2, 0.2], [1.2, 1.2]])
    (polygon,) = swept_region(low, high)
    np.testing.assert_allclose([polygon.min(axis=0), polygon.max(axis=0)], [[0, 0], [1.2, 1.2]])


def test_an_interval_without_width_sweeps_nothing():
    ends = np.array([[0.5, 0.5], [0.5, 0.5]])
    assert swept_region(ends, ends) == []


def test_columns_of_a_sample_grid_hold_both_ends():
    steps = list(range(0, 250, 10))
    shown = spread_steps(steps)
    assert len(shown) == 8
    assert (shown[0], shown[-1]) == (0, 240)
    assert spread_steps([3, 5]) == [3, 5]


def test_a_montage_sets_pictures_side_by_side():
    pictures = np.arange(1, 5, dtype=np.uint8)[:, None, None, None] * np.ones((4, 2, 2, 3), "uint8")
    sheet = montage(pictures)
    assert sheet.shape == (5, 5, 3)
    assert sheet[0, 0, 0] == 1
    assert sheet[0, 3, 0] == 2
    assert sheet[3, 0, 0] == 3
    assert sheet[2].min() == 255
