import pytest
import torch
from torch import nn

from conceptspace.elicitation.intervention import (
    PROMPT,
    AddDirections,
    Composed,
    Naive,
    applied,
)


def direction(*rows):
    return AddDirections({"site": torch.tensor(rows)})


def test_naive_prompting_changes_nothing():
    value = torch.randn(3, 2)
    assert Naive()("site", value, torch.ones(3)) is value


def test_each_row_has_its_own_strength():
    pushed = direction([1.0, 0.0])("site", torch.zeros(3, 2), torch.tensor([0.0, 1.0, 2.0]))
    assert pushed.tolist() == [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]


def test_rows_take_turns_among_directions():
    both = direction([1.0, 0.0], [0.0, 1.0])
    pushed = both("site", torch.zeros(3, 2), torch.ones(3))
    assert pushed.tolist() == [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]


def test_a_direction_is_added_to_every_token_of_a_sequence():
    pushed = direction([1.0, 2.0])("site", torch.zeros(2, 3, 2), torch.tensor([1.0, 0.0]))
    assert pushed[0].tolist() == [[1.0, 2.0]] * 3
    assert pushed[1].abs().max() == 0


def test_unknown_sites_are_left_alone():
    value = torch.randn(3, 2)
    assert direction([1.0, 1.0])(PROMPT, value, torch.ones(3)) is value


def test_the_input_is_not_changed_in_place():
    value = torch.zeros(2, 2)
    direction([1.0, 1.0])("site", value, torch.ones(2))
    assert value.abs().max() == 0


def test_interventions_form_a_vector_space():
    a, b = direction([1.0, 0.0]), AddDirections({"other": torch.tensor([[0.0, 1.0]])})
    zero, one = torch.zeros(1, 2), torch.ones(1)
    both = 2 * a + b - a
    assert both("site", zero, one).tolist() == [[1.0, 0.0]]
    assert both("other", zero, one).tolist() == [[0.0, 1.0]]


def test_composed_interventions_act_one_after_the_other():
    both = Composed((direction([1.0, 0.0]), direction([0.0, 3.0])))
    assert both("site", torch.zeros(1, 2), torch.ones(1)).tolist() == [[1.0, 3.0]]


def test_an_intervention_survives_being_written_as_tensors():
    a = direction([1.0, 2.0])
    back = AddDirections.from_tensors(a.to_tensors())
    assert torch.equal(back.directions["site"], a.directions["site"])


class Foreign(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(2, 2)
        self.head = nn.Linear(2, 1)

    def forward(self, x):
        return self.head(self.embed(x))


def test_a_foreign_module_is_steered_inside_the_block_and_restored_after_it():
    model, x = Foreign(), torch.randn(4, 2)
    plain = model(x)
    push = AddDirections({"embed": torch.tensor([[1.0, 0.0]])})
    with applied(push, model, 2.0):
        steered = model(x)
    expected = plain + 2.0 * model.head.weight[0, 0]
    torch.testing.assert_close(steered, expected)
    assert torch.equal(model(x), plain)


def test_a_foreign_module_is_restored_after_an_error():
    model, x = Foreign(), torch.randn(4, 2)
    plain = model(x)
    push = AddDirections({"embed": torch.tensor([[1.0, 0.0]])})
    with pytest.raises(RuntimeError, match="on purpose"), applied(push, model, 1.0):
        raise RuntimeError("on purpose")
    assert torch.equal(model(x), plain)
