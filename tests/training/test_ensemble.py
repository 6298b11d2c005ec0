import pytest
import torch

from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM
from conceptspace.training import ensemble
from conceptspace.training.ensemble import Member, train_together
from conceptspace.training.loop import train
from conceptspace.training.settings import TrainingSettings
from conceptspace.training.state import TrainingState
from conceptspace.training.step import EagerStep
from small import DIFFUSION, UNET
from training.test_captured import assert_same, data


def nothing(state, bound):
    """Does nothing after a step."""


def fresh(seed, **training):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = VDM(UNet(3, 4, UNET.replace(dropout=0.2)), DIFFUSION)
    return TrainingState(model, TrainingSettings(**{"steps": 5, "batch_size": 4, **training}))


def test_members_are_the_same_bits_together_as_alone():
    settings = {0: {"steps": 5}, 1: {"steps": 3, "learning_rate": 1e-2}, 2: {"clip_norm": 1.0}}
    alone = [fresh(seed, **each) for seed, each in settings.items()]
    for seed, state in enumerate(alone):
        train(state, data(), seed, nothing)
    together = [fresh(seed, **each) for seed, each in settings.items()]
    train_together([Member(s, data(), seed, nothing) for seed, s in enumerate(together)])
    assert [state.step for state in together] == [5, 3, 5]
    for first, second in zip(alone, together):
        assert_same(first, second)


def test_a_member_that_is_done_is_left_alone():
    done, other = fresh(0), fresh(1)
    done.step = 5
    train_together([Member(done, data(), 0, nothing), Member(other, data(), 1, nothing)])
    assert not done.optimiser.state
    assert other.step == 5


def test_the_state_is_complete_at_a_stop_and_at_the_end(monkeypatch):
    waited = []

    class Noting(EagerStep):
        def bound(self):
            waited.append(self.state.step)
            return super().bound()

    monkeypatch.setattr(ensemble, "EagerStep", Noting)
    train_together([Member(fresh(0), data(), 0, nothing, stops={2})])
    assert waited == [2, 5]


def failing_at(num):
    """A step that runs out of memory when the num-th of a group is made, counted from 1."""
    alive = []

    class Large(EagerStep):
        def __init__(self, *given):
            if len(alive) + 1 >= num:
                raise torch.OutOfMemoryError("CUDA out of memory")
            super().__init__(*given)
            alive.append(self)

    return Large, alive


def test_where_memory_is_short_members_are_trained_one_group_after_the_other(monkeypatch):
    large, alive = failing_at(3)
    monkeypatch.setattr(ensemble, "EagerStep", large)
    group = ensemble._train_group
    monkeypatch.setattr(ensemble, "_train_group", lambda *given: (group(*given), alive.clear()))
    states, notes = [fresh(seed) for seed in range(5)], []
    members = [Member(state, data(), seed, nothing) for seed, state in enumerate(states)]
    train_together(members, notes.append)
    assert [state.step for state in states] == [5] * 5
    assert [note.split(":")[0] for note in notes] == [
        "the GPU's memory holds 2 of 5 models at once; the others are trained after them",
        "the GPU's memory holds 2 of 3 models at once; the others are trained after them",
    ]
    alone = fresh(4)
    train(alone, data(), 4, nothing)
    assert_same(alone, states[4])


def test_a_model_that_does_not_fit_at_all_is_an_error(monkeypatch):
    monkeypatch.setattr(ensemble, "EagerStep", failing_at(1)[0])
    with pytest.raises(torch.OutOfMemoryError):
        train_together([Member(fresh(0), data(), 0, nothing)])
