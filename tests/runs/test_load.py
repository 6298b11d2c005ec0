"""A run opened for analysis: trajectories, models whose measurements can be repeated, findings."""

import csv

import numpy as np
import pytest
import xarray

from conceptspace.build import build_adapter, build_instrument, draw_training_sets
from conceptspace.folder import WrongFolder
from conceptspace.load import load_run
from conceptspace.measure.measurement import measure_checkpoint
from conceptspace.measure.netcdf import to_netcdf
from conceptspace.training.loop import mean_bound
from conceptspace.worker import load_probe
from runs.tiny import contents


def test_the_trajectory_has_the_documented_dimensions(experiment, finished_run):
    trajectory = load_run(finished_run).trajectory
    assert trajectory.probability.dims == (
        "seed", "step", "concept_class", "method", "strength", "sample", "concept", "value",
    )  # fmt: skip
    assert trajectory.coordinate.dims == trajectory.probability.dims[:-1]
    assert list(trajectory.step) == list(experiment.steps)
    assert list(trajectory.concept_class) == ["00", "01", "10", "11"]
    assert list(trajectory.concept) == ["colour", "size"]
    assert "thumbnail" not in trajectory


def test_the_trajectory_on_disk_is_the_one_that_is_loaded(finished_run):
    with xarray.open_dataset(finished_run / "trajectory.nc") as stored:
        xarray.testing.assert_identical(stored.load(), load_run(finished_run).trajectory)


def test_the_table_says_what_the_trajectory_says(finished_run):
    trajectory = load_run(finished_run).trajectory
    with open(finished_run / "trajectory.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    measured = (trajectory.off_manifold >= 0).any("sample")
    assert len(rows) == int(measured.sum())
    coordinate = trajectory.coordinate.mean("sample")
    values = trajectory.strength_value
    for row in rows:
        arm = dict(
            seed=int(row["seed"]),
            step=int(row["step"]),
            concept_class=row["concept_class"],
            method=row["method"],
        )
        tried = values.sel({"method": arm["method"]}).values
        strength = 0 if row["strength"] == "nan" else _nearest(tried, float(row["strength"]))
        for concept in ("colour", "size"):
            expected = coordinate.sel(arm | {"concept": concept}).isel(strength=strength)
            assert float(row[f"coordinate_{concept}"]) == pytest.approx(float(expected), abs=1e-5)


def _nearest(tried, value):
    return int(np.nanargmin(np.abs(tried - value)))


@pytest.mark.parametrize("step", [0, 40])
def test_measuring_a_checkpoint_again_gives_the_stored_bits(experiment, finished_run, step):
    model = load_run(finished_run).model(0, step)
    sets = draw_training_sets(experiment, 0)
    num = experiment.measurement.num_loss_images
    again = measure_checkpoint(
        build_adapter(experiment, model),
        build_instrument(experiment, load_probe(finished_run)),
        seed=0,
        step=step,
        losses={
            n: float(mean_bound(model, d.part(slice(0, num)), 0).total) for n, d in sets.items()
        },
        gamma=model.schedule.ends(),
    )
    stored = (finished_run / f"seed=0/measurements/step={step:07d}.nc").read_bytes()
    assert to_netcdf(again) == stored


def test_findings_and_claims_are_made_when_they_are_missing_or_torn(finished, finished_run):
    names = ("findings.json", "claims.json")
    (finished / "findings.json").unlink()
    (finished / "claims.json").write_text('[{"id": "C3", "state')
    assert load_run(finished).claims == load_run(finished_run).claims
    assert load_run(finished).findings == load_run(finished_run).findings
    assert contents(finished, names) == contents(finished_run, names)


def test_the_steps_and_seeds_that_are_there_are_listed(experiment, finished_run):
    opened = load_run(finished_run)
    assert opened.seeds == [0]
    assert opened.steps(0) == list(experiment.steps)
    assert "thumbnail" in opened.measurement(0, 40)


def test_the_last_checkpoint_is_loaded_by_default(finished_run):
    opened = load_run(finished_run)
    last, default = opened.model(0, 40), opened.model()
    assert all(
        (a == b).all() for a, b in zip(last.state_dict().values(), default.state_dict().values())
    )
    assert not default.training


def test_a_missing_step_is_refused_with_those_there_are(finished_run):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at step 7 .*there are 0, 8, .*40"):
        load_run(finished_run).model(0, 7)


def test_a_missing_seed_is_refused_with_those_there_are(finished_run):
    with pytest.raises(ValueError, match=r"seed 3 is not in .*there are 0"):
        load_run(finished_run).model(3)


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_folder_without_a_run_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(WrongFolder, match=f"{name} is not a run"):
        load_run(tmp_path / name)


def test_a_run_that_has_measured_nothing_says_so(started):
    from conceptspace.folder import RunError

    with pytest.raises(RunError, match="no measurements yet"):
        _ = load_run(started).trajectory
