"""A second process saves figures with the same bits, and is never why something fails."""

import os
import pickle
import subprocess
import sys
import time

import matplotlib
import pytest

from conceptspace.figures import apart, draw_all, save_figures
from conceptspace.figures.apart import SavedApart
from conceptspace.figures.evidence import Evidence
from conceptspace.figures.gallery import figure_names

NAMES = ["losses", "speed"]


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(apart, "_num_cores", lambda: 2)


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def expected(evidence: Evidence, tmp_path):
    save_figures(draw_all(evidence, NAMES), tmp_path / "expected")
    return contents(tmp_path / "expected")


def refuse(*arguments):
    raise AssertionError("this process was not to draw")


@pytest.mark.usefixtures("two_cores")
def test_a_second_process_saves_the_same_bits(evidence, tmp_path, expected, monkeypatch):
    monkeypatch.setattr(apart, "_save", refuse)
    with SavedApart() as saved:
        saved.save(evidence, NAMES, tmp_path / "apart")
        saved.finish()
    assert contents(tmp_path / "apart") == expected


@pytest.mark.usefixtures("two_cores")
def test_what_matplotlib_was_told_holds_in_the_second_process_too(
    evidence, tmp_path, expected, monkeypatch
):
    monkeypatch.setattr(apart, "_save", refuse)
    with matplotlib.rc_context({"axes.grid": True}):
        save_figures(draw_all(evidence, NAMES), tmp_path / "here")
        with SavedApart() as saved:
            saved.save(evidence, NAMES, tmp_path / "apart")
            saved.finish()
    assert contents(tmp_path / "apart") == contents(tmp_path / "here") != expected


def test_one_core_draws_here(evidence, tmp_path, expected, monkeypatch):
    monkeypatch.setattr(apart, "_num_cores", lambda: 1)
    with SavedApart() as saved:
        assert saved._process is None
        saved.save(evidence, NAMES, tmp_path / "here")
        saved.finish()
    assert contents(tmp_path / "here") == expected


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_a_killed_process_did_not_save_is_saved_here(evidence, tmp_path, expected, moment):
    with SavedApart() as saved:
        assert saved._process is not None
        if moment == "before":
            saved._process.kill()
            saved._process.wait()
        saved.save(evidence, NAMES, tmp_path / "apart")
        saved._process.kill()
        saved.finish()
    found = contents(tmp_path / "apart")
    assert {name: found[name] for name in expected} == expected


@pytest.mark.usefixtures("two_cores")
def test_where_no_process_can_be_started_all_is_saved_here(
    evidence, tmp_path, expected, monkeypatch
):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no such program"))
    with SavedApart() as saved:
        saved.save(evidence, NAMES, tmp_path / "here")
        saved.finish()
    assert contents(tmp_path / "here") == expected


@pytest.mark.usefixtures("two_cores")
def test_an_error_in_the_block_ends_the_second_process():
    with pytest.raises(KeyboardInterrupt), SavedApart() as saved:
        raise KeyboardInterrupt
    assert saved._process is not None
    assert saved._process.returncode is not None


def test_the_second_process_does_not_outlive_a_killed_caller():
    script = (
        "import time\n"
        "from conceptspace.figures import apart\n"
        "apart._num_cores = lambda: 2\n"
        "with apart.SavedApart() as saved:\n"
        "    print(saved._process.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as caller:
        assert caller.stdout is not None
        second = int(caller.stdout.readline())
        caller.kill()
    deadline = time.monotonic() + 30
    while _is_running(second) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _is_running(second)


def test_the_second_process_leaves_its_work_when_the_caller_is_gone(evidence, tmp_path):
    names = figure_names(evidence)
    command = [sys.executable, "-m", "conceptspace.figures.apart"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        pickle.dump(({}, evidence, names, tmp_path / "apart"), process.stdin)
        process.stdin.close()
        assert process.wait(timeout=60) == 1
    left = contents(tmp_path / "apart") if (tmp_path / "apart").exists() else {}
    assert len([name for name in left if not name.startswith(".")]) < 2 * len(names)


def _is_running(process: int) -> bool:
    """Whether it runs; one that has ended but was not waited for is none of ours to wait for."""
    try:
        os.kill(process, 0)
        with open(f"/proc/{process}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
