import csv
import io

import numpy as np
import pytest

from conceptspace.measure.store import doubtful_of, tidy
from dynamics.synthetic import synthetic_trajectory


@pytest.fixture(scope="module")
def trajectory():
    rng = np.random.default_rng(0)
    return synthetic_trajectory(rng, num_seeds=2, num_checkpoints=9, num_samples=4)


def test_the_table_has_a_row_for_everything_measured(trajectory):
    rows = list(csv.DictReader(io.StringIO(tidy(trajectory))))
    assert len(rows) == int((trajectory.off_manifold >= 0).any("sample").sum())


def test_a_row_of_the_table_is_the_mean_over_samples(trajectory):
    rows = list(csv.DictReader(io.StringIO(tidy(trajectory))))
    step = int(trajectory.step.values[-1])
    wanted = {"seed": "1", "step": str(step), "concept_class": "11", "method": "naive"}
    row = next(row for row in rows if wanted.items() <= row.items())
    place = {"seed": 1, "step": step, "concept_class": "11", "method": "naive"}
    cell = trajectory.sel(place).isel(strength=0)
    colour = cell.coordinate.sel(concept="colour").mean().item()
    right = (cell.correct == 1).all("concept") & (cell.off_manifold == 0)
    assert float(row["coordinate_colour"]) == pytest.approx(colour, abs=1e-5)
    assert float(row["joint_accuracy"]) == pytest.approx(right.mean().item())
    assert int(row["num_samples"]) == 4


def test_an_older_measurement_is_doubtful_in_all_concepts_where_it_is_off(trajectory):
    assert "doubtful" not in trajectory
    doubtful = doubtful_of(trajectory)
    assert set(doubtful.dims) == set(trajectory.correct.dims)
    for concept in trajectory.concept.values:
        assert (doubtful.sel(concept=concept) == trajectory.off_manifold).all()


def test_the_table_counts_a_doubtful_reading_as_wrong_in_its_concept_alone(trajectory):
    doubtful = doubtful_of(trajectory).copy()
    doubtful.loc[{"concept": "size"}] = np.where(doubtful.sel(concept="size") < 0, -1, 1)
    doubtful.loc[{"concept": "colour"}] = np.where(doubtful.sel(concept="colour") < 0, -1, 0)
    made = trajectory.assign(doubtful=doubtful)
    for row in csv.DictReader(io.StringIO(tidy(made))):
        place = {"seed": int(row["seed"]), "step": int(row["step"])}
        place |= {"concept_class": row["concept_class"], "method": row["method"]}
        cell = made.sel(place)
        cell = cell.isel(strength=list(cell.strength_value.values).index(float(row["strength"])))
        measured = cell.correct.sel(concept="colour") >= 0
        share = (cell.correct.sel(concept="colour") == 1).sum() / measured.sum()
        assert float(row["accuracy_size"]) == 0.0
        assert float(row["accuracy_colour"]) == pytest.approx(share.item(), abs=1e-5)
