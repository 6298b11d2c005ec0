"""Guidance against its formula, and that rows of weight 1 are left alone."""

import torch

from conceptspace.models.guidance import Guide, guided
from conceptspace.models.settings import DiffusionSettings
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM
from small import UNET

SHAPE = (3, 8, 8)


class Counting:
    """Predicts the site's first entry everywhere, and counts the rows that it was asked for."""

    def __init__(self):
        self.rows = 0

    def __call__(self, z_t, gamma_t, sites):
        self.rows += len(z_t)
        return sites["only"][:, :1, None, None].expand(z_t.shape)


def run_guided(weights):
    predict = Counting()
    z_t, gamma_t = torch.zeros(len(weights), 1, 2, 2), torch.zeros(1)
    given = predict(z_t, gamma_t, {"only": torch.full((len(weights), 1), 3.0)})
    predict.rows = 0
    guide = Guide({"only": torch.tensor([[1.0]])}, torch.tensor(weights))
    result = guided(given, predict, z_t, gamma_t, guide, guide.guided_rows())
    return result, predict.rows


def test_the_estimate_is_pushed_away_from_the_one_without_a_condition():
    result, _ = run_guided([0.0, 0.5, 1.0, 2.0])
    # 1 + w (3 - 1)
    assert result[:, 0, 0, 0].tolist() == [1.0, 2.0, 3.0, 5.0]


def test_only_rows_that_are_guided_cost_a_second_pass():
    assert run_guided([1.0, 2.0, 1.0])[1] == 1
    assert run_guided([1.0, 1.0])[1] == 0


def model():
    made = VDM(UNet(3, 4, UNET), DiffusionSettings(sampling_steps=4)).eval()
    for parameter in made.network.parameters():  # a fresh network does not heed its condition
        torch.nn.init.normal_(parameter, std=0.2)
    return made


def sampled(made, vectors, weights=None):
    sites = made.condition(vectors)
    guide = None
    if weights is not None:
        guide = Guide(made.condition(torch.full((1, 4), -1.0)), torch.tensor(weights))
    generator = torch.Generator().manual_seed(3)
    return made.sample(sites, SHAPE, generator, guide=guide)


@torch.no_grad()
def test_weight_1_samples_what_naive_prompting_samples():
    made, vectors = model(), torch.rand(3, 4)
    naive = sampled(made, vectors)
    assert torch.equal(sampled(made, vectors, [1.0, 1.0, 1.0]), naive)
    mixed = sampled(made, vectors, [1.0, 3.0, 1.0])
    assert torch.equal(mixed[[0, 2]], naive[[0, 2]])
    assert not torch.allclose(mixed[1], naive[1], atol=1e-4)


@torch.no_grad()
def test_weight_0_samples_what_the_hidden_condition_samples():
    made, vectors = model(), torch.rand(2, 4)
    hidden = sampled(made, torch.full((2, 4), -1.0))
    # Only rounding differs: eps_0 + 0 (eps - eps_0).
    torch.testing.assert_close(sampled(made, vectors, [0.0, 0.0]), hidden, rtol=1e-4, atol=1e-4)
