"""Flow matching on Gaussian data, where the best velocity and its flow are known in closed form."""

import numpy as np
import pytest
import torch
from scipy import integrate
from torch import nn

from conceptspace.concepts import SettingsError
from conceptspace.models.flow_matching import FlowMatching
from conceptspace.models.settings import FlowMatchingSettings

SHAPE = (1, 2, 2)
MEAN, VARIANCE = 0.7, 0.05
RANGES = [(0.0, 1.0), (-1.0, 1.0)]


class Ideal(nn.Module):
    """E[eps - x | z_t] for images whose pixels are independent N(MEAN, VARIANCE)."""

    def __init__(self, settings):
        super().__init__()
        self.mean, self.variance = in_range(settings)
        self.calls = 0

    def condition(self, vectors):
        return {"only": vectors}

    def denoise(self, z_t, time, sites):
        self.calls += 1
        t = time[:, None, None, None]
        spread = (1 - t) ** 2 * self.variance + t**2
        slope = (t - (1 - t) * self.variance) / spread
        return slope * (z_t - (1 - t) * self.mean) - self.mean


def in_range(settings):
    low, high = settings.data_range
    return low + (high - low) * MEAN, (high - low) ** 2 * VARIANCE


def made(**fields):
    settings = FlowMatchingSettings(**fields)
    return FlowMatching(Ideal(settings), settings)


def images(num):
    draws = torch.Generator().manual_seed(0)
    return MEAN + VARIANCE**0.5 * torch.randn(num, *SHAPE, generator=draws)


def sampled(model, num=500):
    return model.sample({"only": torch.zeros(num, 1)}, SHAPE, torch.Generator().manual_seed(1))


def exact_samples(num=500):
    """Where the flow of a Gaussian takes the same noise: x = mean + spread * noise."""
    noise = torch.randn(num, *SHAPE, generator=torch.Generator().manual_seed(1))
    return MEAN + VARIANCE**0.5 * noise


def error(**fields):
    return float((sampled(made(**fields)) - exact_samples()).abs().mean())


@pytest.mark.parametrize("data_range", RANGES)
def test_the_loss_of_the_best_network_is_the_variance_that_no_one_can_predict(data_range):
    """Of eps - x given z_t it is 1 + v - (t - (1 - t) v)^2 / ((1 - t)^2 v + t^2) = v / (...)."""
    model = made(data_range=data_range)
    _, variance = in_range(model.settings)
    least, _ = integrate.quad(lambda t: variance / ((1 - t) ** 2 * variance + t**2), 0, 1)
    bound = model.bound(images(60_000), torch.zeros(60_000, 1), torch.Generator().manual_seed(0))
    deviation = float(bound.total.std()) / 60_000**0.5
    assert abs(float(bound.total.mean()) - least) < 4 * deviation < 0.03 * least
    assert torch.equal(bound.total, bound.diffusion)
    assert not bound.prior.any()
    assert not bound.reconstruction.any()


def test_any_other_network_has_a_larger_loss():
    best, off = made(), made()
    off.network.mean += 0.1

    def loss(model):
        draws = torch.Generator().manual_seed(0)
        return float(model.bound(images(4000), torch.zeros(4000, 1), draws).total.mean())

    assert loss(off) > loss(best) + 1e-3


@pytest.mark.parametrize("data_range", RANGES)
@pytest.mark.parametrize("solver", ["euler", "heun"])
def test_the_sampler_comes_to_where_the_flow_takes_its_noise(solver, data_range):
    assert error(solver=solver, sampling_steps=400, data_range=data_range) < 2e-3


def test_eulers_error_falls_with_the_step_and_heuns_with_its_square():
    euler = [error(solver="euler", sampling_steps=n) for n in (40, 80, 160)]
    heun = [error(solver="heun", sampling_steps=n) for n in (40, 80, 160)]
    orders = [np.log2(np.divide(errors[:-1], errors[1:])) for errors in (euler, heun)]
    np.testing.assert_allclose(orders[0], 1.0, atol=0.15)
    np.testing.assert_allclose(orders[1], 2.0, atol=0.3)
    assert error(solver="heun", sampling_steps=10) < error(solver="euler", sampling_steps=20)


def test_heun_asks_the_network_twice_a_step():
    for solver, calls in (("euler", 6), ("heun", 12)):
        model = made(solver=solver, sampling_steps=6)
        sampled(model, 2)
        assert model.network.calls == calls


def test_straight_lines_go_from_data_to_noise():
    """At time 0 the network is shown the data, at time 1 the noise."""
    model, seen = made(data_range=(0.0, 1.0)), []
    model.network.denoise = lambda z_t, time, sites: seen.append(z_t) or torch.zeros_like(z_t)
    data = images(2)
    draws = model.draw((2, *SHAPE), torch.Generator().manual_seed(0))
    draws.times[:] = torch.tensor([0.0, 1.0])
    bound = model.bound_given(data, torch.zeros(2, 1), draws)
    assert torch.equal(seen[0][0], data[0])
    assert torch.equal(seen[0][1], draws.noise[1])
    torch.testing.assert_close(bound.total, (draws.noise - data).square().flatten(1).mean(1))


def test_an_unknown_solver_is_refused():
    with pytest.raises(SettingsError, match="solver"):
        FlowMatchingSettings(solver="midpoint")
