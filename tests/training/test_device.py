"""Training on a pretended GPU: nothing is left on the CPU, and the numbers are the same."""

import pytest
import torch

from conceptspace.training.loop import mean_bound
from conceptspace.training.state import TrainingState
from conceptspace.training.step import EagerStep
from pretend_device import pretended_device
from training.test_captured import SETTINGS, data, fresh


def steps(device):
    state = TrainingState(fresh().model.to(device), SETTINGS)
    step = EagerStep(state, data(), 3)
    bounds = []
    for _ in range(4):
        step()
        bounds.append(step.bound())
    losses = mean_bound(state.measured, data(), 0, batch_size=4)
    return bounds, [float(term) for term in losses], state


@pytest.mark.skipif(torch.cuda.is_available(), reason="a real one is there")
def test_training_and_losses_are_those_of_the_cpu():
    bounds, losses, _ = steps("cpu")
    with pretended_device() as pretended:
        there, losses_there, state = steps(pretended.device)
        assert state.to_tensors()["model.schedule.slope"].device == pretended.device
        saved = {name: value.cpu() for name, value in state.to_tensors().items()}
        state.load_tensors(saved)  # as a resumed run does
    assert there == pytest.approx(bounds, rel=1e-5)
    assert losses_there == pytest.approx(losses, rel=1e-5)
