"""Damaged files are named, and mended or refused; nothing of theirs is ever loaded, or run."""

import json
import os
import pickle

import pytest
import safetensors.torch

from conceptspace.derived import derive
from conceptspace.folder import RunError, open_run, read_experiment
from conceptspace.load import load_run
from conceptspace.measure.files import DamagedFile, SealedFolder
from conceptspace.opening import ensure_probe
from conceptspace.progress import Silent
from conceptspace.worker import run_seeds
from runs.tiny import DERIVED, contents, damage_told

LAST, FIRST = "step=0000040", "step=0000000"


class Told(Silent):
    """Keeps the messages of a run."""

    def __init__(self):
        self.messages = []

    def stage(self, message):
        self.messages.append(message)

    def __str__(self):
        return "\n".join(self.messages)


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    os.truncate(path, 0)


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, empty])
@pytest.mark.parametrize(
    "name",
    [
        f"checkpoints/{FIRST}.safetensors",
        f"checkpoints/{LAST}.safetensors",
        f"state/{LAST}.safetensors",
        f"measurements/{FIRST}.nc",
        f"measurements/{LAST}.nc",
    ],
)
def test_a_damaged_file_of_a_seed_is_named_and_made_again_with_the_same_bits(
    experiment, finished, finished_run, name, damage
):
    damage(finished / "seed=0" / name)
    run_seeds(experiment, finished, [0])
    assert f"{finished / 'seed=0' / name} is damaged" in damage_told(finished)
    assert contents(finished) == contents(finished_run)


def test_an_older_state_that_is_damaged_is_named_though_it_is_not_needed(
    experiment, finished, finished_run
):
    older = sorted((finished / "seed=0/state").iterdir())[0]
    flip_a_bit(older)
    run_seeds(experiment, finished, [0])
    assert f"{older} is damaged" in damage_told(finished)
    wanted = contents(finished_run)
    del wanted[str(older.relative_to(finished))]
    assert contents(finished) == wanted


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, empty])
def test_a_seed_whose_sums_are_damaged_names_what_it_cannot_trust_and_mends_it(
    experiment, finished, finished_run, damage
):
    damage(finished / "seed=0/SHA256SUMS")
    run_seeds(experiment, finished, [0])
    assert "SHA256SUMS" in damage_told(finished)
    assert contents(finished) == contents(finished_run)


def test_a_damaged_log_disturbs_nothing(experiment, finished, finished_run):
    log = finished / "seed=0/log.jsonl"
    log.write_bytes(b'5\n{"event": 3}\nnull\n\xff\xfe{"torn')
    run_seeds(experiment, finished, [0])
    last = json.loads(log.read_bytes().splitlines()[-1])
    assert last["event"] == "done"
    assert contents(finished) == contents(finished_run)


@pytest.mark.parametrize("damage", [truncate, flip_a_bit])
@pytest.mark.parametrize("name", ["probe.safetensors", "probe.json"])
def test_a_damaged_probe_is_named_and_trained_again_with_the_same_bits(
    experiment, started, started_run, name, damage
):
    damage(started / name)
    told = Told()
    ensure_probe(started, experiment, told)
    assert f"{started / name} is damaged" in str(told)
    assert contents(started) == contents(started_run)


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, empty])
def test_damaged_settings_are_refused_unless_the_same_settings_are_given(
    experiment, finished, finished_run, damage
):
    settings = finished / "experiment.json"
    damage(settings)
    with pytest.raises(RunError, match=r"experiment\.json is damaged.*Nothing was changed"):
        load_run(finished)
    other = experiment.replace(training=experiment.training.replace(steps=41))
    with pytest.raises(RunError, match=r"experiment\.json is damaged"):
        open_run(finished, other)
    told = Told()
    open_run(finished, experiment, told.stage)
    assert f"{settings} is damaged" in str(told)
    assert contents(finished) == contents(finished_run)
    assert read_experiment(finished) == experiment


def test_lost_settings_come_back_when_the_same_are_given(experiment, finished, finished_run):
    (finished / "experiment.json").unlink()
    open_run(finished, experiment)
    assert contents(finished) == contents(finished_run)


def test_settings_whose_sums_are_lost_are_trusted_only_if_they_are_those_given(
    experiment, finished
):
    (finished / "SHA256SUMS").unlink()
    with pytest.raises(RunError, match="cannot be trusted: SHA256SUMS beside it has no sum"):
        read_experiment(finished)
    open_run(finished, experiment)
    assert read_experiment(finished) == experiment


def test_a_report_leaves_a_damaged_measurement_out_and_says_so(experiment, finished):
    damaged = finished / f"seed=0/measurements/{LAST}.nc"
    flip_a_bit(damaged)
    notes = derive(finished)["notes"]
    assert any(f"{damaged} is damaged" in note and "left out" in note for note in notes)
    assert str(damaged) in (finished / "report.html").read_text()
    assert 40 not in load_run(finished).trajectory.step
    assert damaged.exists(), "reporting removes nothing"


def test_a_report_names_what_else_is_damaged_and_repairs_what_it_derives(finished, finished_run):
    damaged = ("probe.json", "environment.json")
    for name in damaged:
        flip_a_bit(finished / name)
    for name in DERIVED:
        truncate(finished / name)
    notes = derive(finished)["notes"]
    for name in damaged:
        assert any(f"{finished / name} is damaged" in note for note in notes)
    unmoved = ("trajectory.nc", "trajectory.csv", "claims.json")
    assert contents(finished, unmoved) == contents(finished_run, unmoved)


def test_a_model_is_never_loaded_from_a_damaged_checkpoint(finished):
    flip_a_bit(finished / f"seed=0/checkpoints/{LAST}.safetensors")
    with pytest.raises(DamagedFile, match=rf"{LAST}\.safetensors is damaged"):
        load_run(finished).model(0, 40)


def test_a_run_stops_if_a_state_with_a_good_sum_is_of_another_model(experiment, finished):
    name = f"state/{LAST}.safetensors"
    sealed = SealedFolder(finished / "seed=0")
    tensors = safetensors.torch.load(sealed.read(name))
    first = next(key for key in tensors if key.startswith("model."))
    sealed.write(name, safetensors.torch.save({k: v for k, v in tensors.items() if k != first}))
    with pytest.raises(DamagedFile, match=rf"{LAST}\.safetensors.*does not fit this experiment"):
        run_seeds(experiment, finished, [0])


class Malicious:
    """Unpickling this makes a folder."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return os.mkdir, (self.trace,)


@pytest.mark.parametrize("is_sealed", [False, True])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("checkpoints", f"seed=0/checkpoints/{LAST}.safetensors"),
        ("measurements", f"seed=0/measurements/{LAST}.nc"),
        ("probe", "probe.safetensors"),
    ],
)
def test_loading_never_runs_code(experiment, finished, tmp_path, kind, name, is_sealed):
    trace = tmp_path / "trace"
    evil = pickle.dumps(Malicious(trace))
    folder = finished if name.startswith("probe") else finished / "seed=0"
    if is_sealed:  # by somebody who can forge the sum, too
        SealedFolder(folder).write(name.removeprefix("seed=0/"), evil)
    else:
        (finished / name).write_bytes(evil)
    opened = load_run(finished)
    load = {
        "checkpoints": lambda: opened.model(0, 40),
        "measurements": lambda: opened.measurement(0, 40),
        "probe": lambda: run_seeds(experiment, finished, [0]),
    }[kind]
    with pytest.raises(DamagedFile, match=name.rsplit("/")[-1]):
        load()
    assert not trace.exists()
    pickle.loads(evil)
    assert trace.exists(), "the malicious file would have shown"
