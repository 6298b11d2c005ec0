"""A checkpoint is measured where its model is, and only what was found is brought to the CPU."""

import copy

import numpy as np
import pytest
import torch

from conceptspace.adapters.native import NativeAdapter
from conceptspace.adapters.protocol import device_of
from conceptspace.measure.measurement import measure_checkpoint
from pretend_device import pretended_device
from small import WORLD
from variational_autoencoder import ConditionalVAE, VAEAdapter


@pytest.fixture
def drawing(vdm):
    """A model whose last layer does not start at zero, so that its images depend on its prompts."""
    torch.nn.init.normal_(vdm.network.convolution_out.weight, std=0.1)
    return vdm


def measured(model, instrument, device="cpu"):
    # A probe follows the images; that of the session must not stay behind on a device.
    instrument = copy.deepcopy(instrument)
    adapter = NativeAdapter(copy.deepcopy(model).to(device), WORLD.image_shape)
    return measure_checkpoint(adapter, instrument, seed=1, step=5)


def test_an_adapters_device_is_what_it_states_or_where_its_parameters_are(drawing):
    class Stated:
        device = "meta"

    class Unknown:
        def conditioning_parameters(self):
            return {}

    assert device_of(Stated()).type == "meta"
    assert device_of(Unknown()).type == "cpu"
    autoencoder = ConditionalVAE(WORLD.image_shape, 4)
    with pretended_device() as pretended:
        assert device_of(VAEAdapter(autoencoder.to(pretended.device))) == pretended.device


def test_a_checkpoint_on_another_device_is_measured_to_what_the_cpu_gives(drawing, instrument):
    expected = measured(drawing, instrument)
    with pretended_device() as pretended:
        found = measured(drawing, instrument, pretended.device)
    # The renderer's matrix products are cut otherwise there, which changes last digits.
    np.testing.assert_allclose(found.probability, expected.probability, atol=1e-5)
    np.testing.assert_allclose(found.residual, expected.residual, atol=1e-4)
    for name in ("correct", "off_manifold", "thumbnail", "decodability", "strength_value"):
        np.testing.assert_array_equal(found[name], expected[name])


def test_only_readings_and_thumbnails_are_brought_to_the_cpu(drawing, instrument):
    with pretended_device() as pretended:
        data = measured(drawing, instrument, pretended.device)
    num = int((data.off_manifold >= 0).sum())
    per_sample = [shape for shape in pretended.downloads if shape and shape[0] == num]
    # What is broken, the residual, two concepts' distributions, the flags, and z.
    assert sorted(per_sample) == [(num,), (num,), (num, 2), (num, 2), (num, 2), (num, 4)]
    images = [shape for shape in pretended.downloads if len(shape) == 4]
    assert len(images) == 1
    assert images[0][0] < num
    assert len(pretended.downloads) <= 10


@pytest.mark.gpu
def test_a_gpu_measures_the_cpus_images_to_what_the_cpu_gives(drawing, instrument):
    class SameNoise(NativeAdapter):
        """Draws its noise on the CPU, since equal seeds draw other numbers on a GPU."""

        def sample(self, conditioning, generator):
            on_cpu = copy.deepcopy(drawing)
            told = {site: value.cpu() for site, value in conditioning.items()}
            own = torch.Generator().manual_seed(7)
            return on_cpu.eval().sample(told, self.image_shape, own).to(generator.device)

    def measured_on(device):
        adapter = SameNoise(copy.deepcopy(drawing).to(device), WORLD.image_shape)
        return measure_checkpoint(adapter, copy.deepcopy(instrument), seed=1, step=5)

    expected, found = measured_on("cpu"), measured_on("cuda")
    # Sums are taken in another order, which changes last digits.
    np.testing.assert_allclose(found.probability, expected.probability, atol=1e-3)
    np.testing.assert_allclose(found.residual, expected.residual, atol=2e-3)
    assert (found.off_manifold == expected.off_manifold).mean() > 0.98
    # Equal but where rounding falls the other way.
    difference = found.thumbnail.values.astype(int) - expected.thumbnail.values.astype(int)
    assert np.abs(difference).max() <= 1


@pytest.mark.gpu
def test_a_gpu_measures_the_same_step_to_the_same_bits(drawing, instrument):
    first, second = measured(drawing, instrument, "cuda"), measured(drawing, instrument, "cuda")
    assert first.identical(second)
