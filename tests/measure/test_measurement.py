import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import torch

from conceptspace.adapters.protocol import Adapter
from conceptspace.elicitation.arms import method_labels
from conceptspace.measure.measurement import measure_checkpoint, readable
from small import MEASUREMENT, METHODS, PROMPTER, SPACE


def measured(adapter, instrument, **extra):
    return measure_checkpoint(adapter, instrument, seed=1, step=5, **extra)


def test_both_kinds_of_model_fit_the_protocol(adapter):
    assert isinstance(adapter, Adapter)


def test_a_measurement_has_every_dimension(adapter, instrument):
    data = measured(adapter, instrument)
    expected = {
        "seed": 1, "step": 1, "concept_class": 4, "method": 7, "strength": 3, "sample": 6,
        "concept": 2, "value": 2,
    }  # fmt: skip
    assert dict(data.probability.sizes) == expected


def test_probabilities_sum_to_one_where_something_was_measured(adapter, instrument):
    data = measured(adapter, instrument)
    total = data.probability.sum("value", skipna=False).values
    known = data.off_manifold.values >= 0
    np.testing.assert_allclose(total[known], 1.0, atol=1e-5)
    assert np.isnan(total[~known]).all()


def test_naive_prompting_is_measured_once_and_elicitation_at_every_strength(adapter, instrument):
    off = measured(adapter, instrument).off_manifold.squeeze().sel(concept_class="11")
    counts = (off >= 0).sum("sample")
    assert counts.sel({"method": "naive"}).values.tolist() == [6, 0, 0]
    assert counts.sel({"method": "over-prompting"}).values.tolist() == [6, 6, 0]
    assert counts.sel({"method": "latent-steering"}).values.tolist() == [6, 6, 6]
    assert counts.sel({"method": "latent-steering/random-direction"}).values.tolist() == [4, 4, 4]


def test_the_coordinate_of_two_values_is_the_probability_of_the_second(adapter, instrument):
    data = measured(adapter, instrument)
    np.testing.assert_array_equal(data.coordinate.values, data.probability.values[..., 1])


def test_correct_means_that_the_most_probable_value_is_the_classes(adapter, instrument):
    data = measured(adapter, instrument).squeeze().sel({"concept_class": "10", "method": "naive"})
    data = data.isel(strength=0)
    read = data.probability.values.argmax(-1)
    np.testing.assert_array_equal(data.correct.values, read == np.array([1, 0]))


def test_the_same_step_measures_to_the_same_bits(adapter, instrument):
    first, second = measured(adapter, instrument), measured(adapter, instrument)
    assert first.identical(second)


def test_another_step_draws_other_samples(adapter, instrument):
    other = measure_checkpoint(adapter, instrument, seed=1, step=6)
    first = measured(adapter, instrument)
    assert not np.array_equal(first.thumbnail.values, other.thumbnail.values)


def test_losses_and_the_schedules_ends_are_kept(adapter, instrument):
    data = measured(adapter, instrument, losses={"train": 1.5}, gamma=(-8.0, 9.0))
    assert data.loss.sel(data_split="train").item() == 1.5
    assert np.isnan(data.loss.sel(data_split="held_out").item())
    assert data.gamma.values.ravel().tolist() == [-8.0, 9.0]


def test_the_attributes_explain_the_names(adapter, instrument):
    attrs = measured(adapter, instrument).attrs
    assert json.loads(attrs["held_out_classes"]) == ["11"]
    assert json.loads(attrs["class_labels"])["01"] == "red small"
    names = [method["name"] for method in json.loads(attrs["methods"])]
    assert names == [label.name for label in method_labels(METHODS, SPACE)]


def test_thumbnails_are_kept_for_every_strength(adapter, instrument):
    shown = measured(adapter, instrument).thumbnail.squeeze().sel(concept_class="11")
    assert shown.sizes["thumbnail"] == MEASUREMENT.num_thumbnails
    steered = shown.sel({"method": "latent-steering"}).values
    assert (steered.reshape(3, -1).std(1) > 0).all()


def test_samples_without_numbers_count_as_off_manifold(instrument):
    class Broken:
        def encode(self, vectors):
            return {"h": vectors}

        def sample(self, conditioning, generator):
            return torch.full((len(conditioning["h"]), 3, 8, 8), torch.nan)

        def sites(self):
            return ("h",)

        def conditioning_parameters(self):
            return {}

        def sample_noise(self):
            return 0.0

    off = measured(Broken(), instrument).off_manifold.values
    assert set(np.unique(off)) == {-1, 1}


def test_doubt_is_kept_for_each_concept_and_a_sample_is_off_where_any_is_doubtful(
    adapter, instrument
):
    class ReadsTen:
        def read(self, images):
            return tuple(torch.tensor([row] * len(images)) for row in ([0.0, 1.0], [1.0, 0.0]))

    class FindsEleven:
        space = SPACE

        def invert(self, images, sample_noise):
            z = torch.from_numpy(SPACE.mean("11")).float().expand(len(images), -1)
            off = torch.zeros(len(images), dtype=torch.bool)
            return SimpleNamespace(z=z, residual=off.float(), off_manifold=off)

    instrument = replace(instrument, probe=ReadsTen(), inversion=FindsEleven())
    data = measured(adapter, instrument)
    known = data.correct.sel(concept="colour").values >= 0
    assert (data.doubtful.sel(concept="colour").values[known] == 0).all()
    assert (data.doubtful.sel(concept="size").values[known] == 1).all()
    assert (data.off_manifold.values[known] == 1).all()
    assert (data.off_manifold.values[~known] == -1).all()


def test_unbounded_samples_are_brought_into_range():
    wild = torch.tensor([float("nan"), float("inf"), -1e30, 0.5])
    assert readable(wild).tolist() == [-1.0, 2.0, -1.0, 0.5]


def test_prompts_are_as_wide_as_the_conditioning(adapter):
    encoded = adapter.encode(torch.from_numpy(PROMPTER.class_mean("11", 3)))
    assert set(encoded) == set(adapter.sites())
    assert all(len(value) == 3 for value in encoded.values())
