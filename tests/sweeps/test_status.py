"""What `status` says of runs and sweeps, from their files."""

import json
import time

import pytest

from conceptspace.cli import main
from conceptspace.folder import RunError, WrongFolder, open_run, seed_folder
from conceptspace.log import EventLog
from conceptspace.measure.files import exclusive
from conceptspace.sweeps.status import status
from conceptspace.sweeps.sweep import sweep
from runs.tiny import tiny_experiment
from sweeps.fake import Pretending, leave_measurements, several

STEPS = tiny_experiment().steps


def train(run, seed, measured, *steps, every=2.0):
    """A seed that has got so far, one line of its log every so many seconds."""
    leave_measurements(run, seed, STEPS[:measured])
    lines = [{"time": 100.0, "event": "start", "step": 0}]
    lines += [{"time": 100.0 + every * i, "event": "train", "step": s} for i, s in enumerate(steps)]
    log = seed_folder(run, seed) / "log.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    open_run(folder, tiny_experiment())
    return folder


@pytest.fixture
def half_done(tmp_path):
    """Two runs of a sweep are done, one has failed, one is begun, and one is not."""
    folder = tmp_path / "sweep"
    worker = Pretending(fails={"run-1"})
    with pytest.raises(RunError):
        sweep(several(3), folder, seeds=2, executor=worker)
    with pytest.raises(RunError, match="stopped"):
        sweep(several(5), folder, seeds=2, executor=Pretending(stops_after=3, fails={"run-1"}))
    return folder


def test_a_run_that_has_just_been_made_waits(run):
    (found,) = status(run).runs
    assert (found.name, found.state, found.seeds) == ("tiny", "waiting", ())


def test_the_progress_of_a_seed_is_its_checkpoints_and_the_last_step_of_its_log(run):
    train(run, 0, 2, 9, 15)
    (seed,) = status(run).runs[0].seeds
    assert (seed.state, seed.measured, seed.checkpoints) == ("waiting", 2, len(STEPS))
    assert (seed.step, seed.steps) == (15, 40)


def test_a_run_is_done_when_every_seed_is_measured_and_the_report_is_there(run):
    leave_measurements(run, 0, STEPS)
    assert status(run).runs[0].state == "waiting"
    (run / "report.html").touch()
    (found,) = status(run).runs
    assert (found.state, found.seeds[0].state, found.seconds_left) == ("done", "done", None)


def test_a_run_that_is_worked_on_is_running_and_has_a_time_left(run, capsys):
    train(run, 0, 2, 10, 20, every=2.0)  # 10 steps in 2 seconds
    with exclusive(run), exclusive(run / "seed=0"):
        found = status(run)
        assert (found.runs[0].state, found.runs[0].seeds[0].state) == ("running", "running")
        assert found.seconds_left == pytest.approx((40 - 20) * 2.0 / 20)
        assert main(["status", str(run)]) == 0
        assert "20 of 40 steps  2 s left" in capsys.readouterr().out
    assert status(run).seconds_left is None


def test_the_rate_is_that_since_the_last_start(run):
    train(run, 0, 2, 10, 20)
    log = EventLog(run / "seed=0")
    log.write("start", step=20)
    log.close()
    with exclusive(run / "seed=0"):
        assert status(run).runs[0].seeds[0].seconds_per_step is None


def test_a_failed_seed_of_a_run_is_failed_until_it_goes_on(run):
    train(run, 0, 2, 10)
    (run / "seed=0/errors.txt").write_text("ValueError")
    (found,) = status(run).runs
    assert (found.state, found.seeds[0].state) == ("failed", "failed")
    assert "errors.txt" in found.problem
    time.sleep(0.02)
    train(run, 0, 3, 20)
    assert status(run).runs[0].state == "waiting"


def test_a_sweep_tells_what_is_done_failed_and_waiting(half_done):
    found = status(half_done)
    assert [(r.name, r.state) for r in found.runs] == [
        ("run-0", "done"),
        ("run-1", "failed"),
        ("run-2", "done"),
        ("run-3", "waiting"),
        ("run-4", "waiting"),
    ]
    assert "no luck" in found.runs[1].problem
    assert [found.count(state) for state in ("done", "failed", "running", "waiting")] == [
        2,
        1,
        0,
        2,
    ]


def test_a_sweep_that_goes_on_is_running_where_a_run_is_held(half_done):
    train(half_done / "runs/run-4", 0, 1, 10, 20)
    with (
        exclusive(half_done),
        exclusive(half_done / "runs/run-4"),
        exclusive(half_done / "runs/run-4/seed=0"),
    ):
        found = status(half_done)
    assert found.runs[4].state == "running"
    # 20 steps of that seed, and 40 of its other and of each of run-3, one at a time: the failed
    # run is not counted.
    assert found.seconds_left == pytest.approx((20 + 3 * 40) * 2.0 / 20)


def test_a_run_that_the_sweep_has_only_opened_is_waiting(half_done):
    train(half_done / "runs/run-4", 0, 1, 10, 20)
    with exclusive(half_done), exclusive(half_done / "runs/run-4"):
        assert status(half_done).runs[4].state == "waiting"


def test_the_command_prints_a_line_for_each_run_and_a_summary(half_done, capsys):
    assert main(["status", str(half_done)]) == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert lines[0] == "run-0  done  2 of 2 seeds  8 of 8 checkpoints  80 of 80 steps"
    assert lines[-1] == "5 runs: 2 done, 1 failed, 2 waiting"
    assert "run-1: seed 0 failed: ValueError: no luck" in shown.err


def test_a_terminal_gets_a_table(half_done, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    assert main(["status", str(half_done)]) == 0
    shown = capsys.readouterr().out
    assert "┃" in shown
    assert "checkpoints" in shown


def test_a_terminal_gets_what_matters_first_where_there_are_many_runs(
    half_done, capsys, monkeypatch
):
    monkeypatch.setattr("conceptspace.sweeps.commands.MOST_ROWS", 2)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert main(["status", str(half_done)]) == 0
    shown = capsys.readouterr().out
    assert shown.index("run-1") < shown.index("run-0")
    assert "run-3" not in shown
    assert "and 3 more: `conceptspace status DIR | less`" in shown


def test_what_is_neither_is_refused(tmp_path):
    with pytest.raises(WrongFolder, match="nowhere is neither a run nor a sweep: there is no such"):
        status(tmp_path / "nowhere")
    with pytest.raises(WrongFolder, match="it holds neither"):
        status(tmp_path)


def test_a_damaged_plan_is_named(half_done):
    (half_done / "sweep.json").write_text("{")
    with pytest.raises(RunError, match=r"sweep\.json is damaged: the command that made the sweep"):
        status(half_done)
