import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch

from conceptspace.data.dataset import Dataset
from conceptspace.measure.files import DamagedFile
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM
from conceptspace.training.checkpoint import CheckpointStore
from conceptspace.training.loop import train
from conceptspace.training.settings import TrainingSettings
from conceptspace.training.state import TrainingState, measured_weights
from small import DIFFUSION, UNET

STEPS = (0, 2, 4, 6)


def fresh(seed=1):
    """A new state with dropout and an average, as a new process would make it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = VDM(UNet(3, 4, UNET.replace(dropout=0.3)), DIFFUSION)
    return TrainingState(model, TrainingSettings(steps=6, batch_size=4, average_decay=0.9))


def run(state, store):
    draws = torch.Generator().manual_seed(0)
    images = torch.rand(10, 3, 8, 8, generator=draws)
    vectors = torch.rand(10, 4, generator=draws)
    dataset = Dataset(images, vectors, vectors, torch.zeros(10, 2, dtype=torch.int64))
    if state.step == 0:
        store.save(state)
    train(state, dataset, 0, lambda state, bound: state.step in STEPS and store.save(state))
    return state


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a run that was never interrupted."""
    folder = tmp_path_factory.mktemp("finished")
    run(fresh(), CheckpointStore(folder))
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    """A copy of it to damage."""
    return shutil.copytree(finished, tmp_path / "seed=0000")


def checkpoint(folder, step):
    return folder / f"checkpoints/step={step:07d}.safetensors"


def state(folder, step):
    return folder / f"state/step={step:07d}.safetensors"


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def empty(path):
    path.write_bytes(b"")


DAMAGES = [truncate, flip, empty]


def resume(folder):
    """The state that the folder is continued from, and what was reported."""
    resumed, messages = fresh(seed=5), []
    CheckpointStore(folder).resume(resumed, iter(STEPS), messages.append)
    return resumed, messages


def assert_same_files(first, second):
    for part in ("checkpoints", "state"):
        files = {p.name: p.read_bytes() for p in (first / part).iterdir()}
        assert files == {p.name: p.read_bytes() for p in (second / part).iterdir()}


# Saving and loading


def test_every_checkpoint_is_kept_and_the_last_two_states(finished):
    assert CheckpointStore(finished).steps() == list(STEPS)
    assert sorted(p.name for p in (finished / "state").iterdir()) == [
        "step=0000004.safetensors",
        "step=0000006.safetensors",
    ]


def test_a_checkpoint_holds_the_weights_and_their_average(finished):
    loaded = CheckpointStore(finished).load(0)
    expected = fresh().weights()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], value) for name, value in expected.items())
    fresh(seed=3).measured.load_state_dict(measured_weights(loaded))


def test_a_step_without_a_checkpoint_is_refused_with_those_there_are(finished):
    message = r"no checkpoint at step 3 in .*; there are 0, 2, 4, 6"
    with pytest.raises(FileNotFoundError, match=message):
        CheckpointStore(finished).load(3)


def test_a_folder_without_checkpoints_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="there are none"):
        CheckpointStore(tmp_path).load(1)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_refused_by_name(folder, damage):
    damage(checkpoint(folder, 2))
    with pytest.raises(DamagedFile, match=r"step=0000002\.safetensors is damaged"):
        CheckpointStore(folder).load(2)


def test_a_checkpoint_in_the_place_of_another_is_refused(folder):
    shutil.copy(checkpoint(folder, 2), checkpoint(folder, 4))
    with pytest.raises(DamagedFile, match=r"step=0000004\.safetensors is damaged"):
        CheckpointStore(folder).load(4)


class Trap:
    """Unpickling it leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_the_trap_would_spring(tmp_path):
    torch.save(Trap(tmp_path / "sprung"), tmp_path / "pickle")
    torch.load(tmp_path / "pickle", weights_only=False)
    assert (tmp_path / "sprung").exists()


@pytest.mark.parametrize("sealed", [True, False])
def test_a_pickle_under_the_name_of_a_checkpoint_is_refused_and_never_run(folder, tmp_path, sealed):
    torch.save({"weights": Trap(tmp_path / "sprung")}, tmp_path / "pickle")
    data = (tmp_path / "pickle").read_bytes()
    store, path = CheckpointStore(folder), checkpoint(folder, 2)
    if sealed:  # even one whose sum is on record
        store.sealed.write(str(path.relative_to(folder)), data)
    else:
        path.write_bytes(data)
    with pytest.raises(DamagedFile, match=r"step=0000002\.safetensors is damaged"):
        store.load(2)
    assert not (tmp_path / "sprung").exists()


# Resuming


def test_an_empty_folder_leaves_the_state_at_the_start(tmp_path):
    resumed, messages = resume(tmp_path / "nothing")
    assert (resumed.step, messages) == (0, [])
    expected = fresh(seed=5).to_tensors()
    assert all(torch.equal(expected[name], v) for name, v in resumed.to_tensors().items())


def test_resuming_takes_the_newest_state(folder):
    resumed, messages = resume(folder)
    assert (resumed.step, messages) == (6, [])


def assert_falls_back(folder, finished, step, *named):
    """Resuming starts at the step, reports the files by name, and ends with the same bits."""
    resumed, messages = resume(folder)
    assert resumed.step == step
    assert len(messages) == len(named)
    for name in named:
        assert any(name in message and "damaged" in message for message in messages), messages
    start = fresh() if step == 0 else resumed
    run(start, CheckpointStore(folder))
    assert_same_files(folder, finished)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_falls_back_to_the_one_before(folder, finished, damage):
    damage(state(folder, 6))
    assert_falls_back(folder, finished, 4, "state/step=0000006")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_goes_back_to_before_it(folder, finished, damage):
    damage(checkpoint(folder, 6))
    assert_falls_back(folder, finished, 4, "checkpoints/step=0000006")


def test_a_missing_checkpoint_goes_back_to_before_it(folder, finished):
    checkpoint(folder, 6).unlink()
    assert_falls_back(folder, finished, 4)


def test_damage_to_an_older_checkpoint_goes_back_to_the_start(folder, finished):
    flip(checkpoint(folder, 2))
    assert_falls_back(folder, finished, 0, "checkpoints/step=0000002")


def test_both_states_damaged_start_again(folder, finished):
    truncate(state(folder, 4))
    flip(state(folder, 6))
    assert_falls_back(folder, finished, 0, "state/step=0000004", "state/step=0000006")


def test_a_damaged_checkpoint_and_the_state_before_it_start_again(folder, finished):
    flip(checkpoint(folder, 6))
    flip(state(folder, 4))
    assert_falls_back(folder, finished, 0, "checkpoints/step=0000006", "state/step=0000004")


def test_the_needed_steps_may_come_from_an_iterator(folder):
    """`resume` above hands over an iterator: damage must be found all the same."""
    flip(checkpoint(folder, 6))
    resumed = fresh()
    CheckpointStore(folder).resume(resumed, (s for s in STEPS), lambda message: None)
    assert resumed.step == 4


def test_a_run_stopped_between_checkpoint_and_state_ends_with_the_same_bits(folder, finished):
    state(folder, 6).unlink()
    assert_falls_back(folder, finished, 4)


def test_a_run_that_was_cut_short_ends_with_the_same_bits(folder, finished, tmp_path):
    class Cut(Exception):
        pass

    store = CheckpointStore(tmp_path / "cut")

    def save_then_cut(state):
        CheckpointStore.save(store, state)
        if state.step == 4:
            raise Cut

    cut = CheckpointStore(tmp_path / "cut")
    cut.save = save_then_cut
    with pytest.raises(Cut):
        run(fresh(), cut)
    torch.manual_seed(77)
    assert_falls_back(tmp_path / "cut", finished, 4)


def test_a_pickle_under_the_name_of_a_state_is_passed_over(folder, tmp_path):
    torch.save({"step": Trap(tmp_path / "sprung")}, tmp_path / "pickle")
    name = str(state(folder, 6).relative_to(folder))
    CheckpointStore(folder).sealed.write(name, (tmp_path / "pickle").read_bytes())
    resumed, messages = resume(folder)
    assert resumed.step == 4
    assert "state/step=0000006.safetensors is damaged" in messages[0]
    assert not (tmp_path / "sprung").exists()


def test_an_intact_state_of_another_model_is_refused_and_changes_nothing(folder):
    store = CheckpointStore(folder)
    name = str(state(folder, 6).relative_to(folder))
    store.sealed.write(name, safetensors.torch.save({"step": torch.tensor(6)}))
    resumed = fresh(seed=5)
    with pytest.raises(DamagedFile, match=r"step=0000006.*does not fit this experiment"):
        store.resume(resumed, STEPS, lambda message: None)
    expected = fresh(seed=5).to_tensors()
    assert all(torch.equal(expected[name], v) for name, v in resumed.to_tensors().items())
