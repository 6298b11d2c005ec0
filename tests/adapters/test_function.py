"""An adapter from a function."""

import numpy as np
import pytest
import torch

from conceptspace.adapters.function import FunctionAdapter
from conceptspace.adapters.protocol import Adapter, GuidableAdapter, device_of
from conceptspace.measure.measurement import Instrument, measure_checkpoint
from conceptspace.probes.classifier import train_probe
from conceptspace.probes.settings import ProbeSettings
from small import MEASUREMENT, METHODS, PROMPTER, SPACE, SPLIT, WORLD


def squares(vectors, generator):
    """The first three entries as the colour of a square on noise."""
    images = torch.rand((len(vectors), 3, 8, 8), generator=generator)
    images[:, :, 2:6, 2:6] = vectors[:, :3, None, None]
    return images


def generator():
    return torch.Generator().manual_seed(0)


def test_its_samples_are_those_of_the_function():
    adapter = FunctionAdapter(squares)
    vectors = torch.from_numpy(PROMPTER.class_mean("11", 3))
    drawn = adapter.sample(adapter.encode(vectors), generator())
    assert torch.equal(drawn, squares(vectors, generator()))


def test_it_is_an_adapter_that_cannot_guide_and_says_where_it_is():
    adapter = FunctionAdapter(squares)
    assert isinstance(adapter, Adapter)
    assert not isinstance(adapter, GuidableAdapter)
    assert device_of(adapter) == torch.device("cpu")
    assert device_of(FunctionAdapter(squares, device="meta")).type == "meta"


def test_it_is_measured_with_every_method_and_control():
    probe_settings = ProbeSettings(widths=(8,), num_images=64, steps=2, batch_size=32)
    probe = train_probe(WORLD, SPACE, probe_settings, seed=0)
    instrument = Instrument(PROMPTER, SPLIT, METHODS, probe, None, MEASUREMENT)
    measured = measure_checkpoint(FunctionAdapter(squares), instrument, seed=0, step=3)
    held_out = measured.correct.sel({"concept_class": "11", "seed": 0, "step": 3})
    assert (held_out.isel(strength=0, sample=0) >= 0).all()
    assert list(measured.site.values) == ["vectors"]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (np.zeros((2, 3, 4, 4)), "sample must return a tensor of images, not ndarray"),
        (torch.zeros((2, 3, 4, 4), dtype=torch.uint8), "from 0 to 1, not torch.uint8: bytes are"),
        (torch.zeros((1, 3, 4, 4)), r"one image for each of the 2 rows, .* not shape \(1, 3, 4, 4"),
    ],
)
def test_what_is_no_batch_of_images_is_refused(returned, message):
    adapter = FunctionAdapter(lambda vectors, generator: returned)
    with pytest.raises((TypeError, ValueError), match=message):
        adapter.sample(adapter.encode(torch.eye(2)), generator())


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match=r"sample must be a function .*, not str"):
        FunctionAdapter("squares")
