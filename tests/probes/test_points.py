import math

import numpy as np
import pytest
import torch

from conceptspace.data.dataset import draw_dataset
from conceptspace.data.mixing import Conditioning, Prompter
from conceptspace.data.vectors import OneHotAxis, VectorWorld
from conceptspace.probes.classifier import train_probe
from conceptspace.probes.points import PointLocation, PointProbe
from conceptspace.probes.quality import calibration, class_accuracy
from conceptspace.probes.reading import read_samples
from conceptspace.probes.settings import PointProbeSettings, ProbeSettings
from conceptspace.probes.stored import probe_from_tensors
from vectors import SPACE, WORLD

PROBE = PointProbe.of(WORLD, SPACE)
STRICT = PointProbeSettings(kept_share=0.99, tolerance=0.0)


def draws(world=WORLD, num=500):
    prompter = Prompter(
        space=SPACE, conditioning=Conditioning(), factor_widths=dict(world.factor_widths)
    )
    return draw_dataset(world, prompter, SPACE.classes, num, np.random.default_rng(0))


def test_clean_draws_of_every_class_are_read_without_error():
    assert class_accuracy(PROBE, draws(), SPACE) == dict.fromkeys(SPACE.classes, 1.0)


def test_probabilities_are_those_of_overlapping_clusters():
    """0.2, 0.5, 0.9 and 0.3, 0.7 at noise 0.2 overlap much; 1.5 % is three standard errors."""
    wide = WORLD.replace(noise=0.2)
    tables = calibration(PointProbe.of(wide, SPACE), draws(wide, num=2000), SPACE)
    assert all(table["error"] < 0.015 for table in tables.values())


def test_a_point_half_way_is_either_value():
    (second, first) = PROBE.read(torch.tensor([[0.35, 0.5, 0.5]]))
    assert second.tolist() == [pytest.approx([0.5, 0.5])]
    assert first[0].tolist() == pytest.approx([0.5, 0.5, 0.0], abs=1e-6)


def test_values_at_one_point_are_equally_probable():
    axis = OneHotAxis(name="a", points=(0.4, 0.4))
    world = VectorWorld(axes=(axis,))
    probe = PointProbe(world.image_shape, [(0, axis.points)], world.noise)
    assert probe.read(torch.tensor([[0.4], [0.9]]))[0].tolist() == [[0.5, 0.5]] * 2


@pytest.mark.parametrize("sample_noise", [0.0, 0.05])
def test_as_many_of_the_worlds_own_draws_are_kept_as_stated(sample_noise):
    drawn = draws(num=2000).images
    noisy = drawn + sample_noise * torch.randn(drawn.shape)
    found = PointLocation(WORLD, SPACE, STRICT).invert(noisy, sample_noise)
    # 1 % of 12 000; four standard errors of the share are 0.36 %.
    assert float(found.off_manifold.float().mean()) == pytest.approx(0.01, abs=0.004)


def test_a_sample_between_the_clusters_is_off_the_manifold_unless_the_noise_explains_it():
    between = torch.tensor([[0.35, 0.3, 0.5]])
    location = PointLocation(WORLD, SPACE)
    assert location.invert(between, 0.0).off_manifold.all()
    assert not location.invert(between, 0.1).off_manifold.any()


def test_a_sample_far_out_in_a_nuisance_dimension_is_off_the_manifold():
    out = torch.tensor([[0.2, 0.3, 1.2]])
    assert PointLocation(WORLD, SPACE).invert(out, 0.0).off_manifold.all()


def test_a_small_error_of_a_model_is_forgiven():
    near = torch.tensor([[0.2, 0.3 + 5 * 0.03, 0.5]])
    assert PointLocation(WORLD, SPACE, STRICT).invert(near, 0.0).off_manifold.all()
    tolerant = STRICT.replace(tolerance=0.05)
    assert not PointLocation(WORLD, SPACE, tolerant).invert(near, 0.0).off_manifold.any()


def test_the_residual_is_the_distance_beyond_the_noise():
    found = PointLocation(WORLD, SPACE).invert(
        torch.tensor([[0.2, 0.3, 0.5], [0.2, 0.3, 2.0]]), 0.0
    )
    expected = math.sqrt(1.5**2 / 3 - float(np.mean(WORLD.deviations**2)))
    assert found.residual.tolist() == pytest.approx([0.0, expected])


def test_the_concepts_found_are_those_of_the_nearest_class():
    drawn = draws(num=5)
    found = PointLocation(WORLD, SPACE).invert(drawn.images, 0.0)
    torch.testing.assert_close(found.z, drawn.z)


def test_probe_and_location_never_disagree():
    anywhere = torch.rand(1000, 3) * 2 - 0.5
    location = PointLocation(WORLD, SPACE)
    reading = read_samples(PROBE, location, anywhere, 0.02)
    assert torch.equal(reading.off_manifold, location.invert(anywhere, 0.02).off_manifold)


def test_a_stored_probe_reads_the_same():
    points = draws(num=3).images
    for one, other in zip(PROBE.read(points), probe_from_tensors(PROBE.to_tensors()).read(points)):
        assert torch.equal(one, other)


def test_tensors_without_a_point_are_refused():
    tensors = PROBE.to_tensors()
    del tensors["clusters.points.1"]
    with pytest.raises(ValueError, match=r"'clusters.points.1' is missing"):
        probe_from_tensors(tensors)


REFUSED = {
    "another dimension": (torch.zeros(2, 4), r"must have shape \(batch, 3\), not \(2, 4\)"),
    "an image": (torch.zeros(2, 3, 8, 8), r"must have shape \(batch, 3\)"),
    "NaN": (torch.full((2, 3), torch.nan), "must be finite"),
    "nothing": (torch.zeros(0, 3), "give at least one"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_point_of_this_world_is_refused(case):
    points, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        PROBE.read(points)
    with pytest.raises(ValueError, match=message):
        PointLocation(WORLD, SPACE).invert(points, 0.0)


def test_a_negative_noise_is_refused():
    with pytest.raises(ValueError, match="sample_noise must be a finite standard deviation"):
        PointLocation(WORLD, SPACE).invert(torch.zeros(1, 3), -1.0)


def test_the_classifier_is_not_trained_on_vectors():
    with pytest.raises(ValueError, match="are no images; a PointProbe reads"):
        train_probe(WORLD, SPACE, ProbeSettings(), 0)
