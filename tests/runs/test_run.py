"""Which folders a run takes, what it refuses, and that seeds can be added."""

import shutil

import pytest

from conceptspace.folder import RunError, WrongFolder, check_folder, differing_fields
from conceptspace.load import load_run
from conceptspace.runner import complete_seeds, run
from runs.tiny import DERIVED, SAME_BITS, contents, events


def everything(folder):
    return sorted(folder.rglob("*"))


def test_seeds_are_added_without_training_the_old_ones_again(experiment, finished, finished_run):
    before = {path: path.stat().st_mtime_ns for path in (finished / "seed=0").rglob("step=*")}
    assert run(experiment, finished, seeds=2, workers=1) == finished
    after = {path: path.stat().st_mtime_ns for path in (finished / "seed=0").rglob("step=*")}
    assert after == before
    assert [event["step"] for event in events(finished, 1) if event["event"] == "measured"] == list(
        experiment.steps
    )
    assert list(load_run(finished).trajectory.seed) == [0, 1]
    assert (
        contents(finished).items()
        >= contents(finished_run, (*SAME_BITS[1:], "experiment.json")).items()
    )
    assert contents(finished, DERIVED) != contents(finished_run, DERIVED)


def test_a_call_for_fewer_seeds_keeps_those_that_are_fully_measured(experiment, finished):
    shutil.copytree(finished / "seed=0", finished / "seed=3")
    shutil.copytree(finished / "seed=0", finished / "seed=4")
    next((finished / "seed=4").glob("measurements/*.nc")).unlink()
    assert complete_seeds(finished, experiment) == [0, 3]


def test_other_settings_in_a_run_are_refused_naming_the_fields(experiment, finished):
    before = contents(finished)
    other = experiment.replace(training=experiment.training.replace(learning_rate=0.002))
    with pytest.raises(
        WrongFolder, match=r"training\.learning_rate is 0\.001 there, 0\.002 here.*--out"
    ):
        run(other, finished)
    assert contents(finished) == before


def test_more_differences_than_fit_are_counted(experiment, finished):
    other = experiment.replace(
        training=experiment.training.replace(
            steps=41, batch_size=9, learning_rate=0.1, weight_decay=0.2, clip_norm=3.0
        )
    )
    with pytest.raises(WrongFolder, match="and 1 more"):
        check_folder(finished, other)
    assert len(differing_fields(experiment, other)) == 5


def test_a_folder_with_other_files_is_refused_and_left_as_it_was(experiment, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    before = everything(tmp_path)
    with pytest.raises(WrongFolder, match=r"holds no run \(thesis\.tex is there\).*--out"):
        run(experiment, tmp_path)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("below", ["", "below", "far/below"])
def test_a_file_is_no_place_for_a_run(experiment, tmp_path, below):
    (tmp_path / "file").write_text("content")
    with pytest.raises(WrongFolder, match=r"file is (a file|not a folder).*--out"):
        run(experiment, tmp_path / "file" / below)
    assert (tmp_path / "file").read_text() == "content"


def test_a_folder_that_cannot_be_written_to_is_refused(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(WrongFolder, match=rf"{tmp_path} cannot be written to.*--out"):
        run(experiment, tmp_path / "run")
    assert everything(tmp_path) == []


@pytest.mark.parametrize("seeds", [0, -1, [], [0, 0], [-1]])
def test_wrong_seeds_are_refused(experiment, tmp_path, seeds):
    with pytest.raises(ValueError, match="seeds must be at least 1, or distinct numbers from 0 on"):
        run(experiment, tmp_path / "run", seeds=seeds)
    assert everything(tmp_path) == []


def test_a_failed_seed_is_named_with_its_reason(experiment, started):
    (started / "seed=0").write_text("a file where the seed's folder should be")
    with pytest.raises(RunError, match=r"seed 0 failed: FileExistsError.*seed=0"):
        run(experiment, started, seeds=1)
