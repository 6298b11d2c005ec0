import dataclasses
import json

import numpy as np
import pytest
import xarray as xr

from conceptspace.figures.evidence import (
    Evidence,
    PictureKey,
    gather_pictures,
    nan_mean,
    numbers,
)
from conceptspace.measure.store import doubtful_of
from figures.example import example_evidence


def test_classes_come_with_training_first(evidence: Evidence):
    assert evidence.training == ["00", "01", "10"]
    assert evidence.classes == ["00", "01", "10", "11"]


def test_a_class_is_labelled_by_name_and_words(evidence: Evidence):
    assert evidence.class_label("11") == "11 blue small"


def test_a_class_without_words_is_labelled_by_its_name(evidence: Evidence):
    bare = evidence.trajectory.copy()
    bare.attrs = evidence.trajectory.attrs | {"class_labels": "{}"}
    assert dataclasses.replace(evidence, trajectory=bare).class_label("11") == "11"


def test_the_corner_of_a_class_with_many_values_lies_between_0_and_1(evidence: Evidence):
    wide = evidence.trajectory.copy()
    words = {"colour": ["red", "green", "blue"], "size": ["large", "small"]}
    wide.attrs = evidence.trajectory.attrs | {"concept_labels": json.dumps(words)}
    np.testing.assert_allclose(
        dataclasses.replace(evidence, trajectory=wide).corner("11"), [0.5, 1.0]
    )


def test_naive_is_the_first_method(evidence: Evidence):
    assert evidence.methods[0].name == "naive"
    assert {m.kind for m in evidence.methods} == {"naive", "elicitation", "control"}


def test_coordinates_average_over_all_samples(evidence: Evidence):
    where = {"concept_class": "11", "method": "naive", "strength": 0}
    samples = evidence.trajectory["coordinate"].sel(where).values
    np.testing.assert_allclose(
        evidence.coordinates("11"), samples.mean(axis=2), rtol=1e-5, atol=1e-6
    )


def test_a_class_that_was_not_measured_has_nan_coordinates(evidence: Evidence):
    values = evidence.coordinates("99")
    assert values.shape == (3, 14, 2)
    assert np.isnan(values).all()


def test_concept_accuracy_counts_off_manifold_samples_as_wrong(evidence: Evidence):
    off = evidence.trajectory.copy(deep=True)
    off["off_manifold"][:] = 1
    assert evidence.concept_accuracy("00")[:, -1].min() > 0.5
    assert dataclasses.replace(evidence, trajectory=off).concept_accuracy("00").max() == 0


def test_concept_accuracy_counts_a_doubtful_reading_as_wrong_in_its_concept_alone(evidence):
    made = evidence.trajectory.copy(deep=True)
    made["doubtful"] = doubtful_of(made).copy()
    made["doubtful"].loc[{"concept": made["concept"].values[1]}] = 1
    made["off_manifold"] = made["doubtful"].max("concept")
    before = evidence.concept_accuracy("00")
    after = dataclasses.replace(evidence, trajectory=made).concept_accuracy("00")
    np.testing.assert_array_equal(after[..., 0], before[..., 0])
    assert after[..., 1].max() == 0


def test_concept_accuracy_leaves_out_samples_not_measured(evidence: Evidence):
    part = evidence.trajectory.copy(deep=True)
    part["correct"][..., 5:, :] = -1
    where = {"concept_class": "00", "method": "naive", "strength": 0}
    cell = part.sel(where).isel(sample=slice(0, 5))
    right = (cell["correct"] == 1) & (cell["off_manifold"] == 0)
    expected = right.mean("sample").transpose("seed", "step", "concept")
    measured = dataclasses.replace(evidence, trajectory=part).concept_accuracy("00")
    np.testing.assert_allclose(measured, expected.values)


def test_concept_accuracy_of_a_method_is_at_the_strength_chosen_for_it(evidence: Evidence):
    """All concepts right is rarer than each; at the weakest strength colour stays far below."""
    joint = evidence.accuracy("11", "latent-steering")
    assert joint is not None
    each = evidence.concept_accuracy("11", "latent-steering")
    assert (each.min(axis=-1) >= joint.per_seed - 1e-6).all()
    assert each[:, -1, 0].min() > 0.75
    weakest = evidence.trajectory["correct"].sel(
        {"concept_class": "11", "method": "latent-steering", "strength": 0, "concept": "colour"}
    )
    assert float((weakest[:, -1] == 1).mean()) < 0.5


def test_an_unmeasured_method_has_no_accuracy(evidence: Evidence):
    assert evidence.accuracy("00", "over-prompting") is None
    assert evidence.strengths("11", "telepathy") is None
    assert evidence.off_manifold("11", "telepathy") is None


def test_accuracy_holds_its_interval(evidence: Evidence):
    band = evidence.accuracy("11")
    assert band is not None
    assert (band.low <= band.mean + 1e-9).all()
    assert (band.high >= band.mean - 1e-9).all()
    assert band.per_seed.shape == (3, 14)


def test_null_becomes_nan():
    np.testing.assert_array_equal(numbers([[1, None], [None, 2]]), [[1, np.nan], [np.nan, 2]])


def test_numbers_without_a_stand_in_refuse_nothing():
    with pytest.raises(ValueError, match="values is missing"):
        numbers(None)


def test_the_mean_of_nothing_is_nan_without_a_warning():
    np.testing.assert_array_equal(nan_mean(np.array([[np.nan, np.nan], [1, np.nan]])), [np.nan, 1])


def _measurement(strengths: tuple[float, ...], measured: tuple[bool, ...]) -> xr.Dataset:
    """One checkpoint of one class and method; the pictures of strength i have the value i + 1."""
    num = len(strengths)
    thumbnail = np.zeros((1, 1, 1, 1, num, 2, 4, 4, 3), dtype=np.uint8)
    thumbnail += np.arange(1, num + 1, dtype=np.uint8)[:, None, None, None, None]
    correct = np.where(np.array(measured)[:, None, None], 1, -1) * np.ones((num, 3, 2))
    cell = ("seed", "step", "concept_class", "method", "strength")
    return xr.Dataset(
        {
            "thumbnail": ((*cell, "thumbnail", "row", "column", "channel"), thumbnail),
            "correct": (
                (*cell, "sample", "concept"),
                correct[None, None, None, None].astype("int8"),
            ),
            "strength_value": (("method", "strength"), [list(strengths)]),
        },
        coords={"seed": [4], "step": [20], "concept_class": ["11"], "method": ["steer"]},
    )


def _chose(value: float | None) -> dict:
    accuracy = {"steer": {"strength": [[None, value]]}}
    return {"seeds": [4], "steps": [10, 20], "classes": {"11": {"accuracy": accuracy}}}


@pytest.mark.parametrize(("chosen", "shown"), [(0.5, 1), (1.4, 2), (4.0, 3), (None, 1)])
def test_pictures_are_those_of_the_chosen_strength(chosen: float | None, shown: int):
    data = _measurement((0.5, 1.5, 4.0), (True, True, True))
    pictures = gather_pictures([data], _chose(chosen))
    assert list(pictures) == [PictureKey(4, 20, "11", "steer")]
    assert (pictures[PictureKey(4, 20, "11", "steer")] == shown).all()


def test_pictures_of_unmeasured_strengths_are_never_taken():
    data = _measurement((0.5, 1.5, 4.0), (True, True, False))
    (picture,) = gather_pictures([data], _chose(4.0)).values()
    assert (picture == 2).all()


def test_what_was_not_measured_has_no_pictures():
    assert gather_pictures([_measurement((0.5, 1.5), (False, False))], _chose(0.5)) == {}


def test_the_made_up_run_is_the_same_every_time():
    first, second = (example_evidence(num_seeds=1, num_steps=4) for _ in range(2))
    xr.testing.assert_identical(first.trajectory, second.trajectory)
    assert first.findings == second.findings
    for key, picture in first.pictures.items():
        np.testing.assert_array_equal(picture, second.pictures[key])
