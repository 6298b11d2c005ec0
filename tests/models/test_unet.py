import math

import pytest
import torch
from torch import nn

from conceptspace.concepts import SettingsError
from conceptspace.models.blocks import sinusoidal_features
from conceptspace.models.settings import DiffusionSettings, SharedEmbedding, UNetSettings
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM

SMALL = UNetSettings(widths=(8, 16), num_blocks=1, num_heads=2, num_groups=4, time_features=8)
SITES = {"down.0.0": 8, "down.1.0": 16, "middle.0": 16, "middle.1": 16, "up.1.0": 16, "up.0.0": 8}


def stirred(settings=SMALL, condition_width=4):
    """A network in which no weight is zero, in evaluation mode."""
    network = UNet(3, condition_width, settings).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def inputs(batch=3, size=8):
    return torch.randn(batch, 3, size, size), torch.rand(batch), torch.rand(batch, 4)


@pytest.fixture(scope="module")
def paper_scale():
    with torch.random.fork_rng():
        return VDM(UNet(3, 11, UNetSettings()), DiffusionSettings())


def test_the_paper_scale_model_has_the_papers_number_of_parameters(paper_scale):
    assert count(paper_scale.network) == 10_635_011
    assert count(paper_scale) == 10_635_013


def test_the_paper_scale_model_uses_all_its_parameters(paper_scale):
    with torch.random.fork_rng():
        images, vectors = torch.rand(2, 3, 8, 8), torch.rand(2, 11)
        bound = paper_scale.bound(images, vectors, torch.Generator().manual_seed(0))
    gradients = torch.autograd.grad(
        bound.total.sum(), list(paper_scale.parameters()), allow_unused=True
    )
    assert all(gradient is not None for gradient in gradients)


def test_the_paper_scale_model_keeps_the_shape_of_its_images(paper_scale):
    network = paper_scale.network
    with torch.no_grad():
        sites = network.condition(torch.rand(1, 11))
        out = network.denoise(torch.rand(1, 3, 32, 32), torch.rand(1), sites)
    assert out.shape == (1, 3, 32, 32)


def test_an_untrained_network_corrects_nothing():
    network = UNet(3, 4, SMALL)
    z_t, time, vectors = inputs()
    assert (network.denoise(z_t, time, network.condition(vectors)) == 0).all()


def test_every_residual_block_starts_as_its_shortcut():
    network = UNet(3, 4, SMALL)
    for site, condition in network.condition(torch.rand(2, 4)).items():
        block = network.blocks()[site]
        hidden = torch.randn(2, block.convolution1.in_channels, 4, 4)
        added = block(hidden, block.time(torch.randn(2, 32)) + condition, None)
        assert torch.equal(added, block.shortcut(hidden)), site


def test_an_untrained_model_predicts_its_input_as_noise():
    model = VDM(UNet(3, 4, SMALL), DiffusionSettings())
    z_t, time, vectors = inputs()
    gamma = -5 + 15 * time
    assert torch.equal(model.predict_noise(z_t, gamma, model.condition(vectors)), z_t)


def test_the_condition_enters_every_residual_block_by_its_name():
    sites = UNet(3, 4, SMALL).condition(torch.rand(5, 4))
    assert {site: tuple(value.shape) for site, value in sites.items()} == {
        site: (5, width) for site, width in SITES.items()
    }
    assert list(sites) == list(SITES), "in the order of computation"


def test_every_site_reaches_the_output():
    network = stirred()
    z_t, time, vectors = inputs()
    with torch.no_grad():
        sites = network.condition(vectors)
        plain = network.denoise(z_t, time, sites)
        # Not the same for all channels: the GroupNorm that follows would take that out again.
        for site, value in sites.items():
            changed = network.denoise(z_t, time, sites | {site: value + torch.randn_like(value)})
            assert not torch.allclose(plain, changed, atol=1e-4), site


def test_each_site_adds_inside_its_own_block():
    """A site is added where the time embedding is, so it can stand in for the time's part."""
    network = stirred()
    z_t, _, vectors = inputs(batch=1)
    early, late = torch.tensor([0.2]), torch.tensor([0.7])
    with torch.no_grad():
        sites = network.condition(vectors)
        features = [network.time_embedding(sinusoidal_features(t, 8)) for t in (early, late)]
        moved = {
            site: sites[site] + block.time(features[1]) - block.time(features[0])
            for site, block in network.blocks().items()
        }
        torch.testing.assert_close(
            network.denoise(z_t, early, moved), network.denoise(z_t, late, sites)
        )


@pytest.mark.parametrize("embedding", [UNetSettings().embedding, SharedEmbedding(width=6)])
def test_rows_do_not_depend_on_each_other(embedding):
    network = stirred(SMALL.replace(embedding=embedding))
    z_t, time, vectors = inputs(batch=4)
    with torch.no_grad():
        sites = network.condition(vectors)
        together = network.denoise(z_t, time, sites)
        for row in range(4):
            only = slice(row, row + 1)
            site_rows = network.condition(vectors[only])
            for site, value in site_rows.items():
                torch.testing.assert_close(value, sites[site][only])
            alone = network.denoise(z_t[only], time[only], site_rows)
            torch.testing.assert_close(alone, together[only], rtol=1e-5, atol=1e-5)


def test_one_time_serves_a_whole_batch():
    network = stirred()
    z_t, _, vectors = inputs()
    with torch.no_grad():
        sites = network.condition(vectors)
        one = network.denoise(z_t, torch.tensor([0.4]), sites)
        each = network.denoise(z_t, torch.full((3,), 0.4), sites)
    torch.testing.assert_close(one, each)


def test_the_output_depends_on_time_and_on_the_condition():
    network = stirred()
    z_t, time, vectors = inputs()
    with torch.no_grad():
        plain = network.denoise(z_t, time, network.condition(vectors))
        later = network.denoise(z_t, time + 0.1, network.condition(vectors))
        other = network.denoise(z_t, time, network.condition(vectors + 0.5))
    assert not torch.allclose(plain, later, atol=1e-4)
    assert not torch.allclose(plain, other, atol=1e-4)


def test_attention_lets_far_pixels_reach_each_other():
    """Two attended 1 x 1 convolutions would not; here a corner feels the opposite one."""
    settings = SMALL.replace(widths=(8,), num_heads=2)
    z_t, time, vectors = torch.randn(1, 3, 24, 24), torch.tensor([0.5]), torch.rand(1, 4)

    def influence(settings):
        network = stirred(settings)
        # GroupNorm sees the whole image too: without it only attention can reach that far.
        for name, module in list(network.named_modules()):
            if isinstance(module, nn.GroupNorm):
                parent = network.get_submodule(name.rpartition(".")[0])
                setattr(parent, name.rpartition(".")[2], nn.Identity())
        x = z_t.clone().requires_grad_()
        out = network.denoise(x, time, network.condition(vectors))
        (gradient,) = torch.autograd.grad(out[0, :, 0, 0].sum(), x)
        return gradient[0, :, -1, -1].abs().max().item()

    assert influence(settings) > 0
    assert influence(settings.replace(num_heads=0)) == 0


def test_the_initial_scale_multiplies_every_parameter():
    networks = []
    for scale in (1.0, 0.1):
        torch.manual_seed(3)
        networks.append(UNet(3, 4, SMALL.replace(initial_scale=scale)))
    for plain, scaled in zip(*(network.parameters() for network in networks)):
        torch.testing.assert_close(0.1 * plain, scaled)


def test_a_shared_embedding_starts_without_any_condition():
    network = UNet(3, 4, SMALL.replace(embedding=SharedEmbedding(width=6)))
    sites = network.condition(torch.rand(5, 4))
    assert list(sites) == list(SITES)
    assert all((value == 0).all() for value in sites.values())


def test_a_shared_embedding_can_start_with_a_condition():
    embedding = SharedEmbedding(width=6, starts_at_zero=False)
    sites = UNet(3, 4, SMALL.replace(embedding=embedding)).condition(torch.rand(5, 4))
    assert all((value != 0).any() for value in sites.values())


def test_a_shared_embedding_is_one_for_all_blocks_and_linear_in_each():
    network = stirred(SMALL.replace(embedding=SharedEmbedding(width=6)))
    vectors = torch.rand(5, 4)
    with torch.no_grad():
        embedded = network.shared_embedding(vectors)
        for site, value in network.condition(vectors).items():
            block = network.blocks()[site]
            expected = embedded @ block.condition.weight.T + block.condition.bias
            torch.testing.assert_close(value, expected)


def test_time_features_are_sines_then_cosines_of_periods_from_1_to_10000():
    time = torch.tensor([0.0, 0.123, 1.0])
    features = sinusoidal_features(time, 64)
    assert features.shape == (3, 64)
    for k in range(32):
        angle = 1000 * time.double() / 10_000 ** (k / 31)
        torch.testing.assert_close(features[:, k].double(), angle.sin(), rtol=0, atol=1e-4)
        torch.testing.assert_close(features[:, 32 + k].double(), angle.cos(), rtol=0, atol=1e-4)


def test_time_features_of_the_start_are_zeros_and_ones():
    features = sinusoidal_features(torch.zeros(1), 64)
    assert torch.equal(features, torch.cat([torch.zeros(1, 32), torch.ones(1, 32)], dim=1))


def test_the_slowest_period_is_ten_thousand_times_the_fastest():
    time = torch.tensor([1e-5])  # so early that a sine is its angle
    features = sinusoidal_features(time, 64)[0]
    assert features[0].item() == pytest.approx(math.sin(0.01))
    assert features[31].item() == pytest.approx(1e-6, rel=1e-4)


def test_dropout_follows_from_its_bits_alone():
    network = stirred(SMALL.replace(dropout=0.5))
    z_t, time, vectors = inputs()
    with torch.no_grad():
        sites = network.condition(vectors)
        first, again = (network.denoise(z_t, time, sites) for _ in range(2))
        assert torch.equal(first, again)
        generator = torch.Generator().manual_seed(0)
        drawn = [network.draw_dropout(tuple(z_t.shape), generator) for _ in range(2)]
        first, again = (network.denoise(z_t, time, sites, bits) for bits in drawn)
        assert not torch.equal(first, again)
        assert torch.equal(first, network.denoise(z_t, time, sites, drawn[0]))


def test_dropout_is_drawn_only_by_a_model_in_training():
    model = VDM(UNet(3, 4, SMALL.replace(dropout=0.5)), DiffusionSettings())
    shape, generator = (2, 3, 8, 8), torch.Generator().manual_seed(0)
    assert model.train().draw(shape, generator).dropout is not None
    assert model.eval().draw(shape, generator).dropout is None
    never = VDM(UNet(3, 4, SMALL.replace(dropout=0.0)), DiffusionSettings()).train()
    assert never.draw(shape, generator).dropout is None


def test_a_width_that_the_groups_do_not_divide_is_refused():
    message = r"widths: 12 is not a positive multiple of num_groups=8"
    with pytest.raises(SettingsError, match=message):
        UNetSettings(widths=(16, 12))


def test_a_width_that_the_heads_do_not_divide_is_refused():
    message = r"widths: the last, 24, is not a multiple of num_heads=16"
    with pytest.raises(SettingsError, match=message):
        UNetSettings(widths=(16, 24), num_heads=16)


def test_no_heads_mean_no_attention():
    network = UNet(3, 4, SMALL.replace(num_heads=0))
    assert isinstance(network.attention, nn.Identity)


def test_no_widths_are_refused():
    with pytest.raises(SettingsError, match=r"UNetSettings\.widths: .*at least 1 item"):
        UNetSettings(widths=())


def test_a_dropout_of_one_is_refused():
    with pytest.raises(SettingsError, match=r"UNetSettings\.dropout: .*less than 1 \(got 1\.0\)"):
        UNetSettings(dropout=1.0)
