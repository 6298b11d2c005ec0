import numpy as np
import pytest
import torch

from conceptspace.concepts.settings import SettingsError
from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.dataset import draw_dataset
from conceptspace.data.mixing import Conditioning, Prompter
from conceptspace.data.pictures import PLANE_PIXELS, plane_pictures
from conceptspace.data.signal import concept_signal
from conceptspace.data.vectors import OneHotAxis, PointAxis, VectorWorld
from vectors import AXES, SPACE, WORLD

PROMPTER = Prompter(
    space=SPACE, conditioning=Conditioning(), factor_widths=dict(WORLD.factor_widths)
)

REFUSED = {
    "a single point": (lambda: OneHotAxis(name="a", points=(0.5,)), "give 2 to 36 points"),
    "a point outside": (lambda: PointAxis(name="a", points=(0.5, 1.5)), r"must lie in \[0, 1\]"),
    "points told by themselves that are one": (
        lambda: PointAxis(name="a", points=(0.5, 0.5)),
        "points: two are the same, .* a OneHotAxis may hold them",
    ),
    "no axis": (lambda: VectorWorld(axes=()), "VectorWorld.axes"),
    "two axes of one name": (lambda: VectorWorld(axes=(AXES[0], AXES[0])), "'first' is taken"),
    "an axis called nuisance": (
        lambda: VectorWorld(axes=(PointAxis(name="nuisance", points=(0, 1)),)),
        "'nuisance' is taken",
    ),
    "no noise": (lambda: VectorWorld(axes=AXES, noise=0.0), "VectorWorld.noise: .*greater than 0"),
    "too much noise": (lambda: VectorWorld(axes=AXES, noise=0.3), "less than or equal to 0.25"),
    "a nuisance without width": (
        lambda: VectorWorld(axes=AXES, nuisance=(0.1, 0.0)),
        "every standard deviation must be above 0 and at most 0.3",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_world_that_cannot_be_is_refused(case):
    make, message = REFUSED[case]
    with pytest.raises(SettingsError, match=message):
        make()


def draws(concept_class, num=20_000):
    drawn = draw_dataset(WORLD, PROMPTER, [concept_class], num, np.random.default_rng(0))
    return drawn.images.double().numpy(), drawn


def test_draws_lie_around_the_point_of_their_class_and_nuisance_around_the_middle():
    points, _ = draws("12")
    # Second at 0.7, first at its third point, in the order of the world. Five standard errors.
    expected = np.array([0.9, 0.7, 0.5])
    spread = np.array([0.03, 0.03, np.hypot(0.1, 0.03)])
    assert np.all(np.abs(points.mean(0) - expected) < 5 * spread / np.sqrt(len(points)))


def test_draws_have_the_stated_covariance():
    points, _ = draws("00")
    expected = np.diag([0.03**2, 0.03**2, 0.1**2 + 0.03**2])
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)) / len(points))
    assert np.all(np.abs(np.cov(points.T) - expected) < 5 * np.sqrt(2) * scale)
    np.testing.assert_allclose(WORLD.deviations, np.sqrt(np.diag(expected)))


def test_the_model_is_told_a_one_hot_of_one_axis_and_the_point_of_the_other():
    _, drawn = draws("12", num=2)
    assert drawn.vectors.tolist() == [pytest.approx([0.7, 0.0, 0.0, 1.0])] * 2
    assert drawn.labels.tolist() == [[1, 2]] * 2


def test_nothing_is_clipped():
    world = VectorWorld(axes=(PointAxis(name="a", points=(0.0, 1.0)),), noise=0.1)
    space = ConceptSpace(concepts=(world.axes[0].concept(),))
    prompter = Prompter(space=space, conditioning=Conditioning(), factor_widths={"a": 1})
    drawn = draw_dataset(world, prompter, ["0", "1"], 200, np.random.default_rng(0))
    assert drawn.images.min() < -0.1
    assert drawn.images.max() > 1.1


def test_the_signal_of_an_axis_is_the_distance_of_its_points():
    signal = concept_signal(WORLD, SPACE, num_images=12)
    assert signal["second"].finite == pytest.approx(0.4)
    assert signal["second"].derivative == pytest.approx(0.4)
    # Three points: a step between neighbours is (0.9 - 0.2) / 2 on average.
    assert signal["first"].finite == pytest.approx(0.35)
    assert signal["first"].derivative == pytest.approx(0.35)


def test_an_axis_whose_values_share_a_point_has_no_signal():
    world = VectorWorld(axes=(OneHotAxis(name="a", points=(0.4, 0.4)), AXES[1]))
    space = ConceptSpace(concepts=tuple(axis.concept() for axis in world.axes))
    signal = concept_signal(world, space, num_images=4)
    assert signal["a"].finite == signal["a"].derivative == 0.0


def test_only_nuisance_is_drawn_where_there_is_no_concept():
    assert WORLD.draw_nuisance("nuisance", 3, np.random.default_rng(0)).shape == (3, 1)
    with pytest.raises(ValueError, match="factor 'first' is no nuisance of this world"):
        WORLD.draw_nuisance("first", 3, np.random.default_rng(0))


def dot(picture):
    """Row and column of the middle of the blue dot."""
    paper, blue = np.array([1.0, 1.0, 1.0]), np.array([0.1, 0.3, 0.75])
    share = (picture.double().numpy() / 255 - paper) @ (blue - paper)
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    weight = np.where(share > 0.6, share, 0.0)
    return (weight * rows).sum() / weight.sum(), (weight * columns).sum() / weight.sum()


def test_a_picture_shows_the_first_dimension_to_the_right_and_the_second_upwards():
    (low, high) = plane_pictures(torch.tensor([[0.1, 0.2], [0.9, 0.8]]), [(0.5,), (0.5,)])
    assert low.shape == (PLANE_PIXELS, PLANE_PIXELS, 3)
    assert dot(low)[0] > dot(high)[0]  # rows are counted from the top
    assert dot(low)[1] < dot(high)[1]


@pytest.mark.parametrize(("dimensions", "planes"), [(1, 1), (2, 1), (3, 2), (5, 3)])
def test_a_picture_has_a_plane_for_each_two_dimensions(dimensions, planes):
    points = torch.full((4, dimensions), 9.0)  # beyond the edge, which is where it is drawn
    shown = plane_pictures(points, [(0.2, 0.8)] * dimensions)
    assert shown.shape == (4, PLANE_PIXELS, planes * PLANE_PIXELS, 3)
    assert shown.dtype == torch.uint8


def test_a_world_shows_its_own_pictures():
    assert WORLD.pictures(torch.zeros(2, 3)).shape == (2, PLANE_PIXELS, 2 * PLANE_PIXELS, 3)
