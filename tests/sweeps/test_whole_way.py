"""Sweeps from a list to reports, with real processes, undisturbed and killed."""

import json
import os
import signal

import pytest

from conceptspace.derived import _conclude, read_measurements
from conceptspace.folder import open_run
from conceptspace.load import load_run
from conceptspace.opening import ensure_probe
from conceptspace.sweeps.status import status as look
from conceptspace.sweeps.sweep import sweep
from conceptspace.worker import run_seeds
from runs.commands import Command, eventually, is_alive
from runs.tiny import DERIVED, SAME_BITS, contents, events
from sweeps.fake import Told
from sweeps.real import bits, listed, starts

SAME = (*SAME_BITS, *DERIVED)


@pytest.fixture
def settings(tmp_path):
    """The list as a file."""
    entries = [
        {"experiment": json.loads(experiment.to_json()), "seeds": seeds}
        for experiment, seeds in listed()
    ]
    path = tmp_path / "two.json"
    path.write_text(json.dumps(entries))
    return path


def test_a_run_of_a_sweep_has_the_same_bits_as_a_run_by_itself(swept, tmp_path):
    experiment, _ = listed()[2]
    alone = tmp_path / "alone"
    open_run(alone, experiment)
    ensure_probe(alone, experiment, Told())
    run_seeds(experiment, alone, [0])
    _conclude(alone, experiment, read_measurements(alone, experiment))
    assert contents(swept / "runs/second", SAME) == contents(alone, SAME)


def test_every_run_has_its_report_and_is_opened_like_any_other(swept):
    assert sorted(path.name for path in (swept / "runs").iterdir()) == ["first", "second"]
    for name in ("first", "second"):
        assert (swept / "runs" / name / "report.html").exists()
        assert load_run(swept / "runs" / name).seeds == [0]
    assert starts(swept) == {"first": 1, "second": 1}


@pytest.mark.slow
def test_a_sweep_killed_in_every_stage_continues_with_the_same_command(swept, settings, tmp_path):
    folder = tmp_path / "killed"
    line = ("sweep", settings, "--out", folder, "--workers", 2)
    first, second = folder / "runs/first", folder / "runs/second"
    kill_when((first / "experiment.json").exists, line)
    kill_when(lambda: begun(first), line)
    kill_when((first / "findings.json").exists, line)
    kill_when(lambda: (first / "report.html").exists() and begun(second), line)
    before = starts(folder)
    with Command(*line) as command:
        status, _, errors = command.finish()
    assert (status, errors) == (0, "")
    assert bits(folder) == bits(swept)
    assert starts(folder)["first"] == before["first"], "what is finished is not done again"


def test_a_killed_worker_fails_its_run_alone_and_a_killed_sweep_continues(
    swept, settings, tmp_path
):
    folder = tmp_path / "sweep"
    first = folder / "runs/first"
    line = ("sweep", settings, "--out", folder, "--workers", 1)
    with Command(*line) as command:
        eventually(lambda: events(first), "the first seed starts")
        os.kill(events(first)[0]["pid"], signal.SIGKILL)
        status, _, errors = command.finish()
    assert status == 1
    assert "1 of 2 runs failed; the others are done" in errors
    assert "first: seed 0 failed: its process was killed" in errors
    assert bits(folder)["second"] == bits(swept)["second"]
    assert [run.state for run in look(folder).runs] == ["failed", "done"]
    kill_when(lambda: begun(first), line)
    assert sweep(listed(), folder, workers=1) == folder
    assert bits(folder) == bits(swept)
    assert starts(folder)["second"] == 1, "what is finished is not done again"


def begun(run):
    return any(event["event"] == "measured" for event in events(run))


def kill_when(reached, line):
    """Kill the driver of a sweep, and it alone: its workers must see that for themselves."""
    with Command(*line) as command:
        eventually(reached, "the stage is reached")
        children = [int(child) for child in children_of(command.process.pid)]
        command.process.kill()
        eventually(lambda: not any(map(is_alive, children)), "the workers end")


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return file.read().split()
