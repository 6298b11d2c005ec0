import numpy as np
import pytest
import torch

from conceptspace.data.dropping import NO_CONDITION, drop_conditions, no_condition
from conceptspace.data.streams import numpy_stream


def test_whole_rows_are_hidden_and_the_others_stay():
    vectors = torch.rand(200, 5)
    dropped = drop_conditions(vectors, 0.3, np.random.default_rng(0))
    hidden = (dropped == NO_CONDITION).any(1)
    assert (dropped[hidden] == NO_CONDITION).all()
    assert torch.equal(dropped[~hidden], vectors[~hidden])
    # 200 draws at .3: mean 60, standard deviation 6.5; four of them on either side.
    assert 34 < int(hidden.sum()) < 86


def test_the_vectors_that_are_given_are_not_changed():
    vectors = torch.zeros(20, 2)
    drop_conditions(vectors, 0.5, np.random.default_rng(0))
    assert not vectors.any()


def test_nothing_is_drawn_where_nothing_is_hidden():
    rng = np.random.default_rng(0)
    vectors = torch.rand(4, 2)
    assert drop_conditions(vectors, 0.0, rng) is vectors
    assert rng.random() == np.random.default_rng(0).random()


def test_what_is_hidden_follows_from_the_stream_of_the_seed_and_the_step():
    def hidden(seed, step):
        rng = numpy_stream(seed, "condition-dropout", step)
        return (drop_conditions(torch.zeros(64, 1), 0.5, rng) == NO_CONDITION).tolist()

    assert hidden(0, 5) == hidden(0, 5)
    assert hidden(0, 5) != hidden(0, 6)
    assert hidden(0, 5) != hidden(1, 5)


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_a_probability_outside_of_0_to_1_is_refused(probability):
    with pytest.raises(ValueError, match="probability must be between 0 and 1"):
        drop_conditions(torch.zeros(1, 1), probability, np.random.default_rng(0))


def test_the_hidden_condition_is_what_a_hidden_row_holds():
    dropped = drop_conditions(torch.rand(1, 3), 1.0, np.random.default_rng(0))
    assert torch.equal(dropped, no_condition(3))
