"""The probes run where the images are: copying images back would be slower than reading them."""

import copy

import pytest
import torch

from conceptspace.concepts import ConceptSpace
from conceptspace.data.factors import colour, shape, size
from conceptspace.data.world import SyntheticWorld
from conceptspace.probes.classifier import train_probe
from conceptspace.probes.inversion import Inversion
from conceptspace.probes.quality import calibration, class_accuracy, confusion
from conceptspace.probes.reading import read_samples
from conceptspace.probes.settings import ProbeSettings
from pretend_device import pretended_device

SHAPES = ConceptSpace(concepts=(shape(), colour(0.4), size(0.4)))
FIELDS = ("z", "residual", "local_excess", "contrast")


@pytest.fixture
def images(world, renders):
    return renders(world, SHAPES, 8).images


def test_images_on_another_device_are_inverted_there_to_what_the_cpu_finds(world, images):
    inversion = Inversion(world, SHAPES)
    expected = inversion.invert(images, 0.01)
    with pretended_device() as pretended:
        found = inversion.invert(images.to(pretended.device), 0.01)
        assert not any(pretended.downloads)
        assert found.z.device == pretended.device
        assert torch.equal(found.off_manifold.cpu(), expected.off_manifold)
        for name in FIELDS:
            torch.testing.assert_close(getattr(found, name).cpu(), getattr(expected, name))


def test_an_inversion_goes_back_to_images_on_the_cpu(world, images):
    inversion = Inversion(world, SHAPES)
    expected = inversion.invert(images, 0.01)
    with pretended_device() as pretended:
        inversion.invert(images.to(pretended.device), 0.01)
        again = inversion.invert(images, 0.01)
    assert torch.equal(again.z, expected.z)


def test_the_classifier_follows_the_images(probe, world, space, renders):
    images, moving = renders(world, space, 8).images, copy.deepcopy(probe)
    expected = probe.read(images)
    with pretended_device() as pretended:
        read = moving.read(images.to(pretended.device))
        assert {part.device for part in read} == {pretended.device}
        assert not any(pretended.downloads)
        for part, wanted in zip(read, expected):
            torch.testing.assert_close(part.cpu(), wanted)
        again = moving.read(images)
    assert all(torch.equal(part, wanted) for part, wanted in zip(again, expected))


def test_a_probe_that_was_used_on_a_device_is_stored_as_before(probe, world, space, renders):
    moving = copy.deepcopy(probe)
    with pretended_device() as pretended:
        moving.read(renders(world, space, 1).images.to(pretended.device))
        stored = moving.to_tensors()
    assert {type(value) for value in stored.values()} == {torch.Tensor}
    assert all(torch.equal(stored[name], value) for name, value in probe.to_tensors().items())


def test_a_probe_of_ones_own_may_answer_on_the_cpu(world, space, renders, probe):
    class OnCpu:
        def read(self, images):
            return probe.read(images.cpu())

    images, inversion = renders(world, space, 4).images, Inversion(world, space)
    expected = read_samples(probe, inversion, images, 0.01)
    with pretended_device() as pretended:
        reading = read_samples(OnCpu(), inversion, images.to(pretended.device), 0.01).cpu()
    assert torch.equal(reading.off_manifold, expected.off_manifold)


def test_the_quality_of_a_probe_is_the_same_wherever_the_images_are(probe, world, space, renders):
    dataset = renders(world, space, 8)
    expected = [judge(probe, dataset, space) for judge in (confusion, calibration, class_accuracy)]
    moving = copy.deepcopy(probe)
    with pretended_device() as pretended:
        there = dataset.to(pretended.device)
        found = [judge(moving, there, space) for judge in (confusion, calibration, class_accuracy)]
    assert found[0] == expected[0]
    assert found[2] == expected[2]


@pytest.mark.gpu
@pytest.mark.parametrize("image_size", [16, 32])
def test_a_gpu_finds_the_factors_that_the_cpu_finds(image_size, renders):
    world = SyntheticWorld(image_size=image_size)
    images, inversion = renders(world, SHAPES, 50).images, Inversion(world, SHAPES)
    noise = 0.02 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    expected = inversion.invert(images + noise, 0.02)
    found = inversion.invert((images + noise).cuda(), 0.02)
    # A fit may end in another valley where two fit about equally well; hardly any does.
    close = (found.z.cpu() - expected.z).abs().amax(1) < 5e-3
    assert close.float().mean() > 0.98
    assert (found.off_manifold.cpu() == expected.off_manifold).float().mean() > 0.98
    torch.testing.assert_close(
        found.residual.cpu()[close], expected.residual[close], atol=2e-3, rtol=0
    )


@pytest.mark.gpu
def test_a_probe_trained_on_a_gpu_reads_as_one_trained_on_the_cpu(world, space, renders):
    settings = ProbeSettings(widths=(8,), num_images=512, steps=20)
    dataset = renders(world, space, 32)
    on_cpu, on_gpu = (train_probe(world, space, settings, 0, device=d) for d in ("cpu", "cuda"))
    for there, here in zip(on_gpu.read(dataset.images), on_cpu.read(dataset.images)):
        assert (there - here).abs().mean() < 0.02
