"""A run that is killed, wherever it is, continues with the same command and ends with the same
bits as one that was left alone."""

import os
import random
import shutil
import signal
import time

import pytest

from conceptspace.worker import run_seeds
from runs.commands import Command, eventually, is_alive
from runs.tiny import DERIVED, SAME_BITS, contents, events, leftovers

NUM_KILLS = 20
MOMENTS = {  # and how often each comes in an undisturbed run, about
    "training": 40,
    "sampling": 4,
    "before a file is renamed": 12,
    "after a file was renamed": 12,
    "half-way through a file": 24,
    "removing a file": 2,
}


def test_a_seed_killed_at_twenty_random_moments_ends_with_the_same_bits(
    stable, started_run, finished_run, tmp_path
):
    chance = random.Random(1)
    kills = dict.fromkeys(MOMENTS, 0)
    wanted = contents(finished_run)
    victims = 0
    while sum(kills.values()) < NUM_KILLS:
        victims += 1
        run = shutil.copytree(started_run, tmp_path / f"victim-{victims}")
        status = -signal.SIGKILL
        while status == -signal.SIGKILL:
            moment = chance.choice(list(MOMENTS))
            status = stable.run_seed(run, (moment, chance.randint(1, 1 + MOMENTS[moment] // 2)))
            kills[moment] += status == -signal.SIGKILL
        assert status == 0
        assert contents(run) == wanted
        assert leftovers(run) == []
    assert all(kills.values()), f"moments that were never tried: {kills}"


@pytest.mark.parametrize("moment", ["after a file was renamed", "half-way through a file"])
def test_a_seed_killed_at_every_single_write_ends_with_the_same_bits(
    stable, started, finished_run, moment
):
    kills = 0
    while stable.run_seed(started, (moment, 1 if moment.startswith("after") else 2)) != 0:
        kills += 1
    assert kills >= 8
    assert contents(started) == contents(finished_run)


def test_a_seed_killed_before_it_removes_its_oldest_state_keeps_no_more_than_others(
    stable, started, finished_run
):
    assert stable.run_seed(started, ("removing a file", 1)) == -signal.SIGKILL
    assert len(list(started.glob("seed=0/state/*.safetensors"))) == 3
    assert stable.run_seed(started) == 0
    assert contents(started) == contents(finished_run)


def test_the_whole_command_killed_in_each_stage_ends_with_the_same_bits(
    experiment, finished_run, tmp_path
):
    settings = tmp_path / "tiny.json"
    settings.write_text(experiment.to_json())
    run = tmp_path / "run"
    line = ("run", settings, "--out", run, "--seeds", 1)
    for stage in ("Training the probe", "Training and measuring", "Findings"):
        with Command(*line) as command:
            command.wait_for_line(stage)
            if stage == "Training and measuring":
                eventually(lambda: any(e["event"] == "measured" for e in events(run)), "measured")
            command.signal_group(signal.SIGKILL)
            assert command.finish()[0] == -signal.SIGKILL
    with Command(*line) as command:
        status, output, errors = command.finish()
    assert (status, errors) == (0, "")
    assert str(run / "report.html") in output
    assert contents(run, SAME_BITS + DERIVED) == contents(finished_run, SAME_BITS + DERIVED)
    assert leftovers(run) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_whole_command_killed_at_twenty_random_times_ends_with_the_same_bits(
    experiment, finished_run, tmp_path
):
    chance = random.Random(2)
    settings = tmp_path / "tiny.json"
    settings.write_text(experiment.to_json())
    patterns = (*SAME_BITS, *DERIVED, "figures/*")
    begin = time.monotonic()
    with Command("run", settings, "--out", tmp_path / "undisturbed", "--seeds", 1) as command:
        assert command.finish()[0] == 0
    duration = time.monotonic() - begin
    kills, victim = 0, 0
    while kills < NUM_KILLS:
        victim += 1
        line = ("run", settings, "--out", tmp_path / f"victim-{victim}", "--seeds", 1)
        for _ in range(min(7, NUM_KILLS - kills)):
            with Command(*line) as command:
                time.sleep(duration * chance.random())
                if chance.random() < 0.5:
                    command.process.kill()  # the workers are left to themselves
                else:
                    command.signal_group(signal.SIGKILL)
                kills += command.process.wait() == -signal.SIGKILL
        with Command(*line) as command:
            status, _, errors = command.finish()
        assert (status, errors) == (0, "")
        assert contents(line[3], patterns) == contents(finished_run, patterns)
    assert victim >= 3


def test_workers_end_by_themselves_when_only_the_command_is_killed(
    experiment, started, finished_run
):
    with Command("run", started, "--out", started, "--seeds", 1) as command:
        eventually(lambda: events(started), "the worker starts")
        worker = events(started)[0]["pid"]
        assert is_alive(worker)
        command.process.kill()
        eventually(lambda: not is_alive(worker), "the worker ends")
    run_seeds(experiment, started, [0])
    assert contents(started) == contents(finished_run)


def test_a_worker_ends_even_if_the_command_is_killed_before_torch_is_loaded(started):
    with Command("run", started, "--out", started, "--seeds", 1) as command:
        command.wait_for_line("Training and measuring")
        eventually(lambda: _children(command.process.pid), "the worker is started")
        worker = _children(command.process.pid)[0]
        command.process.kill()
        eventually(lambda: not is_alive(worker), "the worker ends")
    assert not any(event["event"] == "done" for event in events(started))


def test_a_killed_worker_is_reported_and_the_same_command_continues(
    experiment, started, finished_run
):
    with Command("run", started, "--out", started, "--seeds", 1) as command:
        eventually(lambda: events(started), "the worker starts")
        os.kill(events(started)[0]["pid"], signal.SIGKILL)
        status, _, errors = command.finish()
    assert status == 1
    assert "seed 0 failed: its process was killed" in errors
    assert "same command continues" in errors
    assert "Traceback" not in errors
    run_seeds(experiment, started, [0])
    assert contents(started) == contents(finished_run)


@pytest.mark.parametrize("stage", ["Training the probe", "Training and measuring"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_says_how_to_continue(
    experiment, started, finished_run, stage, number
):
    if stage == "Training the probe":
        (started / "probe.safetensors").unlink()
    with Command("run", started, "--out", started, "--seeds", 1) as command:
        command.wait_for_line(stage)
        if stage == "Training and measuring":
            eventually(lambda: events(started), "the worker starts")
        if number == signal.SIGINT:
            command.signal_group(number)  # as a terminal does
        else:
            command.process.send_signal(number)
        status, _, errors = command.finish()
    assert status == 130
    assert errors.startswith("conceptspace: stopped; nothing is lost: the same command continues")
    assert str(started) in errors
    assert "Traceback" not in errors
    assert list(started.rglob("errors.txt")) == []
    assert not any(is_alive(event["pid"]) for event in events(started) if "pid" in event)
    if stage == "Training and measuring":
        run_seeds(experiment, started, [0])
        assert contents(started) == contents(finished_run)


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except FileNotFoundError:
        return []
