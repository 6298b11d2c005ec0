"""The doctor says what is there, what is missing and how to mend it."""

import builtins
import importlib
import shutil

import pytest

from conceptspace import doctor, estimate, tune
from conceptspace.cli import main
from conceptspace.models.execution import Execution
from conceptspace.tune import Trial


@pytest.fixture(autouse=True)
def nothing_is_timed(monkeypatch):
    """The timing of training steps is tested where it belongs."""
    monkeypatch.setattr(estimate, "seconds_per_step", lambda experiment, num_steps: 0.05)
    trials = [Trial(Execution(), 0.1), Trial(Execution(channels_last=True), 0.08)]
    monkeypatch.setattr(tune, "measure_trials", lambda experiment, threads: trials)


def grades():
    return {finding.subject: finding.grade for finding in doctor.examine()}


def test_a_sound_installation_has_nothing_bad(capsys):
    assert "bad" not in grades().values()
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "ms a training step of `quick`" in shown
    assert "cores to use" in shown
    assert "channels last" in shown


def test_a_missing_package_is_named_with_its_remedy(monkeypatch, capsys):
    import_module = importlib.import_module

    def broken(name, *arguments):
        if name == "h5netcdf":
            raise ImportError("no module named h5netcdf")
        return import_module(name, *arguments)

    monkeypatch.setattr(importlib, "import_module", broken)
    assert grades()["h5netcdf"] == "bad"
    assert main(["doctor"]) == 1
    assert "pip install --force-reinstall h5netcdf" in " ".join(capsys.readouterr().out.split())


def test_an_old_torch_is_bad(monkeypatch):
    monkeypatch.setattr("torch.__version__", "2.1.0+cpu")
    assert grades()["torch"] == "bad"


def test_one_core_is_worth_a_note(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0}, raising=False)
    assert grades()["Seeds"] == "note"


def test_little_space_is_worth_a_note(monkeypatch):
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10**8))
    assert grades()["Disk"] == "note"


def test_a_folder_that_cannot_be_written_to_is_bad(monkeypatch, tmp_path):
    def refused(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refused)
    assert grades()["Disk"] == "bad"


def test_slow_training_is_worth_a_note(monkeypatch):
    monkeypatch.setattr(estimate, "seconds_per_step", lambda experiment, num_steps: 1.0)
    assert grades()["Speed"] == "note"


def test_the_processor_is_named_where_the_system_does_not_tell(monkeypatch):
    from conceptspace.environment import processor_name

    open_ = builtins.open

    def hidden(path, *arguments, **named):
        if path == "/proc/cpuinfo":
            raise FileNotFoundError(path)
        return open_(path, *arguments, **named)

    monkeypatch.setattr(builtins, "open", hidden)
    assert processor_name()
