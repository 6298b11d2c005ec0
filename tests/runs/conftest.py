"""One finished run of a tiny experiment, made once; tests work on copies of it."""

import shutil

import pytest

from conceptspace.derived import derive
from conceptspace.folder import open_run
from conceptspace.opening import ensure_probe
from conceptspace.progress import Silent
from conceptspace.worker import run_seeds
from runs.commands import Stable
from runs.tiny import tiny_experiment


@pytest.fixture(scope="session")
def experiment():
    return tiny_experiment()


@pytest.fixture(scope="session")
def started_run(tmp_path_factory, experiment):
    """A run with its probe and no seed yet. Not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "started"
    open_run(folder, experiment)
    ensure_probe(folder, experiment, Silent())
    return folder


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, experiment, started_run):
    """A run that was never disturbed. Not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    shutil.copytree(started_run, folder)
    run_seeds(experiment, folder, [0])
    derive(folder)
    return folder


@pytest.fixture
def started(tmp_path, started_run):
    """A copy of the started run."""
    return shutil.copytree(started_run, tmp_path / "run")


@pytest.fixture
def finished(tmp_path, finished_run):
    """A copy of the finished run."""
    return shutil.copytree(finished_run, tmp_path / "run")


@pytest.fixture(scope="session")
def stable(started_run):
    """Makes processes that train a seed, and can be killed."""
    with Stable(started_run) as stable:
        yield stable
