import pytest
import torch

from conceptspace.probes.inversion import Inversion
from conceptspace.probes.precision import full_precision


@pytest.fixture
def fast_products():
    """What a training loop may ask of torch for its own sake."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    yield
    torch.set_float32_matmul_precision(before)


def test_what_a_training_loop_asked_for_is_put_aside_and_comes_back(fast_products):
    products = torch.backends.cuda.matmul
    with full_precision(torch.device("cpu")):
        assert products.fp32_precision == "ieee"
        assert torch.backends.cudnn.conv.fp32_precision == "ieee"
    assert products.fp32_precision == "tf32"
    assert products.allow_tf32


def test_it_comes_back_after_an_error_too(fast_products):
    with pytest.raises(KeyError), full_precision(torch.device("cpu")):
        raise KeyError
    assert torch.backends.cuda.matmul.fp32_precision == "tf32"


def test_probes_read_the_same_inside_of_autocast(probe, world, space, renders):
    images, inversion = renders(world, space, 8).images, Inversion(world, space)
    expected, found = probe.read(images), inversion.invert(images, 0.0)
    with torch.autocast("cpu", torch.bfloat16):
        assert all(torch.equal(a, b) for a, b in zip(probe.read(images), expected))
        assert torch.equal(inversion.invert(images, 0.0).z, found.z)


@pytest.mark.gpu
def test_probes_read_the_same_where_products_are_rounded(
    fast_products, probe, world, space, renders
):
    images, inversion = renders(world, space, 8).images.cuda(), Inversion(world, space)
    rounded = inversion.invert(images, 0.0).z
    torch.set_float32_matmul_precision("highest")
    assert torch.equal(rounded, inversion.invert(images, 0.0).z)
