import pytest
import torch

from conceptspace.models.dropout import dropped, random_bits


def test_bits_follow_from_the_generator():
    first, again = (random_bits(1001, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    assert len(first) == 1001
    assert first.dtype == torch.int16
    assert not torch.equal(first, random_bits(1001, torch.Generator().manual_seed(4)))


def test_bits_are_uniform():
    # 200 000 draws in 16 bins: chi-squared with 15 degrees of freedom is above 44 once in 10 000.
    bits = random_bits(200_000, torch.Generator().manual_seed(0)).int() + 2**15
    counts = torch.bincount(bits >> 12, minlength=16)
    assert ((counts - 12_500) ** 2 / 12_500).sum() < 44


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5])
def test_the_share_that_is_dropped_is_the_probability_and_the_mean_is_kept(probability):
    bits = random_bits(400_000, torch.Generator().manual_seed(1))
    out = dropped(torch.ones(400_000), bits, probability)
    # Five standard errors of a share.
    error = 5 * (probability * (1 - probability) / 400_000) ** 0.5 + 1e-6
    assert abs(float((out == 0).float().mean()) - probability) <= error + 1e-5
    assert float(out.mean()) == pytest.approx(1, abs=2 * error + 1e-5)


def test_what_is_kept_is_scaled_in_its_own_type():
    bits = random_bits(64, torch.Generator().manual_seed(2)).view(2, 32)
    out = dropped(torch.ones(2, 32, dtype=torch.bfloat16), bits, 0.5)
    assert out.dtype == torch.bfloat16
    assert set(out.flatten().tolist()) == {0.0, 2.0}
