"""Sweeps from a list to reports, with real processes, undisturbed and killed."""

import json
import os
import signal

import pytest

from conceptspace.cli import main
from conceptspace.folder import RunError
from conceptspace.load import load_run
from conceptspace.runner import run
from conceptspace.sweeps.sweep import sweep
from runs.commands import Command, eventually, is_alive
from runs.tiny import DERIVED, SAME_BITS, contents, events
from sweeps.fake import Told
from sweeps.real import bits, listed, starts


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
    experiment, seeds = listed()[0]
    alone = run(experiment, tmp_path / "alone", seeds=seeds)
    patterns = (*SAME_BITS, *DERIVED)
    assert contents(swept / "runs/first", patterns) == contents(alone, patterns)


def test_every_run_has_its_report_and_is_opened_like_any_other(swept):
    assert sorted(path.name for path in (swept / "runs").iterdir()) == ["first", "second"]
    for name, seeds in (("first", [0, 1]), ("second", [0])):
        assert (swept / "runs" / name / "report.html").exists()
        assert load_run(swept / "runs" / name).seeds == seeds
    assert starts(swept) == {("first", 0): 1, ("first", 1): 1, ("second", 0): 1}


def test_a_probe_that_is_shared_is_trained_once(swept):
    first, second = (contents(swept / "runs" / name) for name in ("first", "second"))
    assert first["probe.safetensors"] == second["probe.safetensors"]
    assert (swept / "runs/second/probe.json").exists()


def test_a_sweep_killed_in_every_stage_continues_with_the_same_command(swept, settings, tmp_path):
    folder = tmp_path / "killed"
    line = ("sweep", settings, "--out", folder, "--workers", 2)
    first, second = folder / "runs/first", folder / "runs/second"
    stages = {
        "opening": lambda: (first / "experiment.json").exists(),
        "training": lambda: any(e["event"] == "measured" for e in events(first, 0)),
        "reporting": lambda: (first / "findings.json").exists(),
        "later": lambda: (first / "report.html").exists() and events(second, 0),
    }
    for stage, reached in stages.items():
        with Command(*line) as command:
            eventually(reached, stage)
            command.process.kill()  # the driver alone: its workers must see that themselves
        pids = [event["pid"] for run in (first, second) for event in events(run) if "pid" in event]
        eventually(lambda pids=pids: not any(map(is_alive, pids)), "the workers end")
    done = starts(folder)
    with Command(*line) as command:
        status, _, errors = command.finish()
    assert (status, errors) == (0, "")
    assert bits(folder) == bits(swept)
    assert starts(folder)["first", 0] == done["first", 0], "what is finished is not done again"


def test_a_worker_that_is_killed_fails_its_run_alone(swept, settings, tmp_path):
    folder = tmp_path / "sweep"
    first = folder / "runs/first"
    with Command("sweep", settings, "--out", folder, "--workers", 1) as command:
        eventually(lambda: events(first, 0), "the first seed starts")
        os.kill(events(first, 0)[0]["pid"], signal.SIGKILL)
        status, _, errors = command.finish()
    assert status == 1
    assert "1 of 2 runs failed; the others are done" in errors
    assert "first: seed 0 failed: its process was killed" in errors
    assert bits(folder)["second"] == bits(swept)["second"]
    assert main(["status", str(folder)]) == 0
    assert sweep(listed(), folder, workers=1) == folder
    assert bits(folder) == bits(swept)


def test_damage_in_a_run_is_told_with_its_name(swept, tmp_path):
    folder = tmp_path / "sweep"
    told = Told()
    (folder / "runs/first").mkdir(parents=True)
    (folder / "runs/first/experiment.json").write_text("{")
    with pytest.raises(RunError, match=r"first: .*experiment\.json is damaged"):
        sweep(listed()[:2], folder, progress=told)
