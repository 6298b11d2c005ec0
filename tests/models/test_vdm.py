"""The bound against direct formulas, and the sampler against the exact posterior."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from conceptspace.concepts import SettingsError
from conceptspace.models.settings import DiffusionSettings, UNetSettings
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM, ancestral_step

SHAPE = (1, 2, 2)
RANGES = [(0.0, 1.0), (-1.0, 1.0), (2.0, 5.0)]


class Affine(nn.Module):
    """Corrects the noise by gain * z_t + time + h, so that every term can be written by hand."""

    def __init__(self, gain=-0.3):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))
        self.seen = []

    def condition(self, vectors):
        return {"only": vectors[:, :1]}

    def denoise(self, z_t, time, sites):
        self.seen.append(time)
        shift = time[:, None] + sites["only"]
        return self.gain * z_t + shift[:, :, None, None]


class Ideal(nn.Module):
    """The best prediction for images whose pixels are independent N(mean, variance)."""

    def __init__(self, mean, variance, settings):
        super().__init__()
        low, high = settings.data_range
        self.mean = low + (high - low) * mean
        self.variance = (high - low) ** 2 * variance
        self.start, self.span = settings.gamma_start, settings.gamma_end - settings.gamma_start

    def condition(self, vectors):
        return {"only": vectors}

    def denoise(self, z_t, time, sites):
        gamma = (self.start + self.span * time)[:, None, None, None]
        alpha2, sigma2 = torch.sigmoid(-gamma), torch.sigmoid(gamma)
        centred = z_t - alpha2.sqrt() * self.mean
        return sigma2.sqrt() * centred / (alpha2 * self.variance + sigma2) - z_t


def affine(**settings):
    return VDM(Affine(), DiffusionSettings(**settings))


def ideal(mean, variance, **settings):
    settings = DiffusionSettings(learned_schedule=False, **settings)
    return VDM(Ideal(mean, variance, settings), settings)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def images(batch=6):
    return torch.rand(batch, *SHAPE), torch.rand(batch, 2)


# The bound


def test_the_total_is_the_sum_of_its_terms():
    bound = affine().bound(*images(), generator())
    torch.testing.assert_close(bound.total, bound.diffusion + bound.prior + bound.reconstruction)
    assert all(term.shape == (6,) for term in bound)


@pytest.mark.parametrize("data_range", RANGES)
def test_the_prior_term_is_the_divergence_of_the_last_latent_from_noise(data_range):
    low, high = data_range
    x, vectors = images()
    bound = affine(gamma_end=1.5, data_range=data_range).bound(x, vectors, generator())
    alpha, sigma = torch.tensor(-1.5).sigmoid().sqrt(), torch.tensor(1.5).sigmoid().sqrt()
    latent = Normal(alpha * (low + (high - low) * x), sigma)
    nats = kl_divergence(latent, Normal(0.0, 1.0)).flatten(1).sum(1)
    torch.testing.assert_close(bound.prior, nats / (4 * math.log(2)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("data_range", RANGES)
def test_the_reconstruction_term_is_what_drawing_it_gives(data_range):
    low, high = data_range
    model = affine(gamma_start=-4.0, data_noise=0.1, data_range=data_range)
    x, vectors = images(1)
    alpha, sigma = torch.tensor(4.0).sigmoid().sqrt(), torch.tensor(-4.0).sigmoid().sqrt()
    noise = torch.randn(100_000, *SHAPE, generator=generator())
    z_0 = alpha * (low + (high - low) * x) + sigma * noise
    decoded = (z_0 / alpha - low) / (high - low)
    nats = -Normal(decoded, 0.1).log_prob(x).flatten(1).sum(1)
    bits = nats / (4 * math.log(2))
    expected = model.bound(x, vectors, generator()).reconstruction.item()
    error = bits.std().item() / math.sqrt(len(bits))
    assert abs(bits.mean().item() - expected) < 4 * error


def test_the_diffusion_term_is_that_of_the_paper():
    model = affine()
    x, vectors = images()
    draws = generator(7)
    offset = torch.rand((), generator=draws)
    noise = torch.randn(x.shape, generator=draws)
    by_hand = []
    for row in range(6):
        time = (offset + row) / 6
        gamma = -5 + 15 * time
        z_t = torch.sigmoid(-gamma).sqrt() * x[row] + torch.sigmoid(gamma).sqrt() * noise[row]
        predicted = (1 - 0.3) * z_t + time + vectors[row, 0]
        nats = 0.5 * 15 * (noise[row] - predicted).square().sum()
        by_hand.append(nats / (4 * math.log(2)))
    bound = model.bound(x, vectors, generator(7))
    torch.testing.assert_close(bound.diffusion, torch.stack(by_hand))


def test_times_are_antithetic():
    model = affine()
    for seed in range(5):
        model.bound(*images(8), generator(seed))
    for times in model.network.seen:
        assert 0 <= times[0] < 1 / 8
        torch.testing.assert_close(times.diff(), torch.full((7,), 1 / 8))
    assert len({times[0].item() for times in model.network.seen}) == 5


def test_the_networks_time_keeps_its_scale_when_the_schedule_is_trained():
    model = affine()
    with torch.no_grad():
        model.schedule.intercept.fill_(-8.0)
    model.predict_noise(
        torch.zeros(2, *SHAPE), torch.tensor([-8.0, 10.0]), {"only": torch.ones(2, 1)}
    )
    torch.testing.assert_close(model.network.seen[0], torch.tensor([-0.2, 1.0]))


def test_the_bound_is_per_dimension():
    """An image four times as large, made of the same pixels, has the same deterministic terms."""
    x, vectors = images()
    model = affine(gamma_end=1.0)
    small = model.bound(x, vectors, generator())
    large = model.bound(x.tile(1, 1, 2, 2), vectors, generator())
    torch.testing.assert_close(small.prior, large.prior)
    torch.testing.assert_close(small.reconstruction, large.reconstruction)


def test_the_bound_depends_on_the_condition():
    x, vectors = images()
    model = affine()
    plain, other = (model.bound(x, v, generator()).diffusion for v in (vectors, vectors + 1))
    assert not torch.allclose(plain, other)


def test_the_bound_draws_from_its_generator_alone():
    before = torch.get_rng_state()
    x, vectors = images()
    torch.set_rng_state(before)
    first, again = (affine().bound(x, vectors, generator(3)).total for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_bound_trains_both_ends_of_the_schedule_and_the_network():
    model = affine()
    model.bound(*images(), generator()).total.mean().backward()
    assert all(parameter.grad.abs() > 0 for parameter in model.parameters())


@pytest.mark.parametrize("data_range", RANGES)
def test_with_the_best_denoiser_the_bound_is_the_entropy_whatever_the_range(data_range):
    """For independent pixels N(mean, v), gamma(0) = 2 log(noise x range) and gamma(1) large, the
    bound exceeds the entropy of the images in [0, 1] by log2(1 + noise^2 / v) / 2 exactly. The
    Monte Carlo error decides the tolerance: four standard errors, below 0.02 bits."""
    noise, mean, variance = 0.05, 0.4, 0.02
    log_range = math.log(data_range[1] - data_range[0])
    model = ideal(
        mean,
        variance,
        gamma_start=2 * math.log(noise) + 2 * log_range,
        gamma_end=6.0 + 2 * log_range,
        data_noise=noise,
        data_range=data_range,
    )
    draws = generator()
    x = mean + math.sqrt(variance) * torch.randn(2**19, *SHAPE, generator=draws)
    bits = model.bound(x, torch.zeros(len(x), 1), draws).total
    entropy = 0.5 * math.log2(2 * math.pi * math.e * variance)
    gap = 0.5 * math.log2(1 + noise**2 / variance)
    # What q(z_1) still tells of the image, pixel by pixel; the same data seen with more range.
    alpha2 = torch.sigmoid(torch.tensor(-model.settings.gamma_end)).item()
    low, high = data_range
    second = (high - low) ** 2 * variance
    last = alpha2 * second + 1 - alpha2
    moment = alpha2 * ((low + (high - low) * mean) ** 2 + second) + 1 - alpha2
    leftover = 0.5 * (moment - 1 - math.log(last)) / math.log(2)
    error = bits.std().item() / math.sqrt(len(bits))
    assert error < 0.005
    assert abs(bits.mean().item() - (entropy + gap + leftover)) < 4 * error


# The sampler


def test_a_step_with_the_true_noise_is_a_draw_from_the_exact_posterior():
    """q(z_s | z_t, x) by completing the square (Kingma et al. 2021, equations 25 to 27)."""
    rng = torch.Generator().manual_seed(0)
    x, noise = (torch.randn(50, *SHAPE, generator=rng, dtype=torch.float64) for _ in range(2))
    for gamma_s, gamma_t in ((-7.0, -6.5), (-5.0, 10.0), (1.0, 1.001), (3.0, 8.0)):
        s, t = torch.tensor([gamma_s]).double(), torch.tensor([gamma_t]).double()
        alpha_s, alpha_t = (torch.sigmoid(-g).sqrt() for g in (s, t))
        var_s, var_t = (torch.sigmoid(g) for g in (s, t))
        z_t = alpha_t * x + var_t.sqrt() * noise
        ratio = alpha_t / alpha_s  # z_t = ratio z_s + noise of variance between
        between = var_t - ratio**2 * var_s
        precision = 1 / var_s + ratio**2 / between
        mean = (alpha_s * x / var_s + ratio * z_t / between) / precision
        still = ancestral_step(z_t, noise, torch.zeros_like(x), t, s)
        shaken = ancestral_step(z_t, noise, torch.ones_like(x), t, s)
        torch.testing.assert_close(still, mean, rtol=1e-6, atol=1e-6)
        variance = (shaken - still).square()
        torch.testing.assert_close(variance, (1 / precision).expand_as(variance), rtol=1e-6, atol=0)


def test_a_step_of_no_length_changes_nothing():
    z, gamma = torch.randn(2, *SHAPE), torch.tensor([0.3])
    assert torch.equal(ancestral_step(z, torch.randn_like(z), torch.randn_like(z), gamma, gamma), z)


@pytest.mark.parametrize("steps", [1, 5, 100])
def test_samples_have_the_variance_that_the_number_of_steps_implies(steps):
    """With the best denoiser each step is linear, so the variance follows by a recursion, and
    differs from the data's by the discretisation alone. Tolerance: 4.5 standard errors."""
    variance, num = 0.3, 20_000
    model = ideal(0.0, variance, sampling_steps=steps)
    gammas = np.linspace(10.0, -5.0, steps + 1)
    expected = 1.0
    for t, s in itertools.pairwise(gammas):
        sigma2_t, sigma2_s = (1 / (1 + np.exp(-g)) for g in (t, s))
        share = -np.expm1(s - t)
        keep = 1 - share * sigma2_t / ((1 - sigma2_t) * variance + sigma2_t)
        keep *= np.sqrt((1 - sigma2_s) / (1 - sigma2_t))
        expected = keep**2 * expected + sigma2_s * share
    samples = model.sample({"only": torch.zeros(num, 1)}, SHAPE, generator())
    measured = samples.double().square().mean().item()
    assert abs(measured / expected - 1) < 4.5 * math.sqrt(2 / samples.numel())


@pytest.mark.parametrize("data_range", RANGES)
def test_samples_are_images_in_zero_to_one_whatever_the_range(data_range):
    model = ideal(0.4, 1e-4, data_range=data_range, gamma_start=-9.0, sampling_steps=200)
    samples = model.sample({"only": torch.zeros(500, 1)}, SHAPE, generator())
    assert samples.mean().item() == pytest.approx(0.4, abs=0.003)
    assert samples.std().item() < 0.02


def test_samples_are_not_clipped():
    samples = ideal(0.0, 1.0).sample({"only": torch.zeros(200, 1)}, SHAPE, generator())
    assert samples.min() < -1
    assert samples.max() > 1


def test_there_is_a_sample_for_each_row_of_the_condition():
    model = affine(sampling_steps=3)
    sites = model.condition(torch.rand(5, 2))
    assert model.sample(sites, SHAPE, generator()).shape == (5, *SHAPE)


def test_sampling_follows_from_its_generator_alone():
    model = affine(sampling_steps=3)
    sites = model.condition(torch.rand(5, 2))
    before = torch.get_rng_state()
    first, again, other = (model.sample(sites, SHAPE, generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_sampling_needs_no_gradients():
    model = affine(sampling_steps=2)
    assert not model.sample({"only": torch.zeros(2, 1)}, SHAPE, generator()).requires_grad


def test_the_callback_sees_every_step_and_the_last_is_the_sample():
    model, seen = affine(sampling_steps=4), []
    samples = model.sample(
        {"only": torch.zeros(2, 1)}, SHAPE, generator(), lambda i, z: seen.append((i, z))
    )
    assert [i for i, _ in seen] == [0, 1, 2, 3]
    assert torch.equal(seen[-1][1], samples)


def test_samples_follow_the_trained_schedule():
    model = affine(sampling_steps=2)
    with torch.no_grad():
        model.schedule.intercept.fill_(-8.0)
    model.sample({"only": torch.zeros(2, 1)}, SHAPE, generator())
    # gamma goes from 7 to -8 and is seen at 7 and -0.5, on the fixed scale of -5 to 10.
    torch.testing.assert_close(torch.cat(model.network.seen), torch.tensor([0.8, 0.3]))


def test_a_row_of_samples_does_not_depend_on_the_condition_of_the_others():
    torch.manual_seed(0)
    network = UNet(3, 2, UNetSettings(widths=(8,), num_groups=2, num_heads=2, num_blocks=1))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model = VDM(network, DiffusionSettings(sampling_steps=3)).eval()
    vectors = torch.rand(3, 2)
    changed = vectors.clone()
    changed[1:] += 1
    with torch.no_grad():
        first, other = (
            model.sample(model.condition(v), (3, 4, 4), generator()) for v in (vectors, changed)
        )
    torch.testing.assert_close(first[0], other[0])
    assert not torch.allclose(first[1], other[1], atol=1e-3)


def test_the_noise_of_samples_is_what_science_says_at_the_papers_start():
    assert affine().sample_noise() == pytest.approx(0.082, abs=5e-4)
    assert affine(data_range=(-1.0, 1.0)).sample_noise() == pytest.approx(0.041, abs=5e-4)


def test_samples_carry_the_noise_that_is_announced():
    """Of one image alone the best model draws that image plus the noise of gamma(0)."""
    model = ideal(0.5, 1e-12, sampling_steps=50)
    samples = model.sample({"only": torch.zeros(2000, 1)}, SHAPE, generator())
    # z_0 is alpha_0 times the image, and its noise alpha_0 times that announced.
    alpha = torch.tensor(5.0).sigmoid().sqrt().item()
    assert samples.std().item() == pytest.approx(alpha * model.sample_noise(), rel=0.05)


# Settings


def test_a_schedule_that_does_not_rise_is_refused():
    with pytest.raises(SettingsError, match=r"gamma_start: 3\.0 must be below gamma_end=3\.0"):
        DiffusionSettings(gamma_start=3.0, gamma_end=3.0)


def test_a_data_range_that_is_not_ordered_is_refused():
    message = r"data_range: give \(low, high\) with low < high \(got \(1\.0, -1\.0\)\)"
    with pytest.raises(SettingsError, match=message):
        DiffusionSettings(data_range=(1.0, -1.0))


@pytest.mark.parametrize("field", ["data_noise", "sampling_steps"])
def test_a_setting_of_zero_is_refused(field):
    with pytest.raises(SettingsError, match=rf"DiffusionSettings\.{field}: .*\(got 0\)"):
        DiffusionSettings(**{field: 0})
