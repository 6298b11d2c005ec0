import pytest
import torch

from conceptspace.adapters.native import NativeAdapter
from conceptspace.measure.measurement import Instrument
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM
from conceptspace.probes.classifier import train_probe
from conceptspace.probes.inversion import Inversion
from conceptspace.probes.settings import ProbeSettings
from small import DIFFUSION, MEASUREMENT, METHODS, PROMPTER, SPACE, SPLIT, UNET, WORLD
from variational_autoencoder import ConditionalVAE, VAEAdapter


@pytest.fixture(scope="session")
def probe():
    settings = ProbeSettings(widths=(8,), num_images=256, steps=20, batch_size=32)
    return train_probe(WORLD, SPACE, settings, seed=0)


@pytest.fixture(scope="session")
def instrument(probe):
    return Instrument(PROMPTER, SPLIT, METHODS, probe, Inversion(WORLD, SPACE), MEASUREMENT)


@pytest.fixture
def vdm():
    return VDM(UNet(3, PROMPTER.width, UNET), DIFFUSION)


@pytest.fixture(params=["U-Net diffusion", "autoencoder"])
def adapter(request, vdm):
    if request.param == "autoencoder":
        return VAEAdapter(ConditionalVAE(WORLD.image_shape, PROMPTER.width))
    torch.nn.init.normal_(vdm.network.convolution_out.weight, std=0.1)
    return NativeAdapter(vdm, WORLD.image_shape)
