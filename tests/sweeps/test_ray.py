"""The same sweep on a Ray cluster of several nodes, one of which is lost on the way."""

import threading

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


def test_a_lost_node_costs_its_unfinished_seeds_alone_and_no_bit(swept, cluster, tmp_path):
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    there = tmp_path / "there"

    def lose_a_node():
        runs = [there / "runs/first", there / "runs/second"]
        eventually(
            lambda: all(any(e["event"] == "measured" for e in events(run)) for run in runs),
            "both nodes train",
        )
        cluster.remove_node(nodes[0], allow_graceful=False)

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
