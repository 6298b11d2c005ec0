"""Seeded losses of a tiny model, to six digits: a change of the model, the bound, the order of the
data, the noise or the optimiser shows here, wanted or not.

Six digits rather than bits: convolutions may add in another order on another processor. Dropout is
left out, since its random numbers depend on how torch was built.
"""

import pytest
import torch

from conceptspace.data.dataset import Dataset
from conceptspace.models.ddpm import DDPM
from conceptspace.models.flow_matching import FlowMatching
from conceptspace.models.settings import (
    DDPMSettings,
    DiffusionSettings,
    FlowMatchingSettings,
    SharedEmbedding,
    UNetSettings,
)
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM
from conceptspace.training.loop import mean_bound, train
from conceptspace.training.settings import TrainingSettings
from conceptspace.training.state import TrainingState

MODELS = {DiffusionSettings: VDM, DDPMSettings: DDPM, FlowMatchingSettings: FlowMatching}
TINY = UNetSettings(widths=(8, 16), num_blocks=1, num_heads=2, num_groups=4, dropout=0.0)
CASES = {
    "published": (TINY, DiffusionSettings(), TrainingSettings(steps=5, batch_size=8)),
    "small": (
        TINY.replace(embedding=SharedEmbedding(width=8, starts_at_zero=False), num_heads=0),
        DiffusionSettings(data_noise=0.1, data_range=(-1.0, 1.0), gamma_start=-8.0),
        TrainingSettings(steps=5, batch_size=8, clip_norm=1.0, average_decay=0.9),
    ),
    "ddpm": (TINY, DDPMSettings(), TrainingSettings(steps=5, batch_size=8, clip_norm=1.0)),
    "flow matching": (
        TINY,
        FlowMatchingSettings(),
        TrainingSettings(steps=5, batch_size=8, clip_norm=1.0),
    ),
}
LOSSES = {
    "published": [4855.3232, 4849.9399, 4845.1084, 4840.0547, 4835.6084],
    "small": [2.9905064, 2.8853731, 2.3776977, 1.8013976, 1.9626561],
    "ddpm": [0.2126451, 0.15535395, 0.13625792, 0.10459965, 0.1021098],
    "flow matching": [1.1080635, 1.1497469, 1.0539985, 1.0677764, 1.1340764],
}
# Total, diffusion, prior and reconstruction. The prior term is all but rounding here.
AFTERWARDS = {
    "published": [4831.5991, 2.8664789, 8.746e-06, 4828.7329],
    "small": [2.7699174, 4.760016, 2.960e-06, -1.9901015],
    "ddpm": [0.16537854, 0.16537854, 0.0, 0.0],
    "flow matching": [1.0787616, 1.0787616, 0.0, 0.0],
}
SIX_DIGITS = {"rel": 1e-6, "abs": 2e-7}


def made_up_data():
    """Smooth pictures in [0, 1] that follow from their condition, from no random numbers."""
    rows = torch.arange(12.0)
    vectors = torch.stack([(rows * step) % 1.0 for step in (0.3, 0.17, 0.71)], dim=1)
    x = torch.linspace(-1, 1, 8)
    waves = [torch.sin(3 * (x[:, None] + vectors[i, 0]) + 2 * vectors[i, 1] * x) for i in range(12)]
    images = torch.stack(
        [0.5 + 0.4 * wave * vectors[i, :, None, None] for i, wave in enumerate(waves)]
    )
    return Dataset(images, vectors, vectors, torch.zeros(12, 1, dtype=torch.int64))


def trained(case):
    unet, objective, training = CASES[case]
    torch.manual_seed(0)
    model = MODELS[type(objective)](UNet(3, 3, unet), objective)
    state = TrainingState(model, training)
    losses = []
    train(state, made_up_data(), 0, lambda state, bound: losses.append(bound))
    return state, losses


@pytest.mark.parametrize("case", CASES)
def test_the_losses_of_five_steps_are_what_they_were(case):
    _, losses = trained(case)
    assert losses == pytest.approx(LOSSES[case], **SIX_DIGITS)


@pytest.mark.parametrize("case", CASES)
def test_the_bound_after_five_steps_is_what_it_was(case):
    state, _ = trained(case)
    terms = [float(term) for term in mean_bound(state.measured, made_up_data(), 0, batch_size=5)]
    assert terms == pytest.approx(AFTERWARDS[case], **SIX_DIGITS)
