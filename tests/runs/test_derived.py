"""What is derived from measurements alone: it can be removed and made again with the same bits."""

import json
import shutil

import pytest

from conceptspace.derived import derive, read_measurements
from conceptspace.folder import RunError
from runs.tiny import DERIVED, contents

FIGURES = ("figures/*.svg", "figures/*.png")


def test_everything_derived_can_be_removed_and_comes_back_with_the_same_bits_without_the_model(
    finished, finished_run
):
    for name in (*DERIVED, "report.html"):
        (finished / name).unlink()
    shutil.rmtree(finished / "figures")
    shutil.rmtree(finished / "seed=0/checkpoints")
    shutil.rmtree(finished / "seed=0/state")
    (finished / "probe.safetensors").unlink()
    made = derive(finished)
    assert made["notes"] == []
    assert contents(finished, DERIVED + FIGURES) == contents(finished_run, DERIVED + FIGURES)
    ours, theirs = ((run / "report.html").read_text() for run in (finished, finished_run))
    assert ours.replace(str(finished), "RUN") == theirs.replace(str(finished_run), "RUN")


def test_claims_have_the_documented_keys(finished_run):
    claims = json.loads((finished_run / "claims.json").read_text())
    assert [claim["id"] for claim in claims] == ["C3", "C4", "C5"]
    for claim in claims:
        assert set(claim) == {
            "id", "statement", "value", "interval", "criterion", "verdict", "controls", "scale",
            "seeds",
        }  # fmt: skip
        assert claim["verdict"] == "inconclusive", "one seed concludes nothing"


def test_a_run_under_way_is_reported_with_what_is_missing(experiment, finished):
    (finished / "seed=0/measurements/step=0000040.nc").unlink()
    notes = derive(finished)["notes"]
    assert notes == ["1 of 4 checkpoints are not measured in every seed yet"]


def test_a_seed_without_measurements_is_left_out_and_named(experiment, finished):
    (finished / "seed=1").mkdir()
    measured = read_measurements(finished, experiment)
    assert len(measured.measurements) == 1
    assert "seed 1 has no measurements yet and is left out" in measured.notes


def test_seeds_without_a_common_checkpoint_are_refused(experiment, finished):
    shutil.copytree(finished / "seed=0", finished / "seed=1")
    for run, kept in (("seed=0", "0000000"), ("seed=1", "0000040")):
        for path in (finished / run / "measurements").iterdir():
            if kept not in path.name:
                path.unlink()
    with pytest.raises(RunError, match="no checkpoint is measured in every seed yet"):
        read_measurements(finished, experiment)
