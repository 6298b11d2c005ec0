"""What a run will take, said without writing anything."""

import pytest

from conceptspace.cli import main
from conceptspace.estimate import FIXED_SECONDS, estimate


def test_a_dry_run_writes_nothing_at_all(experiment, tmp_path, monkeypatch, capsys):
    settings = tmp_path / "tiny.json"
    settings.write_text(experiment.to_json())
    monkeypatch.chdir(tmp_path)
    assert main(["run", str(settings), "--dry-run"]) == 0
    assert list(tmp_path.iterdir()) == [settings]
    shown = capsys.readouterr().out
    assert "runs/tiny" in shown
    assert "40 steps a seed" in shown
    assert "4 a seed, 0 measured already" in shown
    assert "nothing was written" in shown


def test_a_dry_run_refuses_what_the_run_would_refuse(experiment, finished, tmp_path, capsys):
    line = ["run", str(finished), "--training.steps", "41", "--dry-run"]
    assert main(line) == 2
    assert "training.steps is 40 there, 41 here" in capsys.readouterr().err


def test_what_is_measured_already_costs_nothing_again(experiment, finished, tmp_path):
    whole = estimate(experiment, tmp_path / "new", 1, 1)
    rest = estimate(experiment, finished, 1, 1)
    assert (whole.num_measured, rest.num_measured) == (0, 4)
    assert rest.seconds == FIXED_SECONDS < whole.seconds


@pytest.mark.parametrize(("num_seeds", "workers", "num_workers"), [(1, None, 1), (3, 2, 2)])
def test_no_more_workers_than_seeds_are_planned(
    experiment, tmp_path, num_seeds, workers, num_workers
):
    assert estimate(experiment, tmp_path, num_seeds, workers).num_workers == num_workers
