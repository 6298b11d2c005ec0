"""What a run will take, said without writing anything."""

import pytest

from conceptspace import estimate as estimating
from conceptspace.cli import main
from conceptspace.elicitation.settings import Guidance
from conceptspace.estimate import (
    FIXED_SECONDS,
    SIDE_BY_SIDE,
    estimate,
    seconds_per_measurement,
    slowed,
)
from conceptspace.models.execution import Execution


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


def test_seeds_that_share_the_cores_take_longer_each(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr(estimating, "seconds_per_seed", lambda *_: 100.0)
    assert estimate(experiment, tmp_path, 2, 1).seconds == FIXED_SECONDS + 200
    assert estimate(experiment, tmp_path, 2, 2).seconds == FIXED_SECONDS + 100 * SIDE_BY_SIDE
    assert slowed(Execution(device="cuda", captured=True), 2) == 1.0


def test_an_image_that_is_guided_counts_twice(experiment, monkeypatch):
    """A clock that ticks once between its two readings: the time is the number of batches."""
    ticks = iter(range(10))
    monkeypatch.setattr(estimating.time, "perf_counter", lambda: float(next(ticks)))
    monkeypatch.setattr("conceptspace.adapters.native.NativeAdapter.sample", lambda *_: None)
    num, control = experiment.measurement.num_samples, experiment.measurement.num_control_samples
    naive = 4 * num
    hidden = experiment.training.replace(condition_dropout=0.1)
    for weights, passes in (((1.0,), 1), ((2.0,), 2), ((0.0, 1.0, 3.0), 5)):
        guided = experiment.replace(elicitation=(Guidance(weights=weights),), training=hidden)
        images = naive + passes * (num + control)
        assert seconds_per_measurement(guided, Execution()) == images / min(images, 64)
