"""The pretended device refuses what a GPU refuses; else the tests that use it would say nothing."""

import copy

import numpy as np
import pytest
import torch

from pretend_device import pretended_device


def test_operations_on_the_device_stay_there_and_give_what_the_cpu_gives():
    values = torch.randn(3, 4)
    with pretended_device() as pretended:
        there = values.to(pretended.device)
        product = there @ there.T + torch.arange(3, device=pretended.device)
        assert product.device == pretended.device
        assert torch.equal(product.cpu(), values @ values.T + torch.arange(3))


@pytest.mark.parametrize(
    "mix",
    [
        lambda there, here: there + here,
        lambda there, here: here.mul_(there),
        lambda there, here: here @ there,
        lambda there, here: torch.cat([there, here]),
        lambda there, here: torch.nn.functional.linear(there, here),
        lambda there, here: here[there.argmax(1)],
        lambda there, here: there.gather(1, here.argmax(1, keepdim=True)),
        lambda there, here: there.sum() + here,
    ],
)
def test_a_mixture_of_devices_is_refused(mix):
    with pretended_device() as pretended:
        here = torch.ones(2, 2)
        with pytest.raises(RuntimeError, match="same device"):
            mix(here.to(pretended.device), here)


def test_a_single_number_and_indices_may_come_from_the_cpu():
    with pretended_device() as pretended:
        there = torch.arange(4.0).to(pretended.device)
        shown = there[torch.tensor([1, 2])] * torch.tensor(2.0)
        assert shown.tolist() == [2.0, 4.0]


def test_a_tensor_on_the_device_is_no_numpy_array():
    with pretended_device() as pretended:
        there = torch.ones(2, device=pretended.device)
        with pytest.raises(RuntimeError, match=r"numpy\(\)"):
            there.numpy()
        with pytest.raises(RuntimeError, match=r"numpy\(\)"):
            np.asarray(there)


@pytest.mark.parametrize("generator_on", ["cpu", "pretend"])
def test_a_generator_of_another_device_is_refused(generator_on):
    numbers_on = {"cpu": "pretend", "pretend": "cpu"}[generator_on]
    with pretended_device():
        generator = torch.Generator(generator_on)
        with pytest.raises(RuntimeError, match="wrong device"):
            torch.randn(2, generator=generator, device=numbers_on)


def test_equal_seeds_draw_the_numbers_of_the_cpu():
    expected = torch.randn(3, generator=torch.Generator().manual_seed(5))
    with pretended_device() as pretended:
        generator = torch.Generator(pretended.device).manual_seed(5)
        drawn = torch.randn(3, generator=generator, device=pretended.device)
        assert torch.equal(drawn.cpu(), expected)


def test_waiting_and_copies_from_the_device_are_counted():
    with pretended_device() as pretended:
        there = torch.tensor([1.0, -1.0], device=pretended.device)
        there.mul_(2).relu().sum()
        assert not pretended.waits
        bool(there.any())
        there[there > 0]
        there.cpu()
        assert sum(pretended.waits.values()) == 3
        assert pretended.downloads == [(2,)]


def test_values_made_from_lists_arrays_and_numbers_lie_on_the_device():
    with pretended_device() as pretended:
        made = [
            torch.tensor([1.0, 2.0], device=pretended.device),
            torch.as_tensor(np.ones(2), device=pretended.device),
            torch.full((2,), 3.0, device=pretended.device),
        ]
        assert {str(tensor.device) for tensor in made} == {"pretend:0"}
        assert made[0].tolist() == [1.0, 2.0]


def test_a_network_moves_learns_and_is_copied_there_as_on_the_cpu():
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.GELU(), torch.nn.Linear(4, 1))
    inputs = torch.randn(5, 3)

    def learn(network, inputs):
        optimiser = torch.optim.AdamW(network.parameters(), lr=0.1)
        for _ in range(3):
            optimiser.zero_grad()
            network(inputs).square().mean().backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
        return copy.deepcopy(network).state_dict()

    expected = learn(copy.deepcopy(network), inputs)
    with pretended_device() as pretended:
        learned = learn(network.to(pretended.device), inputs.to(pretended.device))
        assert {str(value.device) for value in learned.values()} == {"pretend:0"}
        for name, value in learned.items():
            torch.testing.assert_close(value.cpu(), expected[name])


def test_outside_of_the_block_torch_is_as_before():
    before = torch.Generator
    with pretended_device():
        assert isinstance(torch.Generator(), torch.Generator)
    assert torch.Generator is before
    assert not torch.accelerator.is_available()
