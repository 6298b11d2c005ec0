import pytest
import torch

from conceptspace.probes.inversion import Inversion
from conceptspace.probes.reading import disagrees, read_samples


class AlwaysSays:
    def __init__(self, *distributions):
        self.distributions = distributions

    def read(self, images):
        return tuple(torch.tensor([part] * len(images)) for part in self.distributions)


def test_both_probes_agree_on_renders(probe, world, space, renders):
    dataset = renders(world, space, 50)
    reading = read_samples(probe, Inversion(world, space), dataset.images, 0.0)
    assert reading.off_manifold.float().mean() <= 0.02
    torch.testing.assert_close(reading.z, dataset.z, atol=0.1, rtol=0)
    assert [tuple(part.shape) for part in reading.distributions] == [(200, 2), (200, 2)]


def test_samples_on_which_the_probes_disagree_are_off_the_manifold(world, space, renders):
    dataset = renders(world, space, 10)
    says_red_small = AlwaysSays([1.0, 0.0], [0.0, 1.0])
    reading = read_samples(says_red_small, Inversion(world, space), dataset.images, 0.0)
    red_and_small = (dataset.labels == torch.tensor([0, 1])).all(1)
    assert torch.equal(reading.off_manifold, ~red_and_small)


def test_what_the_probes_disagree_on_is_doubtful_in_that_concept_alone(world, space, renders):
    dataset = renders(world, space, 10)
    says_red_small = AlwaysSays([1.0, 0.0], [0.0, 1.0])
    reading = read_samples(says_red_small, Inversion(world, space), dataset.images, 0.0)
    assert torch.equal(reading.doubtful, dataset.labels != torch.tensor([0, 1]))


def test_a_sample_that_g_does_not_draw_is_doubtful_in_every_concept(probe, world, space):
    noise = torch.rand(5, *world.image_shape, generator=torch.Generator().manual_seed(0))
    assert read_samples(probe, Inversion(world, space), noise, 0.0).doubtful.all()


def test_without_inversion_only_the_classifier_reads(probe, world, space, renders):
    reading = read_samples(probe, None, renders(world, space, 2).images, 0.0)
    assert len(reading.distributions) == 2
    assert reading.z is reading.residual is reading.off_manifold is None


def test_disagreement_is_about_the_nearest_class_value(space):
    z = torch.tensor([[0.6, 0.4, 0.4, 0.3], [0.3, 0.3, 0.9, 0.6]])  # red small, blue large
    agreed = (torch.tensor([[0.8, 0.2], [0.3, 0.7]]), torch.tensor([[0.1, 0.9], [0.6, 0.4]]))
    assert disagrees(agreed, z, space).tolist() == [[False, False]] * 2
    one_wrong = (agreed[0], torch.tensor([[0.1, 0.9], [0.4, 0.6]]))
    assert disagrees(one_wrong, z, space).tolist() == [[False, False], [False, True]]


def test_distributions_that_do_not_fit_the_space_are_refused(space):
    with pytest.raises(ValueError, match=r"distributions must have shapes .* not \[\(2, 3\)\]"):
        disagrees([torch.ones(2, 3)], torch.zeros(2, 4), space)
