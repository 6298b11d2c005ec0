import pytest
import torch

from conceptspace.measure.files import DamagedFile
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM
from conceptspace.training.settings import TrainingSettings
from conceptspace.training.state import TrainingState, measured_weights
from small import DIFFUSION, UNET

AVERAGED = TrainingSettings(average_decay=0.6)
RAW = TrainingSettings()


def fresh(settings=AVERAGED, seed=0, unet=UNET, diffusion=DIFFUSION):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return TrainingState(VDM(UNet(3, 4, unet), diffusion), settings)


def stepped(state, num=3):
    """The state after some steps with made-up gradients."""
    for _ in range(num):
        for parameter in state.model.parameters():
            parameter.grad = torch.randn_like(parameter)
        state.optimiser.step()
        state.step += 1
        state.update_average()
    return state


def copied(tensors):
    return {name: value.clone() for name, value in tensors.items()}


# The average


def test_without_a_decay_the_raw_weights_are_measured():
    state = fresh(RAW)
    assert state.average is None
    assert state.measured is state.model


def test_with_a_decay_the_average_is_measured():
    state = fresh()
    assert state.measured is state.average
    assert state.measured is not state.model


def test_the_average_starts_at_the_weights():
    state = fresh()
    for averaged, weight in zip(state.average.parameters(), state.model.parameters()):
        assert torch.equal(averaged, weight)
        assert averaged is not weight


def test_the_average_follows_its_formula_at_first_and_later():
    """Decay (1 + step) / (10 + step) until that is above the one asked for."""
    state = fresh()
    expected = 0.0
    with torch.no_grad():
        state.average.schedule.slope.fill_(expected)
        for step in range(1, 30):
            weight = float(step**2 % 7)
            state.model.schedule.slope.fill_(weight)
            state.step = step
            state.update_average()
            decay = min(0.6, (1 + step) / (10 + step))
            expected = decay * expected + (1 - decay) * weight
            assert state.average.schedule.slope.item() == pytest.approx(expected, rel=1e-5)
    assert (1 + 12) / (10 + 12) < 0.6 < (1 + 13) / (10 + 13), "both parts of the formula were used"


def test_an_average_of_constant_weights_is_those_weights():
    state = fresh()
    for step in range(1, 20):
        state.step = step
        state.update_average()
    for averaged, weight in zip(state.average.parameters(), state.model.parameters()):
        torch.testing.assert_close(averaged, weight)


def test_the_average_covers_the_schedule():
    state = stepped(fresh())
    assert state.average.schedule.ends() != fresh().model.schedule.ends()


# The optimiser


def test_the_optimiser_is_the_papers():
    (group,) = fresh(RAW).optimiser.param_groups
    assert (group["lr"], group["eps"], group["betas"]) == (1e-3, 1e-8, (0.9, 0.999))
    assert group["weight_decay"] == 0.01


def test_the_optimiser_trains_the_schedule_too():
    state = fresh()
    parameters = {id(p) for p in state.optimiser.param_groups[0]["params"]}
    assert parameters == {id(p) for p in state.model.parameters()}
    assert id(state.model.schedule.intercept) in parameters


# Tensors


@pytest.mark.parametrize("settings", [AVERAGED, RAW])
def test_a_state_comes_back_as_it_was(settings):
    state = stepped(fresh(settings))
    saved = copied(state.to_tensors())
    loaded = fresh(settings, seed=9)
    loaded.load_tensors(saved)
    again = loaded.to_tensors()
    assert again.keys() == saved.keys()
    assert all(torch.equal(again[name], value) for name, value in saved.items())
    assert loaded.step == 3


def test_a_state_that_came_back_goes_on_as_the_other():
    state = stepped(fresh())
    loaded = fresh(seed=9)
    loaded.load_tensors(copied(state.to_tensors()))
    for each in (state, loaded):
        torch.manual_seed(4)
        stepped(each)
    first, second = state.to_tensors(), loaded.to_tensors()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_state_at_the_start_comes_back():
    loaded = fresh(seed=9)
    loaded.load_tensors(copied(fresh().to_tensors()))
    assert loaded.step == 0
    assert torch.equal(
        loaded.model.network.convolution_in.weight, fresh().model.network.convolution_in.weight
    )


def test_a_fixed_schedule_is_part_of_the_weights():
    state = fresh(diffusion=DIFFUSION.replace(learned_schedule=False))
    assert state.weights()["model.schedule.intercept"].item() == -5.0
    loaded = fresh(diffusion=DIFFUSION.replace(learned_schedule=False), seed=2)
    loaded.load_tensors(copied(stepped(state).to_tensors()))
    assert loaded.step == 3


def test_the_weights_of_a_checkpoint_that_were_measured_are_the_average():
    averaged, raw = stepped(fresh()), stepped(fresh(RAW))
    assert_weights(averaged.average, measured_weights(averaged.weights()))
    assert_weights(raw.model, measured_weights(raw.weights()))


def assert_weights(model, tensors):
    expected = model.state_dict()
    assert expected.keys() == tensors.keys()
    assert all(torch.equal(expected[name], value) for name, value in tensors.items())


def without(prefix):
    return lambda tensors: {k: v for k, v in tensors.items() if not k.startswith(prefix)}


def with_more(**more):
    return lambda tensors: tensors | {k.replace("__", "."): v for k, v in more.items()}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without("model.network.convolution_in.bias"), r"convolution_in\.bias is missing"),
        (without("average.network.convolution_in.bias"), r"average.*bias is missing"),
        (without("average."), r"average\.\S+ is missing"),
        (without("step"), r"step is missing"),
        (without("optimiser.0.exp_avg_sq"), r"optimiser\.0\.exp_avg_sq is missing"),
        (without("optimiser."), r"the optimiser's part is missing"),
        (with_more(model__extra=torch.zeros(1)), r"model\.extra is not part of it"),
        (with_more(optimiser__999__exp_avg=torch.zeros(1)), r"optimiser\.999\.exp_avg is not part"),
        (with_more(optimiser__0__exp_avg=torch.zeros(1)), r"exp_avg has shape \(1,\), not \("),
        (with_more(step=torch.zeros(2)), r"step has shape \(2,\), not \(\)"),
    ],
)
def test_a_state_with_other_tensors_is_refused_and_changes_nothing(spoil, message):
    tensors = spoil(copied(stepped(fresh()).to_tensors()))
    state = stepped(fresh(seed=9))
    before = copied(state.to_tensors())
    with pytest.raises(DamagedFile, match=rf"does not fit this experiment: .*{message}"):
        state.load_tensors(tensors)
    assert all(torch.equal(before[name], value) for name, value in state.to_tensors().items())


@pytest.mark.parametrize(
    "other",
    [
        {"unet": UNET.replace(widths=(4, 12))},
        {"unet": UNET.replace(num_blocks=2)},
        {"unet": UNET.replace(num_heads=2)},
        {"settings": RAW},
    ],
)
def test_the_state_of_another_model_is_refused(other):
    tensors = stepped(fresh(**other)).to_tensors()
    with pytest.raises(DamagedFile, match="the training state does not fit this experiment: "):
        fresh().load_tensors(tensors)
    with pytest.raises(DamagedFile, match="the training state does not fit this experiment: "):
        fresh(**other).load_tensors(stepped(fresh()).to_tensors())
