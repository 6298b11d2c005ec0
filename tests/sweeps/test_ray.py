"""The same sweep on a Ray cluster of several nodes, one of which is lost on the way."""

import re
import threading
from pathlib import Path

import pytest

from conceptspace.folder import RunError
from conceptspace.sweeps.ray import RayExecutor
from conceptspace.sweeps.sweep import sweep
from runs.commands import environment, eventually
from runs.tiny import events
from sweeps.real import bits, listed, starts

pytest.importorskip("ray", reason="ray is not installed: pip install 'conceptspace[ray]'")
# Ray leaves sockets and files to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture
def cluster(monkeypatch):
    """A head that does no work and two nodes that do."""
    from ray.cluster_utils import Cluster

    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    yield cluster
    cluster.shutdown()


def ancestors(pid):
    """The process, its parent, and so on."""
    while pid > 1:
        yield pid
        status = Path(f"/proc/{pid}/status").read_text()
        pid = int(re.search(r"PPid:\s*(\d+)", status).group(1))


def node_that_trains(nodes, run):
    """The node whose process has begun a run's seed."""
    pid = next(event["pid"] for event in events(run) if event["event"] == "start")
    family = set(ancestors(pid))
    return next(n for n in nodes if n.all_processes["raylet"][0].process.pid in family)


def test_a_lost_node_costs_its_unfinished_seeds_alone_and_no_bit(swept, cluster, tmp_path):
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    there = tmp_path / "there"

    def begun():
        runs = [there / "runs/first", there / "runs/second"]
        return [run for run in runs if any(e["event"] == "measured" for e in events(run))]

    def lose_a_node():
        eventually(begun, "a node trains")
        cluster.remove_node(node_that_trains(nodes, begun()[0]), allow_graceful=False)

    loser = threading.Thread(target=lose_a_node, daemon=True)
    loser.start()
    sweep(listed(), there, executor=RayExecutor(cluster.address))
    loser.join()
    assert bits(there) == bits(swept)
    assert sorted(starts(there).values()) == [1, 2]


def test_a_cluster_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RunError, match=r"cannot reach a Ray cluster at 127\.0\.0\.1:1"):
        sweep(listed(), tmp_path / "sweep", executor=RayExecutor("127.0.0.1:1"))
    assert not (tmp_path / "sweep/runs").exists()
