import numpy as np
import pytest
import torch

from conceptspace.data.dataset import Dataset
from conceptspace.models.execution import Execution
from conceptspace.models.network import placed
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM
from conceptspace.training.loop import mean_bound, train
from conceptspace.training.settings import TrainingSettings
from conceptspace.training.state import TrainingState
from conceptspace.training.step import batch_rows, training_step
from small import DIFFUSION, UNET

SETTINGS = TrainingSettings(steps=6, batch_size=4, average_decay=0.9)


def data(num=10, seed=0):
    draws = torch.Generator().manual_seed(seed)
    vectors = torch.rand(num, 4, generator=draws)
    images = torch.rand(num, 3, 8, 8, generator=draws)
    return Dataset(images, vectors, vectors, torch.zeros(num, 2, dtype=torch.int64))


def fresh(settings=SETTINGS, **unet):
    """A new state with dropout, always from the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = UNet(3, 4, UNET.replace(dropout=0.3, **unet))
    return TrainingState(VDM(network, DIFFUSION), settings)


def run(state, seed=0, after_step=lambda state, bound: None):
    train(state, data(), seed, after_step)
    return state


def assert_same(first, second):
    first, second = first.to_tensors(), second.to_tensors()
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


# The order of the data


@pytest.mark.parametrize(("num_rows", "batch_size"), [(12, 4), (10, 4), (7, 3), (5, 12), (1, 1)])
def test_every_epoch_has_every_row_once(num_rows, batch_size):
    num_steps = -(-4 * num_rows // batch_size)
    rows = np.concatenate([batch_rows(3, s, num_rows, batch_size) for s in range(1, num_steps + 1)])
    for epoch in rows[: 4 * num_rows].reshape(4, num_rows):
        assert sorted(epoch) == list(range(num_rows))


def test_every_batch_is_full_over_the_border_of_epochs():
    assert all(len(batch_rows(0, step, 10, 4)) == 4 for step in range(1, 10))


def test_epochs_are_in_different_orders():
    assert batch_rows(0, 1, 50, 50).tolist() != batch_rows(0, 2, 50, 50).tolist()


def test_the_order_follows_from_the_seed_and_the_step_alone():
    forwards = [batch_rows(5, step, 10, 4).tolist() for step in range(1, 12)]
    backwards = [batch_rows(5, step, 10, 4).tolist() for step in range(11, 0, -1)]
    assert forwards == backwards[::-1]
    assert forwards != [batch_rows(6, step, 10, 4).tolist() for step in range(1, 12)]


# Training


@pytest.mark.parametrize("most", [1, 3])
def test_a_batch_in_parts_is_the_batch_at_once_but_for_rounding(most):
    whole, parts = fresh(), fresh()
    placed(whole.model, Execution(micro_batch=None))
    placed(parts.model, Execution(micro_batch=most))
    bounds = {}
    for name, state in (("whole", whole), ("parts", parts)):
        generator = torch.Generator().manual_seed(0)
        bounds[name] = training_step(
            state.model, state.optimiser, data(4), generator, state.settings
        )
    assert bounds["parts"] == pytest.approx(bounds["whole"], rel=1e-6)
    pairs = zip(whole.model.parameters(), parts.model.parameters())
    compared = [(a.grad, b.grad) for a, b in pairs if a.grad is not None]
    assert compared
    for first, second in compared:
        torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-7)


def test_samples_in_parts_are_those_at_once_but_for_rounding():
    state = fresh()
    torch.nn.init.normal_(state.model.network.convolution_out.weight, std=0.1)
    images = []
    for most in (None, 2):
        model = placed(state.model, Execution(micro_batch=most)).eval()
        sites = model.condition(data(5).vectors)
        images.append(model.sample(sites, (3, 8, 8), torch.Generator().manual_seed(0)))
    torch.testing.assert_close(*images, rtol=1e-4, atol=1e-5)


def test_two_runs_of_one_seed_are_the_same_bits():
    assert_same(run(fresh()), run(fresh()))


def test_what_was_drawn_before_changes_nothing():
    first = run(fresh())
    torch.manual_seed(99)
    torch.rand(17)
    assert_same(first, run(fresh()))


def test_another_seed_gives_other_weights():
    first, other = run(fresh()), run(fresh(), seed=1)
    names = [name for name in first.weights() if name.startswith("model.network")]
    assert any(not torch.equal(first.weights()[n], other.weights()[n]) for n in names)


def test_training_leaves_torchs_random_state_and_threads_as_they_were():
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    run(fresh())
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_training_that_goes_on_from_a_state_is_the_same_bits_as_unbroken(stop):
    saved = {}

    def save(state, bound):
        if state.step == stop:
            saved.update({name: value.clone() for name, value in state.to_tensors().items()})

    unbroken = run(fresh(), after_step=save)
    torch.manual_seed(5)  # a new process starts from another random state
    resumed = fresh()
    resumed.load_tensors(saved)
    assert resumed.step == stop
    assert_same(run(resumed), unbroken)


def test_dropout_drops_other_entries_at_every_step():
    state, bits = fresh(), []
    draw = state.model.network.draw_dropout
    state.model.network.draw_dropout = lambda *given: bits.append(draw(*given)) or bits[-1]
    run(state)
    assert len(bits) == 6
    assert all(not torch.equal(drawn, bits[0]) for drawn in bits[1:])


def test_what_is_done_after_a_step_does_not_disturb_training():
    def disturb(state, bound):
        torch.rand(7)
        state.model.eval()
        mean_bound(state.measured, data(), 0)

    assert_same(run(fresh()), run(fresh(), after_step=disturb))


def test_each_step_is_reported_with_its_bound():
    seen = []
    state = fresh()
    batch = data().part(torch.from_numpy(batch_rows(0, 1, 10, 4)))
    run(state, after_step=lambda state, bound: seen.append((state.step, bound)))
    assert [step for step, _ in seen] == [1, 2, 3, 4, 5, 6]
    # The reconstruction term is most of it and the same for every draw of the noise.
    expected = fresh().model.bound(batch.images, batch.vectors, torch.Generator()).reconstruction
    assert seen[0][1] == pytest.approx(expected.mean().item(), rel=0.05)


def test_a_state_at_its_last_step_is_left_alone():
    state = run(fresh())
    before = {name: value.clone() for name, value in state.to_tensors().items()}
    run(state, after_step=lambda state, bound: pytest.fail("there was nothing to do"))
    assert all(torch.equal(before[name], value) for name, value in state.to_tensors().items())


def test_training_teaches_the_network_and_not_the_schedule_alone():
    state = fresh(SETTINGS.replace(steps=40, learning_rate=1e-2, clip_norm=1.0))
    before = mean_bound(state.model, data(), 0)
    run(state)
    after = mean_bound(state.model, data(), 0)
    assert after.total < before.total - 500
    # With gamma(0) lower there is more to predict, so the rate is what shows the network's part.
    rate = [b.diffusion / s for b, s in ((before, 15.0), (after, state.model.schedule.slope.abs()))]
    assert rate[1] < rate[0]


def test_an_empty_dataset_is_refused():
    with pytest.raises(
        ValueError, match=r"dataset has no images: raise training\.images_per_class"
    ):
        train(fresh(), data(0), 0, lambda state, bound: None)
    with pytest.raises(ValueError, match=r"dataset has no images"):
        mean_bound(fresh().model, data(0), 0)


# One step


def step_once(state, settings=SETTINGS, batch=None):
    return training_step(
        state.model, state.optimiser, batch or data(4), torch.Generator().manual_seed(0), settings
    )


def gradients(state):
    return torch.cat([p.grad.flatten() for p in state.model.parameters()])


def test_the_gradient_is_clipped_over_all_parameters_the_schedules_included():
    free, clipped = fresh(), fresh()
    for state, clip_norm in ((free, 1e9), (clipped, 0.01)):
        torch.manual_seed(0)  # the same dropout
        step_once(state, SETTINGS.replace(clip_norm=clip_norm))
    raw = gradients(free)
    norm = raw.norm()
    assert norm > 1000, "the schedule's part is thousands"
    assert gradients(clipped).norm().item() == pytest.approx(0.01, rel=1e-4)
    torch.testing.assert_close(gradients(clipped), raw * (0.01 / norm), rtol=1e-4, atol=1e-12)


def test_at_first_the_schedule_is_nearly_all_of_the_gradient():
    """The hidden clock: clipping leaves the network next to nothing."""
    state = fresh()
    step_once(state)
    intercept = state.model.schedule.intercept.grad.abs()
    assert intercept / gradients(state).norm() > 0.999


def test_a_gradient_below_the_limit_is_left_as_it_is():
    first, second = fresh(), fresh()
    for state, clip_norm in ((first, 1e8), (second, 1e9)):
        torch.manual_seed(0)
        step_once(state, SETTINGS.replace(clip_norm=clip_norm))
    assert torch.equal(gradients(first), gradients(second))


def test_a_step_trains_with_dropout_whatever_mode_the_model_was_in():
    state = fresh()
    state.model.eval()
    step_once(state)
    assert state.model.training


def test_a_loss_that_is_not_finite_stops_training_and_names_the_settings():
    state = fresh()
    with torch.no_grad():
        state.model.schedule.intercept.fill_(200.0)  # exp of it overflows
    message = (
        r"the loss became inf: lower training\.learning_rate=0\.001 or training\.clip_norm=0\.01"
    )
    with pytest.raises(FloatingPointError, match=message):
        step_once(state)


def test_images_that_are_not_numbers_stop_training():
    batch = data(4)
    batch.images[0, 0, 0, 0] = torch.nan
    with pytest.raises(FloatingPointError, match="the loss became nan"):
        step_once(fresh(), batch=batch)


# The mean bound


def test_the_mean_bound_is_the_mean_over_all_batches(monkeypatch):
    model, rows, draws = fresh().model, data(), []

    def spy(*arguments):
        draws.append(VDM.bound(model, *arguments))
        return draws[-1]

    monkeypatch.setattr(model, "bound", spy)
    mean = mean_bound(model, rows, 0, batch_size=4)
    assert [len(bound.total) for bound in draws] == [4, 4, 2]
    for name in mean._fields:
        every = torch.cat([getattr(bound, name) for bound in draws])
        torch.testing.assert_close(getattr(mean, name), every.mean())


def test_the_mean_bound_follows_from_the_seed_and_leaves_the_model_as_it_was():
    model = fresh().model.train()
    model.network.convolution_in.eval()
    state = torch.get_rng_state()
    first, again, other = (mean_bound(model, data(), seed).total for seed in (0, 0, 1))
    assert torch.equal(first, again), "no dropout, and the same noise"
    assert not torch.equal(first, other)
    assert model.training
    assert not model.network.convolution_in.training
    assert torch.equal(torch.get_rng_state(), state)
    assert not first.requires_grad
