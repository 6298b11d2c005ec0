import torch

from conceptspace.models.schedule import LinearSchedule


def test_the_schedule_starts_and_ends_where_it_is_told():
    schedule = LinearSchedule(-5.0, 10.0, learned=True)
    assert schedule(torch.tensor([0.0, 1.0])).tolist() == [-5.0, 10.0]
    assert schedule.ends() == (-5.0, 10.0)


def test_gamma_is_linear_in_time():
    times = torch.linspace(0, 1, 7)
    gamma = LinearSchedule(-8.0, 4.0, learned=False)(times)
    torch.testing.assert_close(gamma, -8 + 12 * times)


def test_the_derivative_is_that_of_gamma():
    schedule = LinearSchedule(-5.0, 10.0, learned=True)
    time = torch.tensor(0.3, requires_grad=True)
    (slope,) = torch.autograd.grad(schedule(time), time)
    assert slope == schedule.derivative() == 15.0


def test_a_learned_schedule_has_two_parameters():
    schedule = LinearSchedule(-5.0, 10.0, learned=True)
    assert {name for name, _ in schedule.named_parameters()} == {"intercept", "slope"}
    assert sum(parameter.numel() for parameter in schedule.parameters()) == 2


def test_a_fixed_schedule_has_no_parameters_but_is_saved():
    schedule = LinearSchedule(-5.0, 10.0, learned=False)
    assert not list(schedule.parameters())
    assert set(schedule.state_dict()) == {"intercept", "slope"}


def test_noise_grows_with_time_even_if_training_turns_the_slope_negative():
    schedule = LinearSchedule(-5.0, 10.0, learned=True)
    with torch.no_grad():
        schedule.slope.fill_(-3.0)
    gamma = schedule(torch.linspace(0, 1, 5))
    assert (gamma.diff() > 0).all()
    assert schedule.ends() == (-5.0, -2.0)
    assert schedule.derivative().item() == 3.0


def test_both_ends_can_be_learned():
    schedule = LinearSchedule(-5.0, 10.0, learned=True)
    schedule(torch.tensor(0.25)).backward()
    assert (schedule.intercept.grad.item(), schedule.slope.grad.item()) == (1.0, 0.25)
