"""Processes that do one unit after the other; here they are small scripts, not workers."""

import os
import signal
import sys
from pathlib import Path

import pytest

from conceptspace.models.execution import Execution
from conceptspace.pool import ProcessPool
from conceptspace.units import TrainSeeds, failure
from runs.commands import eventually, is_alive

ANSWER = """
import json, os, sys
for line in sys.stdin:
    unit = json.loads(line)
    name = unit["run"]
    if name == "dies": os._exit(3)
    if name == "is-killed": os.kill(os.getpid(), 9)
    if name == "complains": sys.exit("ValueError: what went wrong")
    if name == "sleeps": import time; time.sleep(60)
    fails = name == "fails"
    answer = {"notes": [str(os.getpid())], "is_leaving": fails or name == "leaves"}
    if fails: answer |= {"problem": "ValueError: no luck", "details": "a traceback"}
    print(json.dumps(answer), flush=True)
    if answer["is_leaving"]: break
"""


@pytest.fixture
def make_pool():
    pools = []

    def make(*sizes):
        pools.append(ProcessPool(*sizes, command=(sys.executable, "-c", ANSWER)))
        return pools[-1]

    yield make
    for pool in pools:
        pool.__exit__()


def unit(name="fine", device="cpu"):
    return TrainSeeds(run=Path(name), seeds=(0,), execution=Execution(device=device))


def do(pool, *units):
    """The outcomes of units that are all begun at once, in the order of their ends."""
    for each in units:
        assert pool.has_room(each)
        pool.submit(each)
    ended = []
    eventually(lambda: ended.extend(pool.finished(0.1)) or len(ended) == len(units), "all end")
    return [outcome for _, outcome in ended]


def test_a_process_does_one_unit_after_the_other(make_pool):
    pool = make_pool(1)
    pids = {do(pool, unit())[0].notes for _ in range(3)}
    assert len(pids) == 1


def test_so_many_processes_work_at_once(make_pool):
    pool = make_pool(2)
    pool.submit(unit("sleeps"))
    assert pool.has_room(unit())
    pool.submit(unit("sleeps"))
    assert not pool.has_room(unit())
    assert pool.finished(0.0) == []


def test_one_unit_at_a_time_uses_the_gpu_while_others_do_without(make_pool):
    pool = make_pool(3)
    pool.submit(unit("sleeps", "cuda"))
    assert not pool.has_room(unit("fine", "cuda"))
    assert pool.has_room(unit("fine", "cpu"))


@pytest.mark.parametrize("name", ["leaves", "fails"])
def test_a_process_that_leaves_is_replaced(make_pool, name):
    pool = make_pool(1)
    (first,) = do(pool, unit(name))
    (second,) = do(pool, unit())
    assert first.notes != second.notes
    assert not is_alive(int(first.notes[0]))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("dies", "its process ended with status 3"),
        ("is-killed", "its process was killed; where memory is short, try fewer --workers"),
        ("complains", "ValueError: what went wrong"),
        ("fails", "ValueError: no luck"),
    ],
)
def test_a_unit_whose_process_ends_says_why_and_the_next_is_done(make_pool, name, why):
    pool = make_pool(1)
    (outcome,) = do(pool, unit(name))
    assert outcome.problem == why
    (next_one,) = do(pool, unit())
    assert next_one.problem is None


def test_a_process_that_died_between_units_is_no_failure(make_pool):
    pool = make_pool(1)
    pid = int(do(pool, unit())[0].notes[0])
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_alive(pid), "it is gone")
    assert pool.finished(0.2) == []
    assert do(pool, unit())[0].problem is None


def test_leaving_a_pool_ends_its_processes(make_pool):
    with make_pool(2) as pool:
        pid = int(do(pool, unit())[0].notes[0])
        pool.submit(unit("sleeps"))
    assert not is_alive(pid)


def test_what_a_failed_process_said_is_kept_beside_its_seed(make_pool, tmp_path):
    (tmp_path / "seed=0").mkdir()
    failed = unit("fails").replace(run=tmp_path)
    (outcome,) = do(make_pool(1), unit("fails"))
    assert failure(failed, outcome) == (
        "seed 0 failed: ValueError: no luck. The same command continues from its last checkpoint; "
        f"more is in {tmp_path}/seed=0/errors.txt"
    )
    assert (tmp_path / "seed=0/errors.txt").read_text() == "a traceback\n"
