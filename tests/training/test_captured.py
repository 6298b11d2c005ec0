"""The captured step without a GPU: a stand-in for CUDA's graphs computes again what was captured.

What it cannot show, that CUDA captures the step at all, is left to the test at the end.
"""

import contextlib
from dataclasses import replace

import pytest
import torch

from conceptspace.data.dataset import Dataset
from conceptspace.data.labelled_world import Augmentation
from conceptspace.models.execution import Execution
from conceptspace.models.network import placed
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM
from conceptspace.training import captured
from conceptspace.training.captured import CapturedStep, Lane
from conceptspace.training.settings import TrainingSettings
from conceptspace.training.state import TrainingState
from conceptspace.training.step import EagerStep
from small import DIFFUSION, UNET

SETTINGS = TrainingSettings(steps=9, batch_size=4, average_decay=0.9, condition_dropout=0.3)


class Stream:
    def wait_stream(self, other):
        pass

    def synchronize(self):
        pass


class Graph:
    """Runs what was captured once more, as a replay does."""

    def replay(self):
        self.compute()


@pytest.fixture
def lane(monkeypatch):
    @contextlib.contextmanager
    def capturing(graph, pool, stream):
        yield  # a real capture records the work and leaves it undone

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", capturing)
    monkeypatch.setattr(torch.cuda, "stream", contextlib.nullcontext)
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    return Lane(Stream(), None)


def data(num=10):
    draws = torch.Generator().manual_seed(0)
    vectors = torch.rand(num, 4, generator=draws)
    images = torch.rand(num, 3, 8, 8, generator=draws)
    return Dataset(images, vectors, vectors, torch.zeros(num, 2, dtype=torch.int64))


def fresh(dropout=0.0, device="cpu", settings=SETTINGS, **execution):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = VDM(UNet(3, 4, UNET.replace(dropout=dropout)), DIFFUSION)
    return TrainingState(placed(model, Execution(device=device, **execution)), settings)


def captured_step(state, lane, seed=3, dataset=None):
    step = CapturedStep(state, dataset or data(), seed, lane)
    step.graph.compute = step._compute
    return step


def assert_same(first, second):
    first, second = first.to_tensors(), second.to_tensors()
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


def test_capturing_leaves_a_fresh_state_as_it_was(lane):
    state = fresh(dropout=0.3)
    before = {name: value.clone() for name, value in state.weights().items()}
    captured_step(state, lane)
    assert all(torch.equal(before[name], value) for name, value in state.weights().items())
    slots = [value for slots in state.optimiser.state.values() for value in slots.values()]
    assert slots
    assert all((value == 0).all() for value in slots), "as a fresh optimiser starts"
    assert state.step == 0


def test_capturing_leaves_a_resumed_state_as_it_was(lane):
    state = fresh()
    step = EagerStep(state, data(), 3)
    for _ in range(4):
        step()
    before = {name: value.clone() for name, value in state.to_tensors().items()}
    captured_step(state, lane)
    after = state.to_tensors()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_replayed_steps_are_eager_steps(lane):
    eager, replayed = fresh(), fresh()
    first, second = EagerStep(eager, data(), 3), captured_step(replayed, lane)
    for _ in range(SETTINGS.steps):
        first()
        second()
        assert second.bound() == first.bound()
    assert_same(eager, replayed)


def test_images_are_changed_alike_by_replayed_and_by_eager_steps(lane):
    changed = replace(data(), augmentation=Augmentation(flip=True, colour_jitter=0.1))
    plain, eager, replayed = fresh(), fresh(), fresh()
    untouched, first = EagerStep(plain, data(), 3), EagerStep(eager, changed, 3)
    second = captured_step(replayed, lane, dataset=changed)
    for _ in range(3):
        untouched()
        first()
        second()
        assert second.bound() == first.bound() != untouched.bound()
    assert_same(eager, replayed)


def test_rows_are_those_of_the_step_over_the_border_of_a_block(lane, monkeypatch):
    monkeypatch.setattr(captured, "_ROWS_BLOCK", 4)
    step = captured_step(fresh(), lane)
    for number in (1, 3, 4, 5, 8, 2):
        expected = captured.batch_rows(3, number, 10, SETTINGS.batch_size)
        assert step._rows_of(number).tolist() == expected.tolist()


def test_every_step_drops_other_features(lane):
    step, bits = captured_step(fresh(dropout=0.3), lane), []
    for _ in range(3):
        step()
        bits.append(step.draws.dropout.clone())
    assert not torch.equal(bits[0], bits[1])
    assert not torch.equal(bits[1], bits[2])


def test_a_loss_that_was_not_finite_is_told_later(lane):
    step = captured_step(fresh(), lane)
    step()
    step.finite.fill_(False)
    step()
    with pytest.raises(FloatingPointError, match=r"at or before step 2: lower training.learning"):
        step.bound()


def test_an_empty_data_set_is_refused(lane):
    with pytest.raises(ValueError, match="dataset has no images"):
        CapturedStep(fresh(), data().part(slice(0, 0)), 0, lane)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_replays_what_it_would_compute():
    eager = fresh(dropout=0.3, device="cuda")
    replayed = fresh(dropout=0.3, device="cuda", captured=True)
    first, second = EagerStep(eager, data(), 3), CapturedStep(replayed, data(), 3, Lane.open())
    for _ in range(SETTINGS.steps):
        first()
        second()
        assert second.bound() == pytest.approx(first.bound(), rel=1e-4)
