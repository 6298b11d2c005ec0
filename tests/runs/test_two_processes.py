"""Two processes on one run: the second is told so, and nothing is damaged."""

import os
import shutil
import signal

import pytest

from conceptspace import worker
from conceptspace.cli import main
from conceptspace.measure.files import FolderInUse, exclusive
from conceptspace.runner import run
from runs.commands import Command, eventually
from runs.tiny import contents, events


def test_a_second_command_on_a_run_is_told_which_folder_is_in_use(started, finished_run, capsys):
    with Command("run", started, "--seeds", 1) as first:
        eventually(lambda: events(started), "the first works")
        os.kill(first.process.pid, signal.SIGSTOP)  # so that it holds the run for long enough
        try:
            assert main(["run", str(started), "--seeds", "1"]) == 1
        finally:
            os.kill(first.process.pid, signal.SIGCONT)
        message = capsys.readouterr().err
        assert f"{started} is in use by another process" in message
        assert "--out" in message
        assert first.finish()[0] == 0
    assert contents(started) == contents(finished_run)


def test_a_run_in_use_is_not_touched(experiment, started, started_run):
    before = contents(started)
    with (
        exclusive(started),
        pytest.raises(FolderInUse, match=f"{started} is in use by another process"),
    ):
        run(experiment, started)
    assert contents(started) == before
    assert list(started.glob("seed=*")) == []


def test_a_seed_in_use_is_not_trained_a_second_time(experiment, started, monkeypatch):
    monkeypatch.setattr(worker, "WAIT_FOR_LOCK_SECONDS", 0.0)
    with (
        exclusive(started / "seed=0"),
        pytest.raises(FolderInUse, match="seed=0 is in use by another process"),
    ):
        worker.run_seeds(experiment, started, [0])


def test_a_folder_is_free_again_when_its_holder_was_killed(stable, started_run, tmp_path):
    folder = shutil.copytree(started_run, tmp_path / "run")
    assert stable.run_seed(folder, ("training", 1)) == -signal.SIGKILL
    with exclusive(folder / "seed=0"):
        pass
